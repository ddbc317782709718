-- What is this test? Counts of learners of a group, and of those of it with a trajectory, are multiples of
-- the fewest that may be shown.
-- When is it important to resolve? Before publication: one less the other would tell how few have none.
-- How to resolve? Look at the mart listed for the group.
{{ config(severity='error', meta={'consequence': 'fairness'}) }}

with

shown as (
    select
        'programme_trajectory_fairness' as mart,
        programme_id,
        attribute,
        value,
        n_learners_at_least
    from {{ ref('programme_trajectory_fairness') }}

    union all

    select
        'programme_demographic_count' as mart,
        programme_id,
        attribute,
        value,
        n_learners_at_least
    from {{ ref('programme_demographic_count') }}
)

select * from shown
where n_learners_at_least <> {{ rounded_count('n_learners_at_least') }}
