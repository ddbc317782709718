-- Grain: one row per finding code, source, kind of record and where it was found: refused records
-- and oddities that refused nothing, as sentences.
with

refused as (
    select * from {{ ref('stg_refused') }}
    where is_first
),

noted as (
    select
        code,
        kind,
        source_id,
        delivery_id,
        learner_key,
        detail,
        noted_by,
        1 as n
    from {{ ref('int_data_quality__noted') }}

    union all

    select
        code,
        kind,
        source_id,
        delivery_id,
        learner_key,
        detail,
        'build' as noted_by,
        n
    from {{ ref('int_oddities__counted') }}
),

refusals as (
    select
        code,
        source_id,
        coalesce(kind, 'delivery') as kind,
        'quarantine' as found_by,
        count(*) as n,
        count(distinct delivery_id) as n_deliveries,
        cast(0 as bigint) as n_learners,
        min(message) as detail,
        min(suggestion) as suggestion,
        min(owner) as owner
    from refused
    group by code, source_id, coalesce(kind, 'delivery')
),

oddities as (
    select
        code,
        source_id,
        coalesce(kind, 'delivery') as kind,
        noted_by as found_by,
        cast(sum(n) as bigint) as n,
        count(distinct delivery_id) as n_deliveries,
        count(distinct learner_key) as n_learners,
        min(detail) as detail,
        cast(null as varchar) as suggestion,
        cast(null as varchar) as owner
    from noted
    group by code, source_id, coalesce(kind, 'delivery'), noted_by
),

unioned as (
    select * from refusals

    union all

    select * from oddities
),

final as (
    select
        ---------- ids
        code,
        coalesce(source_id, 'unknown') as source_id,
        kind,
        found_by,
        ---------- text
        cast(n as varchar) || ' ' || replace(kind, '_', ' ')
        || case when n = 1 then ' record' else ' records' end
        || case when found_by = 'quarantine' then ' in quarantine: ' else ': ' end
        || replace(code, '_', ' ') || coalesce(' (' || detail || ')', '') || '.' as sentence,
        suggestion,
        owner,
        ---------- numbers
        n,
        n_deliveries,
        n_learners,
        ---------- yes or no
        found_by = 'quarantine' as is_quarantined
    from unioned
)

select * from final
