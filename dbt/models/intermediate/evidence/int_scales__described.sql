-- Grain: one row per scale: what holds of it in all its versions.
with

levels as (
    select * from {{ ref('stg_scale_level') }}
),

described as (
    select
        ---------- ids
        scale_id,
        max_by(scale_version, {{ version_order('scale_version') }}) as newest_version,
        ---------- text
        case when count(distinct direction) = 1 then max(direction) end as direction
    from levels
    group by scale_id
)

select * from described
