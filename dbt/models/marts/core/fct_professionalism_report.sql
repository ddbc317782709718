-- Grain: one row per accepted report on the conduct of a learner that the committee may know of.
with

reports as (
    select * from {{ ref('stg_professionalism_report') }}
),

circles as (
    select * from {{ ref('need_to_know') }}
    where is_for_committee
),

final as (
    select
        ---------- ids
        reports.record_key,
        reports.event_id,
        reports.record_id,
        reports.learner_key,
        reports.programme_id,
        reports.site_id,
        reports.competency_id,
        reports.reporter_key,
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
        ---------- yes or no
        reports.is_shared_with_learner,
        circles.is_for_mentor,
        ---------- days and instants
        reports.occurred_at,
        reports.occurred_on,
        reports.reported_at,
        reports.reported_on,
        reports.closed_on,
        ---------- lineage
        reports.source_id,
        reports.delivery_id,
        reports.source_row,
        reports.source_cell,
        reports.known_at
    from reports
    inner join circles on reports.need_to_know = circles.need_to_know
)

select * from final
