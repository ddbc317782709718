-- Grain: one row per data point and competency with a comment; which reviewed words and phrases
-- occur in it. Proxies, labelled as such: they find words, not meaning; a negation takes back the word of
-- praise or concern behind it, within a part of a sentence. The same words are searched once, however
-- often they were written, and only for phrases whose first word occurs.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_evidence__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_evidence__fingerprinted') }}
{%- set kinds = [
    'suggestions', 'behaviours', 'praises', 'concerns', 'negated_concerns', 'cancels', 'negations',
] %}

with

commented as (
    select
        record_key,
        learner_key,
        competency_id,
        coalesce(narrative_strengths, '') as strengths,
        coalesce(narrative_improvements, '') as improvements,
        coalesce(narrative_other, '') as other
    from {{ ref('fct_evidence') }}
    where {{ has_words() }} and {{ is_moved('int_evidence__fingerprinted', 'learner_key') }}
),

said as (
    select distinct
        strengths,
        improvements,
        other
    from commented
),

texts as (
    select
        strengths,
        improvements,
        other,
        {{ hash_text("strengths || chr(31) || improvements || chr(31) || other") }} as text_key,
        strengths || ' | ' || improvements || ' | ' || other as whole
    from said
),

markers as (
    select * from {{ ref('int_marker_lists__gathered') }}
),

phrases as (
    {% for kind in kinds %}
    select
        '{{ kind }}' as kind,
        {{ unnest_list(kind) }} as phrase
    from markers
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

parted as (
    select
        text_key,
        strengths,
        improvements,
        other,
        {{ words_only('improvements') }} as improvement_words,
        {{ words_and_stops('whole') }} as words_and_stops
    from texts
),

cleaned as (
    select
        *,
        replace(words_and_stops, '| ', '') as all_words
    from parted
),

occurring as (
    select
        text_key,
        {{ unnest_list(split_words('all_words')) }} as word
    from cleaned
),

possible as (
    select
        occurring.text_key,
        {{ phrases_of_kind('suggestions') }} as suggestions,
        {{ phrases_of_kind('behaviours') }} as behaviours,
        {{ phrases_of_kind('praises') }} as praises,
        {{ phrases_of_kind('concerns') }} as concerns,
        {{ phrases_of_kind('negated_concerns') }} as negated_concerns,
        {{ phrases_of_kind('cancels') }} as cancels,
        {{ phrases_of_kind('negations') }} as negations
    from occurring
    inner join phrases on occurring.word = split_part(phrases.phrase, ' ', 1)
    group by occurring.text_key
),

joined as (
    select
        cleaned.*,
        markers.intensifiers,
        coalesce(possible.suggestions, {{ empty_list() }}) as suggestions,
        coalesce(possible.behaviours, {{ empty_list() }}) as behaviours,
        coalesce(possible.praises, {{ empty_list() }}) as praises,
        coalesce(possible.concerns, {{ empty_list() }}) as concerns,
        coalesce(possible.negated_concerns, {{ empty_list() }}) as negated_concerns,
        coalesce(possible.cancels, {{ empty_list() }}) as cancels,
        coalesce(possible.negations, {{ empty_list() }}) as negations
    from cleaned
    cross join markers
    left join possible on cleaned.text_key = possible.text_key
),

-- "The patient's concerns" are none about the learner, and "would be good" is no praise.
meant as (
    select
        *,
        {{ without_phrases('words_and_stops', 'cancels') }} as words_that_stand -- noqa: PRS
    from joined
),

-- "No concerns" and "not very good" name a concern and a praise only to take them back.
signed as (
    select
        *,
        {{ with_negations_signed('words_that_stand', 'negations', 'intensifiers') }} as signed_words -- noqa: PRS
    from meant
),

standing as (
    select
        *,
        replace(signed_words, ' ¬ ', ' ¬') as words_not_negated,
        replace(signed_words, ' ¬ ', ' ') as words_and_negations
    from signed
),

searched as (
    select
        strengths,
        improvements,
        other,
        cast({{ word_count('all_words') }} as bigint) as n_words,
        {{ phrases_in('improvement_words', 'suggestions') }} as suggestion_markers,
        {{ phrases_in('all_words', 'behaviours') }} as behaviour_markers,
        {{ phrases_in('words_not_negated', 'praises') }} as praise_markers,
        {{ list_concat(
            phrases_in('words_not_negated', 'concerns'),
            phrases_in('words_and_negations', 'negated_concerns')
        ) }} as concern_markers
    from standing
),

marked as (
    select
        ---------- ids
        commented.record_key,
        commented.learner_key,
        commented.competency_id,
        ---------- numbers
        searched.n_words,
        ---------- lists
        searched.suggestion_markers,
        searched.behaviour_markers,
        searched.praise_markers,
        searched.concern_markers
    from commented
    inner join searched
        on
            commented.strengths = searched.strengths
            and commented.improvements = searched.improvements
            and commented.other = searched.other
)

select * from marked
