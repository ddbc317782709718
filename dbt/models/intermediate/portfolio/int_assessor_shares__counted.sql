-- Grain: one row per learner and competency with evidence that assessors gave of late, whatever the
-- stage: how much of it the one gave who gave most, and over how many days. A stage alone holds too
-- few data points on one competency to tell one assessor from chance.
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

ranked as (
    select
        *,
        cast(sum(n) over (partition by learner_key, programme_id, competency_id) as bigint)
            as n_assessed,
        max(latest_on) over (partition by learner_key, programme_id, competency_id) as newest_on,
        row_number() over (
            partition by learner_key, programme_id, competency_id
            order by n desc, latest_on desc, assessor_key asc
        ) as most_first
    from by_assessor
),

shared as (
    select
        *,
        {{ measure_share('n', 'n_assessed') }} as share_by_one
    from ranked
    where most_first = 1
),

-- Evidence is listed where one gave enough of it to be told.
rested_on as (
    select
        evidence.learner_key,
        evidence.programme_id,
        evidence.competency_id,
        {{ list_agg('evidence.evidence_id', distinct=true) }} as evidence_ids
    from evidence
    inner join shared
        on
            evidence.learner_key = shared.learner_key
            and evidence.programme_id = shared.programme_id
            and evidence.competency_id = shared.competency_id
    where
        shared.n >= {{ rule_threshold('signals', 'one_assessor_only', 'data_points_min') }}
        and shared.share_by_one
        >= {{ rule_threshold('signals', 'one_assessor_only', 'share_min') }}
    group by evidence.learner_key, evidence.programme_id, evidence.competency_id
),

final as (
    select
        ---------- ids
        shared.learner_key,
        shared.programme_id,
        shared.competency_id,
        ---------- numbers
        shared.n_assessed,
        shared.n as n_by_one,
        shared.share_by_one,
        cast({{ days_between('shared.first_on', 'shared.latest_on') }} as bigint) as spread_days,
        ---------- lists
        coalesce(rested_on.evidence_ids, {{ empty_list() }}) as evidence_ids,
        ---------- days
        shared.newest_on as latest_on
    from shared
    left join rested_on
        on
            shared.learner_key = rested_on.learner_key
            and shared.programme_id = rested_on.programme_id
            and shared.competency_id = rested_on.competency_id
)

select * from final
