-- Grain: one row per task, stretch of days and version of its policy scale, where an AI policy is
-- in force. What a level allows comes from the policy scale; the task itself may ask for a
-- declaration.
with

tasks as (
    select * from {{ ref('int_tasks__dated') }}
),

-- A version that was not known yet judges nothing.
known_levels as (
    select * from {{ ref('stg_ai_policy_level') }}
    where known_from <= coalesce({{ rules_on() }}, {{ day_of_known_at() }}, {{ last_day() }})
),

levels as (
    select distinct
        ai_policy_scale,
        ai_policy_scale_version,
        level,
        level_label,
        words,
        max_extent,
        allows_use,
        requires_declaration,
        allowed_stages
    from known_levels
),

version_stretches as (
    select distinct
        ai_policy_scale,
        ai_policy_scale_version,
        effective_from,
        effective_to
    from known_levels
),

versions as (
    select
        ai_policy_scale,
        ai_policy_scale_version,
        effective_from as version_from_on,
        least(
            coalesce(effective_to, {{ last_day() }}),
            coalesce({{ add_days('lead(effective_from) over of_scale', -1) }}, {{ last_day() }})
        ) as version_to_on
    from version_stretches
    window of_scale as (
        partition by ai_policy_scale
        order by effective_from, ai_policy_scale_version
    )
),

policies as (
    select *
    from tasks
    where ai_policy_level is not null or requires_ai_declaration is not null
),

-- A task that names no version means the one in force on the day.
versioned as (
    select
        policies.*,
        coalesce(policies.ai_policy_scale_version, versions.ai_policy_scale_version)
            as version_in_force,
        greatest(policies.policy_from_on, coalesce(versions.version_from_on, {{ first_day() }}))
            as in_force_from_on,
        least(policies.policy_to_on, coalesce(versions.version_to_on, {{ last_day() }}))
            as in_force_to_on
    from policies
    left join versions
        on
            policies.ai_policy_scale = versions.ai_policy_scale
            and policies.ai_policy_scale_version is null
),

dated as (
    select
        ---------- ids
        versioned.task_key,
        versioned.programme_id,
        versioned.task_id,
        versioned.record_key,
        versioned.ai_policy_scale,
        versioned.version_in_force as ai_policy_scale_version,
        ---------- text
        levels.level_label,
        levels.words,
        levels.max_extent,
        ---------- numbers
        versioned.ai_policy_level,
        ---------- yes or no
        levels.allows_use,
        coalesce(versioned.requires_ai_declaration, levels.requires_declaration)
            as requires_declaration,
        ---------- lists
        levels.allowed_stages,
        ---------- days and instants
        versioned.in_force_from_on,
        versioned.in_force_to_on
    from versioned
    left join levels
        on
            versioned.ai_policy_scale = levels.ai_policy_scale
            and versioned.version_in_force = levels.ai_policy_scale_version
            and versioned.ai_policy_level = levels.level
    where versioned.in_force_from_on <= versioned.in_force_to_on
)

select * from dated
