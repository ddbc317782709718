-- Grain: one row per accepted requirement of a plan for one stage and competency.
with

plans as (
    select *
    from {{ source('raw', 'assessment_plan') }}
    where present_outcome = 'accepted'
),

renamed as (
    select
        ---------- ids
        plans.record_key,
        plans.event_id,
        plans.programme_id,
        plans.site_id,
        plans.record_id,
        plans.plan_id,
        plans.plan_version,
        plans.stage_id,
        plans.competency_id,
        plans.instrument_id,
        plans.target_scale_id,
        plans.target_scale_version,
        ---------- text
        plans.source as requirement_source,
        ---------- numbers
        plans.required_n,
        plans.required_assessors,
        plans.target_level,
        ---------- days and instants
        plans.valid_from,
        plans.valid_to,
        ---------- lineage
        plans.source_id,
        plans.delivery_id,
        plans.source_row,
        plans.source_cell,
        plans.known_at
    from plans
)

select * from renamed
