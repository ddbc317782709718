-- One row a competency, in the order of its framework; the newest version names it.
select
    competency_id,
    arg_max(title, (framework_version, framework_id)) as title
from dim_competency
group by competency_id
order by min(sort_order), competency_id
