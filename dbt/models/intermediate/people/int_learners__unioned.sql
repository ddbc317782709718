-- Grain: one row per learner: the newest roster record, of several that became known together that of who
-- entered last, or none for a learner no roster knows.
{{ config(materialized='table') }}

with

roster as (
    select * from {{ ref('stg_learner') }}
),

records as (
    select
        learner_key,
        min(programme_id) as programme_id
    from {{ ref('int_records__accepted') }}
    group by learner_key
),

ranked as (
    select
        *,
        row_number() over (
            partition by learner_key
            order by known_at desc, entered_on desc nulls last, record_key desc
        ) as recency
    from roster
),

newest as (
    select * from ranked
    where recency = 1
),

unioned as (
    select
        ---------- ids
        records.learner_key,
        coalesce(newest.programme_id, records.programme_id) as programme_id,
        newest.site_id,
        newest.cohort_id,
        newest.mentor_key,
        newest.record_key,
        ---------- yes or no
        newest.record_key is not null as is_on_roster,
        ---------- days and instants
        newest.entered_on,
        ---------- lineage
        newest.source_id,
        newest.delivery_id,
        newest.known_at
    from records
    left join newest on records.learner_key = newest.learner_key
)

select * from unioned
