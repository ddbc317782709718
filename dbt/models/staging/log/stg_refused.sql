-- Grain: one row per problem of a refused record.
with

refusals as (
    select *
    from {{ source('raw', 'refused') }}
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
