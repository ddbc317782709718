-- Grain: one row per answer and competency of multisource feedback, with the round that a respondent's answer belongs
-- to. A round begins with an answer that none came before for so many days; learners answer for themselves and
-- have no round.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_evidence__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_evidence__fingerprinted') }}

with

evidence as (
    select * from {{ ref('int_evidence__dated') }}
    where {{ is_moved('int_evidence__fingerprinted', 'learner_key') }}
),

instruments as (
    select * from {{ ref('stg_instrument') }}
    where method_family = 'multisource'
),

answers as (
    select
        evidence.record_key,
        evidence.learner_key,
        evidence.programme_id,
        evidence.stage_id,
        evidence.competency_id,
        evidence.instrument_id,
        evidence.task_id,
        evidence.scale_id,
        evidence.scale_version,
        evidence.form_record_id,
        evidence.assessor_key,
        evidence.assessor_role,
        evidence.narrative_strengths,
        evidence.narrative_improvements,
        evidence.narrative_other,
        evidence.level,
        evidence.is_banked,
        evidence.occurred_at,
        evidence.occurred_on,
        evidence.delivery_id,
        evidence.known_at
    from evidence
    inner join instruments on evidence.instrument_id = instruments.instrument_id
),

in_turn as (
    select
        record_key,
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        instrument_id,
        task_id,
        occurred_at,
        occurred_on,
        coalesce(
            {{ days_between('lag(occurred_on) over in_turn', 'occurred_on') }}
            > {{ rule_threshold('msf', 'round', 'gap_days') }},
            false
        ) as begins_round
    from answers
    where coalesce(assessor_role, '') <> 'self'
    window in_turn as (
        partition by learner_key, programme_id, stage_id, competency_id, instrument_id, task_id
        order by occurred_on, occurred_at, record_key
    )
),

numbered as (
    select
        *,
        sum(case when begins_round then 1 else 0 end) over (
            partition by learner_key, programme_id, stage_id, competency_id, instrument_id, task_id
            order by occurred_on, occurred_at, record_key
            rows between unbounded preceding and current row
        ) as round_number
    from in_turn
),

rounds as (
    select
        record_key,
        competency_id,
        first_value(record_key) over (
            partition by
                learner_key, programme_id, stage_id, competency_id, instrument_id, task_id, round_number
            order by occurred_on, occurred_at, record_key
        ) as first_record_key
    from numbered
),

gathered as (
    select
        ---------- ids
        answers.record_key,
        rounds.first_record_key as round_record_key,
        answers.learner_key,
        answers.programme_id,
        answers.competency_id,
        answers.instrument_id,
        answers.scale_id,
        answers.scale_version,
        answers.form_record_id,
        answers.assessor_key,
        ---------- text
        answers.assessor_role,
        answers.narrative_strengths,
        answers.narrative_improvements,
        answers.narrative_other,
        ---------- numbers
        answers.level,
        ---------- yes or no
        answers.is_banked,
        ---------- days and instants
        answers.occurred_on,
        ---------- lineage
        answers.delivery_id,
        answers.known_at
    from answers
    left join rounds
        on
            answers.record_key = rounds.record_key
            and answers.competency_id is not distinct from rounds.competency_id
)

select * from gathered
