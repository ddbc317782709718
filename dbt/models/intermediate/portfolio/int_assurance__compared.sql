-- Grain: one row per learner and competency, and one per learner over all competencies, with judged
-- evidence in the window: shares at or above target on open and on secured evidence. Every data
-- point is judged on its own target, so no scales are pooled. What was observed counts as secured.
with

evidence as (
    select * from {{ ref('fct_evidence') }}
    where
        is_at_or_above_target is not null
        and assurance_level is not null
        and is_new_evidence
        and competency_id is not null
        and occurred_on <= {{ as_of() }}
        and {{ days_between('occurred_on', as_of()) }}
        <= {{ rule_threshold('conflicts', 'open_secured', 'window_days') }}
),

per_competency as (
    select
        learner_key,
        programme_id,
        competency_id,
        evidence_id,
        assurance_level = 'open' as is_open,
        is_at_or_above_target,
        occurred_on
    from evidence
),

over_all as (
    select
        learner_key,
        programme_id,
        cast(null as varchar) as competency_id,
        evidence_id,
        is_open,
        max(case when is_at_or_above_target then 1 else 0 end) = 1 as is_at_or_above_target,
        max(occurred_on) as occurred_on
    from per_competency
    group by learner_key, programme_id, evidence_id, is_open
),

unioned as (
    select * from per_competency

    union all

    select * from over_all
),

counted as (
    select
        learner_key,
        programme_id,
        competency_id,
        count(case when is_open then 1 end) as n_open,
        count(case when not is_open then 1 end) as n_secured,
        count(case when is_open and is_at_or_above_target then 1 end) as n_open_at_target,
        count(case when not is_open and is_at_or_above_target then 1 end) as n_secured_at_target,
        max(occurred_on) as latest_on,
        {{ list_agg('evidence_id', distinct=true) }} as evidence_ids
    from unioned
    group by learner_key, programme_id, competency_id
),

enough as (
    select
        *,
        {{ measure_share('n_open_at_target', 'n_open') }} as open_share,
        {{ measure_share('n_secured_at_target', 'n_secured') }} as secured_share,
        {{ rule_threshold('conflicts', 'open_secured', 'z') }} as z
    from counted
    where
        n_open >= {{ rule_threshold('conflicts', 'open_secured', 'data_points_min') }}
        and n_secured >= {{ rule_threshold('conflicts', 'open_secured', 'data_points_min') }}
),

bounded as (
    select
        *,
        {{ measure_wilson('open_share', 'n_open', 'z', -1) }} as open_low,
        {{ measure_wilson('open_share', 'n_open', 'z', 1) }} as open_high,
        {{ measure_wilson('secured_share', 'n_secured', 'z', -1) }} as secured_low,
        {{ measure_wilson('secured_share', 'n_secured', 'z', 1) }} as secured_high
    from enough
),

compared as (
    select
        ---------- ids
        learner_key,
        programme_id,
        competency_id,
        ---------- numbers
        n_open,
        n_secured,
        n_open_at_target,
        n_secured_at_target,
        open_share,
        secured_share,
        cast(open_share - secured_share as decimal(5, 4)) as difference,
        {{ measure_difference(
            'open_share', 'open_low', 'open_high',
            'secured_share', 'secured_low', 'secured_high', -1
        ) }} as difference_low,
        {{ measure_difference(
            'open_share', 'open_low', 'open_high',
            'secured_share', 'secured_low', 'secured_high', 1
        ) }} as difference_high,
        ---------- lists
        evidence_ids,
        ---------- days
        latest_on
    from bounded
)

select * from compared
