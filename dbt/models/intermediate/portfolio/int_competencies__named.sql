-- Grain: one row per programme and competency, as the version of its framework that is in force on the day of
-- judgement names it: of several the newest, and where none is, the newest of all.
with

competencies as (
    select * from {{ ref('dim_competency') }}
),

-- A framework is a graph: what lies under several others is under each of them.
parents as (
    select distinct
        programme_id,
        framework_id,
        framework_version,
        target_competency_id as parent_competency_id
    from {{ ref('int_framework_links__placed') }}
    where is_of_parent and not is_circular
),

ranked as (
    select
        competencies.programme_id,
        competencies.competency_id,
        competencies.framework_id,
        competencies.framework_version,
        competencies.title,
        competencies.sort_order,
        parents.parent_competency_id is null as is_leaf,
        row_number() over (
            partition by competencies.programme_id, competencies.competency_id
            order by
                case when competencies.is_in_force then 0 else 1 end,
                {{ version_order('competencies.framework_version') }} desc,
                competencies.framework_id asc
        ) as recency
    from competencies
    left join parents
        on
            competencies.programme_id = parents.programme_id
            and competencies.framework_id = parents.framework_id
            and competencies.framework_version = parents.framework_version
            and competencies.competency_id = parents.parent_competency_id
),

newest as (
    select
        ---------- ids
        programme_id,
        competency_id,
        framework_id,
        framework_version,
        ---------- text
        title,
        ---------- numbers
        sort_order,
        ---------- yes or no
        is_leaf
    from ranked
    where recency = 1
)

select * from newest
