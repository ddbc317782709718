-- Grain: one row per answer and competency of multisource feedback, with the round that a respondent's answer belongs
-- to. A round begins with an answer that none came before for so many days; learners answer for themselves and
-- have no round.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_evidence__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_evidence__fingerprinted') }}

{%- set together = [
    'learner_key', 'programme_id', 'stage_id', 'competency_id', 'instrument_id', 'task_id', 'is_by_another'
] | join(', ') %}

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
        evidence.*,
        {{ is_by_another('evidence') }} as is_by_another
    from evidence
    inner join instruments on evidence.instrument_id = instruments.instrument_id
),

in_turn as (
    select
        *,
        coalesce(
            {{ days_between('lag(occurred_on) over in_turn', 'occurred_on') }}
            > {{ rule_threshold('msf', 'round', 'gap_days') }},
            false
        ) as begins_round
    from answers
    window in_turn as (
        partition by {{ together }} order by occurred_on, occurred_at, record_key
    )
),

numbered as (
    select
        *,
        sum(case when begins_round then 1 else 0 end) over (
            partition by {{ together }}
            order by occurred_on, occurred_at, record_key
            rows between unbounded preceding and current row
        ) as round_number
    from in_turn
),

gathered as (
    select
        ---------- ids
        record_key,
        case
            when is_by_another
                then first_value(record_key) over (
                    partition by {{ together }}, round_number
                    order by occurred_on, occurred_at, record_key
                )
        end as round_record_key,
        learner_key,
        programme_id,
        competency_id,
        instrument_id,
        scale_id,
        scale_version,
        form_record_id,
        assessor_key,
        ---------- text
        assessor_role,
        narrative_strengths,
        narrative_improvements,
        narrative_other,
        ---------- numbers
        level,
        ---------- yes or no
        is_banked,
        ---------- days and instants
        occurred_on,
        ---------- lineage
        delivery_id,
        known_at
    from numbered
)

select * from gathered
