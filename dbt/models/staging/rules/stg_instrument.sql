-- Grain: one row per instrument.
with

instruments as (
    select *
    from {{ source('raw', 'instrument') }}
),

renamed as (
    select
        ---------- ids
        instrument_id,
        ---------- text
        title,
        method_family,
        assurance_level,
        direction,
        source,
        ---------- numbers
        stake
    from instruments
)

select * from renamed
