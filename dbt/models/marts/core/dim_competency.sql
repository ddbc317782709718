-- Grain: one row per competency of one version of a framework.
select
    ---------- ids
    competency_key,
    programme_id,
    site_id,
    framework_id,
    framework_version,
    competency_id,
    parent_competency_id,
    record_key,
    ---------- text
    title,
    competency_type,
    ---------- numbers
    sort_order,
    ---------- yes or no
    {{ as_of() }} between from_on and to_on as is_in_force,
    ---------- lists
    parent_competency_ids,
    ---------- days and instants
    from_on,
    to_on
from {{ ref('int_competencies__dated') }}
