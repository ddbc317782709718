-- Grain: one row per rated data point and competency of the rule's window whose level and words say different
-- things. A level that no target is named for is high or low by its place among the levels of its scale.
{{ config(materialized='table') }}

with

evidence as (
    select * from {{ ref('fct_evidence') }} as evidence
    where
        (is_at_or_above_target is not null or level is not null)
        and {{ is_by_another('evidence') }}
        and is_new_evidence
        and competency_id is not null
        and occurred_on <= {{ as_of() }}
        and {{ days_between('occurred_on', as_of()) }}
        <= {{ rule_threshold('conflicts', 'score_narrative', 'window_days') }}
),

marked as (
    select * from {{ ref('int_narratives__marked') }}
),

levels as (
    select
        scale_id,
        scale_version,
        level,
        cast(rank() over (partition by scale_id, scale_version order by level) - 1 as double)
        / nullif(count(*) over (partition by scale_id, scale_version) - 1, 0) as share_below
    from {{ ref('dim_scale_level') }}
),

placed as (
    select
        evidence.*,
        coalesce(
            evidence.is_at_or_above_target,
            levels.share_below >= {{ rule_threshold('conflicts', 'score_narrative', 'high_share_below_min') }}
        ) as is_high,
        coalesce(
            not evidence.is_at_or_above_target,
            levels.share_below <= {{ rule_threshold('conflicts', 'score_narrative', 'low_share_below_max') }}
        ) as is_low
    from evidence
    left join levels
        on
            evidence.scale_id = levels.scale_id
            and evidence.scale_version = levels.scale_version
            and evidence.level = levels.level
),

compared as (
    select
        ---------- ids
        placed.evidence_id,
        placed.learner_key,
        placed.programme_id,
        {{ stage_or_none('placed.stage_id') }} as stage_id,
        placed.competency_id,
        ---------- text
        case
            when
                placed.is_high
                and {{ list_size('marked.concern_markers') }}
                >= {{ rule_threshold('conflicts', 'score_narrative', 'concern_markers_min') }}
                then 'words_of_concern'
            when
                placed.is_low
                and {{ list_size('marked.praise_markers') }}
                >= {{ rule_threshold('conflicts', 'score_narrative', 'praise_markers_min') }}
                and {{ list_size('marked.concern_markers') }} = 0
                and {{ list_size('marked.suggestion_markers') }} = 0
                then 'words_of_praise'
        end as disagreement,
        ---------- yes or no
        placed.is_at_or_above_target is not null as has_target,
        ---------- lists
        marked.concern_markers,
        marked.praise_markers,
        ---------- days
        placed.occurred_on
    from placed
    inner join marked
        on
            placed.record_key = marked.record_key
            and placed.competency_id = marked.competency_id
),

differing as (
    select * from compared
    where disagreement is not null
)

select * from differing
