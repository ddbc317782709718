-- Grain: one row per learner and programme with refused records that are known to be theirs: a
-- newer version of an accepted record. Refused records that name nobody count for no learner.
{{ config(materialized='table') }}

with

refused as (
    select * from {{ ref('stg_refused') }}
    where is_first and record_key is not null
),

records as (
    select * from {{ ref('int_records__accepted') }}
),

counted as (
    select
        ---------- ids
        records.learner_key,
        records.programme_id,
        ---------- numbers
        count(distinct refused.record_key) as n_quarantined
    from refused
    inner join records on refused.record_key = records.record_key
    where records.learner_key is not null
    group by records.learner_key, records.programme_id
)

select * from counted
