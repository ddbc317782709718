-- Grain: one row per threshold in force, with where it comes from.
select
    ---------- ids
    rule_set_id,
    rule_id,
    threshold_name,
    programme_id,
    stage_id,
    ---------- text
    rule_version,
    title as rule_set_title,
    words,
    unit,
    source,
    ---------- numbers
    threshold_value,
    ---------- yes or no
    is_default
from {{ ref('int_rules__chosen') }}
where threshold_name is not null
