-- Grain: one row per answer of a respondent to one item of multisource feedback, by the as-of day, and
-- whether it may show: a group shows from a minimum of respondents on, and grows by as many at a time, in
-- the order in which answers arrived, so that one that comes late takes nobody's place, whatever day its source says
-- it was known on. First answers of respondents are counted with first answers,
-- second with second, so that each batch is of as many people. The learner's own answers always show.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_respondents__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_respondents__fingerprinted') }}

with

given as (
    select * from {{ ref('int_answers__gathered') }}
    where
        {{ is_moved('int_respondents__fingerprinted', 'learner_key') }}
        and competency_id is not null
        and not is_banked
        and {{ has_come('occurred_on') }}
),

roles as (
    select * from {{ ref('stg_assessor_role') }}
),

scales as (
    select * from {{ ref('int_scales__described') }}
),

arrivals as (
    select * from {{ ref('stg_intake_record') }}
),

answers as (
    select
        given.record_key,
        given.learner_key,
        given.programme_id,
        given.instrument_id,
        given.scale_id,
        coalesce(given.scale_version, scales.newest_version, '') as scale_version,
        given.competency_id,
        given.form_record_id,
        case
            when given.assessor_role = 'self' then given.learner_key
            else coalesce(given.assessor_key, given.form_record_id, given.record_key)
        end as respondent_key,
        case
            when given.assessor_role = 'self' then 'self'
            else coalesce(roles.role_group, 'other')
        end as respondent_group,
        given.level,
        given.narrative_strengths,
        given.narrative_improvements,
        given.narrative_other,
        given.occurred_on,
        given.known_at,
        arrivals.known_at as arrived_at
    from given
    left join roles on given.assessor_role = roles.assessor_role
    left join scales on given.scale_id = scales.scale_id
    left join arrivals on given.delivery_id = arrivals.delivery_id
),

taken_in_turn as (
    select
        *,
        count(level) over (
            partition by
                learner_key, programme_id, instrument_id, scale_id, scale_version, competency_id,
                respondent_group, respondent_key
            order by arrived_at, known_at, occurred_on, record_key
            rows between unbounded preceding and current row
        ) as turn
    from answers
),

counted as (
    select
        *,
        count(level) over of_turn as n_rated,
        count(level) over (
            partition by
                learner_key, programme_id, instrument_id, scale_id, scale_version, competency_id,
                respondent_group, turn
            order by arrived_at, known_at, occurred_on, record_key
            rows between unbounded preceding and current row
        ) as place_rated
    from taken_in_turn
    window of_turn as (
        partition by
            learner_key, programme_id, instrument_id, scale_id, scale_version, competency_id,
            respondent_group, turn
    )
)

select
    ---------- ids
    record_key,
    learner_key,
    programme_id,
    instrument_id,
    scale_id,
    scale_version,
    competency_id,
    form_record_id,
    respondent_key,
    ---------- text
    respondent_group,
    narrative_strengths,
    narrative_improvements,
    narrative_other,
    ---------- numbers
    level,
    ---------- yes or no
    respondent_group = 'self'
    or (
        level is not null
        and place_rated
        <= floor(n_rated / {{ rule_threshold('msf', 'respondents', 'min') }})
        * {{ rule_threshold('msf', 'respondents', 'min') }}
    ) as is_shown,
    ---------- days and instants
    occurred_on,
    known_at,
    arrived_at
from counted
