-- Grain: one row per programme, instrument, scale, version of the scale and direction: how its levels
-- are used by others than the learner. Levels stay ordinal: counts and shares, never a mean. What fewer
-- learners were given than may be shown is told together with its neighbour, or not shown.
with

ratings as (
    select * from {{ ref('fct_evidence') }}
    where
        level is not null
        and scale_id is not null
        and coalesce(assessor_role, '') <> 'self'
        and occurred_on <= {{ as_of() }}
),

scales as (
    select
        scale_id,
        scale_version,
        max(level) as top_level,
        count(*) as n_levels
    from {{ ref('dim_scale_level') }}
    group by scale_id, scale_version
),

newest as (
    {{ newest_scale_versions('scales') }}
),

versioned as (
    select
        ratings.programme_id,
        ratings.scale_id,
        ratings.learner_key,
        ratings.assessor_key,
        ratings.competency_id,
        ratings.level,
        ratings.is_at_or_above_target,
        coalesce(ratings.instrument_id, 'none') as instrument_id,
        coalesce(ratings.scale_version, newest.scale_version, 'none') as counted_version,
        {{ measure_direction('ratings.direction') }} as counted_direction
    from ratings
    left join newest on ratings.scale_id = newest.scale_id
),

by_learner as (
    select
        programme_id,
        instrument_id,
        scale_id,
        counted_version as scale_version,
        counted_direction as direction,
        level,
        learner_key,
        count(*) as n_ratings,
        count(case when is_at_or_above_target then 1 end) as n_at_target,
        count(case when not is_at_or_above_target then 1 end) as n_below
    from versioned
    group by
        programme_id,
        instrument_id,
        scale_id,
        counted_version,
        counted_direction,
        level,
        learner_key
),

levels as (
    select
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        direction,
        level,
        count(*) as n_learners
    from by_learner
    group by programme_id, instrument_id, scale_id, scale_version, direction, level
),

-- A level of few learners is told together with a neighbour.
folded as (
    select
        *,
        {{ told_together(
            'n_learners',
            'programme_id, instrument_id, scale_id, scale_version, direction',
            'level'
        ) }} as fold
    from levels
),

folds as (
    select
        folded.programme_id,
        folded.instrument_id,
        folded.scale_id,
        folded.scale_version,
        folded.direction,
        folded.fold,
        min(folded.level) as from_level,
        max(folded.level) as to_level,
        sum(by_learner.n_ratings) as n_ratings,
        count(distinct case when by_learner.n_at_target > 0 then by_learner.learner_key end)
            as n_learners_at_target,
        count(distinct case when by_learner.n_below > 0 then by_learner.learner_key end)
            as n_learners_below
    from by_learner
    inner join folded
        on {{ same('by_learner', 'folded', [
            'programme_id', 'instrument_id', 'scale_id', 'scale_version', 'direction', 'level'
        ]) }}
    group by
        folded.programme_id,
        folded.instrument_id,
        folded.scale_id,
        folded.scale_version,
        folded.direction,
        folded.fold
),

distributions as (
    select
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        direction,
        count(*) as n_levels_used,
        max(n_ratings) as n_at_commonest,
        max(case when from_level < to_level then to_level end) as top_of_folded,
        bool_or(
            {{ is_told_by_few('n_learners_at_target') }} or {{ is_told_by_few('n_learners_below') }}
        ) as target_is_told_by_few,
        {{ list_join(
            list_agg(
                "cast(from_level as varchar) || case when from_level < to_level then '-' || "
                ~ "cast(to_level as varchar) else '' end || ':' || cast(n_ratings as varchar)",
                order_by='from_level'
            ),
            ' '
        ) }} as level_counts
    from folds
    group by programme_id, instrument_id, scale_id, scale_version, direction
),

counted as (
    select
        versioned.programme_id,
        versioned.instrument_id,
        versioned.scale_id,
        versioned.counted_version as scale_version,
        versioned.counted_direction as direction,
        max(scales.n_levels) as n_levels,
        max(scales.top_level) as top_level,
        count(*) as n_ratings,
        count(distinct versioned.learner_key) as n_learners,
        count(distinct versioned.assessor_key) as n_assessors,
        count(distinct versioned.competency_id) as n_competencies,
        count(case when versioned.level = scales.top_level then 1 end) as n_at_top,
        count(versioned.is_at_or_above_target) as n_judged,
        count(case when versioned.is_at_or_above_target then 1 end) as n_at_target
    from versioned
    left join scales
        on
            versioned.scale_id = scales.scale_id
            and versioned.counted_version = scales.scale_version
    group by
        versioned.programme_id,
        versioned.instrument_id,
        versioned.scale_id,
        versioned.counted_version,
        versioned.counted_direction
),

hidden as (
    select
        *,
        n_learners < {{ rule_threshold('privacy', 'small_cells', 'learners_min') }}
            as is_suppressed
    from counted
),

final as (
    select
        ---------- ids
        hidden.programme_id,
        hidden.instrument_id,
        hidden.scale_id,
        hidden.scale_version,
        hidden.direction,
        ---------- text
        case when not hidden.is_suppressed then distributions.level_counts end as level_counts,
        ---------- numbers
        hidden.n_ratings,
        hidden.n_learners,
        hidden.n_assessors,
        hidden.n_competencies,
        hidden.n_levels,
        case when not hidden.is_suppressed then distributions.n_levels_used end as n_levels_used,
        case
            when not hidden.is_suppressed
                then {{ measure_share('distributions.n_at_commonest', 'hidden.n_ratings') }}
        end as commonest_share,
        case
            when
                not hidden.is_suppressed
                and coalesce(distributions.top_of_folded < hidden.top_level, true)
                then {{ measure_share('hidden.n_at_top', 'hidden.n_ratings') }}
        end as top_share,
        hidden.n_judged,
        case
            when not hidden.is_suppressed and not distributions.target_is_told_by_few
                then {{ measure_share('hidden.n_at_target', 'hidden.n_judged') }}
        end as share_at_target,
        ---------- yes or no
        hidden.is_suppressed
    from hidden
    inner join distributions
        on
            hidden.programme_id = distributions.programme_id
            and hidden.instrument_id = distributions.instrument_id
            and hidden.scale_id = distributions.scale_id
            and hidden.scale_version = distributions.scale_version
            and hidden.direction = distributions.direction
)

select * from final
