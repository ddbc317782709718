-- Grain: one row per accepted circumstance or adjustment that the committee may know of. What the learner
-- disclosed in words, and why an adjustment is granted, stays with those who handle the case.
with

circumstances as (
    select * from {{ ref('stg_circumstance') }}
),

circles as (
    select * from {{ ref('need_to_know') }}
    where is_for_committee
),

final as (
    select
        ---------- ids
        circumstances.record_key,
        circumstances.event_id,
        circumstances.record_id,
        circumstances.learner_key,
        circumstances.programme_id,
        circumstances.site_id,
        circumstances.stage_id,
        circumstances.task_id,
        circumstances.decided_by_key,
        ---------- text
        circumstances.circumstance_type,
        case when circumstances.circumstance_type <> 'adjustment' then circumstances.category end
            as category,
        circumstances.adjustment,
        circumstances.status,
        ---------- yes or no
        circles.is_for_mentor,
        ---------- days and instants
        circumstances.starts_on,
        circumstances.ends_on,
        circumstances.disclosed_on,
        circumstances.decided_on,
        ---------- lineage
        circumstances.source_id,
        circumstances.delivery_id,
        circumstances.source_row,
        circumstances.source_cell,
        circumstances.known_at
    from circumstances
    inner join circles on circumstances.need_to_know = circles.need_to_know
)

select * from final
