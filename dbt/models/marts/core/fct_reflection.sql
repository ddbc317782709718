-- Grain: one row per accepted reflection, self-assessment, goal, response or dispute.
with

reflections as (
    select * from {{ ref('stg_reflection') }}
),

-- The data points of those alone who spoke about one.
speakers as (
    select distinct learner_key
    from reflections
    where about_record_id is not null
),

evidence as (
    select
        facts.programme_id,
        facts.learner_key,
        facts.record_id,
        min({{ evidence_id('facts.record_key') }}) as evidence_id
    from {{ ref('fct_evidence') }} as facts
    inner join speakers on facts.learner_key = speakers.learner_key
    group by facts.programme_id, facts.learner_key, facts.record_id
),

exams as (
    select
        facts.programme_id,
        facts.learner_key,
        facts.task_id,
        facts.sitting_id,
        facts.attempt,
        min({{ evidence_id('facts.record_key') }}) as evidence_id
    from {{ ref('fct_evidence') }} as facts
    inner join speakers on facts.learner_key = speakers.learner_key
    where facts.kind <> 'workplace_assessment'
    group by facts.programme_id, facts.learner_key, facts.task_id, facts.sitting_id, facts.attempt
),

-- What is said about a station is said about its exam, which keeps its words when the result comes.
stations as (
    select
        responses.programme_id,
        responses.learner_key,
        responses.record_id,
        {{ evidence_id(key(
            'sitting_key', learner_key='responses.learner_key', programme_id='responses.programme_id',
            task_id='responses.task_id', sitting_id='responses.sitting_id',
            attempt='responses.attempt'
        )) }} as sitting_evidence_id,
        exams.evidence_id
    from {{ ref('stg_exam_response') }} as responses
    inner join exams
        on
            responses.programme_id = exams.programme_id
            and responses.learner_key = exams.learner_key
            and responses.task_id = exams.task_id
            and responses.sitting_id = exams.sitting_id
            and responses.attempt = exams.attempt
    where responses.station_id is not null
),

-- A data point is spoken about by the id of its source, or by the one that pages show.
names as (
    select
        programme_id,
        learner_key,
        record_id as spoken_id,
        evidence_id
    from evidence

    union all

    select
        programme_id,
        learner_key,
        evidence_id as spoken_id,
        evidence_id
    from evidence

    union all

    select
        programme_id,
        learner_key,
        record_id as spoken_id,
        evidence_id
    from stations

    union all

    select
        programme_id,
        learner_key,
        sitting_evidence_id as spoken_id,
        evidence_id
    from stations
),

spoken_of as (
    select
        programme_id,
        learner_key,
        spoken_id,
        min(evidence_id) as evidence_id
    from names
    where spoken_id in (select reflections.about_record_id from reflections)
    group by programme_id, learner_key, spoken_id
),

-- What somebody who sees to a dispute wrote back; what the learner adds answers nothing.
replies as (
    select
        disputes.record_key,
        responses.text as reply,
        responses.owner_key,
        responses.occurred_at,
        row_number() over (
            partition by disputes.record_key
            order by responses.occurred_at desc, responses.record_key desc
        ) as newest_first
    from reflections as disputes
    inner join reflections as responses
        on
            disputes.programme_id = responses.programme_id
            and disputes.learner_key = responses.learner_key
            and disputes.record_id = responses.in_reply_to_record_id
    where
        disputes.reflection_type = 'dispute'
        and responses.reflection_type = 'response'
        and responses.owner_key is not null
)

select
    ---------- ids
    reflections.record_key,
    reflections.event_id,
    reflections.record_id,
    reflections.learner_key,
    reflections.programme_id,
    reflections.site_id,
    reflections.competency_id,
    reflections.about_record_id,
    spoken_of.evidence_id as about_evidence_id,
    reflections.in_reply_to_record_id,
    coalesce(reflections.owner_key, replies.owner_key) as owner_key,
    ---------- text
    reflections.reflection_type,
    reflections.text,
    case
        when reflections.reflection_type <> 'dispute' then null
        when coalesce(reflections.dispute_status, 'raised') <> 'raised'
            then reflections.dispute_status
        when replies.reply is not null then 'answered'
        else 'raised'
    end as dispute_status,
    case
        when
            reflections.reflection_type = 'dispute'
            and coalesce(reflections.owner_key, replies.owner_key) is null
            then 'assessment_unit'
    end as owner_role,
    replies.reply,
    ---------- days and instants
    reflections.occurred_at,
    reflections.occurred_on,
    reflections.due_on,
    coalesce(reflections.answered_at, replies.occurred_at) as answered_at,
    ---------- lineage
    reflections.source_id,
    reflections.delivery_id,
    reflections.source_row,
    reflections.source_cell,
    reflections.known_at
from reflections
left join spoken_of
    on
        reflections.programme_id = spoken_of.programme_id
        and reflections.learner_key = spoken_of.learner_key
        and reflections.about_record_id = spoken_of.spoken_id
left join replies
    on
        reflections.record_key = replies.record_key
        and replies.newest_first = 1
