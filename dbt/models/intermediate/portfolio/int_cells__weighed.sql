-- Grain: one row per learner, stage, competency and rule set: what is there, what the rule set (or
-- a plan that asks for more) demands, and the share at or above target with its interval.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_cells__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_cells__fingerprinted') }}

{%- set rho = 'coalesce(components.assessor_variance_share, ruled.assessor_variance_share)' %}

with

cells as (
    select * from {{ ref('int_cells__required') }}
    where {{ is_moved('int_cells__fingerprinted', 'learner_key') }}
),

counts as (
    select * from {{ ref('int_cells__counted') }}
),

windowed as (
    select * from {{ ref('int_cells__windowed') }}
),

ruled as (
    select * from {{ ref('int_sufficiency_rules__staged') }}
),

components as (
    select * from {{ ref('int_rating_components__chosen') }}
),

gathered as (
    select
        cells.learner_key,
        cells.programme_id,
        cells.stage_id,
        cells.competency_id,
        cells.framework_id,
        cells.target_scale_id,
        cells.target_scale_version,
        cells.competency_title,
        cells.required_by,
        cells.requirement_source,
        cells.target_source,
        cells.sort_order,
        cells.target_level,
        cells.is_current_stage,
        cells.is_required,
        cells.stage_ended_on,
        ruled.rule_set_id,
        ruled.rule_version,
        ruled.is_default,
        ruled.rated_min,
        ruled.roles_min,
        ruled.methods_min,
        ruled.contexts_min,
        ruled.window_days,
        ruled.recent_min,
        ruled.narratives_min,
        ruled.actionable_min,
        ruled.z,
        ruled.summary,
        ruled.above_low_min,
        ruled.latest_at_target_min,
        ruled.on_track_share_min,
        ruled.discussion_high_max,
        ruled.discussion_gap_min,
        ruled.flags_for_discussion,
        ruled.flags_window_days,
        windowed.n_flags_counted,
        windowed.n_flags_counted >= ruled.flags_for_discussion
        and windowed.n_flag_assessors >= ruled.flags_assessors_min
            as flags_ask_for_discussion,
        coalesce(counts.n_data_points, 0) as n_data_points,
        coalesce(counts.n_assessors, 0) as n_assessors,
        coalesce(counts.n_assessed, 0) as n_assessed,
        coalesce(counts.n_roles, 0) as n_roles,
        coalesce(counts.n_methods, 0) as n_methods,
        coalesce(counts.n_settings, 0) as n_settings,
        coalesce(counts.n_case_types, 0) as n_case_types,
        coalesce(greatest(counts.n_settings, counts.n_case_types), 0) as n_contexts,
        windowed.n_recent,
        windowed.has_time_out,
        windowed.has_time_out_of_flags,
        coalesce(counts.n_narratives, 0) as n_narratives,
        coalesce({{ measure_n_actionable(
            'counts.characters_with_marker', 'counts.characters_without_marker',
            'ruled.actionable_characters', 'ruled.actionable_needs_marker'
        ) }}, 0) as n_actionable,
        coalesce(counts.n_flags, 0) as n_flags,
        coalesce(counts.n_rated, 0) as n_rated,
        coalesce(counts.n_at_target, 0) as n_at_target,
        coalesce(counts.n_rated_apart, 0) as n_rated_apart,
        coalesce(counts.n_at_target_apart, 0) as n_at_target_apart,
        coalesce(counts.n_observed, 0) as n_observed,
        coalesce(counts.n_secured, 0) as n_secured,
        coalesce(counts.n_open, 0) as n_open,
        counts.level_median,
        counts.level_counts,
        counts.counted_direction,
        counts.counted_scale_version,
        counts.first_on,
        counts.latest_on,
        {{ list_first('counts.levels_newest_first', 'ruled.latest_k') }} as latest_levels,
        greatest(
            ruled.data_points_min, case when ruled.plan_applies = 1 then cells.required_n end
        ) as required_data_points,
        greatest(
            ruled.assessors_min, case when ruled.plan_applies = 1 then cells.required_assessors end
        ) as required_assessors,
        case
            when counts.n_rated > 0 and cells.target_level is not null
                then {{ measure_share('counts.n_at_target', 'counts.n_rated') }}
        end as share_at_target,
        {{ measure_effective_n('counts.n_rated', 'counts.sum_of_squares', rho) }} as n_effective,
        case when counts.n_rated > 0 then cast({{ rho }} as decimal(18, 6)) end
            as assessor_variance_share
    from cells
    inner join windowed
        on {{ same(
            'cells', 'windowed', ['learner_key', 'programme_id', 'stage_id', 'competency_id']
        ) }}
    inner join ruled
        on {{ same('windowed', 'ruled', ['programme_id', 'stage_id', 'rule_set_id']) }}
    left join counts
        on
            cells.learner_key = counts.learner_key
            and cells.programme_id = counts.programme_id
            and cells.stage_id = counts.stage_id
            and cells.competency_id = counts.competency_id
    left join components
        on {{ is_estimated_for(
            'components', 'cells.programme_id', 'cells.target_scale_id', 'counts.counted_scale_version',
            'counts.counted_direction'
        ) }}
),

weighed as (
    select
        *,
        {{ measure_wilson('share_at_target', 'n_effective', 'z', -1) }} as share_low,
        {{ measure_wilson('share_at_target', 'n_effective', 'z', 1) }} as share_high,
        {{ list_count_from('latest_levels', 'target_level') }} as n_latest_at_target
    from gathered
)

select * from weighed
