-- Grain: one row per arrival of a file.
with

receipts as (
    select *
    from {{ source('raw', 'receipt') }}
),

renamed as (
    select
        ---------- ids
        receipt_id,
        delivery_id,
        source_id,
        ---------- text
        file,
        sha256,
        status,
        code,
        reason,
        owner,
        ---------- numbers
        bytes,
        ---------- days and instants
        known_at
    from receipts
)

select * from renamed
