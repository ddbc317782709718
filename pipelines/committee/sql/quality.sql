-- One row a finding, source and kind: what is in quarantine first, then what was only noted.
select
    code,
    source_id,
    kind,
    is_quarantined,
    n,
    sentence,
    suggestion,
    owner
from programme_data_quality
order by is_quarantined desc, n desc, code, source_id, kind, found_by
