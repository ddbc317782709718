-- One row a programme and competency, in the order of its framework; the version in force on the day of
-- judgement names it, or else the newest.
select
    programme_id,
    competency_id,
    max_by(title, (is_in_force, version_order(framework_version), framework_id)) as title
from dim_competency
group by programme_id, competency_id
order by programme_id, min(sort_order), competency_id
