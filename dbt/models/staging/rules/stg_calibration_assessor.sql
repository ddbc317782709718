-- Grain: one row of the calibration in use per programme, scale (with version and direction) and assessor
-- of a block that could be estimated.
with

assessors as (
    select * from {{ source('raw', 'calibration_assessor') }}
),

renamed as (
    select
        ---------- ids
        calibration_version,
        programme_id,
        scale_id,
        scale_version,
        direction,
        assessor_key,
        ---------- numbers
        coalesce(block, 0) as block,
        n_ratings,
        n_learners,
        raw_mean,
        effect,
        standard_error
    from assessors
)

select * from renamed
