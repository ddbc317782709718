-- Grain: one row per programme, instrument, scale and version of the scale: how its levels are used
-- by others than the learner. Levels stay ordinal: counts and shares, never a mean.
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
        coalesce(ratings.scale_version, newest.scale_version) as counted_version
    from ratings
    left join newest on ratings.scale_id = newest.scale_id
),

levels as (
    select
        programme_id,
        coalesce(instrument_id, 'none') as instrument_id,
        scale_id,
        coalesce(counted_version, 'none') as scale_version,
        level,
        count(*) as n_at_level
    from versioned
    group by
        programme_id,
        coalesce(instrument_id, 'none'),
        scale_id,
        coalesce(counted_version, 'none'),
        level
),

distributions as (
    select
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        count(*) as n_levels_used,
        max(n_at_level) as n_at_commonest,
        {{ list_join(
            list_agg(
                "cast(level as varchar) || ':' || cast(n_at_level as varchar)", order_by='level'
            ),
            ' '
        ) }} as level_counts
    from levels
    group by programme_id, instrument_id, scale_id, scale_version
),

counted as (
    select
        versioned.programme_id,
        coalesce(versioned.instrument_id, 'none') as instrument_id,
        versioned.scale_id,
        coalesce(versioned.counted_version, 'none') as scale_version,
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
        coalesce(versioned.counted_version, 'none')
),

final as (
    select
        ---------- ids
        counted.programme_id,
        counted.instrument_id,
        counted.scale_id,
        counted.scale_version,
        ---------- text
        distributions.level_counts,
        ---------- numbers
        counted.n_ratings,
        counted.n_learners,
        counted.n_assessors,
        counted.n_competencies,
        counted.n_levels,
        distributions.n_levels_used,
        {{ measure_share('distributions.n_at_commonest', 'counted.n_ratings') }} as commonest_share,
        {{ measure_share('counted.n_at_top', 'counted.n_ratings') }} as top_share,
        counted.n_judged,
        {{ measure_share('counted.n_at_target', 'counted.n_judged') }} as share_at_target
    from counted
    inner join distributions
        on
            counted.programme_id = distributions.programme_id
            and counted.instrument_id = distributions.instrument_id
            and counted.scale_id = distributions.scale_id
            and counted.scale_version = distributions.scale_version
)

select * from final
