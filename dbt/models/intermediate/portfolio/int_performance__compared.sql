-- Grain: one row per learner with enough recent ratings: how observed and secured performance
-- stands among peers lately, beside what the learner's own earlier record makes one expect. Of
-- several stretches of recent time, the one in which it fell the most beyond doubt.
{{ config(materialized='table') }}

with

standings as (
    select * from {{ ref('int_standings__found') }}
    where not is_open
),

spreads as (
    select spreads.*
    from {{ ref('stg_calibration_spread') }} as spreads
    inner join {{ ref('stg_build_input') }} as inputs
        on spreads.calibration_version = inputs.calibration_version
),

stretches as (
    select threshold_value as window_days
    from {{ ref('int_rules__chosen') }}
    where
        rule_set_id = 'signals'
        and rule_id = 'performance_fell'
        and threshold_name in ('window_days_1', 'window_days_2', 'window_days_3')
        and stage_id is null
),

placed as (
    select
        standings.*,
        stretches.window_days,
        standings.age_days <= stretches.window_days as is_recent
    from standings
    cross join stretches
),

by_assessor as (
    select
        learner_key,
        programme_id,
        window_days,
        is_recent,
        count(*) as n,
        sum(standing) as total
    from placed
    group by learner_key, programme_id, window_days, is_recent, assessor_cluster
),

sides as (
    select
        learner_key,
        programme_id,
        window_days,
        cast(sum(case when is_recent then n else 0 end) as bigint) as n_recent,
        cast(sum(case when not is_recent then n else 0 end) as bigint) as n_earlier,
        sum(case when is_recent then total else 0 end) as total_recent,
        sum(case when not is_recent then total else 0 end) as total_earlier,
        sum(case when is_recent then n * n else 0 end) as squares_recent,
        sum(case when not is_recent then n * n else 0 end) as squares_earlier
    from by_assessor
    group by learner_key, programme_id, window_days
),

weighed as (
    select
        sides.*,
        spreads.within_variance,
        spreads.between_variance,
        -- How learners' standings change anyhow; without an earlier record there is no change.
        case when sides.n_earlier > 0 then coalesce(spreads.drift_variance, 0) else 0 end
            as drift_variance,
        {{ measure_clustered_n(
            'sides.n_recent', 'sides.squares_recent',
            rule_threshold('signals', 'peers', 'assessor_variance_share')
        ) }} as worth_recent,
        {{ measure_clustered_n(
            'nullif(sides.n_earlier, 0)', 'sides.squares_earlier',
            rule_threshold('signals', 'peers', 'assessor_variance_share')
        ) }} as worth_earlier
    from sides
    inner join spreads on sides.programme_id = spreads.programme_id
    where
        sides.n_recent >= {{ rule_threshold('signals', 'performance_fell', 'data_points_min') }}
        and spreads.n_learners >= {{ rule_threshold('signals', 'peers', 'learners_min') }}
        and spreads.within_variance > 0
),

relied as (
    select
        *,
        coalesce(
            {{ measure_reliance('between_variance', 'within_variance', 'worth_earlier') }}, 0
        ) as reliance,
        cast(total_recent as double) / n_recent as mean_recent,
        coalesce(cast(total_earlier as double) / nullif(n_earlier, 0), 0.5) as mean_earlier
    from weighed
),

expected as (
    select
        *,
        0.5 + reliance * (mean_earlier - 0.5) as mean_expected,
        sqrt(
            cast(between_variance as double) * (1 - reliance)
            + cast(within_variance as double) / worth_recent
            + cast(drift_variance as double)
        ) as doubt
    from relied
),

compared as (
    select
        *,
        mean_recent - mean_expected as change,
        row_number() over (
            partition by learner_key, programme_id
            order by round((mean_recent - mean_expected) / doubt, 6) asc, window_days asc
        ) as preference
    from expected
),

chosen as (
    select * from compared
    where preference = 1
),

-- The competency in which recent ratings stand lowest is the one to look at first.
by_competency as (
    select
        placed.learner_key,
        placed.programme_id,
        placed.competency_id,
        row_number() over (
            partition by placed.learner_key, placed.programme_id
            order by
                round(cast(sum(placed.standing) as double) / count(*), 6) asc,
                placed.competency_id asc
        ) as lowest_first
    from placed
    inner join chosen
        on
            placed.learner_key = chosen.learner_key
            and placed.programme_id = chosen.programme_id
            and placed.window_days = chosen.window_days
    where placed.is_recent
    group by placed.learner_key, placed.programme_id, placed.competency_id
),

latest as (
    select
        learner_key,
        programme_id,
        max(occurred_on) as latest_on
    from standings
    group by learner_key, programme_id
),

-- Evidence is listed where anything could be said: the lists are long.
rested_on as (
    select
        standings.learner_key,
        standings.programme_id,
        {{ list_agg('standings.evidence_id', distinct=true) }} as evidence_ids
    from standings
    inner join chosen
        on
            standings.learner_key = chosen.learner_key
            and standings.programme_id = chosen.programme_id
    where chosen.change <= -chosen.doubt
    group by standings.learner_key, standings.programme_id
),

final as (
    select
        ---------- ids
        chosen.learner_key,
        chosen.programme_id,
        by_competency.competency_id as lowest_competency_id,
        ---------- numbers
        cast(chosen.window_days as bigint) as window_days,
        chosen.n_recent,
        chosen.n_earlier,
        {{ to_standing('chosen.mean_recent') }} as recent_standing,
        {{ to_standing('chosen.mean_expected') }} as expected_standing,
        {{ to_standing('chosen.change') }} as change,
        {{ to_standing(
            "chosen.change - " ~ rule_threshold('signals', 'performance_fell', 'z')
            ~ " * chosen.doubt"
        ) }} as change_low,
        {{ to_standing(
            "chosen.change + " ~ rule_threshold('signals', 'performance_fell', 'z')
            ~ " * chosen.doubt"
        ) }} as change_high,
        cast(round(chosen.change / chosen.doubt, 4) as decimal(9, 4)) as change_in_errors,
        ---------- lists
        coalesce(rested_on.evidence_ids, {{ empty_list() }}) as evidence_ids,
        ---------- days
        latest.latest_on
    from chosen
    inner join latest
        on
            chosen.learner_key = latest.learner_key
            and chosen.programme_id = latest.programme_id
    left join rested_on
        on
            chosen.learner_key = rested_on.learner_key
            and chosen.programme_id = rested_on.programme_id
    left join by_competency
        on
            chosen.learner_key = by_competency.learner_key
            and chosen.programme_id = by_competency.programme_id
            and by_competency.lowest_first = 1
)

select * from final
