-- What is this test? Every threshold names a publication or says that it is a local choice.
-- When is it important to resolve? Before a status is shown: a number nobody can trace is no rule.
-- How to resolve? Add `source:` to the threshold in the rule set's file.
{{ config(severity='error', meta={'consequence': 'status'}) }}

select *
from {{ ref('stg_rule_set') }}
where threshold_name is not null and coalesce(trim(source), '') = ''
