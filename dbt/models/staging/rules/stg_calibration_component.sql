-- Grain: one row of the calibration in use per programme, scale (with version and direction), connected
-- block and variance component. Block 0 is the largest; one that an older version estimated is it.
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
        scale_version,
        direction,
        coalesce(block, 0) as block,
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
