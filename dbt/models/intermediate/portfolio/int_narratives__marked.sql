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

-- "No concerns" names a concern only to take it back.
standing as (
    select
        cleaned.*,
        {{ without_phrases('all_words', 'markers.cancels') }} as words_that_stand -- noqa: PRS
    from cleaned
    cross join markers
),

marked as (
    select
        ---------- ids
        standing.evidence_id,
        standing.record_key,
        standing.competency_id,
        ---------- numbers
        cast({{ word_count('standing.all_words') }} as bigint) as n_words,
        ---------- lists
        {{ phrases_in('standing.improvement_words', 'markers.suggestions') }} as suggestion_markers,
        {{ phrases_in('standing.all_words', 'markers.behaviours') }} as behaviour_markers,
        {{ phrases_in('standing.all_words', 'markers.praises') }} as praise_markers,
        {{ phrases_in('standing.words_that_stand', 'markers.concerns') }} as concern_markers
    from standing
    cross join markers
)

select * from marked
