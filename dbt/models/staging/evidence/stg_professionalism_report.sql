-- Grain: one row per accepted report on the conduct of a learner. Restricted by need_to_know.
with

reports as (
    select *
    from {{ source('raw', 'professionalism_report') }}
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

reporters as (
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
        reports.record_key,
        reports.event_id,
        reports.programme_id,
        reports.site_id,
        reports.record_id,
        learners.person_key as learner_key,
        reports.competency_id,
        reporters.person_key as reporter_key,
        ---------- text
        reports.report_type,
        reports.category,
        reports.severity,
        reports.description,
        reports.learner_response,
        reports.setting,
        reports.reporter_role,
        reports.status,
        reports.outcome,
        reports.need_to_know,
        ---------- yes or no
        reports.is_shared_with_learner,
        ---------- days and instants
        reports.occurred_at,
        {{ local_day('reports.occurred_at') }} as occurred_on,
        reports.reported_at,
        {{ local_day('reports.reported_at') }} as reported_on,
        reports.closed_on,
        ---------- lineage
        reports.source_id,
        reports.delivery_id,
        reports.source_row,
        reports.source_cell,
        reports.known_at
    from reports
    left join learners
        on {{ names_person('learners', 'reports', 'learner_pseudonym', at='occurred_at') }}
    left join reporters
        on {{ names_person('reporters', 'reports', 'reporter_pseudonym', at='occurred_at') }}
)

select * from renamed
