-- Grain: one row of the calibration in use per programme, stage, quarter of it, instrument, scale, version
-- and direction of it, and level: where the level stands among those of peers.
with

norms as (
    select * from {{ source('raw', 'calibration_level_norm') }}
),

renamed as (
    select
        ---------- ids
        calibration_version,
        programme_id,
        stage_id,
        quarter,
        instrument_id,
        scale_id,
        scale_version,
        direction,
        ---------- numbers
        level,
        n_ratings,
        n_learners,
        standing
    from norms
)

select * from renamed
