-- Grain: one row per instrument.
select
    ---------- ids
    instrument_id,
    ---------- text
    title,
    method_family,
    assurance_level,
    direction,
    source as instrument_source,
    ---------- numbers
    stake
from {{ ref('stg_instrument') }}
