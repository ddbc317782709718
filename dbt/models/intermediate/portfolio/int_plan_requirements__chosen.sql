-- Grain: one row per programme, site, stage and competency that an assessment plan in force
-- requires; without a site it holds for every site that has no plan of its own. A requirement for
-- the competency as a whole goes before those for single instruments, whose numbers are added up.
with

plans as (
    select * from {{ ref('int_plan_targets__dated') }}
    where {{ as_of() }} between from_on and to_on
),

ranked as (
    select
        *,
        row_number() over (
            partition by programme_id, site_id, stage_id, competency_id, instrument_id
            order by from_on desc, plan_id asc, record_key asc
        ) as recency,
        row_number() over (
            partition by programme_id, site_id, stage_id, competency_id
            order by
                case when target_level is null then 1 else 0 end,
                case when instrument_id is null then 0 else 1 end,
                from_on desc,
                plan_id asc,
                record_key asc
        ) as target_preference
    from plans
),

chosen as (
    select
        ---------- ids
        programme_id,
        site_id,
        stage_id,
        competency_id,
        max(case when target_preference = 1 then target_scale_id end) as target_scale_id,
        max(
            case when target_preference = 1 and target_level is not null then target_scale_version end
        ) as target_scale_version,
        ---------- text
        max(case when target_preference = 1 then requirement_source end) as requirement_source,
        ---------- numbers
        cast(
            coalesce(
                max(case when instrument_id is null and recency = 1 then required_n end),
                sum(case when instrument_id is not null and recency = 1 then required_n end)
            ) as bigint
        ) as required_n,
        cast(
            coalesce(
                max(case when instrument_id is null and recency = 1 then required_assessors end),
                max(case when instrument_id is not null and recency = 1 then required_assessors end)
            ) as bigint
        ) as required_assessors,
        max(case when target_preference = 1 then target_level end) as target_level,
        ---------- lists
        {{ list_agg('instrument_id', distinct=true) }} as instrument_ids
    from ranked
    group by programme_id, site_id, stage_id, competency_id
)

select * from chosen
