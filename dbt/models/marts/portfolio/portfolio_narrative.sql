-- Grain: one row per comment: the same words by one assessor about one learner at one time, however
-- many competencies the form rated. Comments are picked without the words, which are fetched at the end.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ drop_moved('int_narratives__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_narratives__fingerprinted') }}

with

evidence as (
    select * from {{ ref('fct_evidence') }}
    where
        occurred_on <= {{ as_of() }}
        and {{ is_moved('int_narratives__fingerprinted', 'learner_key') }}
),

marked as (
    select * from {{ ref('int_narratives__marked') }}
    where {{ is_moved('int_narratives__fingerprinted', 'learner_key') }}
),

learners as (
    select * from {{ ref('dim_learner') }}
),

commented as (
    select
        evidence.learner_key,
        evidence.stage_id,
        evidence.record_key,
        evidence.evidence_id,
        evidence.competency_id,
        evidence.scale_id,
        evidence.is_flagged,
        evidence.is_at_or_above_target,
        evidence.occurred_at,
        marked.n_words,
        {{ list_size('marked.behaviour_markers') }} + {{ list_size('marked.suggestion_markers') }}
            as n_specific,
        evidence.level - evidence.target_level as above_target,
        {{ hash_text(
            "coalesce(evidence.assessor_key, evidence.record_key) || chr(31)"
            " || " ~ instant_text('evidence.occurred_at') ~ " || chr(31)"
            " || coalesce(evidence.narrative_strengths, '') || chr(31)"
            " || coalesce(evidence.narrative_improvements, '') || chr(31)"
            " || coalesce(evidence.narrative_other, '')"
        ) }} as comment_key
    from evidence
    inner join marked
        on
            evidence.record_key = marked.record_key
            and evidence.competency_id is not distinct from marked.competency_id
),

-- Most comments stand beside one rating; what lists and ranks several is worked out for the others.
shared as (
    select
        learner_key,
        comment_key
    from commented
    group by learner_key, comment_key
    having count(*) > 1
),

beside_several as (
    select commented.*
    from commented
    inner join shared
        on
            commented.learner_key = shared.learner_key
            and commented.comment_key = shared.comment_key
),

gathered as (
    select
        learner_key,
        comment_key,
        max(case when is_flagged then 1 else 0 end) = 1 as has_flag,
        {{ list_agg('evidence_id', distinct=true) }} as evidence_ids,
        {{ list_agg('competency_id', distinct=true) }} as competency_ids
    from beside_several
    group by learner_key, comment_key
),

ranked_ratings as (
    select
        *,
        row_number() over (
            partition by learner_key, comment_key
            order by
                case when is_at_or_above_target is false then 0 else 1 end,
                above_target,
                evidence_id,
                competency_id
        ) as lowest_first
    from beside_several
),

shown_ratings as (
    select
        commented.*,
        cast(1 as bigint) as lowest_first
    from commented
    left join shared
        on
            commented.learner_key = shared.learner_key
            and commented.comment_key = shared.comment_key
    where shared.comment_key is null

    union all

    select * from ranked_ratings
    where lowest_first = 1
),

numbered as (
    select
        shown_ratings.learner_key,
        shown_ratings.comment_key,
        shown_ratings.record_key,
        shown_ratings.evidence_id,
        shown_ratings.competency_id,
        shown_ratings.scale_id,
        shown_ratings.is_flagged,
        shown_ratings.is_at_or_above_target,
        shown_ratings.above_target,
        shown_ratings.n_words,
        shown_ratings.n_specific,
        coalesce(shown_ratings.stage_id, 'no_stage') = coalesce(learners.stage_id, 'no_stage')
            as is_current_stage,
        row_number() over (
            partition by shown_ratings.learner_key
            order by shown_ratings.occurred_at desc, shown_ratings.evidence_id desc
        ) as newest_rank
    from shown_ratings
    left join learners on shown_ratings.learner_key = learners.learner_key
),

-- Levels of different scales do not compare, so the lowest of each scale take turns.
ranked_in_scale as (
    select
        learner_key,
        newest_rank,
        is_at_or_above_target,
        row_number() over (
            partition by learner_key, scale_id
            order by above_target asc, newest_rank asc
        ) as lowest_in_scale
    from numbered
    where is_current_stage and is_at_or_above_target is not null
),

ranked_by_level as (
    select
        learner_key,
        newest_rank,
        row_number() over (
            partition by learner_key
            order by is_at_or_above_target asc, lowest_in_scale asc, newest_rank asc
        ) as lowest_rank
    from ranked_in_scale
),

lowest as (
    select * from ranked_by_level
    where lowest_rank <= {{ rule_threshold('narratives', 'picked', 'lowest') }}
),

ranked_by_words as (
    select
        learner_key,
        newest_rank,
        row_number() over (
            partition by learner_key
            order by n_specific desc, n_words desc, newest_rank asc
        ) as specific_rank
    from numbered
    where is_current_stage
),

most_specific as (
    select * from ranked_by_words
    where specific_rank <= {{ rule_threshold('narratives', 'picked', 'most_specific') }}
),

picked as (
    select
        numbered.learner_key,
        numbered.comment_key,
        numbered.record_key,
        numbered.evidence_id,
        numbered.competency_id,
        numbered.is_current_stage,
        gathered.evidence_ids,
        gathered.competency_ids,
        coalesce(gathered.has_flag, numbered.is_flagged) as has_flag,
        {{ list_present([
            "case when coalesce(gathered.has_flag, numbered.is_flagged) then 'flagged' end",
            "case when numbered.newest_rank <= " ~ rule_threshold('narratives', 'picked', 'newest')
                ~ " then 'newest' end",
            "case when lowest.newest_rank is not null then 'lowest' end",
            "case when most_specific.newest_rank is not null then 'most_specific' end",
        ]) }} as pick_reasons
    from numbered
    left join gathered
        on
            numbered.learner_key = gathered.learner_key
            and numbered.comment_key = gathered.comment_key
    left join lowest
        on
            numbered.learner_key = lowest.learner_key
            and numbered.newest_rank = lowest.newest_rank
    left join most_specific
        on
            numbered.learner_key = most_specific.learner_key
            and numbered.newest_rank = most_specific.newest_rank
),

-- Read again at the end: to carry the words along would take far more memory.
words as (
    select * from {{ ref('fct_evidence') }}
    where {{ is_moved('int_narratives__fingerprinted', 'learner_key') }}
),

markers as (
    select * from {{ ref('int_narratives__marked') }}
    where {{ is_moved('int_narratives__fingerprinted', 'learner_key') }}
),

final as (
    select
        ---------- ids
        words.learner_key,
        words.programme_id,
        coalesce(words.stage_id, 'no_stage') as stage_id,
        picked.comment_key,
        words.evidence_id,
        words.competency_id,
        words.instrument_id,
        words.scale_id,
        words.assessor_key,
        ---------- text
        words.assessor_role,
        words.setting,
        words.raw_label,
        words.narrative_strengths,
        words.narrative_improvements,
        words.narrative_other,
        'narratives' as rule_set_id,
        {{ rule_version('narratives') }} as rule_version,
        ---------- numbers
        words.level,
        words.target_level,
        markers.n_words,
        ---------- yes or no
        words.is_at_or_above_target,
        picked.has_flag as is_flagged,
        picked.is_current_stage,
        {{ list_size('picked.pick_reasons') }} > 0 as is_picked,
        ---------- lists
        picked.pick_reasons,
        markers.suggestion_markers,
        markers.behaviour_markers,
        markers.praise_markers,
        markers.concern_markers,
        coalesce(picked.evidence_ids, {{ list_of('picked.evidence_id') }}) as evidence_ids,
        coalesce(picked.competency_ids, {{ list_present(['picked.competency_id']) }})
            as competency_ids,
        ---------- days and instants
        words.occurred_at,
        words.occurred_on
    from picked
    inner join words
        on
            picked.record_key = words.record_key
            and picked.competency_id is not distinct from words.competency_id
    inner join markers
        on
            picked.record_key = markers.record_key
            and picked.competency_id is not distinct from markers.competency_id
)

select * from final
