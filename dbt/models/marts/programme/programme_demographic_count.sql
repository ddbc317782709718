-- Grain: one row per programme, attribute and value. Counts of small groups are not shown, nor the
-- smallest others where fewer learners than may be shown could be had by subtraction, within an
-- attribute, between two attributes, or between two editions of one half-year. Counts are rounded down:
-- less those of programme_trajectory_fairness they would tell how few have no trajectory.
with

period as (
    select * from {{ ref('int_half_year__closed') }}
),

demographics as (
    select * from {{ ref('int_demographics__grouped') }}
),

counted as (
    select
        programme_id,
        attribute,
        value,
        count(*) as n_learners
    from demographics
    group by programme_id, attribute, value
),

-- The smallest are hidden together, until as many learners are hidden as may be shown.
small as (
    select
        *,
        {{ is_small_cell('n_learners', 'programme_id, attribute', 'value') }} as is_small
    from counted
),

totals as (
    select
        programme_id,
        attribute,
        sum(case when not is_small then n_learners else 0 end) as n_shown
    from small
    group by programme_id, attribute
),

-- An attribute whose groups that are shown add up to a few learners more or less than those of an
-- earlier one is withheld.
withheld as (
    select distinct
        ones.programme_id,
        others.attribute
    from totals as ones
    inner join totals as others
        on
            ones.programme_id = others.programme_id
            and ones.attribute < others.attribute
    where {{ is_told_by_few('abs(ones.n_shown - others.n_shown)') }}
),

hidden as (
    select
        small.programme_id,
        small.attribute,
        small.value,
        small.n_learners,
        small.is_small or withheld.attribute is not null as is_suppressed
    from small
    left join withheld
        on {{ same('small', 'withheld', ['programme_id', 'attribute']) }}
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
        case when not hidden.is_suppressed then {{ rounded_count('hidden.n_learners') }} end
            as n_learners_at_least,
        ---------- yes or no
        hidden.is_suppressed,
        ---------- text
        'privacy' as rule_set_id,
        {{ rule_version('privacy') }} as rule_version
    from hidden
    cross join period
)

select * from final
