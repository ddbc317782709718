-- What is this test? What is marked as out for the student record has an embargo that is over.
-- When is it important to resolve? Before decisions are exported: a record must not tell a learner.
-- How to resolve? Look at the rule set of the embargo and at the day of the decision.
{{ config(severity='error', meta={'consequence': 'committee'}) }}

select
    record_key,
    out_on
from {{ ref('committee_student_record') }}
where is_out and out_on > {{ as_of() }}
