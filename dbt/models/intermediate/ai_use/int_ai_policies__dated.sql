-- Grain: one row per task, stretch of days and version of its policy scale, where an AI policy is
-- in force. What a level allows comes from the policy scale; the task itself may ask for a
-- declaration. A version of the site takes the place of shipped ones.
with

tasks as (
    select * from {{ ref('int_tasks__dated') }}
),

levels as (
    select * from {{ ref('stg_ai_policy_level') }}
),

named_versions as (
    select distinct
        ai_policy_scale,
        ai_policy_scale_version,
        effective_from,
        coalesce(effective_to, {{ last_day() }}) as effective_to,
        known_from,
        is_of_site
    from levels
    where {{ rules_are_known('known_from') }}
),

-- Another version may be in force from each of these days on.
changes as (
    select
        ai_policy_scale,
        effective_from as from_on
    from named_versions

    union

    select
        ai_policy_scale,
        {{ add_days('effective_to', 1) }} as from_on
    from named_versions
    where effective_to < {{ last_day() }}
),

stretches as (
    select
        ai_policy_scale,
        from_on,
        coalesce(
            {{ add_days(
                'lead(from_on) over (partition by ai_policy_scale order by from_on)', -1
            ) }},
            {{ last_day() }}
        ) as to_on
    from changes
),

ranked as (
    select
        stretches.ai_policy_scale,
        stretches.from_on,
        stretches.to_on,
        named_versions.ai_policy_scale_version,
        row_number() over (
            partition by stretches.ai_policy_scale, stretches.from_on
            order by
                named_versions.is_of_site desc,
                named_versions.known_from desc,
                named_versions.effective_from desc,
                {{ version_order('named_versions.ai_policy_scale_version') }} desc
        ) as newest_first
    from stretches
    inner join named_versions
        on
            stretches.ai_policy_scale = named_versions.ai_policy_scale
            and stretches.from_on between named_versions.effective_from
            and named_versions.effective_to
),

versions as (
    select * from ranked
    where newest_first = 1
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
        greatest(policies.policy_from_on, coalesce(versions.from_on, {{ first_day() }}))
            as in_force_from_on,
        least(policies.policy_to_on, coalesce(versions.to_on, {{ last_day() }})) as in_force_to_on
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
