-- One row a competency, in the order of its framework; the newest version names it.
select
    competency_id,
    arg_max(title, (
        regexp_full_match(framework_version, '[0-9]+'),
        lpad(framework_version, cast(greatest(length(framework_version), 12) as integer), '0'),
        framework_id
    )) as title
from dim_competency
group by competency_id
order by min(sort_order), competency_id
