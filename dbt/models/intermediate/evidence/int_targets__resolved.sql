-- Grain: one row per circumstance of evidence: programme, site, stage, framework, competency,
-- instrument, scale and day. Says which competency is meant and which level is the target: the
-- assessment plan's on that scale, most specific first, else the scale's own.
{{ config(materialized='table') }}

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

circumstances as (
    select distinct
        programme_id,
        site_id,
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

planned as (
    select
        keyed.circumstance_key,
        plans.target_level,
        row_number() over (
            partition by keyed.circumstance_key
            order by
                case when plans.instrument_id is null then 1 else 0 end asc,
                case when plans.site_id is null then 1 else 0 end asc,
                plans.from_on desc,
                plans.plan_id asc,
                plans.record_key asc
        ) as preference
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
),

own as (
    select
        keyed.circumstance_key,
        scale_targets.level as target_level,
        row_number() over (
            partition by keyed.circumstance_key
            order by scale_targets.scale_version desc
        ) as preference
    from keyed
    inner join scale_targets
        on
            keyed.scale_id = scale_targets.scale_id
            and coalesce(keyed.scale_version, scale_targets.scale_version)
            = scale_targets.scale_version
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
                competencies.framework_version desc,
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
        meant.competency_key,
        ---------- text
        case
            when planned.target_level is not null then 'assessment_plan'
            when own.target_level is not null then 'scale'
        end as target_source,
        ---------- numbers
        coalesce(planned.target_level, own.target_level) as target_level,
        ---------- days and instants
        keyed.occurred_on
    from keyed
    left join planned
        on keyed.circumstance_key = planned.circumstance_key and planned.preference = 1
    left join own
        on keyed.circumstance_key = own.circumstance_key and own.preference = 1
    left join meant
        on keyed.circumstance_key = meant.circumstance_key and meant.preference = 1
)

select * from resolved
