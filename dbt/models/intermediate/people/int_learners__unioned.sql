-- Grain: one row per learner: the roster record of the programme in which they were on the as-of day, or none for
-- a learner no roster knows. A programme counts from the first to the last day of the learner's stages and
-- enrolments there, and on any day where none is dated; a record counts from the day of entry on. Of several
-- the newest counts, and of those that became known together that of who entered last.
{{ config(materialized='table') }}

with

roster as (
    select * from {{ ref('stg_learner') }}
),

dated as (
    select
        learner_key,
        programme_id,
        from_on,
        to_on
    from {{ ref('int_learner_history__spanned') }}
    where period_type = 'stage'

    union all

    select
        learner_key,
        programme_id,
        coalesce(starts_on, {{ first_day() }}) as from_on,
        coalesce(ends_on, {{ last_day() }}) as to_on
    from {{ ref('int_enrolments__merged') }}
),

programmes as (
    select
        learner_key,
        programme_id,
        {{ as_of() }} between min(from_on) and max(to_on) as is_in_programme
    from dated
    group by learner_key, programme_id
),

records as (
    select
        learner_key,
        min(programme_id) as programme_id
    from {{ ref('int_records__accepted') }}
    group by learner_key
),

-- With the programmes that no roster tells of any more.
placed as (
    select
        coalesce(roster.learner_key, programmes.learner_key) as learner_key,
        coalesce(roster.programme_id, programmes.programme_id) as programme_id,
        roster.site_id,
        roster.cohort_id,
        roster.mentor_key,
        roster.record_key,
        roster.entered_on,
        roster.source_id,
        roster.delivery_id,
        roster.known_at,
        coalesce(programmes.is_in_programme, true) as is_in_programme,
        coalesce(roster.entered_on <= {{ as_of() }}, true) as has_entered
    from roster
    full outer join programmes
        on {{ same('roster', 'programmes', ['learner_key', 'programme_id']) }}
),

ranked as (
    select
        *,
        count(record_key) over (partition by learner_key) > 0 as is_on_roster,
        row_number() over (
            partition by learner_key
            order by
                case when is_in_programme then 0 else 1 end asc,
                case when record_key is null then 1 else 0 end asc,
                case when has_entered then 0 else 1 end asc,
                known_at desc,
                entered_on desc nulls last,
                record_key desc,
                programme_id asc
        ) as recency
    from placed
),

newest as (
    select * from ranked
    where recency = 1
),

unioned as (
    select
        ---------- ids
        records.learner_key,
        coalesce(newest.programme_id, records.programme_id) as programme_id,
        newest.site_id,
        newest.cohort_id,
        newest.mentor_key,
        newest.record_key,
        ---------- yes or no
        coalesce(newest.is_on_roster, false) as is_on_roster,
        ---------- days and instants
        newest.entered_on,
        ---------- lineage
        newest.source_id,
        newest.delivery_id,
        newest.known_at
    from records
    left join newest on records.learner_key = newest.learner_key
)

select * from unioned
