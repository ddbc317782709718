-- One row a delivery, the newest first.
select
    delivery_id,
    source_id,
    file,
    last_known_at,
    status,
    reason,
    owner,
    n_source_rows,
    n_read,
    n_accepted,
    n_duplicate,
    n_superseded,
    n_voided,
    n_quarantined
from programme_delivery
order by last_known_at desc, source_id, file, delivery_id
