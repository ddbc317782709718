-- Grain: one row per accepted attribute of a learner. Restricted: for counts and fairness only.
{{ config(schema='restricted_marts', group='programme', access='private') }}

select
    ---------- ids
    record_key,
    event_id,
    learner_key,
    programme_id,
    site_id,
    ---------- text
    attribute,
    value,
    ---------- days and instants
    stated_on,
    ---------- lineage
    source_id,
    delivery_id,
    known_at
from {{ ref('stg_demographics') }}
