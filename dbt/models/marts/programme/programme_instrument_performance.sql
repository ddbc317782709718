-- Grain: one row per programme, instrument, scale, version of the scale and direction: how its levels
-- are used by others than the learner. Levels stay ordinal: counts and shares, never a mean. What fewer
-- learners were given than may be shown is not shown.
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
    select
        scale_id,
        max(scale_version) as scale_version
    from scales
    group by scale_id
),

versioned as (
    select
        ratings.*,
        coalesce(ratings.scale_version, newest.scale_version) as counted_version,
        {{ measure_direction('ratings.direction') }} as counted_direction
    from ratings
    left join newest on ratings.scale_id = newest.scale_id
),

levels as (
    select
        programme_id,
        coalesce(instrument_id, 'none') as instrument_id,
        scale_id,
        coalesce(counted_version, 'none') as scale_version,
        counted_direction as direction,
        level,
        count(*) as n_at_level
    from versioned
    group by
        programme_id,
        coalesce(instrument_id, 'none'),
        scale_id,
        coalesce(counted_version, 'none'),
        counted_direction,
        level
),

distributions as (
    select
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        direction,
        count(*) as n_levels_used,
        max(n_at_level) as n_at_commonest,
        {{ list_join(
            list_agg(
                "cast(level as varchar) || ':' || cast(n_at_level as varchar)", order_by='level'
            ),
            ' '
        ) }} as level_counts
    from levels
    group by programme_id, instrument_id, scale_id, scale_version, direction
),

counted as (
    select
        versioned.programme_id,
        coalesce(versioned.instrument_id, 'none') as instrument_id,
        versioned.scale_id,
        coalesce(versioned.counted_version, 'none') as scale_version,
        versioned.counted_direction as direction,
        max(scales.n_levels) as n_levels,
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
        coalesce(versioned.instrument_id, 'none'),
        versioned.scale_id,
        coalesce(versioned.counted_version, 'none'),
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
            when not hidden.is_suppressed
                then {{ measure_share('hidden.n_at_top', 'hidden.n_ratings') }}
        end as top_share,
        hidden.n_judged,
        case
            when not hidden.is_suppressed
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
