-- What is this test? All stations of a sitting are about as many examinees: those who met every one.
-- When is it important to resolve? Before publication: stations that differ by one examinee give away what
-- they earned.
-- How to resolve? Look at the responses of the sitting listed, and at who counts as complete.
{{ config(severity='error', meta={'consequence': 'exams'}) }}

select
    programme_id,
    task_id,
    sitting_id
from {{ ref('programme_station_analysis') }}
group by programme_id, task_id, sitting_id
having min(n_examinees) < max(n_examinees)
