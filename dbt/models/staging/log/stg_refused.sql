-- Grain: one row per problem of a refused record that nobody has mended since, and one per record
-- that waits or is held.
with

refusals as (
    select *
    from {{ source('raw', 'refused') }}
    where is_open
),

renamed as (
    select
        ---------- ids
        delivery_id,
        interpretation_id,
        source_id,
        record_key,
        ---------- text
        source_cell,
        kind,
        code,
        field,
        message,
        value_masked,
        suggestion,
        owner,
        ---------- numbers
        source_row,
        ---------- yes or no
        is_first
    from refusals
)

select * from renamed
