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

-- The smallest are hidden together, until as many learners are hidden as may be shown.
hidden as (
    select
        *,
        {{ is_small_cell('n_learners', 'programme_id, attribute', 'value') }} as is_suppressed
    from counted
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
