-- Grain: one row per accepted exam result.
with

results as (
    select *
    from {{ source('raw', 'exam_result') }}
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

renamed as (
    select
        ---------- ids
        results.record_key,
        results.event_id,
        learners.person_key as learner_key,
        results.programme_id,
        results.site_id,
        results.record_id,
        results.task_id,
        results.sitting_id,
        results.instrument_id,
        results.competency_id,
        results.banked_from_sitting_id,
        ---------- text
        results.result_status,
        results.grade,
        ---------- numbers
        results.attempt,
        results.score,
        results.max_score,
        results.n_right,
        results.n_wrong,
        results.n_dont_know,
        results.n_omitted,
        results.relative_day,
        ---------- yes or no
        results.is_banked,
        ---------- days and instants
        results.occurred_at,
        {{ local_day('results.occurred_at') }} as occurred_on,
        results.submitted_at,
        {{ local_day('results.submitted_at') }} as submitted_on,
        ---------- lineage
        results.source_id,
        results.delivery_id,
        results.source_row,
        results.source_cell,
        results.known_at
    from results
    left join learners
        on {{ names_person('learners', 'results', 'learner_pseudonym', at='occurred_at') }}
)

select * from renamed
