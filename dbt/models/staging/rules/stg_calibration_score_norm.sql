-- Grain: one row of the calibration in use per programme and open task: mean and spread of its marks.
with

norms as (
    select * from {{ source('raw', 'calibration_score_norm') }}
),

renamed as (
    select
        ---------- ids
        calibration_version,
        programme_id,
        task_id,
        ---------- numbers
        n_learners,
        mean_share,
        sd_share
    from norms
)

select * from renamed
