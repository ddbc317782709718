-- Grain: one row of the calibration in use per programme: how much standings among peers vary.
with

spreads as (
    select * from {{ source('raw', 'calibration_spread') }}
),

renamed as (
    select
        ---------- ids
        calibration_version,
        programme_id,
        ---------- numbers
        n_learners,
        quarter_days,
        within_variance,
        between_variance,
        competency_variance,
        open_variance,
        apart_variance,
        rise_variance
    from spreads
)

select * from renamed
