-- What is this test? Of a learner's decisions up to the as-of day that stand, exactly one is marked as the latest.
-- When is it important to resolve? Before a meeting: the learner's page opens with it.
-- How to resolve? Look for two corrections that name each other.
{{ config(severity='error', meta={'consequence': 'committee'}) }}

select
    learner_key,
    programme_id,
    sum(case when is_latest then 1 else 0 end) as n_latest
from {{ ref('fct_decision') }}
where standing = 'stands' and not is_corrected and {{ has_come('decided_on') }}
group by learner_key, programme_id
having sum(case when is_latest then 1 else 0 end) <> 1
