-- Grain: one row per accepted item of a framework or link between two.
with

entries as (
    select *
    from {{ source('raw', 'framework') }}
    where present_outcome = 'accepted'
),

renamed as (
    select
        ---------- ids
        entries.record_key,
        entries.event_id,
        entries.programme_id,
        entries.site_id,
        entries.record_id,
        entries.framework_id,
        entries.framework_version,
        entries.competency_id,
        entries.target_framework_id,
        entries.target_competency_id,
        ---------- text
        entries.entry_type,
        entries.competency_type,
        entries.title,
        entries.link_type,
        entries.target_framework_version,
        ---------- numbers
        entries.sort_order,
        ---------- days and instants
        entries.valid_from,
        entries.valid_to,
        ---------- lineage
        entries.source_id,
        entries.delivery_id,
        entries.source_row,
        entries.source_cell,
        entries.known_at
    from entries
)

select * from renamed
