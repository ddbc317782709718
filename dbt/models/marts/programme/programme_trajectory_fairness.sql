-- Grain: one row per programme, attribute and value: how fast the share of ratings at or above target
-- grows for the learners of a group, beside all others of the attribute. Groups that are small are
-- drawn towards no difference by as much as chance alone could explain; small groups are not shown,
-- nor others from which they could be had by subtraction.
with

demographics as (
    select
        *,
        row_number() over (
            partition by learner_key, programme_id, attribute
            order by stated_on desc nulls last, known_at desc, record_key desc
        ) as recency
    from {{ ref('fct_demographic') }}
),

ratings as (
    select
        learner_key,
        programme_id,
        {{ days_between("date '2000-01-01'", 'occurred_on') }} as x,
        case when is_at_or_above_target then 1 else 0 end as y
    from {{ ref('fct_evidence') }}
    where
        kind = 'workplace_assessment'
        and is_at_or_above_target is not null
        and occurred_on <= {{ as_of() }}
),

sums as (
    select
        learner_key,
        programme_id,
        count(*) as n,
        sum(x) as sum_x,
        sum(y) as sum_y,
        sum(x * x) as sum_xx,
        sum(x * y) as sum_xy,
        max(x) - min(x) as n_days
    from ratings
    group by learner_key, programme_id
),

-- Least squares from exact whole numbers: the rise of the share in a year.
slopes as (
    select
        learner_key,
        programme_id,
        cast(
            round(
                365.25 * (cast(n as double) * sum_xy - cast(sum_x as double) * sum_y)
                / (cast(n as double) * sum_xx - cast(sum_x as double) * sum_x),
                6
            ) as decimal(18, 6)
        ) as slope
    from sums
    where
        n >= {{ rule_threshold('programme', 'trajectory', 'ratings_min') }}
        and n_days >= {{ rule_threshold('programme', 'trajectory', 'days_min') }}
),

members as (
    select
        demographics.programme_id,
        demographics.attribute,
        demographics.value,
        slopes.slope
    from demographics
    inner join slopes
        on
            demographics.learner_key = slopes.learner_key
            and demographics.programme_id = slopes.programme_id
    where demographics.recency = 1
),

groups as (
    select
        programme_id,
        attribute,
        value,
        count(*) as n_learners,
        sum(slope) as sum_slope,
        sum(cast(slope * slope as decimal(38, 6))) as sum_squares
    from members
    group by programme_id, attribute, value
),

pooled as (
    select
        programme_id,
        attribute,
        count(*) as k,
        cast(sum(n_learners) as double) as n_all,
        cast(sum(sum_slope) as double) as sum_all,
        cast(sum(sum_squares) as double) as squares_all,
        sum(cast(round(power(cast(sum_slope as double), 2) / n_learners, 6) as decimal(38, 6)))
            as between_squares,
        sum(n_learners * n_learners) as sum_n_squares
    from groups
    group by programme_id, attribute
),

-- Analysis of variance: what lies within groups, and how much groups differ beyond it.
components as (
    select
        *,
        sum_all / n_all as mean_all,
        case
            when n_all > k
                then greatest(0, (squares_all - cast(between_squares as double)) / (n_all - k))
        end as within_variance,
        (n_all - sum_n_squares / n_all) / nullif(k - 1, 0) as n0,
        (cast(between_squares as double) - power(sum_all, 2) / n_all) / nullif(k - 1, 0)
            as between_mean_square
    from pooled
),

compared as (
    select
        groups.programme_id,
        groups.attribute,
        groups.value,
        groups.n_learners,
        cast(groups.sum_slope as double) / groups.n_learners as slope_mean,
        cast(groups.sum_slope as double) / groups.n_learners
        - (components.sum_all - cast(groups.sum_slope as double))
        / nullif(components.n_all - groups.n_learners, 0) as difference,
        components.within_variance * (
            1.0 / groups.n_learners + 1.0 / nullif(components.n_all - groups.n_learners, 0)
        ) as error_variance,
        greatest(
            0, (components.between_mean_square - components.within_variance) / components.n0
        ) as group_variance
    from groups
    inner join components
        on
            groups.programme_id = components.programme_id
            and groups.attribute = components.attribute
),

-- The smallest are hidden together, until as many learners are hidden as may be shown.
hidden as (
    select
        *,
        {{ is_small_cell('n_learners', 'programme_id, attribute', 'value') }} as is_suppressed
    from compared
),

shrunk as (
    select
        *,
        difference * group_variance / nullif(group_variance + error_variance, 0)
            as pooled_difference,
        sqrt(error_variance) * {{ rule_threshold('programme', 'trajectory', 'z') }} as margin
    from hidden
),

final as (
    select
        ---------- ids
        programme_id,
        attribute,
        value,
        ---------- numbers
        case when not is_suppressed then n_learners end as n_learners,
        case when not is_suppressed then {{ to_places('slope_mean') }} end as rise_a_year,
        case when not is_suppressed then {{ to_places('difference') }} end as difference,
        case when not is_suppressed then {{ to_places('difference - margin') }} end
            as difference_low,
        case when not is_suppressed then {{ to_places('difference + margin') }} end
            as difference_high,
        case when not is_suppressed then {{ to_places('pooled_difference') }} end
            as pooled_difference,
        ---------- yes or no
        is_suppressed,
        ---------- rule
        'programme' as rule_set_id,
        {{ rule_version('programme') }} as rule_version
    from shrunk
)

select * from final
