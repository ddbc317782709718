-- Grain: one row per learner and competency of which one assessor gave so much of late, whatever the
-- stage, that it is told: how much, and over how many days. A stage alone holds too few data points on
-- one competency to tell one assessor from chance.
{{ config(materialized='table') }}

with

evidence as (
    select * from {{ ref('int_cell_evidence__assigned') }}
    where
        assessor_key is not null
        and (
            {{ rule_threshold('signals', 'one_assessor_only', 'window_days') }} is null
            or {{ days_between('occurred_on', as_of()) }}
            <= {{ rule_threshold('signals', 'one_assessor_only', 'window_days') }}
        )
),

by_assessor as (
    select
        learner_key,
        programme_id,
        competency_id,
        assessor_key,
        count(*) as n,
        min(occurred_on) as first_on,
        max(occurred_on) as latest_on
    from evidence
    group by learner_key, programme_id, competency_id, assessor_key
),

totals as (
    select
        learner_key,
        programme_id,
        competency_id,
        cast(sum(n) as bigint) as n_assessed,
        max(latest_on) as newest_on
    from by_assessor
    group by learner_key, programme_id, competency_id
),

-- Whoever gave most of what is told gave enough of it, so only those who did are ranked.
ranked as (
    select
        *,
        row_number() over (
            partition by learner_key, programme_id, competency_id
            order by n desc, latest_on desc, assessor_key asc
        ) as most_first
    from by_assessor
    where n >= {{ rule_threshold('signals', 'one_assessor_only', 'data_points_min') }}
),

shared as (
    select
        ranked.learner_key,
        ranked.programme_id,
        ranked.competency_id,
        ranked.n,
        totals.n_assessed,
        totals.newest_on,
        {{ measure_share('ranked.n', 'totals.n_assessed') }} as share_by_one,
        cast({{ days_between('ranked.first_on', 'ranked.latest_on') }} as bigint) as spread_days
    from ranked
    inner join totals
        on {{ same('ranked', 'totals', ['learner_key', 'programme_id', 'competency_id']) }}
    where ranked.most_first = 1
),

told as (
    select * from shared
    where
        share_by_one >= {{ rule_threshold('signals', 'one_assessor_only', 'share_min') }}
        and spread_days >= {{ rule_threshold('signals', 'one_assessor_only', 'spread_days_min') }}
),

rested_on as (
    select
        evidence.learner_key,
        evidence.programme_id,
        evidence.competency_id,
        {{ list_agg('evidence.evidence_id', distinct=true) }} as evidence_ids
    from evidence
    inner join told
        on {{ same('evidence', 'told', ['learner_key', 'programme_id', 'competency_id']) }}
    group by evidence.learner_key, evidence.programme_id, evidence.competency_id
),

final as (
    select
        ---------- ids
        told.learner_key,
        told.programme_id,
        told.competency_id,
        ---------- numbers
        told.n_assessed,
        told.n as n_by_one,
        told.share_by_one,
        told.spread_days,
        ---------- lists
        rested_on.evidence_ids,
        ---------- days
        told.newest_on as latest_on
    from told
    inner join rested_on
        on {{ same('told', 'rested_on', ['learner_key', 'programme_id', 'competency_id']) }}
)

select * from final
