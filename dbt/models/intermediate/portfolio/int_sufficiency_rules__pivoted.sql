-- Grain: one row per sufficiency rule set and stage that it has rules of its own for; the row
-- without a stage holds for every other stage.
with

thresholds as (
    select * from {{ ref('int_rules__chosen') }}
),

sufficiency_sets as (
    select distinct rule_set_id
    from thresholds
    where rule_id = 'data_points'
),

general as (
    select thresholds.*
    from thresholds
    inner join sufficiency_sets on thresholds.rule_set_id = sufficiency_sets.rule_set_id
    where thresholds.stage_id is null
),

of_a_stage as (
    select thresholds.*
    from thresholds
    inner join sufficiency_sets on thresholds.rule_set_id = sufficiency_sets.rule_set_id
    where thresholds.stage_id is not null
),

stages as (
    select distinct
        rule_set_id,
        stage_id
    from of_a_stage
),

replaced_rules as (
    select distinct
        rule_set_id,
        stage_id,
        rule_id
    from of_a_stage
),

general_in_stages as (
    select
        general.rule_set_id,
        general.programme_id,
        stages.stage_id,
        general.rule_id,
        general.threshold_name,
        general.rule_version,
        general.threshold_value,
        general.is_default
    from general
    inner join stages on general.rule_set_id = stages.rule_set_id
    left join replaced_rules
        on
            general.rule_set_id = replaced_rules.rule_set_id
            and stages.stage_id = replaced_rules.stage_id
            and general.rule_id = replaced_rules.rule_id
    where replaced_rules.rule_id is null
),

applied as (
    select
        rule_set_id,
        programme_id,
        stage_id,
        rule_id,
        threshold_name,
        rule_version,
        threshold_value,
        is_default
    from general

    union all

    select
        rule_set_id,
        programme_id,
        stage_id,
        rule_id,
        threshold_name,
        rule_version,
        threshold_value,
        is_default
    from of_a_stage

    union all

    select
        rule_set_id,
        programme_id,
        stage_id,
        rule_id,
        threshold_name,
        rule_version,
        threshold_value,
        is_default
    from general_in_stages
),

pivoted as (
    select
        ---------- ids
        rule_set_id,
        stage_id,
        max(programme_id) as programme_id,
        ---------- text
        max(rule_version) as rule_version,
        ---------- sufficiency
        {{ pivoted_threshold('data_points', 'min') }} as data_points_min,
        {{ pivoted_threshold('data_points', 'rated_min') }} as rated_min,
        {{ pivoted_threshold('assessors', 'min') }} as assessors_min,
        {{ pivoted_threshold('roles', 'min') }} as roles_min,
        {{ pivoted_threshold('methods', 'min') }} as methods_min,
        {{ pivoted_threshold('contexts', 'min') }} as contexts_min,
        {{ pivoted_threshold('recency', 'window_days') }} as window_days,
        {{ pivoted_threshold('recency', 'min') }} as recent_min,
        {{ pivoted_threshold('narratives', 'min') }} as narratives_min,
        {{ pivoted_threshold('narratives', 'actionable_min') }} as actionable_min,
        {{ pivoted_threshold('narratives', 'actionable_characters') }} as actionable_characters,
        {{ pivoted_threshold('narratives', 'actionable_needs_marker') }} as actionable_needs_marker,
        coalesce({{ pivoted_threshold('plan', 'applies') }}, 0) as plan_applies,
        ---------- interval
        {{ pivoted_threshold('interval', 'z') }} as z,
        {{ pivoted_threshold('interval', 'assessor_variance_share') }} as assessor_variance_share,
        ---------- status
        {{ pivoted_threshold('status', 'summary') }} as summary,
        {{ pivoted_threshold('status', 'above_low_min') }} as above_low_min,
        {{ pivoted_threshold('status', 'latest_k') }} as latest_k,
        {{ pivoted_threshold('status', 'latest_at_target_min') }} as latest_at_target_min,
        {{ pivoted_threshold('status', 'on_track_share_min') }} as on_track_share_min,
        {{ pivoted_threshold('status', 'discussion_high_max') }} as discussion_high_max,
        {{ pivoted_threshold('status', 'discussion_gap_min') }} as discussion_gap_min,
        {{ pivoted_threshold('status', 'flags_for_discussion') }} as flags_for_discussion,
        {{ pivoted_threshold('status', 'flags_window_days') }} as flags_window_days,
        coalesce({{ pivoted_threshold('status', 'flags_assessors_min') }}, 1)
            as flags_assessors_min,
        ---------- yes or no
        coalesce(bool_or(is_default), false) as is_default
    from applied
    group by rule_set_id, stage_id
)

select * from pivoted
