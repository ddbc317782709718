-- What is this test? Every accepted workplace assessment and exam result has at least one row in
-- fct_evidence, and fct_evidence has no record that was not accepted.
-- When is it important to resolve? Always: a committee must not decide on a picture with tiles
-- missing.
-- How to resolve? Look for a join in the intermediate evidence models that drops or invents rows.
{{ config(severity='error', meta={'consequence': 'evidence'}) }}

with

accepted as (
    select record_key from {{ ref('stg_workplace_assessment') }}
    union all
    select record_key from {{ ref('stg_exam_result') }}
),

evidence as (
    select distinct record_key from {{ ref('fct_evidence') }}
)

select
    accepted.record_key as accepted_record_key,
    evidence.record_key as evidence_record_key
from accepted
full outer join evidence on accepted.record_key = evidence.record_key
where accepted.record_key is null or evidence.record_key is null
