-- Grain: one row of the calibration in use per programme and scale (with version and direction).
with

connectivity as (
    select * from {{ source('raw', 'calibration_connectivity') }}
),

renamed as (
    select
        ---------- ids
        calibration_version,
        programme_id,
        scale_id,
        scale_version,
        direction,
        ---------- text
        sentence,
        label,
        ---------- numbers
        n_ratings,
        n_learners,
        n_assessors,
        n_blocks,
        main_block_share,
        mean_level,
        assessors_per_learner,
        ratings_per_assessor,
        ---------- yes or no
        is_connected,
        is_estimated
    from connectivity
)

select * from renamed
