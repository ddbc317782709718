-- Grain: one row per assessor, as of the as-of day.
select
    ---------- ids
    assessor_key,
    programme_id,
    site_id,
    ---------- text
    assessor_role,
    specialty,
    ---------- yes or no
    is_trained,
    is_on_roster,
    ---------- lists
    assessor_roles,
    ---------- days and instants
    active_from,
    active_to
from {{ ref('int_assessors__unioned') }}
