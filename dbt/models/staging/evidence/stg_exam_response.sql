-- Grain: one row per accepted response to one item or station.
with

responses as (
    select *
    from {{ source('raw', 'exam_response') }}
    where present_outcome = 'accepted'
),

learners as (
    select
        pseudonym,
        person_key,
        valid_from,
        valid_to
    from {{ source('raw', 'identity') }}
    where role = 'learner'
),

examiners as (
    select
        pseudonym,
        person_key,
        valid_from,
        valid_to
    from {{ source('raw', 'identity') }}
    where role = 'assessor'
),

renamed as (
    select
        ---------- ids
        responses.record_key,
        responses.event_id,
        learners.person_key as learner_key,
        responses.programme_id,
        responses.site_id,
        responses.record_id,
        responses.task_id,
        responses.sitting_id,
        responses.item_id,
        responses.station_id,
        responses.competency_id,
        examiners.person_key as examiner_key,
        ---------- text
        responses.response,
        responses.response_status,
        responses.global_rating,
        ---------- numbers
        responses.attempt,
        responses.score,
        responses.max_score,
        ---------- yes or no
        responses.is_banked,
        ---------- days and instants
        responses.occurred_at,
        {{ local_day('responses.occurred_at') }} as occurred_on,
        ---------- lineage
        responses.source_id,
        responses.delivery_id,
        responses.source_row,
        responses.source_cell,
        responses.known_at
    from responses
    left join learners
        on {{ names_person('learners', 'responses', 'learner_pseudonym', at='occurred_at') }}
    left join examiners
        on {{ names_person('examiners', 'responses', 'examiner_pseudonym', at='occurred_at') }}
)

select * from renamed
