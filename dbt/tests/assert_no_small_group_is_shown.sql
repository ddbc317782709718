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
    where n_learners_at_least < {{ rule_threshold('privacy', 'small_cells', 'learners_min') }}
),

-- What is hidden of an attribute adds up to too few learners.
given_away as (
    select
        counts.programme_id,
        counts.attribute,
        min(counts.value) as value
    from counts
    inner join {{ ref('int_demographics__grouped') }} as learners
        on {{ same('counts', 'learners', ['programme_id', 'attribute', 'value']) }}
    group by counts.programme_id, counts.attribute
    having
        count(distinct case when counts.is_suppressed then learners.learner_key end)
        between 1 and {{ rule_threshold('privacy', 'small_cells', 'learners_min') }} - 1
        and count(case when not counts.is_suppressed then 1 end) > 0
)

select * from shown
union all
select * from given_away
