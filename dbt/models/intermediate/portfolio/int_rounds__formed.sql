-- Grain: one row per answer of a respondent and competency of multisource feedback that counts, by the as-of day:
-- of which round it is, and whether it stands for the round. A round is one data point, however many answer it: its
-- newest answer stands for it, and carries a flag where any answer has one.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_portfolio__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_portfolio__fingerprinted') }}

with

answers as (
    select
        record_key,
        learner_key,
        programme_id,
        coalesce(stage_id, 'no_stage') as stage_id,
        competency_id,
        instrument_id,
        coalesce(task_id, '') as task_id,
        is_flagged,
        occurred_at,
        occurred_on
    from {{ ref('fct_evidence') }}
    where
        {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
        and is_withheld
        and is_new_evidence
        and competency_id is not null
        and {{ has_come('occurred_on') }}
),

followed as (
    select
        *,
        lag(occurred_on) over in_turn as previous_on
    from answers
    window in_turn as (
        partition by learner_key, programme_id, stage_id, competency_id, instrument_id, task_id
        order by occurred_on, occurred_at, record_key
    )
),

numbered as (
    select
        *,
        count(case
            when
                previous_on is null
                or {{ days_between('previous_on', 'occurred_on') }}
                > {{ rule_threshold('msf', 'round', 'gap_days') }}
                then 1
        end) over (
            partition by learner_key, programme_id, stage_id, competency_id, instrument_id, task_id
            order by occurred_on, occurred_at, record_key
            rows between unbounded preceding and current row
        ) as round_number
    from followed
),

ranked as (
    select
        *,
        count(case when is_flagged then 1 end) over of_round as n_flagged,
        row_number() over (
            partition by
                learner_key, programme_id, stage_id, competency_id, instrument_id, task_id, round_number
            order by occurred_on desc, occurred_at desc, record_key desc
        ) as newest_first
    from numbered
    window of_round as (
        partition by
            learner_key, programme_id, stage_id, competency_id, instrument_id, task_id, round_number
    )
)

select
    ---------- ids
    record_key,
    learner_key,
    programme_id,
    stage_id,
    competency_id,
    instrument_id,
    ---------- numbers
    round_number,
    ---------- yes or no
    newest_first = 1 as is_data_point,
    newest_first = 1 and n_flagged > 0 as is_flagged
from ranked
