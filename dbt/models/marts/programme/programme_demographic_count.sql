-- Grain: one row per programme, attribute and value. Counts of small groups are not shown, nor the
-- smallest others where fewer learners than may be shown could be had by subtraction.
with

demographics as (
    select * from {{ ref('fct_demographic') }}
),

newest as (
    select
        *,
        row_number() over (
            partition by learner_key, programme_id, attribute
            order by stated_on desc nulls last, known_at desc, record_key desc
        ) as recency
    from demographics
),

counted as (
    select
        programme_id,
        attribute,
        value,
        count(distinct learner_key) as n_learners
    from newest
    where recency = 1
    group by programme_id, attribute, value
),

small as (
    select
        *,
        n_learners < {{ rule_threshold('privacy', 'small_cells', 'learners_min') }} as is_small
    from counted
),

added_up as (
    select
        *,
        max(case when is_small then 1 else 0 end) over (
            partition by programme_id, attribute
        ) as has_small,
        coalesce(sum(n_learners) over (
            partition by programme_id, attribute
            order by n_learners, value
            rows between unbounded preceding and 1 preceding
        ), 0) as n_in_smaller
    from small
),

-- The smallest are hidden together, until as many learners are hidden as may be shown.
hidden as (
    select
        *,
        is_small
        or (
            has_small = 1
            and n_in_smaller < {{ rule_threshold('privacy', 'small_cells', 'learners_min') }}
        ) as is_suppressed
    from added_up
),

final as (
    select
        ---------- ids
        programme_id,
        attribute,
        value,
        ---------- numbers
        case when not is_suppressed then n_learners end as n_learners,
        ---------- yes or no
        is_suppressed,
        ---------- text
        'privacy' as rule_set_id,
        {{ rule_version('privacy') }} as rule_version
    from hidden
)

select * from final
