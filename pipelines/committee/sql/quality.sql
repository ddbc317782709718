-- One row a reason, source and kind.
select
    code,
    source_id,
    kind,
    n,
    sentence
from programme_data_quality
order by n desc, code, source_id, kind
