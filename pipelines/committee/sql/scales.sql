-- One row a version of a scale: its ends.
select
    scale_id,
    scale_version,
    min(level) as lowest,
    max(level) as highest
from dim_scale_level
group by scale_id, scale_version
order by scale_id, scale_version
