-- Grain: one row per rated data point and competency whose level and words say different things.
with

evidence as (
    select * from {{ ref('fct_evidence') }} as evidence
    where
        is_at_or_above_target is not null
        and {{ is_by_another('evidence') }}
        and is_new_evidence
        and competency_id is not null
        and occurred_on <= {{ as_of() }}
),

marked as (
    select * from {{ ref('int_narratives__marked') }}
),

compared as (
    select
        ---------- ids
        evidence.evidence_id,
        evidence.learner_key,
        evidence.programme_id,
        {{ stage_or_none('evidence.stage_id') }} as stage_id,
        evidence.competency_id,
        ---------- text
        case
            when
                evidence.is_at_or_above_target
                and {{ list_size('marked.concern_markers') }}
                >= {{ rule_threshold('conflicts', 'score_narrative', 'concern_markers_min') }}
                then 'words_of_concern'
            when
                not evidence.is_at_or_above_target
                and {{ list_size('marked.praise_markers') }}
                >= {{ rule_threshold('conflicts', 'score_narrative', 'praise_markers_min') }}
                and {{ list_size('marked.concern_markers') }} = 0
                and {{ list_size('marked.suggestion_markers') }} = 0
                then 'words_of_praise'
        end as disagreement,
        ---------- lists
        marked.concern_markers,
        marked.praise_markers,
        ---------- days
        evidence.occurred_on
    from evidence
    inner join marked
        on
            evidence.record_key = marked.record_key
            and evidence.competency_id = marked.competency_id
),

differing as (
    select * from compared
    where disagreement is not null
)

select * from differing
