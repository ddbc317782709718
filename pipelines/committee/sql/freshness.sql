-- One row a source: when it was last heard.
select
    source_id,
    is_late,
    sentence
from programme_freshness
order by is_late desc, source_id
