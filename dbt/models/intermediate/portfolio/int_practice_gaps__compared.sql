-- Grain: one row per learner and competency that was practised again lately after a long gap: how
-- performance in it stands since, beside what the learner's other ratings make one expect.
{{ config(materialized='table') }}
{%- set rho = rule_threshold('signals', 'peers', 'assessor_variance_share') %}

with

spreads as (
    select * from {{ ref('stg_calibration_spread') }}
),

-- Who practises nothing now has not taken anything up again.
practised as (
    select distinct
        learner_key,
        programme_id,
        competency_id
    from {{ ref('int_standings__aged') }}
    where
        not is_open
        and age_days <= {{ rule_threshold('signals', 'performance_after_gap', 'window_days') }}
),

-- Before the first rating of a competency, the learner's first rating of any is where practice began.
started as (
    select
        learner_key,
        programme_id,
        min(occurred_on) as started_on
    from {{ ref('int_standings__aged') }}
    where not is_open
    group by learner_key, programme_id
),

sequenced as (
    select
        standings.learner_key,
        standings.programme_id,
        standings.competency_id,
        standings.age_days,
        standings.occurred_on,
        lag(standings.occurred_on) over (
            partition by standings.learner_key, standings.programme_id, standings.competency_id
            order by standings.occurred_at, standings.evidence_id
        ) as previous_on
    from {{ ref('int_standings__aged') }} as standings
    inner join practised
        on
            standings.learner_key = practised.learner_key
            and standings.programme_id = practised.programme_id
            and standings.competency_id = practised.competency_id
    where not standings.is_open
),

resumed as (
    select
        sequenced.learner_key,
        sequenced.programme_id,
        sequenced.competency_id,
        max(sequenced.occurred_on) as resumed_on,
        max(coalesce(sequenced.previous_on, started.started_on)) as paused_on
    from sequenced
    inner join started
        on
            sequenced.learner_key = started.learner_key
            and sequenced.programme_id = started.programme_id
    where
        case
            when sequenced.previous_on is null
                then
                    {{ days_between('started.started_on', 'sequenced.occurred_on') }}
                    >= coalesce(
                        {{ rule_threshold('signals', 'performance_after_gap', 'first_days') }},
                        {{ rule_threshold('signals', 'performance_after_gap', 'gap_days') }}
                    )
            else
                {{ days_between('sequenced.previous_on', 'sequenced.occurred_on') }}
                >= {{ rule_threshold('signals', 'performance_after_gap', 'gap_days') }}
        end
        and sequenced.age_days
        <= {{ rule_threshold('signals', 'performance_after_gap', 'window_days') }}
    group by sequenced.learner_key, sequenced.programme_id, sequenced.competency_id
),

-- Every rating of the learner: since the gap, before it in the same competency, and all but the former.
sorted_out as (
    select
        resumed.*,
        ratings.assessor_cluster,
        ratings.standing,
        ratings.standing - 0.5 as excess,
        ratings.since_first_days,
        ratings.occurred_on,
        ratings.competency_id = resumed.competency_id
        and ratings.occurred_on >= resumed.resumed_on as is_since,
        ratings.competency_id = resumed.competency_id
        and ratings.occurred_on < resumed.resumed_on as is_before
    from resumed
    inner join {{ ref('int_standings__aged') }} as ratings
        on
            resumed.learner_key = ratings.learner_key
            and resumed.programme_id = ratings.programme_id
    where not ratings.is_open
),

by_assessor as (
    select
        learner_key,
        programme_id,
        competency_id,
        resumed_on,
        paused_on,
        count(case when is_since then 1 end) as n_since,
        sum(case when is_since then standing end) as total_since,
        sum(case when is_since then since_first_days end) as days_since,
        max(case when is_since then occurred_on end) as latest_on,
        count(case when is_before then 1 end) as n_before,
        sum(case when is_before then standing end) as total_before,
        sum(case when is_before then since_first_days end) as days_before,
        count(case when not is_since then 1 end) as n_other,
        sum(case when not is_since then excess else 0 end) as excess,
        sum(case when not is_since then since_first_days else 0 end) as days,
        sum(case when not is_since then since_first_days * since_first_days else 0 end) as squares,
        sum(case when not is_since then since_first_days * excess else 0 end) as products
    from sorted_out
    group by learner_key, programme_id, competency_id, resumed_on, paused_on, assessor_cluster
),

compared as (
    select
        learner_key,
        programme_id,
        competency_id,
        resumed_on,
        paused_on,
        cast(sum(n_since) as bigint) as n_since,
        sum(n_since * n_since) as squares_since,
        sum(total_since) as total_since,
        sum(days_since) as days_since,
        max(latest_on) as latest_on,
        cast(sum(n_before) as bigint) as n_before,
        sum(total_before) as total_before,
        sum(days_before) as days_before,
        cast(sum(n_other) as bigint) as n_other,
        {{ sums_of_trend('n_other', 'days', 'squares', 'excess', 'products', rho) }}
    from by_assessor
    group by learner_key, programme_id, competency_id, resumed_on, paused_on
),

weighed as (
    select
        compared.*,
        cast(spreads.within_variance as double) as within_variance,
        cast(spreads.between_variance as double) as between_variance,
        cast(spreads.competency_variance as double) as competency_variance,
        spreads.rise_variance as rise_variance_of_all,
        cast(compared.total_since as double) / compared.n_since as mean_since,
        cast(compared.days_since as double) / compared.n_since as mean_days_since,
        cast(compared.total_before as double) / nullif(compared.n_before, 0) as mean_before,
        cast(compared.days_before as double) / nullif(compared.n_before, 0) as mean_days_before,
        coalesce({{ measure_reliance(
            'spreads.competency_variance', 'spreads.within_variance', 'compared.n_before'
        ) }}, 0) as reliance,
        {{ measure_clustered_n('compared.n_since', 'compared.squares_since', rho) }} as worth_since
    from compared
    inner join spreads on compared.programme_id = spreads.programme_id
    where
        compared.n_since
        >= {{ rule_threshold('signals', 'performance_after_gap', 'data_points_min') }}
        and compared.n_other > 0
        and spreads.n_learners >= {{ rule_threshold('signals', 'peers', 'learners_min') }}
        and spreads.competency_variance is not null
        and spreads.within_variance > 0
),

trended as (
    select
        *,
        {{ surety_of_trend('between_variance', 'rise_variance_of_all', 'within_variance') }}
    from weighed
),

-- What the learner's other ratings say, and how the competency stood beside them before.
expected as (
    select
        *,
        {{ standing_by_trend('mean_days_since', 'within_variance') }}
        + coalesce(
            reliance * (
                mean_before - {{ standing_by_trend('mean_days_before', 'within_variance') }}
            ),
            0
        ) as mean_expected,
        sqrt(
            competency_variance * (1 - reliance)
            + within_variance / worth_since
            + {{ variance_by_trend('mean_days_since') }}
        ) as doubt
    from trended
),

measured as (
    select
        *,
        mean_since - mean_expected as change,
        cast(round((mean_since - mean_expected) / doubt, 4) as decimal(9, 4)) as change_in_errors
    from expected
),

-- Evidence is listed where a fall is told: the lists are long.
told as (
    select distinct
        learner_key,
        programme_id
    from measured
    where
        change_in_errors
        <= -coalesce({{ rule_threshold('signals', 'performance_after_gap', 'errors_min') }}, 0)
),

rested_on as (
    select
        standings.learner_key,
        standings.programme_id,
        {{ list_agg('standings.evidence_id', distinct=true) }} as evidence_ids
    from {{ ref('int_standings__aged') }} as standings
    inner join told
        on
            standings.learner_key = told.learner_key
            and standings.programme_id = told.programme_id
    where not standings.is_open
    group by standings.learner_key, standings.programme_id
),

final as (
    select
        ---------- ids
        measured.learner_key,
        measured.programme_id,
        measured.competency_id,
        ---------- numbers
        measured.n_since,
        measured.n_before,
        {{ to_standing('measured.mean_since') }} as standing_since,
        {{ to_standing('measured.mean_expected') }} as expected_standing,
        {{ to_standing('measured.change') }} as change,
        {{ to_standing(
            "measured.change - "
            ~ rule_threshold('signals', 'performance_after_gap', 'z') ~ " * measured.doubt"
        ) }} as change_low,
        {{ to_standing(
            "measured.change + "
            ~ rule_threshold('signals', 'performance_after_gap', 'z') ~ " * measured.doubt"
        ) }} as change_high,
        measured.change_in_errors,
        ---------- lists
        case
            when
                measured.change_in_errors
                <= -coalesce(
                    {{ rule_threshold('signals', 'performance_after_gap', 'errors_min') }}, 0
                )
                then rested_on.evidence_ids
            else {{ empty_list() }}
        end as evidence_ids,
        ---------- days
        measured.paused_on,
        measured.resumed_on,
        measured.latest_on
    from measured
    left join rested_on
        on
            measured.learner_key = rested_on.learner_key
            and measured.programme_id = rested_on.programme_id
)

select * from final
