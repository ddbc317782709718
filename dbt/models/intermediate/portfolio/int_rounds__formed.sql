-- Grain: one row per answer of a respondent and competency of multisource feedback that counts, by the as-of day:
-- whether it stands for its round. A round is one data point, however many answer it: its newest answer stands for
-- it, and carries a flag where any answer has one.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_portfolio__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_portfolio__fingerprinted') }}

with

answers as (
    select * from {{ ref('fct_evidence') }}
    where
        {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
        and is_withheld
        and is_new_evidence
        and competency_id is not null
        and {{ has_come('occurred_on') }}
),

ranked as (
    select
        *,
        count(case when is_flagged then 1 end) over of_round as n_flagged,
        row_number() over (
            partition by learner_key, competency_id, round_id
            order by occurred_on desc, occurred_at desc, record_key desc
        ) as newest_first
    from answers
    window of_round as (partition by learner_key, competency_id, round_id)
)

select
    ---------- ids
    record_key,
    learner_key,
    competency_id,
    round_id,
    ---------- yes or no
    newest_first = 1 as is_data_point,
    newest_first = 1 and n_flagged > 0 as is_flagged
from ranked
