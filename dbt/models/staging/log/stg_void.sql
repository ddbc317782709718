-- Grain: one row per accepted withdrawal of a record by its source.
with

voids as (
    select *
    from {{ source('raw', 'void') }}
    where present_outcome = 'accepted'
),

renamed as (
    select
        ---------- ids
        voids.record_key,
        voids.event_id,
        voids.programme_id,
        voids.site_id,
        voids.record_id,
        ---------- text
        voids.target_kind,
        voids.reason,
        ---------- days and instants
        voids.voided_at,
        ---------- lineage
        voids.source_id,
        voids.delivery_id,
        voids.source_row,
        voids.source_cell,
        voids.known_at
    from voids
)

select * from renamed
