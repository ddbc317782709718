-- One row a delivery, the newest first.
select
    delivery_id,
    source_id,
    file,
    known_at,
    status,
    reason,
    source_rows,
    rows_read,
    n_accepted,
    n_duplicate,
    n_superseded,
    n_voided,
    n_quarantined
from programme_delivery
order by known_at desc, source_id, file, delivery_id
