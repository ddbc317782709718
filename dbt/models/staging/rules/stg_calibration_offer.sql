-- Grain: one row of the calibration in use per programme, rotation and competency: how often
-- learners are assessed on it in that rotation.
with

offers as (
    select * from {{ source('raw', 'calibration_offer') }}
),

renamed as (
    select
        ---------- ids
        calibration_version,
        programme_id,
        rotation_id,
        competency_id,
        ---------- numbers
        n_ratings,
        n_of_rotation,
        n_learners
    from offers
)

select * from renamed
