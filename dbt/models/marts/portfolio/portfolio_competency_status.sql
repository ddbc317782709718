-- Grain: one row per learner, stage, competency and rule set.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ drop_moved('int_cells__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_cells__fingerprinted') }}

with

judged as (
    select * from {{ ref('int_cells__judged') }}
    where {{ is_moved('int_cells__fingerprinted', 'learner_key') }}
),

cells as (
    select * from {{ ref('int_cells__counted') }}
),

final as (
    select
        ---------- ids
        judged.learner_key,
        judged.programme_id,
        judged.stage_id,
        judged.competency_id,
        judged.framework_id,
        judged.rule_set_id,
        judged.target_scale_id,
        judged.target_scale_version,
        ---------- text
        judged.competency_title,
        judged.rule_version,
        judged.status,
        judged.status_reason,
        judged.required_by,
        judged.requirement_source,
        judged.target_source,
        judged.level_counts,
        judged.counted_direction,
        judged.counted_scale_version,
        ---------- what is there
        judged.n_data_points,
        judged.n_assessors,
        judged.n_roles,
        judged.n_methods,
        judged.n_contexts,
        judged.n_settings,
        judged.n_case_types,
        judged.n_recent,
        judged.n_narratives,
        judged.n_actionable,
        judged.n_flags,
        judged.n_observed,
        judged.n_secured,
        judged.n_open,
        ---------- what is asked for
        judged.required_data_points,
        judged.required_assessors,
        judged.required_roles,
        judged.required_methods,
        judged.required_contexts,
        judged.required_recent,
        judged.recency_days,
        judged.required_narratives,
        judged.required_actionable,
        judged.required_rated,
        ---------- against the target
        judged.target_level,
        judged.n_rated,
        judged.n_at_target,
        judged.n_rated_apart,
        judged.n_at_target_apart,
        judged.share_at_target,
        judged.share_low,
        judged.share_high,
        judged.n_effective,
        judged.assessor_variance_share,
        judged.level_median,
        ---------- order of competencies
        judged.sort_order,
        ---------- yes or no
        judged.is_default,
        judged.is_current_stage,
        judged.is_required,
        judged.has_enough_evidence,
        judged.is_open_only,
        ---------- lists
        judged.latest_levels,
        judged.shortfall_codes,
        judged.shortfalls,
        coalesce(cells.evidence_ids, {{ empty_list() }}) as evidence_ids,
        ---------- days
        judged.first_on,
        judged.latest_on,
        judged.stage_ended_on
    from judged
    left join cells
        on {{ same('judged', 'cells', ['learner_key', 'programme_id', 'stage_id', 'competency_id']) }}
)

select * from final
