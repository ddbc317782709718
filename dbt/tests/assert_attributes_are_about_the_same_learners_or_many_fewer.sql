-- What is this test? The groups of an attribute that are shown add up to as many learners as those of
-- any other attribute of the programme, or to fewer by at least as many as may be shown.
-- When is it important to resolve? Before publication: the trajectory of one person could be had by
-- taking the sums of one attribute from those of another.
-- How to resolve? Look at the mart listed for the two attributes.
{{ config(severity='error', meta={'consequence': 'fairness'}) }}

with

shown as (
    select
        'programme_trajectory_fairness' as mart,
        programme_id,
        attribute,
        n_learners_at_least
    from {{ ref('programme_trajectory_fairness') }}
    where n_learners_at_least is not null

    union all

    select
        'programme_demographic_count' as mart,
        programme_id,
        attribute,
        n_learners_at_least
    from {{ ref('programme_demographic_count') }}
    where n_learners_at_least is not null
),

totals as (
    select
        mart,
        programme_id,
        attribute,
        sum(n_learners_at_least) as n_learners
    from shown
    group by mart, programme_id, attribute
)

select
    ones.mart,
    ones.programme_id,
    ones.attribute,
    others.attribute as other_attribute
from totals as ones
inner join totals as others
    on
        ones.mart = others.mart
        and ones.programme_id = others.programme_id
        and ones.attribute < others.attribute
where {{ is_told_by_few('abs(ones.n_learners - others.n_learners)') }}
