-- Grain: one row; the inputs of this build.
with

inputs as (
    select *
    from {{ source('raw', 'build_input') }}
),

renamed as (
    select
        ---------- ids
        build_id,
        ---------- text
        time_zone,
        code_version,
        calibration_version,
        ---------- days and instants
        as_of,
        rules_on,
        known_at
    from inputs
)

select * from renamed
