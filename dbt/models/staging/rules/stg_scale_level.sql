-- Grain: one row per level of a scale.
with

levels as (
    select *
    from {{ source('raw', 'scale_level') }}
),

renamed as (
    select
        ---------- ids
        scale_id,
        scale_version,
        ---------- text
        level_label,
        direction,
        description,
        source,
        ---------- numbers
        level,
        ---------- yes or no
        is_target
    from levels
)

select * from renamed
