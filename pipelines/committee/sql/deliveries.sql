-- One row a delivery, the newest first.
select
    delivery_id,
    source_id,
    file,
    last_known_at,
    status,
    reason,
    owner,
    source_rows,
    rows_read,
    accepted,
    duplicate,
    superseded,
    voided,
    quarantined
from programme_delivery
order by last_known_at desc, source_id, file, delivery_id
