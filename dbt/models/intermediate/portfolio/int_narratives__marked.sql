-- Grain: one row per data point and competency with a comment; which reviewed words and phrases
-- occur in it. Proxies, labelled as such: they find words, not meaning.
{{ config(materialized='table') }}

with

evidence as (
    select * from {{ ref('fct_evidence') }}
    where
        narrative_strengths is not null
        or narrative_improvements is not null
        or narrative_other is not null
),

markers as (
    select * from {{ ref('int_marker_lists__gathered') }}
),

cleaned as (
    select
        evidence_id,
        record_key,
        competency_id,
        {{ words_only("coalesce(narrative_improvements, '')") }} as improvement_words,
        {{ words_only(
            "coalesce(narrative_strengths, '') || ' ' || coalesce(narrative_improvements, '')"
            " || ' ' || coalesce(narrative_other, '')"
        ) }} as all_words
    from evidence
    where
        trim(
            coalesce(narrative_strengths, '') || coalesce(narrative_improvements, '')
            || coalesce(narrative_other, '')
        ) <> ''
),

marked as (
    select
        ---------- ids
        cleaned.evidence_id,
        cleaned.record_key,
        cleaned.competency_id,
        ---------- numbers
        cast({{ word_count('cleaned.all_words') }} as bigint) as n_words,
        ---------- lists
        {{ phrases_in('cleaned.improvement_words', 'markers.suggestions') }} as suggestion_markers,
        {{ phrases_in('cleaned.all_words', 'markers.behaviours') }} as behaviour_markers,
        {{ phrases_in('cleaned.all_words', 'markers.praises') }} as praise_markers,
        {{ phrases_in(
            without_phrases('cleaned.all_words', 'markers.cancels'), 'markers.concerns'
        ) }} as concern_markers
    from cleaned
    cross join markers
)

select * from marked
