-- Grain: one row per oddity noted at intake that refused nothing.
with

notes as (
    select *
    from {{ source('raw', 'note') }}
),

renamed as (
    select
        ---------- ids
        event_id,
        delivery_id,
        interpretation_id,
        source_id,
        record_key,
        ---------- text
        source_cell,
        kind,
        code,
        field,
        detail,
        ---------- numbers
        source_row
    from notes
)

select * from renamed
