-- One row a source: when it was last heard, and whether something of it waits for a person.
select
    source_id,
    n_held + n_unreadable > 0 as is_waiting,
    sentence
from programme_freshness
order by is_waiting desc, source_id
