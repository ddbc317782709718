-- What is this test? The groups of an attribute that are shown add up to as many learners as those of
-- any other attribute of the programme, or to fewer by at least as many as may be shown.
-- When is it important to resolve? Before publication: the trajectory of one person could be had by
-- taking the sums of one attribute from those of another.
-- How to resolve? Look at programme_trajectory_fairness for the two attributes listed.
{{ config(severity='error', meta={'consequence': 'fairness'}) }}

with

totals as (
    select
        programme_id,
        attribute,
        sum(n_learners) as n_learners
    from {{ ref('programme_trajectory_fairness') }}
    where n_learners is not null
    group by programme_id, attribute
)

select
    ones.programme_id,
    ones.attribute,
    others.attribute as other_attribute
from totals as ones
inner join totals as others
    on
        ones.programme_id = others.programme_id
        and ones.attribute < others.attribute
where {{ is_told_by_few('abs(ones.n_learners - others.n_learners)') }}
