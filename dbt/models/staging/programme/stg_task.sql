-- Grain: one row per accepted task under the policy of a stretch of time.
with

tasks as (
    select *
    from {{ source('raw', 'task') }}
    where present_outcome = 'accepted'
),

renamed as (
    select
        ---------- ids
        tasks.record_key,
        tasks.event_id,
        tasks.programme_id,
        tasks.site_id,
        tasks.record_id,
        tasks.task_id,
        tasks.parent_task_id,
        tasks.module_id,
        tasks.instrument_id,
        tasks.answer_key,
        tasks.ai_policy_scale,
        tasks.ai_policy_scale_version,
        ---------- text
        tasks.title,
        tasks.modality,
        tasks.assurance_level,
        tasks.cut_score_method,
        tasks.scoring_rule,
        ---------- numbers
        tasks.weight,
        tasks.max_score,
        tasks.cut_score,
        tasks.points_right,
        tasks.points_wrong,
        tasks.points_dont_know,
        tasks.n_options,
        tasks.ai_policy_level,
        ---------- yes or no
        tasks.requires_ai_declaration,
        ---------- lists
        tasks.competency_ids,
        ---------- days and instants
        tasks.module_starts_on,
        tasks.opens_on,
        tasks.due_on,
        tasks.policy_from,
        tasks.policy_to,
        ---------- lineage
        tasks.source_id,
        tasks.delivery_id,
        tasks.source_row,
        tasks.source_cell,
        tasks.known_at
    from tasks
)

select * from renamed
