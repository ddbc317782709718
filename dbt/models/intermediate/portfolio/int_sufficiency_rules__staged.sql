-- Grain: one row per programme, stage with a cell, and rule set: what the rule set demands there. A rule
-- set of a stage takes the place of the general one.
{{ config(materialized='table') }}

with

cells as (
    select * from {{ ref('int_cells__required') }}
),

rules as (
    select * from {{ ref('int_sufficiency_rules__pivoted') }}
),

own_rules as (
    select distinct
        rule_set_id,
        stage_id
    from rules
    where stage_id is not null
),

stages as (
    select distinct
        programme_id,
        stage_id
    from cells
),

staged as (
    select
        ---------- ids
        stages.programme_id,
        stages.stage_id,
        rules.rule_set_id,
        ---------- text
        rules.rule_version,
        ---------- thresholds
        rules.data_points_min,
        rules.rated_min,
        rules.assessors_min,
        rules.roles_min,
        rules.methods_min,
        rules.contexts_min,
        rules.window_days,
        rules.recent_min,
        rules.narratives_min,
        rules.actionable_min,
        rules.actionable_characters,
        rules.actionable_needs_marker,
        rules.plan_applies,
        rules.z,
        rules.assessor_variance_share,
        rules.summary,
        rules.above_low_min,
        rules.latest_k,
        rules.latest_at_target_min,
        rules.on_track_share_min,
        rules.discussion_high_max,
        rules.discussion_gap_min,
        rules.flags_for_discussion,
        rules.flags_window_days,
        rules.flags_assessors_min,
        ---------- yes or no
        rules.is_default
    from stages
    inner join rules
        on
            (rules.programme_id is null or stages.programme_id = rules.programme_id)
            and (rules.stage_id is null or stages.stage_id = rules.stage_id)
    left join own_rules
        on
            rules.rule_set_id = own_rules.rule_set_id
            and rules.stage_id is null
            and stages.stage_id = own_rules.stage_id
    where own_rules.rule_set_id is null
)

select * from staged
