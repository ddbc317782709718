-- Grain: one row per circumstance of evidence: programme, site of the plan, stage, framework, competency,
-- instrument, scale and day. Says which competency is meant and which level is the target: the
-- assessment plan's on that scale, most specific first, else the scale's own. Where the plan names
-- another version of the scale, there is none: levels of two versions may mean different things. A view, so that
-- the fact looks up those circumstances alone whose rows it makes.
with

evidence as (
    select * from {{ ref('int_evidence__dated') }}
),

plans as (
    select * from {{ ref('int_plan_targets__dated') }}
    where target_level is not null
),

scale_levels as (
    select * from {{ ref('stg_scale_level') }}
),

competencies as (
    select * from {{ ref('int_competencies__dated') }}
),

scale_targets as (
    select
        scale_id,
        scale_version,
        min(level) as level
    from scale_levels
    where is_target
    group by scale_id, scale_version
),

by_version as (
    select
        *,
        row_number() over (
            partition by scale_id order by {{ version_order('scale_version') }} desc
        ) as recency
    from scale_targets
),

-- Where no version is named, the newest one counts.
own as (
    select
        scale_id,
        scale_version,
        level
    from by_version

    union all

    select
        scale_id,
        cast(null as string) as scale_version,
        level
    from by_version
    where recency = 1
),

scales as (
    select * from {{ ref('int_scales__described') }}
),

circumstances as (
    select distinct
        programme_id,
        plan_site_id as site_id,
        stage_id,
        framework_id,
        competency_id,
        instrument_id,
        scale_id,
        scale_version,
        occurred_on
    from evidence
    where competency_id is not null or scale_id is not null
),

keyed as (
    select
        {{ key('circumstance_key') }} as circumstance_key,
        *
    from circumstances
),

on_scale as (
    select
        keyed.circumstance_key,
        plans.instrument_id,
        plans.site_id,
        plans.plan_id,
        plans.record_key,
        plans.target_scale_version,
        plans.target_level,
        plans.from_on,
        plans.target_scale_version is null
        or coalesce(
            plans.target_scale_version
            = coalesce(keyed.scale_version, scales.newest_version),
            false
        ) as is_comparable
    from keyed
    inner join plans
        on
            keyed.programme_id = plans.programme_id
            and keyed.stage_id = plans.stage_id
            and keyed.competency_id = plans.competency_id
            and keyed.scale_id = plans.target_scale_id
            and keyed.occurred_on between plans.from_on and plans.to_on
            and (plans.instrument_id is null or keyed.instrument_id = plans.instrument_id)
            and (plans.site_id is null or keyed.site_id = plans.site_id)
    left join scales on keyed.scale_id = scales.scale_id
),

planned as (
    select
        circumstance_key,
        target_scale_version,
        case when is_comparable then target_level end as target_level,
        row_number() over (
            partition by circumstance_key
            order by
                case when is_comparable then 0 else 1 end asc,
                case when instrument_id is null then 1 else 0 end asc,
                case when site_id is null then 1 else 0 end asc,
                from_on desc,
                plan_id asc,
                record_key asc
        ) as preference
    from on_scale
),

meant as (
    select
        keyed.circumstance_key,
        competencies.competency_key,
        competencies.framework_id,
        row_number() over (
            partition by keyed.circumstance_key
            order by
                competencies.from_on desc,
                {{ version_order('competencies.framework_version') }} desc,
                competencies.framework_id asc
        ) as preference
    from keyed
    inner join competencies
        on
            keyed.programme_id = competencies.programme_id
            and keyed.competency_id = competencies.competency_id
            and coalesce(keyed.framework_id, competencies.framework_id)
            = competencies.framework_id
            and keyed.occurred_on between competencies.from_on and competencies.to_on
),

resolved as (
    select
        ---------- ids
        keyed.circumstance_key,
        keyed.programme_id,
        keyed.site_id,
        keyed.stage_id,
        coalesce(keyed.framework_id, meant.framework_id) as framework_id,
        keyed.competency_id,
        keyed.instrument_id,
        keyed.scale_id,
        keyed.scale_version,
        planned.target_scale_version,
        meant.competency_key,
        ---------- text
        case
            when planned.target_level is not null then 'assessment_plan'
            when planned.circumstance_key is null and own.level is not null then 'scale'
        end as target_source,
        ---------- numbers
        case
            when planned.circumstance_key is null then own.level
            else planned.target_level
        end as target_level,
        ---------- days and instants
        keyed.occurred_on
    from keyed
    left join planned
        on keyed.circumstance_key = planned.circumstance_key and planned.preference = 1
    left join own
        on
            keyed.scale_id = own.scale_id
            and keyed.scale_version is not distinct from own.scale_version
    left join meant
        on keyed.circumstance_key = meant.circumstance_key and meant.preference = 1
)

select * from resolved
