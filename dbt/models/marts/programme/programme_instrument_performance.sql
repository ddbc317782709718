-- Grain: one row per programme, instrument, scale, version of the scale and direction: how its levels
-- are used by others than the learner. Levels stay ordinal: counts and shares, never a mean. What fewer
-- learners were given than may be shown is told together with its neighbour, or not shown.
{%- set series = ['programme_id', 'instrument_id', 'scale_id', 'scale_version', 'direction'] %}
with

by_learner as {{ read_each_time() }} (
    select * from {{ ref('int_levels__counted') }}
),

ratings as (
    select * from {{ ref('int_ratings__versioned') }}
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

levels as (
    select
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        direction,
        level,
        count(*) as n_learners,
        sum(n_ratings) as n_ratings,
        sum(n_at_target) as n_at_target,
        sum(n_below) as n_below
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
        on {{ same('by_learner', 'folded', series + ['level']) }}
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
                "cast(from_level as string) || case when from_level < to_level then '-' || "
                ~ "cast(to_level as string) else '' end || ':' || cast(n_ratings as string)",
                order_by=['from_level']
            ),
            ' '
        ) }} as level_counts
    from folds
    group by programme_id, instrument_id, scale_id, scale_version, direction
),

totals as (
    select
        levels.programme_id,
        levels.instrument_id,
        levels.scale_id,
        levels.scale_version,
        levels.direction,
        max(scales.n_levels) as n_levels,
        max(scales.top_level) as top_level,
        cast(sum(levels.n_ratings) as bigint) as n_ratings,
        sum(case when levels.level = scales.top_level then levels.n_ratings else 0 end) as n_at_top,
        cast(sum(levels.n_at_target + levels.n_below) as bigint) as n_judged,
        sum(levels.n_at_target) as n_at_target
    from levels
    left join scales
        on {{ same('levels', 'scales', ['scale_id', 'scale_version']) }}
    group by
        levels.programme_id,
        levels.instrument_id,
        levels.scale_id,
        levels.scale_version,
        levels.direction
),

learners as (
    select
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        direction,
        count(distinct learner_key) as n_learners
    from by_learner
    group by programme_id, instrument_id, scale_id, scale_version, direction
),

-- Many ratings are by few pairs of an assessor and a competency.
pairs as (
    select distinct
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        direction,
        assessor_key,
        competency_id
    from ratings
),

raters as (
    select
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        direction,
        count(distinct assessor_key) as n_assessors,
        count(distinct competency_id) as n_competencies
    from pairs
    group by programme_id, instrument_id, scale_id, scale_version, direction
),

counted as (
    select
        totals.*,
        learners.n_learners,
        raters.n_assessors,
        raters.n_competencies
    from totals
    inner join learners on {{ same('totals', 'learners', series) }}
    inner join raters on {{ same('totals', 'raters', series) }}
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
    inner join distributions on {{ same('hidden', 'distributions', series) }}
)

select * from final
