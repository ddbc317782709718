-- Grain: one row per calibration, programme, scale and variance component.
with

components as (
    select * from {{ source('raw', 'calibration_component') }}
),

renamed as (
    select
        ---------- ids
        calibration_version,
        programme_id,
        scale_id,
        ---------- text
        component,
        ---------- numbers
        n_levels,
        variance,
        sd,
        variance_share
    from components
)

select * from renamed
