-- Grain: one row per signal that is shown: a few per rule and learner, and a few in all.
{{ config(materialized='table') }}

with

raised as (
    select * from {{ ref('int_signals__dated') }}
),

rules as (
    select * from {{ ref('signal_rule') }}
),

learners as (
    select * from {{ ref('dim_learner') }}
),

away as (
    select
        learner_key,
        programme_id
    from {{ ref('int_learner_leave__merged') }}
    where to_on = {{ as_of() }}
),

-- Nobody is asked for evidence of a learner who has left, nor of one who is away, until the clock runs
-- again.
active as (
    select raised.*
    from raised
    inner join rules on raised.rule_id = rules.rule_id
    inner join learners on raised.learner_key = learners.learner_key
    left join away
        on raised.learner_key = away.learner_key and raised.programme_id = away.programme_id
    where
        {{ learner_is_active('learners') }}
        and (away.learner_key is null or not rules.asks_for_evidence)
),

ranked_in_rule as (
    select
        *,
        row_number() over (
            partition by learner_key, rule_id
            order by raised_on, subject_order nulls last, subject
        ) as rank_in_rule,
        count(*) over (partition by learner_key, rule_id) as n_of_rule
    from active
),

kept as (
    select * from ranked_in_rule
    where rank_in_rule <= max_per_learner
),

ranked as (
    select
        kept.*,
        rules.severity,
        rules.sort_order,
        rules.owner_role,
        rules.asks_for_evidence,
        rules.closes_when,
        rules.title,
        rules.remedy,
        row_number() over (
            partition by kept.learner_key
            order by rules.sort_order, kept.rank_in_rule
        ) as rank_in_all
    from kept
    inner join rules on kept.rule_id = rules.rule_id
),

shown as (
    select * from ranked
    where rank_in_all <= {{ rule_threshold('signals', 'all', 'max_per_learner') }}
),

held_back as (
    select
        learner_key,
        {{ list_agg('title', order_by=['sort_order']) }} as titles
    from ranked
    where
        rank_in_rule = 1
        and rank_in_all > {{ rule_threshold('signals', 'all', 'max_per_learner') }}
    group by learner_key
),

-- The last one shown of a rule says how many more there are, the last one of all which rules the limit
-- holds back whole.
chosen as (
    select
        shown.*,
        case
            when
                shown.rank_in_rule
                = max(shown.rank_in_rule) over (partition by shown.learner_key, shown.rule_id)
                then shown.n_of_rule - shown.rank_in_rule
            else 0
        end as n_more,
        coalesce(held_back.titles, {{ empty_list() }}) as held_back_titles
    from shown
    left join held_back
        on
            shown.learner_key = held_back.learner_key
            and shown.rank_in_all = {{ rule_threshold('signals', 'all', 'max_per_learner') }}
)

select * from chosen
