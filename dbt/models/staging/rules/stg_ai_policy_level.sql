-- Grain: one row per level of an AI policy scale.
with

levels as (
    select *
    from {{ source('raw', 'ai_policy_level') }}
),

renamed as (
    select
        ---------- ids
        ai_policy_scale,
        ai_policy_scale_version,
        ---------- text
        title,
        level_label,
        words,
        max_extent,
        source,
        ---------- numbers
        level,
        ---------- yes or no
        allows_use,
        requires_declaration,
        is_of_site,
        ---------- lists
        allowed_stages,
        ---------- days and instants
        effective_from,
        effective_to,
        known_from
    from levels
)

select * from renamed
