-- Grain: one row per learner and competency that was practised again lately after a long gap: how
-- performance in it stands since, beside what the learner's other ratings make one expect.
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

-- Before the first rating of a competency, the learner's first rating of any is where practice began.
started as (
    select
        learner_key,
        programme_id,
        min(occurred_on) as started_on
    from standings
    group by learner_key, programme_id
),

sequenced as (
    select
        standings.*,
        started.started_on,
        lag(standings.occurred_on) over (
            partition by standings.learner_key, standings.programme_id, standings.competency_id
            order by standings.occurred_at, standings.evidence_id
        ) as previous_on
    from standings
    inner join started
        on
            standings.learner_key = started.learner_key
            and standings.programme_id = started.programme_id
),

resumed as (
    select
        learner_key,
        programme_id,
        competency_id,
        max(occurred_on) as resumed_on,
        max(coalesce(previous_on, started_on)) as paused_on
    from sequenced
    where
        case
            when previous_on is null
                then
                    {{ days_between('started_on', 'occurred_on') }}
                    >= coalesce(
                        {{ rule_threshold('signals', 'performance_after_gap', 'first_days') }},
                        {{ rule_threshold('signals', 'performance_after_gap', 'gap_days') }}
                    )
            else
                {{ days_between('previous_on', 'occurred_on') }}
                >= {{ rule_threshold('signals', 'performance_after_gap', 'gap_days') }}
        end
        and age_days <= {{ rule_threshold('signals', 'performance_after_gap', 'window_days') }}
    group by learner_key, programme_id, competency_id
),

placed as (
    select
        resumed.learner_key,
        resumed.programme_id,
        resumed.competency_id,
        resumed.resumed_on,
        resumed.paused_on,
        standings.assessor_cluster,
        standings.standing,
        standings.occurred_on,
        standings.occurred_on >= resumed.resumed_on as is_since
    from resumed
    inner join standings
        on
            resumed.learner_key = standings.learner_key
            and resumed.programme_id = standings.programme_id
            and resumed.competency_id = standings.competency_id
),

by_assessor as (
    select
        learner_key,
        programme_id,
        competency_id,
        count(*) as n
    from placed
    where is_since
    group by learner_key, programme_id, competency_id, assessor_cluster
),

clusters as (
    select
        learner_key,
        programme_id,
        competency_id,
        sum(n * n) as squares_since
    from by_assessor
    group by learner_key, programme_id, competency_id
),

since as (
    select
        learner_key,
        programme_id,
        competency_id,
        resumed_on,
        paused_on,
        count(case when is_since then 1 end) as n_since,
        count(case when not is_since then 1 end) as n_before,
        sum(case when is_since then standing else 0 end) as total_since,
        sum(case when not is_since then standing else 0 end) as total_before,
        max(occurred_on) as latest_on
    from placed
    group by learner_key, programme_id, competency_id, resumed_on, paused_on
),

resumed_by as (
    select distinct
        learner_key,
        programme_id
    from resumed
),

of_learner as (
    select
        standings.learner_key,
        standings.programme_id,
        count(*) as n,
        sum(standings.standing) as total,
        {{ list_agg('standings.evidence_id', distinct=true) }} as evidence_ids
    from standings
    inner join resumed_by
        on
            standings.learner_key = resumed_by.learner_key
            and standings.programme_id = resumed_by.programme_id
    group by standings.learner_key, standings.programme_id
),

-- What the learner's other ratings say, those since the gap left out.
expected as (
    select
        since.*,
        spreads.within_variance,
        spreads.competency_variance,
        of_learner.evidence_ids,
        of_learner.n - since.n_since as n_other,
        cast(since.total_since as double) / since.n_since as mean_since,
        cast(of_learner.total - since.total_since as double)
        / nullif(of_learner.n - since.n_since, 0) as mean_of_learner,
        cast(since.total_before as double) / nullif(since.n_before, 0) as mean_before,
        coalesce({{ measure_reliance(
            'spreads.competency_variance', 'spreads.within_variance', 'since.n_before'
        ) }}, 0) as reliance,
        {{ measure_clustered_n(
            'since.n_since', 'clusters.squares_since',
            rule_threshold('signals', 'peers', 'assessor_variance_share')
        ) }} as worth_since
    from since
    inner join clusters
        on
            since.learner_key = clusters.learner_key
            and since.programme_id = clusters.programme_id
            and since.competency_id = clusters.competency_id
    inner join of_learner
        on
            since.learner_key = of_learner.learner_key
            and since.programme_id = of_learner.programme_id
    inner join spreads on since.programme_id = spreads.programme_id
    where
        since.n_since >= {{ rule_threshold('signals', 'performance_after_gap', 'data_points_min') }}
        and of_learner.n > since.n_since
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

final as (
    select
        ---------- ids
        learner_key,
        programme_id,
        competency_id,
        ---------- numbers
        n_since,
        n_before,
        {{ to_standing('mean_since') }} as standing_since,
        {{ to_standing('mean_expected') }} as expected_standing,
        {{ to_standing('mean_since - mean_expected') }} as change,
        {{ to_standing(
            "mean_since - mean_expected - "
            ~ rule_threshold('signals', 'performance_after_gap', 'z') ~ " * doubt"
        ) }} as change_low,
        {{ to_standing(
            "mean_since - mean_expected + "
            ~ rule_threshold('signals', 'performance_after_gap', 'z') ~ " * doubt"
        ) }} as change_high,
        cast(round((mean_since - mean_expected) / doubt, 4) as decimal(9, 4)) as change_in_errors,
        ---------- lists
        evidence_ids,
        ---------- days
        paused_on,
        resumed_on,
        latest_on
    from compared
)

select * from final
