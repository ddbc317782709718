-- Grain: one row per competency of one version of a framework.
with

entries as (
    select * from {{ ref('stg_framework') }}
),

items as (
    select
        *,
        row_number() over (
            partition by programme_id, framework_id, framework_version, competency_id
            order by known_at desc, record_key desc
        ) as recency
    from entries
    where entry_type = 'item'
),

links as (
    select * from {{ ref('int_framework_links__placed') }}
    where is_of_parent and not is_circular
),

-- A competency may lie under several others; its place in a list is under the first of them.
parents as (
    select
        programme_id,
        framework_id,
        framework_version,
        competency_id,
        min(target_competency_id) as parent_competency_id,
        {{ list_agg('target_competency_id', distinct=true) }} as parent_competency_ids
    from links
    group by programme_id, framework_id, framework_version, competency_id
),

dated as (
    select
        ---------- ids
        {{ key(
            'competency_key',
            programme_id='items.programme_id',
            framework_id='items.framework_id',
            framework_version='items.framework_version',
            competency_id='items.competency_id'
        ) }} as competency_key,
        items.programme_id,
        items.site_id,
        items.framework_id,
        items.framework_version,
        items.competency_id,
        parents.parent_competency_id,
        items.record_key,
        ---------- text
        items.title,
        items.competency_type,
        ---------- numbers
        items.sort_order,
        ---------- lists
        coalesce(parents.parent_competency_ids, {{ empty_list() }}) as parent_competency_ids,
        ---------- days and instants
        coalesce(items.valid_from, {{ first_day() }}) as from_on,
        coalesce(items.valid_to, {{ last_day() }}) as to_on,
        ---------- lineage
        items.source_id,
        items.delivery_id,
        items.known_at
    from items
    left join parents
        on
            items.programme_id = parents.programme_id
            and items.framework_id = parents.framework_id
            and items.framework_version = parents.framework_version
            and items.competency_id = parents.competency_id
    where items.recency = 1
)

select * from dated
