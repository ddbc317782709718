-- Grain: one row per accepted dated stretch of a learner's way.
with

periods as (
    select *
    from {{ source('raw', 'learner_stage') }}
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
        periods.record_key,
        periods.event_id,
        learners.person_key as learner_key,
        periods.programme_id,
        periods.site_id,
        periods.record_id,
        periods.period_id,
        ---------- text
        periods.period_type,
        periods.status,
        periods.outcome,
        ---------- numbers
        periods.full_time_share,
        ---------- yes or no
        periods.is_planned,
        ---------- days and instants
        periods.starts_on,
        periods.ends_on,
        ---------- lineage
        periods.source_id,
        periods.delivery_id,
        periods.source_row,
        periods.source_cell,
        periods.known_at
    from periods
    left join learners
        on {{ names_person('learners', 'periods', 'learner_pseudonym', on_day='starts_on') }}
)

select * from renamed
