-- What is this test? Every learner is on the agenda.
-- When is it important to resolve? Before a meeting: nobody is overlooked.
-- How to resolve? Look for a join in committee_agenda that loses the learner listed.
{{ config(severity='error', meta={'consequence': 'committee'}) }}

with

learners as (
    select * from {{ ref('dim_learner') }}
),

agenda as (
    select * from {{ ref('committee_agenda') }}
)

select learners.learner_key
from learners
left join agenda on learners.learner_key = agenda.learner_key
where agenda.learner_key is null
