-- Grain: one row per learner and competency with enough judged evidence in the window: shares at or
-- above target on open and on secured evidence. Every data point is judged on its own target, so no
-- scales are pooled. What was observed counts as secured.
with

evidence as (
    select evidence.* from {{ ref('fct_evidence') }} as evidence
    where
        is_at_or_above_target is not null
        and assurance_level is not null
        and is_new_evidence
        and {{ is_by_another('evidence') }}
        and competency_id is not null
        and occurred_on <= {{ as_of() }}
        and {{ days_between('occurred_on', as_of()) }}
        <= {{ rule_threshold('conflicts', 'open_secured', 'window_days') }}
),

-- The mark of a task stands by itself.
by_assessor as (
    select
        learner_key,
        programme_id,
        competency_id,
        assurance_level = 'open' as is_open,
        count(*) as n,
        count(case when is_at_or_above_target then 1 end) as n_at_target
    from evidence
    group by
        learner_key,
        programme_id,
        competency_id,
        assurance_level = 'open',
        case when kind = 'workplace_assessment' then {{ assessor_cluster() }} else record_key end
),

counted as (
    select
        learner_key,
        programme_id,
        competency_id,
        cast(sum(case when is_open then n else 0 end) as bigint) as n_open,
        cast(sum(case when not is_open then n else 0 end) as bigint) as n_secured,
        sum(case when is_open then n_at_target else 0 end) as n_open_at_target,
        sum(case when not is_open then n_at_target else 0 end) as n_secured_at_target,
        sum(case when is_open then n * n else 0 end) as squares_open,
        sum(case when not is_open then n * n else 0 end) as squares_secured
    from by_assessor
    group by learner_key, programme_id, competency_id
),

enough as (
    select
        *,
        {{ measure_share('n_open_at_target', 'n_open') }} as open_share,
        {{ measure_share('n_secured_at_target', 'n_secured') }} as secured_share,
        {{ measure_effective_n(
            'n_open', 'squares_open',
            rule_threshold('signals', 'peers', 'assessor_variance_share')
        ) }} as n_open_effective,
        {{ measure_effective_n(
            'n_secured', 'squares_secured',
            rule_threshold('signals', 'peers', 'assessor_variance_share')
        ) }} as n_secured_effective,
        {{ rule_threshold('conflicts', 'open_secured', 'z') }} as z
    from counted
    where
        n_open >= {{ rule_threshold('conflicts', 'open_secured', 'data_points_min') }}
        and n_secured >= {{ rule_threshold('conflicts', 'open_secured', 'data_points_min') }}
),

bounded as (
    select
        *,
        {{ measure_wilson('open_share', 'n_open_effective', 'z', -1) }} as open_low,
        {{ measure_wilson('open_share', 'n_open_effective', 'z', 1) }} as open_high,
        {{ measure_wilson('secured_share', 'n_secured_effective', 'z', -1) }} as secured_low,
        {{ measure_wilson('secured_share', 'n_secured_effective', 'z', 1) }} as secured_high
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
        ) }} as difference_high
    from bounded
)

select * from compared
