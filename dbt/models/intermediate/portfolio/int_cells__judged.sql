-- Grain: one row per learner, stage, competency and rule set: its status, and why.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_cells__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_cells__fingerprinted') }}

with

weighed as (
    select * from {{ ref('int_cells__weighed') }}
    where {{ is_moved('int_cells__fingerprinted', 'learner_key') }}
),

compared as (
    select
        *,
        n_data_points < required_data_points as lacks_data_points,
        n_assessors < required_assessors as lacks_assessors,
        n_roles < roles_min as lacks_roles,
        n_methods < methods_min as lacks_methods,
        n_contexts < contexts_min as lacks_contexts,
        n_recent < recent_min as lacks_recent,
        n_narratives < narratives_min as lacks_narratives,
        n_actionable < actionable_min as lacks_actionable,
        target_level is null as lacks_target,
        target_level is not null and n_rated < rated_min as lacks_rated
    from weighed
),

listed as (
    select
        *,
        {{ list_present([
            "case when lacks_data_points then 'data_points' end",
            "case when lacks_assessors then 'assessors' end",
            "case when lacks_roles then 'roles' end",
            "case when lacks_methods then 'methods' end",
            "case when lacks_contexts then 'contexts' end",
            "case when lacks_recent then 'recent' end",
            "case when lacks_narratives then 'narratives' end",
            "case when lacks_actionable then 'actionable' end",
            "case when lacks_target then 'target' end",
            "case when lacks_rated then 'rated' end",
        ]) }} as shortfall_codes,
        {{ list_present([
            "case when lacks_data_points then " ~ of_required('n_data_points', 'required_data_points', 'data point', 'data points') ~ " end",
            "case when lacks_assessors then " ~ of_required('n_assessors', 'required_assessors', 'assessor', 'assessors') ~ " end",
            "case when lacks_roles then " ~ of_required('n_roles', 'roles_min', 'assessor role', 'assessor roles') ~ " end",
            "case when lacks_methods then " ~ of_required('n_methods', 'methods_min', 'method', 'methods') ~ " end",
            "case when lacks_contexts then " ~ of_required('n_contexts', 'contexts_min', 'setting or case type', 'settings or case types') ~ " end",
            "case when lacks_recent then " ~ of_required('n_recent', 'recent_min', 'data point', 'data points')
                ~ " || " ~ window_words('window_days', 'has_time_out') ~ " end",
            "case when lacks_narratives then " ~ of_required('n_narratives', 'narratives_min', 'comment', 'comments') ~ " end",
            "case when lacks_actionable then " ~ of_required(
                'n_actionable', 'actionable_min', 'comment that says what to do next',
                'comments that say what to do next'
            ) ~ " end",
            "case when lacks_target then 'no target level in the assessment plan' end",
            "case when lacks_rated then " ~ of_required(
                'n_rated', 'rated_min', 'rating on the scale of the target', 'ratings on the scale of the target'
            )
                ~ " || coalesce(' in its version ' || target_scale_version, '') end",
        ]) }} as shortfalls
    from compared
),

judged as (
    select
        *,
        case
            when {{ list_size('shortfall_codes') }} > 0 then 'not_enough_evidence'
            when flags_ask_for_discussion then 'needs_discussion'
            when {{ is_by_median() }} and level_median >= target_level then 'at_or_above_target'
            when {{ is_by_median() }} and target_level - level_median >= discussion_gap_min
                then 'needs_discussion'
            when {{ is_by_median() }} then 'developing'
            else {{ status_by_share('share_at_target', 'share_low', 'share_high') }}
        end as status
    from listed
),

explained as (
    select
        *,
        {{ of_required('n_at_target', 'n_rated', 'rating', 'ratings') }} || ' at or above target ('
        || {{ percent('share_at_target') }} || ', interval ' || {{ percent('share_low') }}
        || ' to ' || {{ percent_below('share_high', 'discussion_high_max') }} || ')' as share_words,
        'the median level is ' || {{ level_text('level_median') }} || ', the target '
        || {{ level_text('target_level') }} || ', on '
        || {{ counted('n_rated', 'rating', 'ratings') }} as median_words
    from judged
),

reasoned as (
    select
        *,
        case
            when status = 'not_enough_evidence' and n_data_points = 0
                then 'Not enough evidence yet: no data point in this stage.'
            when status = 'not_enough_evidence'
                then 'Not enough evidence yet: ' || {{ list_join('shortfalls') }} || '.'
            when status = 'needs_discussion' and flags_ask_for_discussion
                then
                    {{ counted(
                        'n_flags_counted', 'data point carries a flag', 'data points carry a flag'
                    ) }}
                    || case
                        when flags_window_days is not null
                            then {{ window_words('flags_window_days', 'has_time_out_of_flags') }}
                        else ''
                    end
                    || '; read what was written and talk with the learner.'
            when status = 'needs_discussion' and {{ is_by_median() }}
                then 'Talk with the learner: ' || median_words || '.'
            when status = 'needs_discussion'
                then
                    'Talk with the learner: ' || share_words || '; the whole interval lies below '
                    || {{ percent('discussion_high_max') }} || '.'
            when {{ is_by_median() }}
                then {{ as_sentence('median_words') }}
            when status = 'at_or_above_target'
                then
                    share_words || ', ' || cast(n_latest_at_target as string) || ' of the newest '
                    || cast({{ list_size('latest_levels') }} as string) || '.'
            else share_words || '.'
        end as status_reason
    from explained
),

final as (
    select
        ---------- ids
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        framework_id,
        rule_set_id,
        target_scale_id,
        target_scale_version,
        ---------- text
        competency_title,
        rule_version,
        status,
        status_reason,
        required_by,
        requirement_source,
        target_source,
        level_counts,
        counted_direction,
        counted_scale_version,
        ---------- what is there
        n_data_points,
        n_assessors,
        n_assessed,
        n_roles,
        n_methods,
        n_contexts,
        n_settings,
        n_case_types,
        n_recent,
        n_narratives,
        n_actionable,
        n_flags,
        n_observed,
        n_secured,
        n_open,
        ---------- what is asked for
        cast(required_data_points as bigint) as required_data_points,
        cast(required_assessors as bigint) as required_assessors,
        cast(roles_min as bigint) as required_roles,
        cast(methods_min as bigint) as required_methods,
        cast(contexts_min as bigint) as required_contexts,
        cast(recent_min as bigint) as required_recent,
        cast(window_days as bigint) as recency_days,
        cast(narratives_min as bigint) as required_narratives,
        cast(actionable_min as bigint) as required_actionable,
        cast(rated_min as bigint) as required_rated,
        ---------- against the target
        target_level,
        n_rated,
        n_at_target,
        n_rated_apart,
        n_at_target_apart,
        share_at_target,
        share_low,
        share_high,
        cast(round(n_effective, 2) as decimal(9, 2)) as n_effective,
        assessor_variance_share,
        level_median,
        ---------- what another share would be judged by
        n_effective as exact_n_effective,
        n_latest_at_target,
        z,
        summary,
        above_low_min,
        latest_at_target_min,
        on_track_share_min,
        discussion_high_max,
        flags_ask_for_discussion,
        ---------- order of competencies
        sort_order,
        ---------- yes or no
        is_default,
        is_current_stage,
        is_required,
        status <> 'not_enough_evidence' as has_enough_evidence,
        n_open > 0 and n_open = n_data_points as is_open_only,
        ---------- lists
        latest_levels,
        shortfall_codes,
        shortfalls,
        ---------- days
        first_on,
        latest_on,
        stage_ended_on
    from reasoned
)

select * from final
