-- Grain: one row of the calibration in use per programme, scale (with version and direction), target level and
-- learner, assessor or context of a block that could be estimated; and one for the mean of each block.
with

effects as (
    select * from {{ source('raw', 'calibration_target_effect') }}
),

renamed as (
    select
        ---------- ids
        calibration_version,
        programme_id,
        scale_id,
        scale_version,
        direction,
        effect_id,
        ---------- text
        component,
        label,
        ---------- numbers
        target_level,
        block,
        n_ratings,
        component_variance,
        effect,
        standard_error
    from effects
)

select * from renamed
