-- Grain: one row per requirement of the assessment plan (a stage and a competency, with or
-- without an instrument) and the stretch of days in which it is in force; a later one ends the
-- one before. A requirement of a competency that no framework of the programme has is refused here,
-- and listed with its row (plan_unknown_competency): whichever came first, plan or framework.
with

competencies as (
    select distinct
        programme_id,
        competency_id
    from {{ ref('int_competencies__dated') }}
),

with_frameworks as (
    select distinct programme_id
    from competencies
),

plans as (
    select plans.*
    from {{ ref('stg_assessment_plan') }} as plans
    left join with_frameworks on plans.programme_id = with_frameworks.programme_id
    left join competencies
        on
            plans.programme_id = competencies.programme_id
            and plans.competency_id = competencies.competency_id
    where with_frameworks.programme_id is null or competencies.competency_id is not null
),

ranked as (
    select
        *,
        coalesce(valid_from, {{ first_day() }}) as from_on,
        row_number() over (
            partition by
                programme_id, site_id, plan_id, stage_id, competency_id, instrument_id, valid_from
            order by {{ version_order('plan_version') }} desc, known_at desc, record_key desc
        ) as recency
    from plans
),

ordered as (
    select
        *,
        lead(from_on) over (
            partition by programme_id, site_id, plan_id, stage_id, competency_id, instrument_id
            order by from_on
        ) as next_from_on
    from ranked
    where recency = 1
),

dated as (
    select
        ---------- ids
        programme_id,
        site_id,
        plan_id,
        plan_version,
        stage_id,
        competency_id,
        instrument_id,
        target_scale_id,
        target_scale_version,
        record_key,
        ---------- text
        requirement_source,
        ---------- numbers
        required_n,
        required_assessors,
        target_level,
        ---------- days and instants
        from_on,
        least(
            coalesce(valid_to, {{ last_day() }}),
            coalesce({{ add_days('next_from_on', -1) }}, {{ last_day() }})
        ) as to_on
    from ordered
)

select * from dated
