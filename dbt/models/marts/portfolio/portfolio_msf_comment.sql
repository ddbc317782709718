-- Grain: one row per comment of a respondent in multisource feedback, word for word, without group, day
-- or answer beside it, and with a name made from its words alone; in full batches of the minimum of
-- respondents only, first forms with first forms, second with second.
with

answers as (
    select * from {{ ref('int_respondents__ranked') }}
    where
        respondent_group <> 'self'
        and (
            narrative_strengths is not null
            or narrative_improvements is not null
            or narrative_other is not null
        )
),

-- A form that rates several items brings its comment once.
comments as (
    select
        learner_key,
        programme_id,
        instrument_id,
        coalesce(form_record_id, record_key) as form_key,
        respondent_key,
        narrative_strengths,
        narrative_improvements,
        narrative_other,
        min(record_key) as record_key,
        min(arrived_at) as arrived_at,
        min(known_at) as known_at
    from answers
    group by
        learner_key,
        programme_id,
        instrument_id,
        coalesce(form_record_id, record_key),
        respondent_key,
        narrative_strengths,
        narrative_improvements,
        narrative_other
),

forms as (
    select
        learner_key,
        programme_id,
        instrument_id,
        form_key,
        min(respondent_key) as respondent_key,
        min(arrived_at) as arrived_at,
        min(known_at) as known_at
    from comments
    group by learner_key, programme_id, instrument_id, form_key
),

taken_in_turn as (
    select
        *,
        row_number() over (
            partition by learner_key, programme_id, instrument_id, respondent_key
            order by arrived_at, known_at, form_key
        ) as turn
    from forms
),

counted as (
    select
        *,
        count(*) over (partition by learner_key, programme_id, instrument_id, turn) as n_forms,
        row_number() over (
            partition by learner_key, programme_id, instrument_id, turn
            order by arrived_at, known_at, form_key
        ) as place
    from taken_in_turn
),

shown as (
    select
        comments.*,
        row_number() over (
            partition by
                comments.learner_key,
                comments.programme_id,
                comments.instrument_id,
                comments.narrative_strengths,
                comments.narrative_improvements,
                comments.narrative_other
            order by comments.record_key
        ) as n_alike
    from comments
    inner join counted
        on
            comments.learner_key = counted.learner_key
            and comments.programme_id = counted.programme_id
            and comments.instrument_id = counted.instrument_id
            and comments.form_key = counted.form_key
    where
        counted.place
        <= floor(counted.n_forms / {{ rule_threshold('msf', 'respondents', 'min') }})
        * {{ rule_threshold('msf', 'respondents', 'min') }}
),

-- The name of a comment leads to no record of its own, and so to no day and form.
final as (
    select
        ---------- ids
        {{ hash_text(
            "learner_key || ' ' || programme_id || ' ' || instrument_id"
            ~ " || ' ' || coalesce(narrative_strengths, '')"
            ~ " || ' / ' || coalesce(narrative_improvements, '')"
            ~ " || ' / ' || coalesce(narrative_other, '')"
            ~ " || ' ' || cast(n_alike as string)"
        ) }} as comment_id,
        learner_key,
        programme_id,
        instrument_id,
        ---------- text
        narrative_strengths,
        narrative_improvements,
        narrative_other,
        'msf' as rule_set_id,
        {{ rule_version('msf') }} as rule_version
    from shown
)

select * from final
