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

evidence as (
    select * from {{ ref('int_evidence__dated') }}
    where
        {{ is_moved('int_respondents__fingerprinted', 'learner_key') }}
        and competency_id is not null
        and not is_banked
        and {{ has_come('occurred_on') }}
),

instruments as (
    select * from {{ ref('stg_instrument') }}
    where method_family = 'multisource'
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
        evidence.record_key,
        evidence.learner_key,
        evidence.programme_id,
        evidence.instrument_id,
        evidence.scale_id,
        coalesce(evidence.scale_version, scales.newest_version, '') as scale_version,
        evidence.competency_id,
        evidence.form_record_id,
        case
            when evidence.assessor_role = 'self' then evidence.learner_key
            else coalesce(evidence.assessor_key, evidence.form_record_id, evidence.record_key)
        end as respondent_key,
        case
            when evidence.assessor_role = 'self' then 'self'
            else coalesce(roles.role_group, 'other')
        end as respondent_group,
        evidence.level,
        evidence.narrative_strengths,
        evidence.narrative_improvements,
        evidence.narrative_other,
        evidence.occurred_on,
        evidence.known_at,
        arrivals.known_at as arrived_at
    from evidence
    inner join instruments on evidence.instrument_id = instruments.instrument_id
    left join roles on evidence.assessor_role = roles.assessor_role
    left join scales on evidence.scale_id = scales.scale_id
    left join arrivals on evidence.delivery_id = arrivals.delivery_id
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
