-- What is this test? No count of fewer learners than the rule allows is shown, and no hidden count
-- can be had by taking the others from the whole.
-- When is it important to resolve? Before publication: a person could be recognised.
-- How to resolve? Look at programme_demographic_count for the attribute listed.
{{ config(severity='error', meta={'consequence': 'fairness'}) }}

with

counts as (
    select * from {{ ref('programme_demographic_count') }}
),

shown as (
    select
        programme_id,
        attribute,
        value
    from counts
    where n_learners < {{ rule_threshold('privacy', 'small_cells', 'learners_min') }}
),

given_away as (
    select
        programme_id,
        attribute,
        min(value) as value
    from counts
    group by programme_id, attribute
    having
        count(case when is_suppressed then 1 end) = 1
        and count(case when not is_suppressed then 1 end) > 0
)

select * from shown
union all
select * from given_away
