-- What is this test? Every accepted record that is about a learner has found the learner's key.
-- When is it important to resolve? Always: such a record would be on nobody's page.
-- How to resolve? Load again; if it stays, the vault lacks an identity that a segment names.
{{ config(severity='error', meta={'consequence': 'people'}) }}

select
    kind,
    record_key
from {{ ref('int_records__accepted') }}
where learner_key is null
