-- Grain: one row per delivery: the ledger of what became of every record that was read from it.
with

receipts as (
    select * from {{ ref('stg_receipt') }}
),

intake_records as (
    select * from {{ ref('stg_intake_record') }}
),

events as (
    select * from {{ ref('stg_event') }}
),

arrivals as (
    select
        coalesce(delivery_id, receipt_id) as delivery_id,
        max(source_id) as source_id,
        min(file) as file,
        min(known_at) as first_known_at,
        max(known_at) as last_known_at,
        count(*) as n_receipts,
        max(bytes) as bytes,
        max(case when status <> 'received' then status end) as refused_status,
        max(case when status <> 'received' then reason end) as refused_reason,
        max(owner) as owner
    from receipts
    group by coalesce(delivery_id, receipt_id)
),

outcomes as (
    select
        delivery_id,
        count(case when present_outcome = 'accepted' then 1 end) as n_accepted,
        count(case when present_outcome = 'duplicate' then 1 end) as n_duplicate,
        count(case when present_outcome = 'superseded' then 1 end) as n_superseded,
        count(case when present_outcome = 'voided' then 1 end) as n_voided,
        count(case when present_outcome = 'quarantined' then 1 end) as n_quarantined
    from events
    group by delivery_id
),

final as (
    select
        ---------- ids
        arrivals.delivery_id,
        coalesce(arrivals.source_id, intake_records.source_id) as source_id,
        intake_records.interpretation_id,
        ---------- text
        arrivals.file,
        coalesce(intake_records.status, arrivals.refused_status, 'waiting') as status,
        coalesce(intake_records.hold_reason, arrivals.refused_reason) as reason,
        coalesce(intake_records.hold_owner, arrivals.owner) as owner,
        intake_records.check_verdict,
        ---------- numbers
        arrivals.n_receipts,
        arrivals.bytes,
        coalesce(intake_records.source_rows, 0) as source_rows,
        coalesce(intake_records.rows_read, 0) as rows_read,
        coalesce(outcomes.n_accepted, 0) as accepted,
        coalesce(outcomes.n_duplicate, 0) as duplicate,
        coalesce(outcomes.n_superseded, 0) + coalesce(intake_records.n_replayed, 0) as superseded,
        coalesce(outcomes.n_voided, 0) as voided,
        coalesce(intake_records.n_refused, 0) + coalesce(intake_records.n_held, 0)
        + coalesce(outcomes.n_quarantined, 0) as quarantined,
        ---------- instants
        arrivals.first_known_at,
        arrivals.last_known_at
    from arrivals
    left join intake_records on arrivals.delivery_id = intake_records.delivery_id
    left join outcomes on arrivals.delivery_id = outcomes.delivery_id
)

select * from final
