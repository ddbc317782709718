-- Grain: one row per comment: the same words by one assessor about one learner at one time, however
-- many competencies the form rated. They are gathered without the words, which are fetched at the end.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ drop_moved('int_portfolio__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_portfolio__fingerprinted') }}

with

evidence as (
    select * from {{ ref('fct_evidence') }}
    where
        occurred_on <= {{ as_of() }}
        and {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
),

marked as (
    select * from {{ ref('int_narratives__marked') }}
    where {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
),

commented as (
    select
        evidence.learner_key,
        evidence.record_key,
        evidence.evidence_id,
        evidence.competency_id,
        evidence.is_flagged,
        evidence.is_at_or_above_target,
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

-- Most comments stand beside one rating; what lists several is worked out for the others.
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

told as (
    select
        shown_ratings.comment_key,
        shown_ratings.record_key,
        shown_ratings.competency_id,
        coalesce(gathered.evidence_ids, {{ list_of('shown_ratings.evidence_id') }}) as evidence_ids,
        coalesce(gathered.competency_ids, {{ list_present(['shown_ratings.competency_id']) }})
            as competency_ids,
        coalesce(gathered.has_flag, shown_ratings.is_flagged) as has_flag
    from shown_ratings
    left join gathered
        on
            shown_ratings.learner_key = gathered.learner_key
            and shown_ratings.comment_key = gathered.comment_key
),

-- Read again at the end: to carry the words along would take far more memory.
words as (
    select * from {{ ref('fct_evidence') }}
    where {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
),

markers as (
    select * from {{ ref('int_narratives__marked') }}
    where {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
),

final as (
    select
        ---------- ids
        words.learner_key,
        words.programme_id,
        {{ stage_or_none('words.stage_id') }} as stage_id,
        told.comment_key,
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
        ---------- numbers
        words.level,
        words.target_level,
        markers.n_words,
        ---------- yes or no
        words.is_at_or_above_target,
        told.has_flag as is_flagged,
        ---------- lists
        markers.suggestion_markers,
        markers.behaviour_markers,
        markers.praise_markers,
        markers.concern_markers,
        told.evidence_ids,
        told.competency_ids,
        ---------- days and instants
        words.occurred_at,
        words.occurred_on
    from told
    inner join words
        on
            told.record_key = words.record_key
            and told.competency_id is not distinct from words.competency_id
    inner join markers
        on
            told.record_key = markers.record_key
            and told.competency_id is not distinct from markers.competency_id
)

select * from final
