-- Grain: one row per comment that the page shows first, and why.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ drop_moved('int_narratives__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_narratives__fingerprinted') }}

with

comments as (
    select
        *,
        level - target_level as above_target,
        {{ list_size('behaviour_markers') }} + {{ list_size('suggestion_markers') }} as n_specific,
        row_number() over (
            partition by learner_key
            order by occurred_at desc, evidence_id desc
        ) as newest_rank
    from {{ ref('portfolio_narrative') }}
    where {{ is_moved('int_narratives__fingerprinted', 'learner_key') }}
),

learners as (
    select * from {{ ref('dim_learner') }}
),

of_present_stage as (
    select comments.*
    from comments
    inner join learners
        on
            comments.learner_key = learners.learner_key
            and comments.stage_id = {{ stage_or_none('learners.stage_id') }}
),

-- Levels of different scales do not compare, so the lowest of each scale take turns.
ranked_in_scale as (
    select
        learner_key,
        comment_key,
        newest_rank,
        is_at_or_above_target,
        row_number() over (
            partition by learner_key, scale_id
            order by above_target asc, newest_rank asc
        ) as lowest_in_scale
    from of_present_stage
    where is_at_or_above_target is not null
),

ranked_by_level as (
    select
        learner_key,
        comment_key,
        row_number() over (
            partition by learner_key
            order by is_at_or_above_target asc, lowest_in_scale asc, newest_rank asc
        ) as lowest_rank
    from ranked_in_scale
),

ranked_by_words as (
    select
        learner_key,
        comment_key,
        row_number() over (
            partition by learner_key
            order by n_specific desc, n_words desc, newest_rank asc
        ) as specific_rank
    from of_present_stage
),

lowest as (
    select * from ranked_by_level
    where lowest_rank <= {{ rule_threshold('narratives', 'picked', 'lowest') }}
),

most_specific as (
    select * from ranked_by_words
    where specific_rank <= {{ rule_threshold('narratives', 'picked', 'most_specific') }}
),

reasoned as (
    select
        ---------- ids
        comments.learner_key,
        comments.programme_id,
        comments.stage_id,
        comments.comment_key,
        ---------- text
        'narratives' as rule_set_id,
        {{ rule_version('narratives') }} as rule_version,
        ---------- lists
        {{ list_present([
            "case when comments.is_flagged then 'flagged' end",
            "case when comments.newest_rank <= " ~ rule_threshold('narratives', 'picked', 'newest')
                ~ " then 'newest' end",
            "case when lowest.comment_key is not null then 'lowest' end",
            "case when most_specific.comment_key is not null then 'most_specific' end",
        ]) }} as pick_reasons,
        comments.evidence_ids
    from comments
    left join lowest on {{ same('comments', 'lowest', ['learner_key', 'comment_key']) }}
    left join most_specific
        on {{ same('comments', 'most_specific', ['learner_key', 'comment_key']) }}
),

final as (
    select * from reasoned
    where {{ list_size('pick_reasons') }} > 0
)

select * from final
