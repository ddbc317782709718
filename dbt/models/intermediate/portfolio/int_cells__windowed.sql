-- Grain: one row per learner, stage, competency and rule set: what lies in the windows of the rule set, on
-- the day by which the cell is judged.
{{ config(materialized='table') }}

with

cells as {{ read_each_time() }} (
    select * from {{ ref('int_cells__required') }}
),

counts as (
    select * from {{ ref('int_cells__counted') }}
),

evidence as {{ read_each_time() }} (
    select * from {{ ref('int_cell_evidence__assigned') }}
),

ruled as (
    select * from {{ ref('int_sufficiency_rules__staged') }}
),

time_out as (
    select * from {{ ref('int_learner_time_out__dated') }}
),

-- Of whoever was away or trained part time, windows reach as much further back.
days_with_time_out as (
    select
        evidence.learner_key,
        evidence.programme_id,
        evidence.stage_id,
        evidence.competency_id,
        evidence.evidence_id,
        {{ days_between('evidence.occurred_on', 'cells.judged_on') }} as calendar_days,
        {{ days_between('evidence.occurred_on', 'cells.judged_on') }}
        - {{ measure_days_out(
            'time_out', add_days('evidence.occurred_on', 1), 'cells.judged_on'
        ) }} as age_days
    from evidence
    inner join cells
        on {{ same(
            'evidence', 'cells', ['learner_key', 'programme_id', 'stage_id', 'competency_id']
        ) }}
    inner join time_out
        on
            evidence.learner_key = time_out.learner_key
            and evidence.programme_id = time_out.programme_id
            and time_out.to_on > evidence.occurred_on
            and time_out.from_on <= cells.judged_on
    where evidence.is_data_point
    group by
        evidence.learner_key,
        evidence.programme_id,
        evidence.stage_id,
        evidence.competency_id,
        evidence.evidence_id,
        evidence.occurred_on,
        cells.judged_on
),

last_days_out as (
    select
        cells.learner_key,
        cells.programme_id,
        cells.stage_id,
        max(least(time_out.to_on, cells.judged_on)) as last_out_on
    from cells
    inner join time_out
        on
            cells.learner_key = time_out.learner_key
            and cells.programme_id = time_out.programme_id
            and cells.judged_on >= time_out.from_on
    group by cells.learner_key, cells.programme_id, cells.stage_id
),

-- Those that come into the window by that.
brought_in as (
    select
        days_with_time_out.learner_key,
        days_with_time_out.programme_id,
        days_with_time_out.stage_id,
        days_with_time_out.competency_id,
        ruled.rule_set_id,
        count(*) as n_recent
    from days_with_time_out
    inner join ruled
        on {{ same('days_with_time_out', 'ruled', ['programme_id', 'stage_id']) }}
    where
        days_with_time_out.age_days <= ruled.window_days
        and days_with_time_out.calendar_days > ruled.window_days
    group by
        days_with_time_out.learner_key,
        days_with_time_out.programme_id,
        days_with_time_out.stage_id,
        days_with_time_out.competency_id,
        ruled.rule_set_id
),

-- Flags are few, and count by assessor.
flags as (
    select
        evidence.learner_key,
        evidence.programme_id,
        evidence.stage_id,
        evidence.competency_id,
        ruled.rule_set_id,
        count(*) as n_flags_counted,
        count(distinct coalesce(evidence.assessor_key, evidence.record_key)) as n_flag_assessors
    from evidence
    inner join cells
        on
            evidence.learner_key = cells.learner_key
            and evidence.programme_id = cells.programme_id
            and evidence.stage_id = cells.stage_id
            and evidence.competency_id = cells.competency_id
    inner join ruled
        on cells.programme_id = ruled.programme_id and cells.stage_id = ruled.stage_id
    left join days_with_time_out
        on {{ same(
            'evidence', 'days_with_time_out',
            ['learner_key', 'programme_id', 'stage_id', 'competency_id', 'evidence_id']
        ) }}
    where
        evidence.is_flagged
        and (
            ruled.flags_window_days is null
            or coalesce(
                days_with_time_out.age_days,
                {{ days_between('evidence.occurred_on', 'cells.judged_on') }}
            ) <= ruled.flags_window_days
        )
    group by
        evidence.learner_key,
        evidence.programme_id,
        evidence.stage_id,
        evidence.competency_id,
        ruled.rule_set_id
),

-- What a rule set counts beside the counts of a cell, in one join: a second one the engine would turn
-- around, and hold all cells for it.
counted_by_rule as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        rule_set_id,
        max(n_flags_counted) as n_flags_counted,
        max(n_flag_assessors) as n_flag_assessors,
        max(n_brought_in) as n_brought_in
    from (
        select
            learner_key,
            programme_id,
            stage_id,
            competency_id,
            rule_set_id,
            n_flags_counted,
            n_flag_assessors,
            cast(null as bigint) as n_brought_in
        from flags

        union all

        select
            learner_key,
            programme_id,
            stage_id,
            competency_id,
            rule_set_id,
            cast(null as bigint) as n_flags_counted,
            cast(null as bigint) as n_flag_assessors,
            n_recent as n_brought_in
        from brought_in
    ) as counts_by_rule
    group by learner_key, programme_id, stage_id, competency_id, rule_set_id
),

windowed as (
    select
        ---------- ids
        cells.learner_key,
        cells.programme_id,
        cells.stage_id,
        cells.competency_id,
        ruled.rule_set_id,
        ---------- numbers
        coalesce(
            {{ list_count_days('counts.days', 'cells.judged_on', 'ruled.window_days') }}, 0
        ) + coalesce(counted_by_rule.n_brought_in, 0) as n_recent,
        coalesce(counted_by_rule.n_flags_counted, 0) as n_flags_counted,
        coalesce(counted_by_rule.n_flag_assessors, 0) as n_flag_assessors,
        ---------- yes or no
        coalesce(
            {{ days_between('last_days_out.last_out_on', 'cells.judged_on') }} < ruled.window_days,
            false
        ) as has_time_out,
        coalesce(
            {{ days_between('last_days_out.last_out_on', 'cells.judged_on') }}
            < ruled.flags_window_days,
            false
        ) as has_time_out_of_flags
    from cells
    inner join ruled
        on {{ same('cells', 'ruled', ['programme_id', 'stage_id']) }}
    left join counts
        on {{ same('cells', 'counts', ['learner_key', 'programme_id', 'stage_id', 'competency_id']) }}
    left join counted_by_rule
        on
            {{ same(
                'cells', 'counted_by_rule', ['learner_key', 'programme_id', 'stage_id', 'competency_id']
            ) }}
            and ruled.rule_set_id = counted_by_rule.rule_set_id
    left join last_days_out
        on {{ same('cells', 'last_days_out', ['learner_key', 'programme_id', 'stage_id']) }}
)

select * from windowed
