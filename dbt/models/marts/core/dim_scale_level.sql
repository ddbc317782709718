-- Grain: one row per level of one version of a scale.
select
    ---------- ids
    {{ key('scale_level_key') }} as scale_level_key,
    scale_id,
    scale_version,
    ---------- text
    level_label,
    direction,
    source as scale_source,
    ---------- numbers
    level,
    ---------- yes or no
    coalesce(is_target, false) as is_target
from {{ ref('stg_scale_level') }}
