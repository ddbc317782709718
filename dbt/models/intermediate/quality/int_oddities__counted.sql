-- Grain: one row per learner, oddity, kind of record, source and delivery: how many records have data
-- points that show it, those left out of which intake has noted it already.
{%- set of_evidence = {
    'score_missing': ["result_status = 'not_scored'", 'the result has no mark'],
    'banked': ['is_banked', 'carried over from an earlier sitting: not new evidence'],
    'late': ['is_late', 'handed in after the day it was due'],
    'before_enrolment': ['is_before_enrolment', 'handed in before the enrolment began'],
    'after_enrolment': ['is_after_enrolment', 'handed in after the enrolment ended'],
    'no_enrolment_date': ['has_no_enrolment_date', 'the enrolment has no first day'],
    'unknown_task': [
        'task_id is not null and task_key is null', 'no task record has this id',
    ],
    'unknown_competency': [
        'competency_id is not null and not is_known_competency', 'no framework has this competency',
    ],
    'unknown_instrument': [
        'instrument_id is not null and not is_known_instrument', 'no code list has this instrument',
    ],
} %}
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_oddities__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_oddities__fingerprinted') }}

with

evidence as (
    select * from {{ ref('fct_evidence') }}
    where {{ is_moved('int_oddities__fingerprinted', 'learner_key') }}
),

competencies as (
    select distinct
        programme_id,
        competency_id
    from {{ ref('int_competencies__dated') }}
),

instruments as (
    select * from {{ ref('stg_instrument') }}
),

noted as (
    select distinct
        learner_key,
        record_key,
        code
    from {{ ref('int_notes__active') }}
),

looked_up as (
    select
        evidence.*,
        competencies.competency_id is not null as is_known_competency,
        instruments.instrument_id is not null as is_known_instrument
    from evidence
    left join competencies
        on
            evidence.programme_id = competencies.programme_id
            and evidence.competency_id = competencies.competency_id
    left join instruments on evidence.instrument_id = instruments.instrument_id
),

coded as (
    select distinct
        kind,
        record_key,
        source_id,
        delivery_id,
        learner_key,
        {{ unnest_list(codes_that_hold(of_evidence)) }} as code
    from looked_up
),

derived as (
    select coded.*
    from coded
    left join noted
        on
            coded.learner_key = noted.learner_key
            and coded.record_key = noted.record_key
            and coded.code = noted.code
    where noted.record_key is null
),

counted as (
    select
        ---------- ids
        learner_key,
        code,
        kind,
        source_id,
        delivery_id,
        ---------- text
        case code
            {%- for code, rule in of_evidence.items() %}
            when '{{ code }}' then '{{ rule[1] }}'
            {%- endfor %}
        end as detail,
        ---------- numbers
        count(*) as n
    from derived
    group by learner_key, code, kind, source_id, delivery_id
)

select * from counted
