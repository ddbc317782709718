-- One row a scale: its ends.
select
    scale_id,
    min(level) as lowest,
    max(level) as highest
from dim_scale_level
group by scale_id
order by scale_id
