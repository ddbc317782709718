-- Grain: one row per programme, site, stage, competency and stretch of days in which what assessment
-- plans require of the stage stays the same; without a site it holds for every site that has no plan of
-- its own on those days. A requirement for the competency as a whole goes before those for single
-- instruments, whose numbers are added up.
with

plans as (
    select * from {{ ref('int_plan_targets__dated') }}
),

-- What a stage requires may change on each of these days.
changes as (
    select
        programme_id,
        site_id,
        stage_id,
        from_on
    from plans

    union

    select
        programme_id,
        site_id,
        stage_id,
        {{ add_days('to_on', 1) }} as from_on
    from plans
    where to_on < {{ last_day() }}
),

stretches as (
    select
        *,
        coalesce(
            {{ add_days(
                'lead(from_on) over (partition by programme_id, site_id, stage_id order by from_on)',
                -1
            ) }},
            {{ last_day() }}
        ) as to_on
    from changes
),

in_force as (
    select
        plans.*,
        stretches.from_on as stretch_from_on,
        stretches.to_on as stretch_to_on
    from stretches
    inner join plans
        on
            stretches.programme_id = plans.programme_id
            and stretches.site_id is not distinct from plans.site_id
            and stretches.stage_id = plans.stage_id
            and stretches.from_on between plans.from_on and plans.to_on
),

ranked as (
    select
        *,
        row_number() over (
            partition by
                programme_id, site_id, stage_id, stretch_from_on, competency_id, instrument_id
            order by from_on desc, plan_id asc, record_key asc
        ) as recency,
        row_number() over (
            partition by programme_id, site_id, stage_id, stretch_from_on, competency_id
            order by
                case when target_level is null then 1 else 0 end,
                case when instrument_id is null then 0 else 1 end,
                from_on desc,
                plan_id asc,
                record_key asc
        ) as target_preference
    from in_force
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
        {{ list_agg('instrument_id', distinct=true) }} as instrument_ids,
        ---------- days and instants
        stretch_from_on as from_on,
        max(stretch_to_on) as to_on
    from ranked
    group by programme_id, site_id, stage_id, stretch_from_on, competency_id
)

select * from chosen
