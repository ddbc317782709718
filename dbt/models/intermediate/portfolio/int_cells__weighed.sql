-- Grain: one row per learner, stage, competency and rule set: what is there, what the rule set (or
-- a plan that asks for more) demands, and the share at or above target with its interval.
with

cells as (
    select * from {{ ref('int_cells__required') }}
),

counts as (
    select * from {{ ref('int_cells__counted') }}
),

flagged as (
    select * from {{ ref('int_cell_evidence__assigned') }}
    where is_flagged
),

rules as (
    select * from {{ ref('int_sufficiency_rules__pivoted') }}
),

components as (
    select * from {{ ref('int_rating_components__chosen') }}
),

own_rules as (
    select distinct
        rule_set_id,
        stage_id
    from rules
    where stage_id is not null
),

stages as (
    select distinct
        programme_id,
        stage_id
    from cells
),

ruled as (
    select
        stages.programme_id,
        stages.stage_id,
        rules.rule_set_id,
        rules.rule_version,
        rules.is_default,
        rules.data_points_min,
        rules.rated_min,
        rules.assessors_min,
        rules.roles_min,
        rules.methods_min,
        rules.contexts_min,
        rules.window_days,
        rules.recent_min,
        rules.narratives_min,
        rules.actionable_min,
        rules.actionable_characters,
        rules.actionable_needs_marker,
        rules.plan_applies,
        rules.z,
        rules.assessor_variance_share,
        rules.summary,
        rules.above_low_min,
        rules.latest_k,
        rules.latest_at_target_min,
        rules.on_track_share_min,
        rules.discussion_high_max,
        rules.discussion_gap_min,
        rules.flags_for_discussion,
        rules.flags_window_days,
        rules.flags_assessors_min
    from stages
    inner join rules
        on
            (rules.programme_id is null or stages.programme_id = rules.programme_id)
            and (rules.stage_id is null or stages.stage_id = rules.stage_id)
    left join own_rules
        on
            rules.rule_set_id = own_rules.rule_set_id
            and rules.stage_id is null
            and stages.stage_id = own_rules.stage_id
    where own_rules.rule_set_id is null
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
    from {{ ref('int_cell_evidence__assigned') }} as evidence
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
    from flagged as evidence
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
        ruled.flags_window_days is null
        or coalesce(
            days_with_time_out.age_days,
            {{ days_between('evidence.occurred_on', 'cells.judged_on') }}
        ) <= ruled.flags_window_days
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

gathered as (
    select
        cells.learner_key,
        cells.programme_id,
        cells.stage_id,
        cells.competency_id,
        cells.framework_id,
        cells.framework_version,
        cells.target_scale_id,
        cells.target_scale_version,
        cells.competency_title,
        cells.required_by,
        cells.requirement_source,
        cells.target_source,
        cells.sort_order,
        cells.target_level,
        cells.is_current_stage,
        cells.is_required,
        cells.stage_from_on,
        cells.stage_to_on,
        cells.judged_on,
        ruled.rule_set_id,
        ruled.rule_version,
        ruled.is_default,
        ruled.rated_min,
        ruled.roles_min,
        ruled.methods_min,
        ruled.contexts_min,
        ruled.window_days,
        ruled.recent_min,
        ruled.narratives_min,
        ruled.actionable_min,
        ruled.z,
        ruled.summary,
        ruled.above_low_min,
        ruled.latest_at_target_min,
        ruled.on_track_share_min,
        ruled.discussion_high_max,
        ruled.discussion_gap_min,
        ruled.flags_for_discussion,
        ruled.flags_window_days,
        coalesce(counted_by_rule.n_flags_counted, 0) as n_flags_counted,
        coalesce(counted_by_rule.n_flags_counted, 0) >= ruled.flags_for_discussion
        and coalesce(counted_by_rule.n_flag_assessors, 0) >= ruled.flags_assessors_min
            as flags_ask_for_discussion,
        coalesce(counts.n_data_points, 0) as n_data_points,
        coalesce(counts.n_assessors, 0) as n_assessors,
        coalesce(counts.n_assessed, 0) as n_assessed,
        coalesce(counts.n_roles, 0) as n_roles,
        coalesce(counts.n_methods, 0) as n_methods,
        coalesce(counts.n_settings, 0) as n_settings,
        coalesce(counts.n_case_types, 0) as n_case_types,
        coalesce(greatest(counts.n_settings, counts.n_case_types), 0) as n_contexts,
        coalesce(
            {{ list_count_days('counts.days', 'cells.judged_on', 'ruled.window_days') }}, 0
        ) + coalesce(counted_by_rule.n_brought_in, 0) as n_recent,
        coalesce(
            {{ days_between('last_days_out.last_out_on', 'cells.judged_on') }} < ruled.window_days,
            false
        ) as has_time_out,
        coalesce(
            {{ days_between('last_days_out.last_out_on', 'cells.judged_on') }}
            < ruled.flags_window_days,
            false
        ) as has_time_out_of_flags,
        coalesce(counts.n_narratives, 0) as n_narratives,
        coalesce({{ measure_n_actionable(
            'counts.characters_with_marker', 'counts.characters_without_marker',
            'ruled.actionable_characters', 'ruled.actionable_needs_marker'
        ) }}, 0) as n_actionable,
        coalesce(counts.n_flags, 0) as n_flags,
        coalesce(counts.n_rated, 0) as n_rated,
        coalesce(counts.n_at_target, 0) as n_at_target,
        coalesce(counts.n_rated_apart, 0) as n_rated_apart,
        coalesce(counts.n_at_target_apart, 0) as n_at_target_apart,
        coalesce(counts.n_observed, 0) as n_observed,
        coalesce(counts.n_secured, 0) as n_secured,
        coalesce(counts.n_open, 0) as n_open,
        counts.level_median,
        counts.level_counts,
        counts.counted_direction,
        counts.first_on,
        counts.latest_on,
        {{ list_first('counts.levels_newest_first', 'ruled.latest_k') }} as latest_levels,
        greatest(
            ruled.data_points_min, case when ruled.plan_applies = 1 then cells.required_n end
        ) as required_data_points,
        greatest(
            ruled.assessors_min, case when ruled.plan_applies = 1 then cells.required_assessors end
        ) as required_assessors,
        case
            when counts.n_rated > 0 and cells.target_level is not null
                then {{ measure_share('counts.n_at_target', 'counts.n_rated') }}
        end as share_at_target,
        {{ measure_effective_n(
            'counts.n_rated', 'counts.sum_of_squares',
            'coalesce(components.assessor_variance_share, ruled.assessor_variance_share)'
        ) }} as n_effective,
        case
            when counts.n_rated > 0
                then
                    cast(
                        coalesce(
                            components.assessor_variance_share, ruled.assessor_variance_share
                        ) as decimal(18, 6)
                    )
        end as assessor_variance_share
    from cells
    inner join ruled
        on cells.programme_id = ruled.programme_id and cells.stage_id = ruled.stage_id
    left join counts
        on
            cells.learner_key = counts.learner_key
            and cells.programme_id = counts.programme_id
            and cells.stage_id = counts.stage_id
            and cells.competency_id = counts.competency_id
    left join components
        on
            cells.programme_id = components.programme_id
            and cells.target_scale_id = components.scale_id
            and {{ is_estimated_for(
                'components', 'counts.counted_scale_version', 'counts.counted_direction'
            ) }}
    left join counted_by_rule
        on
            {{ same(
                'cells', 'counted_by_rule', ['learner_key', 'programme_id', 'stage_id', 'competency_id']
            ) }}
            and ruled.rule_set_id = counted_by_rule.rule_set_id
    left join last_days_out
        on {{ same('cells', 'last_days_out', ['learner_key', 'programme_id', 'stage_id']) }}
),

weighed as (
    select
        *,
        {{ measure_wilson('share_at_target', 'n_effective', 'z', -1) }} as share_low,
        {{ measure_wilson('share_at_target', 'n_effective', 'z', 1) }} as share_high,
        {{ list_count_from('latest_levels', 'target_level') }} as n_latest_at_target
    from gathered
)

select * from weighed
