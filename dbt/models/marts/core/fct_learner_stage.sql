-- Grain: one row per accepted record of a stretch of a learner's way.
with

periods as (
    select * from {{ ref('stg_learner_stage') }}
)

select
    ---------- ids
    record_key,
    event_id,
    learner_key,
    programme_id,
    site_id,
    period_id,
    case
        when period_type = 'stage' then {{ key('learner_stage_key', stage_id='period_id') }}
    end as learner_stage_key,
    ---------- text
    period_type,
    status,
    outcome,
    ---------- numbers
    full_time_share,
    ---------- yes or no
    is_planned,
    coalesce({{ in_force(as_of(), 'starts_on', 'ends_on') }}, false) as is_in_force,
    ---------- days and instants
    starts_on,
    ends_on,
    ---------- lineage
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from periods
