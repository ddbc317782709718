-- What is this test? Every accepted workplace assessment and exam result, and every sitting of stations
-- without a result of its own, has at least one row in fct_evidence, and fct_evidence has nothing else.
-- When is it important to resolve? Always: a committee must not decide on a picture with tiles
-- missing.
-- How to resolve? Look for a join in the intermediate evidence models that drops or invents rows.
{{ config(severity='error', meta={'consequence': 'evidence'}) }}

with

results as (
    select
        record_key,
        result_status,
        {{ key('sitting_key') }} as sitting_key
    from {{ ref('stg_exam_result') }}
),

sittings as (
    select {{ key('sitting_key') }} as record_key
    from {{ ref('stg_exam_response') }}
    where station_id is not null and not is_banked and response_status <> 'not_presented'
),

accepted as (
    select record_key from {{ ref('stg_workplace_assessment') }}
    union all
    select record_key from results
    union all
    select distinct sittings.record_key
    from sittings
    left join results
        on sittings.record_key = results.sitting_key and results.result_status <> 'not_scored'
    where results.record_key is null
),

evidence as (
    select record_key from {{ ref('fct_evidence') }}
)

select
    accepted.record_key as accepted_record_key,
    evidence.record_key as evidence_record_key
from accepted
full outer join evidence on accepted.record_key = evidence.record_key
where accepted.record_key is null or evidence.record_key is null
