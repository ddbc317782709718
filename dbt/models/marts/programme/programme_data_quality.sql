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
        suggestion,
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
        cast(null as string) as suggestion,
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

-- What waits for a person is told one by one, as far as a sentence goes.
details as (
    select distinct
        code,
        source_id,
        coalesce(kind, 'delivery') as kind,
        noted_by,
        detail,
        dense_rank() over (
            partition by code, source_id, coalesce(kind, 'delivery'), noted_by
            order by detail
        ) as place
    from noted
    where suggestion is not null
),

details_told as (
    select
        code,
        source_id,
        kind,
        noted_by,
        {{ list_join(
            list_agg("case when place <= " ~ var('details_told') ~ " then detail end"), '; '
        ) }}
        || case when max(place) > {{ var('details_told') }} then '; and more' else '' end as detail
    from details
    group by code, source_id, kind, noted_by
),

counted as (
    select
        code,
        source_id,
        coalesce(kind, 'delivery') as kind,
        noted_by as found_by,
        cast(sum(n) as bigint) as n,
        count(distinct delivery_id) as n_deliveries,
        count(distinct learner_key) as n_learners,
        min(detail) as detail,
        min(suggestion) as suggestion
    from noted
    group by code, source_id, coalesce(kind, 'delivery'), noted_by
),

oddities as (
    select
        counted.code,
        counted.source_id,
        counted.kind,
        counted.found_by,
        counted.n,
        counted.n_deliveries,
        counted.n_learners,
        coalesce(details_told.detail, counted.detail) as detail,
        counted.suggestion,
        cast(null as string) as owner
    from counted
    left join details_told
        on
            counted.code = details_told.code
            and counted.source_id is not distinct from details_told.source_id
            and counted.kind = details_told.kind
            and counted.found_by = details_told.noted_by
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
        cast(n as string) || ' ' || replace(kind, '_', ' ')
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
        found_by = 'quarantine' as is_quarantined,
        found_by = 'quarantine' or suggestion is not null as needs_a_person
    from unioned
)

select * from final
