-- Grain: one row per programme, attribute and value: how fast the share of ratings at or above target
-- grows for the learners of a group, beside all others of the attribute. Groups that are small are
-- drawn towards no difference by as much as chance alone could explain; small groups are not shown,
-- nor what would give away fewer learners than may be shown: by subtraction within an attribute,
-- between two attributes, or between two editions of one half-year. Counts are rounded down: taken from
-- those of programme_demographic_count they would tell how few have no trajectory.
with

-- What counts happened, and was known, in half-years that are over.
period as (
    select * from {{ ref('int_half_year__closed') }}
),

demographics as (
    select * from {{ ref('int_demographics__grouped') }}
),

ratings as (
    select
        evidence.learner_key,
        evidence.programme_id,
        {{ days_between("date '2000-01-01'", 'evidence.occurred_on') }} as x,
        case when evidence.is_at_or_above_target then 1 else 0 end as y
    from {{ ref('fct_evidence') }} as evidence
    cross join period
    where
        evidence.kind = 'workplace_assessment'
        and {{ is_by_another('evidence') }}
        and evidence.is_at_or_above_target is not null
        and evidence.occurred_on <= period.period_end_on
        and evidence.known_at < period.known_before
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
        demographics.learner_key,
        demographics.programme_id,
        demographics.attribute,
        demographics.value,
        slopes.slope
    from demographics
    inner join slopes
        on
            demographics.learner_key = slopes.learner_key
            and demographics.programme_id = slopes.programme_id
),

sizes as (
    select
        programme_id,
        attribute,
        value,
        count(*) as n_learners
    from members
    group by programme_id, attribute, value
),

-- The smallest are hidden together, until as many learners are hidden as may be shown.
small as (
    select
        *,
        {{ is_small_cell('n_learners', 'programme_id, attribute', 'value') }} as is_small
    from sizes
),

-- What is hidden of an attribute counts as one group, named by the first value.
parts as (
    select
        programme_id,
        attribute,
        value,
        is_small,
        case
            when is_small then min(value) over (partition by programme_id, attribute, is_small)
            else value
        end as part
    from small
),

placed as (
    select
        members.learner_key,
        members.programme_id,
        members.attribute,
        members.slope,
        parts.part,
        parts.is_small
    from members
    inner join parts
        on
            members.programme_id = parts.programme_id
            and members.attribute = parts.attribute
            and members.value = parts.value
),

groups as (
    select
        programme_id,
        attribute,
        part,
        count(*) as n_learners,
        count(case when is_small then 1 end) as n_hidden,
        sum(slope) as sum_slope,
        sum(cast(slope * slope as decimal(38, 6))) as sum_squares
    from placed
    group by programme_id, attribute, part
),

shared as (
    select
        ones.programme_id,
        ones.attribute,
        ones.part,
        others.attribute as other_attribute,
        others.part as other_part,
        count(*) as n_shared
    from placed as ones
    inner join placed as others
        on
            ones.learner_key = others.learner_key
            and ones.programme_id = others.programme_id
            and ones.attribute < others.attribute
    group by ones.programme_id, ones.attribute, ones.part, others.attribute, others.part
),

populations as (
    select
        programme_id,
        attribute,
        sum(n_learners) as n_all,
        sum(n_hidden) as n_hidden
    from groups
    group by programme_id, attribute
),

-- How many learners two groups of two attributes do not share: their difference is about these.
apart as (
    select
        ones.programme_id,
        others.attribute,
        populations.n_all,
        ones.n_learners + others.n_learners - 2 * coalesce(shared.n_shared, 0) as n_apart,
        abs(populations.n_hidden - other_populations.n_hidden) as n_totals_apart
    from groups as ones
    inner join groups as others
        on
            ones.programme_id = others.programme_id
            and ones.attribute < others.attribute
    inner join populations
        on {{ same('ones', 'populations', ['programme_id', 'attribute']) }}
    inner join populations as other_populations
        on {{ same('others', 'other_populations', ['programme_id', 'attribute']) }}
    left join shared
        on
            ones.programme_id = shared.programme_id
            and ones.attribute = shared.attribute
            and ones.part = shared.part
            and others.attribute = shared.other_attribute
            and others.part = shared.other_part
),

-- An attribute that differs from an earlier one by few learners is withheld: in a group, in all
-- others of a group, which differences tell, or in the groups that are shown.
withheld as (
    select distinct
        programme_id,
        attribute
    from apart
    where
        {{ is_told_by_few('n_apart') }}
        or {{ is_told_by_few('n_all - n_apart') }}
        or {{ is_told_by_few('n_totals_apart') }}
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
        groups.part,
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

shrunk as (
    select
        *,
        difference * group_variance / nullif(group_variance + error_variance, 0)
            as pooled_difference,
        sqrt(error_variance) * {{ rule_threshold('programme', 'trajectory', 'z') }} as margin
    from compared
),

hidden as (
    select
        parts.programme_id,
        parts.attribute,
        parts.value,
        parts.part,
        parts.is_small or withheld.attribute is not null as is_suppressed
    from parts
    left join withheld
        on {{ same('parts', 'withheld', ['programme_id', 'attribute']) }}
),

final as (
    select
        ---------- ids
        hidden.programme_id,
        hidden.attribute,
        hidden.value,
        ---------- days
        period.period_end_on,
        ---------- numbers
        case when not hidden.is_suppressed then {{ rounded_count('shrunk.n_learners') }} end
            as n_learners_at_least,
        case when not hidden.is_suppressed then {{ to_places('shrunk.slope_mean') }} end
            as rise_a_year,
        case when not hidden.is_suppressed then {{ to_places('shrunk.difference') }} end
            as difference,
        case
            when not hidden.is_suppressed
                then {{ to_places('shrunk.difference - shrunk.margin') }}
        end as difference_low,
        case
            when not hidden.is_suppressed
                then {{ to_places('shrunk.difference + shrunk.margin') }}
        end as difference_high,
        case when not hidden.is_suppressed then {{ to_places('shrunk.pooled_difference') }} end
            as pooled_difference,
        ---------- yes or no
        hidden.is_suppressed,
        ---------- rule
        'programme' as rule_set_id,
        {{ rule_version('programme') }} as rule_version
    from hidden
    cross join period
    inner join shrunk
        on {{ same('hidden', 'shrunk', ['programme_id', 'attribute', 'part']) }}
)

select * from final
