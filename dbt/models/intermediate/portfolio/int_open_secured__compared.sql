-- Grain: one row per learner with enough open work and secured performance in the window: how each
-- stands among peers, the difference with its interval, and whether secured performance fell.
{{ config(materialized='table') }}

with

standings as (
    select * from {{ ref('int_standings__aged') }}
    where age_days <= {{ rule_threshold('conflicts', 'open_secured', 'window_days') }}
),

performance as (
    select * from {{ ref('int_performance__compared') }}
),

spreads as (
    select * from {{ ref('stg_calibration_spread') }}
),

-- One piece of open work on several competencies counts once.
data_points as (
    select
        learner_key,
        programme_id,
        evidence_id,
        is_open,
        assessor_cluster,
        case when is_open then cast(null as string) else competency_id end as competency_id,
        max(standing) as standing,
        max(occurred_on) as occurred_on
    from standings
    group by
        learner_key,
        programme_id,
        evidence_id,
        is_open,
        assessor_cluster,
        case when is_open then cast(null as string) else competency_id end
),

by_assessor as (
    select
        learner_key,
        programme_id,
        is_open,
        count(*) as n,
        sum(standing) as total
    from data_points
    group by learner_key, programme_id, is_open, assessor_cluster
),

sides as (
    select
        learner_key,
        programme_id,
        cast(sum(case when is_open then n else 0 end) as bigint) as n_open,
        cast(sum(case when not is_open then n else 0 end) as bigint) as n_secured,
        sum(case when is_open then total else 0 end) as total_open,
        sum(case when not is_open then total else 0 end) as total_secured,
        sum(case when not is_open then n * n else 0 end) as squares_secured
    from by_assessor
    group by learner_key, programme_id
),

open_work as (
    select
        learner_key,
        programme_id,
        {{ list_agg('evidence_id', distinct=true) }} as evidence_ids
    from data_points
    where is_open
    group by learner_key, programme_id
),

weighed as (
    select
        sides.learner_key,
        sides.programme_id,
        sides.n_open,
        sides.n_secured,
        cast(sides.total_open as double) / nullif(sides.n_open, 0) as mean_open,
        cast(sides.total_secured as double) / nullif(sides.n_secured, 0) as mean_secured,
        sqrt(
            cast(spreads.apart_variance as double)
            + cast(spreads.open_variance as double) / nullif(sides.n_open, 0)
            + cast(spreads.within_variance as double)
            / {{ measure_clustered_n(
                'nullif(sides.n_secured, 0)', 'sides.squares_secured',
                rule_threshold('signals', 'peers', 'assessor_variance_share')
            ) }}
        ) as doubt
    from sides
    inner join spreads on sides.programme_id = spreads.programme_id
    where
        sides.n_open >= {{ rule_threshold('conflicts', 'open_secured', 'data_points_min') }}
        and sides.n_secured >= {{ rule_threshold('conflicts', 'open_secured', 'data_points_min') }}
        and spreads.apart_variance is not null
),

final as (
    select
        ---------- ids
        weighed.learner_key,
        weighed.programme_id,
        ---------- numbers
        weighed.n_open,
        weighed.n_secured,
        {{ to_standing('weighed.mean_open') }} as open_standing,
        {{ to_standing('weighed.mean_secured') }} as secured_standing,
        {{ to_standing('weighed.mean_open - weighed.mean_secured') }} as difference,
        {{ to_standing(
            "weighed.mean_open - weighed.mean_secured - "
            ~ rule_threshold('conflicts', 'open_secured', 'z') ~ " * weighed.doubt"
        ) }} as difference_low,
        {{ to_standing(
            "weighed.mean_open - weighed.mean_secured + "
            ~ rule_threshold('conflicts', 'open_secured', 'z') ~ " * weighed.doubt"
        ) }} as difference_high,
        cast(
            round((weighed.mean_open - weighed.mean_secured) / weighed.doubt, 4) as decimal(9, 4)
        ) as difference_in_errors,
        performance.change as secured_change,
        performance.change_in_errors as secured_change_in_errors,
        ---------- lists
        {{ list_union('open_work.evidence_ids', 'performance.evidence_ids') }} as evidence_ids,
        ---------- days
        performance.latest_on
    from weighed
    inner join performance
        on
            weighed.learner_key = performance.learner_key
            and weighed.programme_id = performance.programme_id
    inner join open_work
        on
            weighed.learner_key = open_work.learner_key
            and weighed.programme_id = open_work.programme_id
)

select * from final
