-- One row a programme and competency, in the order of its framework; the version in force on the day of
-- judgement names it, or else the newest.
select
    programme_id,
    competency_id,
    arg_max(title, (
        is_in_force,
        regexp_full_match(framework_version, '[0-9]+'),
        lpad(framework_version, cast(greatest(length(framework_version), 12) as integer), '0'),
        framework_id
    )) as title
from dim_competency
group by programme_id, competency_id
order by programme_id, min(sort_order), competency_id
