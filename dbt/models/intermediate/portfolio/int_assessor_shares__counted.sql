-- Grain: one row per learner and competency of the present stage with evidence that assessors gave:
-- how much of it the one gave who gave most, and over how many days.
with

evidence as (
    select * from {{ ref('int_cell_evidence__assigned') }}
    where assessor_key is not null and coalesce(assessor_role, '') <> 'self'
),

by_assessor as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        assessor_key,
        count(*) as n,
        min(occurred_on) as first_on,
        max(occurred_on) as latest_on
    from evidence
    group by learner_key, programme_id, stage_id, competency_id, assessor_key
),

ranked as (
    select
        *,
        cast(sum(n) over (partition by learner_key, programme_id, stage_id, competency_id) as bigint)
            as n_assessed,
        row_number() over (
            partition by learner_key, programme_id, stage_id, competency_id
            order by n desc, latest_on desc, assessor_key asc
        ) as most_first
    from by_assessor
),

final as (
    select
        ---------- ids
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        ---------- numbers
        n_assessed,
        n as n_by_one,
        {{ measure_share('n', 'n_assessed') }} as share_by_one,
        cast({{ days_between('first_on', 'latest_on') }} as bigint) as spread_days,
        ---------- days
        latest_on
    from ranked
    where most_first = 1
)

select * from final
