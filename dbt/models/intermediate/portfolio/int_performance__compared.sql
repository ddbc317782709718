-- Grain: one row per learner with enough recent ratings: how observed and secured performance
-- stands among peers lately, beside what the learner's own earlier record makes one expect. Of
-- several stretches of recent time, the one in which it fell the most beyond doubt.
{{ config(materialized='table') }}
{%- set stretches = [
    rule_threshold('signals', 'performance_fell', 'window_days_1'),
    rule_threshold('signals', 'performance_fell', 'window_days_2'),
    rule_threshold('signals', 'performance_fell', 'window_days_3'),
] %}

with

spreads as (
    select * from {{ ref('stg_calibration_spread') }}
),

-- Ratings are gone through once for all stretches: what is not in one is earlier.
by_assessor as (
    select
        learner_key,
        programme_id,
        count(*) as n,
        sum(standing) as total,
        max(occurred_on) as latest_on,
        count(case when age_days <= {{ stretches[0] }} then 1 end) as n_1,
        sum(case when age_days <= {{ stretches[0] }} then standing else 0 end) as total_1,
        count(case when age_days <= {{ stretches[1] }} then 1 end) as n_2,
        sum(case when age_days <= {{ stretches[1] }} then standing else 0 end) as total_2,
        count(case when age_days <= {{ stretches[2] }} then 1 end) as n_3,
        sum(case when age_days <= {{ stretches[2] }} then standing else 0 end) as total_3
    from {{ ref('int_standings__aged') }}
    where not is_open
    group by learner_key, programme_id, assessor_cluster
),

by_learner as (
    select
        learner_key,
        programme_id,
        sum(n) as n,
        sum(total) as total,
        max(latest_on) as latest_on,
        sum(n_1) as n_1,
        sum(total_1) as total_1,
        sum(n_1 * n_1) as squares_1,
        sum((n - n_1) * (n - n_1)) as squares_before_1,
        sum(n_2) as n_2,
        sum(total_2) as total_2,
        sum(n_2 * n_2) as squares_2,
        sum((n - n_2) * (n - n_2)) as squares_before_2,
        sum(n_3) as n_3,
        sum(total_3) as total_3,
        sum(n_3 * n_3) as squares_3,
        sum((n - n_3) * (n - n_3)) as squares_before_3
    from by_assessor
    group by learner_key, programme_id
),

sides as (
    {% for stretch in stretches %}
    select
        learner_key,
        programme_id,
        latest_on,
        {{ stretch }} as window_days,
        cast(n_{{ loop.index }} as bigint) as n_recent,
        cast(n - n_{{ loop.index }} as bigint) as n_earlier,
        total_{{ loop.index }} as total_recent,
        total - total_{{ loop.index }} as total_earlier,
        squares_{{ loop.index }} as squares_recent,
        squares_before_{{ loop.index }} as squares_earlier
    from by_learner
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
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
        sides.window_days is not null
        and sides.n_recent >= {{ rule_threshold('signals', 'performance_fell', 'data_points_min') }}
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
        standings.learner_key,
        standings.programme_id,
        standings.competency_id,
        row_number() over (
            partition by standings.learner_key, standings.programme_id
            order by
                round(cast(sum(standings.standing) as double) / count(*), 6) asc,
                standings.competency_id asc
        ) as lowest_first
    from {{ ref('int_standings__aged') }} as standings
    inner join chosen
        on
            standings.learner_key = chosen.learner_key
            and standings.programme_id = chosen.programme_id
            and standings.age_days <= chosen.window_days
    where not standings.is_open
    group by standings.learner_key, standings.programme_id, standings.competency_id
),

-- Evidence is listed where anything could be said: the lists are long.
rested_on as (
    select
        standings.learner_key,
        standings.programme_id,
        {{ list_agg('standings.evidence_id', distinct=true) }} as evidence_ids
    from {{ ref('int_standings__aged') }} as standings
    inner join chosen
        on
            standings.learner_key = chosen.learner_key
            and standings.programme_id = chosen.programme_id
    where not standings.is_open and chosen.change <= -chosen.doubt
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
        chosen.latest_on
    from chosen
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
