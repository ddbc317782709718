-- What is this test? No sentence of the portfolio accuses anybody or pronounces a pass or a fail.
-- When is it important to resolve? Before anybody reads the page: people decide, not the pipeline.
-- How to resolve? Change the words where the sentence is made; say differs, talk with the learner.
{{ config(severity='error', meta={'consequence': 'committee'}) }}

with

-- What people wrote themselves is left out: an agreed action and a decision stay as they are.
sentences as (
    select
        learner_key,
        status_reason as sentence
    from {{ ref('portfolio_competency_status') }}

    union all

    select
        learner_key,
        sentence
    from {{ ref('portfolio_conflict') }}

    union all

    select
        learner_key,
        sentence
    from {{ ref('portfolio_signal') }}
    where rule_id <> 'action_overdue'

    union all

    select
        learner_key,
        sentence
    from {{ ref('portfolio_ai_use') }}

    union all

    select
        learner_key,
        reason_text as sentence
    from {{ ref('committee_agenda') }}
)

select *
from sentences
where {{ contains_pattern(
    'lower(sentence)',
    'cheat|suspect|misconduct|violat|dishonest|breach|detect|\\bfail|\\bpass|incompeten|unfit'
) }}
