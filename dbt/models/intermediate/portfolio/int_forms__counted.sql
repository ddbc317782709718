-- Grain: one row per learner, instrument, month of observation, assessor and days until the form was
-- handed in: how many forms. A form that rates several competencies counts once, one
-- that learners fill in about themselves does not.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_portfolio__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_portfolio__fingerprinted') }}

with

evidence as (
    select * from {{ ref('fct_evidence') }} as evidence
    where
        {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
        and kind = 'workplace_assessment'
        and {{ is_by_another('evidence') }}
        and not is_withheld
        and {{ has_come('occurred_on') }}
),

forms as (
    select
        learner_key,
        programme_id,
        coalesce(instrument_id, 'none') as instrument_id,
        coalesce(form_record_id, record_key) as form_key,
        assessor_key,
        {{ month_of('min(occurred_on)') }} as month_on,
        min({{ days_between('occurred_on', 'submitted_on') }}) as n_days,
        max(case when {{ has_words() }} then 1 else 0 end) as has_words
    from evidence
    group by
        learner_key,
        programme_id,
        coalesce(instrument_id, 'none'),
        coalesce(form_record_id, record_key),
        assessor_key
),

counted as (
    select
        ---------- ids
        learner_key,
        programme_id,
        instrument_id,
        assessor_key,
        ---------- numbers
        n_days,
        count(*) as n_forms,
        cast(sum(has_words) as bigint) as n_with_words,
        ---------- yes or no
        row_number() over (
            partition by learner_key, programme_id, instrument_id, month_on
            order by assessor_key, n_days
        ) = 1 as is_first_of_month,
        ---------- days and instants
        month_on
    from forms
    group by learner_key, programme_id, instrument_id, assessor_key, month_on, n_days
)

select * from counted
