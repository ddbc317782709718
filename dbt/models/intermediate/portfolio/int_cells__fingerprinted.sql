-- Grain: one row per learner with evidence, dated periods or something that a plan asks of them: a name for
-- all that their statuses are made from, and whether it is another than that of the rows that stand. The
-- day of judgement counts by what lies in the windows, and by the stages that are over.
{{ config(materialized='table', post_hook="{{ forget_moved('cells') }}") }}

with

cells as (
    select {{ all_but('required', ['judged_on']) }}
    from {{ ref('int_cells__required') }} as required
),

windowed as (
    select * from {{ ref('int_cells__windowed') }}
),

compared as (
    select * from {{ ref('int_assurance__compared') }}
    where competency_id is not null
),

own as (
    {{ content_by_learner(['cells', 'windowed', 'compared']) }}
),

-- What rule sets demand is shared.
fingerprinted as (
    {{ portfolio_and_own(
        {
            'components': ref('int_rating_components__chosen'),
            'rules': ref('int_sufficiency_rules__staged'),
        },
        ['own']
    ) }}
),

compared_with_kept as (
    {{ compared_with_kept('cells', 'fingerprinted') }}
)

select * from compared_with_kept
