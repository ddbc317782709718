-- Grain: one row per active interpretation of a delivery.
with

intake_records as (
    select *
    from {{ source('raw', 'intake_record') }}
),

renamed as (
    select
        ---------- ids
        delivery_id,
        interpretation_id,
        source_id,
        ---------- text
        file,
        sha256,
        owner,
        status,
        error,
        hold_rule,
        hold_reason,
        hold_owner,
        check_verdict,
        accepted_events,
        reasons,
        notes,
        check_results,
        contract_versions,
        created_by_code_version,
        ---------- numbers
        source_rows,
        rows_read,
        n_accepted_events,
        n_refused,
        n_replayed,
        n_held,
        ---------- days and instants
        known_at
    from intake_records
)

select * from renamed
