-- Grain: one row per learner and competency that was practised again lately after a long gap: how
-- performance in it stands since, beside what the learner's other ratings make one expect.
{{ config(materialized='table') }}

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
        count(*) as n,
        sum(standing) as total,
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

by_assessor as (
    select
        resumed.learner_key,
        resumed.programme_id,
        resumed.competency_id,
        resumed.resumed_on,
        resumed.paused_on,
        count(case when standings.occurred_on >= resumed.resumed_on then 1 end) as n_since,
        count(case when standings.occurred_on < resumed.resumed_on then 1 end) as n_before,
        sum(case when standings.occurred_on >= resumed.resumed_on then standings.standing else 0 end)
            as total_since,
        sum(case when standings.occurred_on < resumed.resumed_on then standings.standing else 0 end)
            as total_before,
        max(standings.occurred_on) as latest_on
    from resumed
    inner join {{ ref('int_standings__aged') }} as standings
        on
            resumed.learner_key = standings.learner_key
            and resumed.programme_id = standings.programme_id
            and resumed.competency_id = standings.competency_id
    where not standings.is_open
    group by
        resumed.learner_key,
        resumed.programme_id,
        resumed.competency_id,
        resumed.resumed_on,
        resumed.paused_on,
        standings.assessor_cluster
),

since as (
    select
        learner_key,
        programme_id,
        competency_id,
        resumed_on,
        paused_on,
        cast(sum(n_since) as bigint) as n_since,
        cast(sum(n_before) as bigint) as n_before,
        sum(n_since * n_since) as squares_since,
        sum(total_since) as total_since,
        sum(total_before) as total_before,
        max(latest_on) as latest_on
    from by_assessor
    group by learner_key, programme_id, competency_id, resumed_on, paused_on
),

-- What the learner's other ratings say, those since the gap left out.
expected as (
    select
        since.*,
        spreads.within_variance,
        spreads.competency_variance,
        started.n - since.n_since as n_other,
        cast(since.total_since as double) / since.n_since as mean_since,
        cast(started.total - since.total_since as double)
        / nullif(started.n - since.n_since, 0) as mean_of_learner,
        cast(since.total_before as double) / nullif(since.n_before, 0) as mean_before,
        coalesce({{ measure_reliance(
            'spreads.competency_variance', 'spreads.within_variance', 'since.n_before'
        ) }}, 0) as reliance,
        {{ measure_clustered_n(
            'since.n_since', 'since.squares_since',
            rule_threshold('signals', 'peers', 'assessor_variance_share')
        ) }} as worth_since
    from since
    inner join started
        on
            since.learner_key = started.learner_key
            and since.programme_id = started.programme_id
    inner join spreads on since.programme_id = spreads.programme_id
    where
        since.n_since >= {{ rule_threshold('signals', 'performance_after_gap', 'data_points_min') }}
        and started.n > since.n_since
        and spreads.n_learners >= {{ rule_threshold('signals', 'peers', 'learners_min') }}
        and spreads.competency_variance is not null
        and spreads.within_variance > 0
),

compared as (
    select
        *,
        mean_of_learner + reliance * (coalesce(mean_before, mean_of_learner) - mean_of_learner)
            as mean_expected,
        sqrt(
            cast(competency_variance as double) * (1 - reliance)
            + cast(within_variance as double) / worth_since
            + cast(within_variance as double) / n_other
        ) as doubt
    from expected
),

measured as (
    select
        *,
        mean_since - mean_expected as change,
        cast(round((mean_since - mean_expected) / doubt, 4) as decimal(9, 4)) as change_in_errors
    from compared
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
