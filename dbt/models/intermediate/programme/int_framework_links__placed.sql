-- Grain: one row per accepted link of a framework, and what it says of places: whether it puts a competency
-- under another of the same version, and whether it lies on a circle, from whatever deliveries.
{{ config(materialized='table') }}

with recursive

links as (
    select
        *,
        coalesce(link_type in ('is_child_of', 'is_part_of'), false)
        and coalesce(target_framework_id, framework_id) = framework_id
        and coalesce(target_framework_version, framework_version) = framework_version as is_of_parent
    from {{ ref('stg_framework') }}
    where entry_type = 'link'
),

steps as (
    select distinct
        programme_id,
        framework_id,
        framework_version,
        competency_id,
        target_competency_id as above_id
    from links
    where is_of_parent
),

lying_under as (
    select
        programme_id,
        framework_id,
        framework_version,
        competency_id,
        above_id
    from steps
    union distinct
    select
        lying_under.programme_id,
        lying_under.framework_id,
        lying_under.framework_version,
        lying_under.competency_id,
        steps.above_id
    from lying_under
    inner join steps
        on
            lying_under.programme_id = steps.programme_id
            and lying_under.framework_id = steps.framework_id
            and lying_under.framework_version = steps.framework_version
            and lying_under.above_id = steps.competency_id
),

placed as (
    select
        links.*,
        links.is_of_parent and lying_under.competency_id is not null as is_circular
    from links
    left join lying_under
        on
            links.programme_id = lying_under.programme_id
            and links.framework_id = lying_under.framework_id
            and links.framework_version = lying_under.framework_version
            and links.target_competency_id = lying_under.competency_id
            and links.competency_id = lying_under.above_id
)

select * from placed
