-- Grain: one row per programme, attribute and value. Counts of small groups are not shown, nor the
-- smallest other one where a single hidden count could be had by subtraction.
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

ranked as (
    select
        *,
        sum(case when is_small then 1 else 0 end) over (
            partition by programme_id, attribute
        ) as n_small,
        row_number() over (
            partition by programme_id, attribute, is_small
            order by n_learners, value
        ) as smallest_first
    from small
),

hidden as (
    select
        *,
        is_small or (n_small = 1 and smallest_first = 1) as is_suppressed
    from ranked
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
