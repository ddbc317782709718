-- Grain: one row per accepted decision about a learner.
with

decisions as (
    select *
    from {{ source('raw', 'decision') }}
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

assessors as (
    select
        pseudonym,
        person_key,
        valid_from,
        valid_to
    from {{ source('raw', 'identity') }}
    where role = 'assessor'
),

deciding as (
    select
        record_key,
        decided_at,
        known_at,
        {{ unnest_list('decided_by_pseudonyms') }} as pseudonym
    from decisions
),

recused as (
    select
        record_key,
        decided_at,
        known_at,
        {{ unnest_list('recused_pseudonyms') }} as pseudonym
    from decisions
),

deciders_listed as (
    select
        deciding.record_key,
        {{ list_agg('assessors.person_key', distinct=true) }} as person_keys
    from deciding
    left join assessors on {{ names_person('assessors', 'deciding', 'pseudonym', at='decided_at') }}
    group by deciding.record_key
),

recused_listed as (
    select
        recused.record_key,
        {{ list_agg('assessors.person_key', distinct=true) }} as person_keys
    from recused
    left join assessors on {{ names_person('assessors', 'recused', 'pseudonym', at='decided_at') }}
    group by recused.record_key
),

renamed as (
    select
        ---------- ids
        decisions.record_key,
        decisions.event_id,
        learners.person_key as learner_key,
        decisions.programme_id,
        decisions.site_id,
        decisions.record_id,
        decisions.committee_id,
        decisions.meeting_id,
        decisions.vocabulary_id,
        decisions.corrects_record_id,
        ---------- text
        decisions.decision_kind,
        decisions.outcome,
        decisions.rationale,
        decisions.dissent,
        decisions.appeal_status,
        ---------- lists
        deciders_listed.person_keys as decided_by_keys,
        recused_listed.person_keys as recused_keys,
        ---------- days and instants
        decisions.decided_at,
        {{ local_day('decisions.decided_at') }} as decided_on,
        ---------- lineage
        decisions.source_id,
        decisions.delivery_id,
        decisions.source_row,
        decisions.source_cell,
        decisions.known_at
    from decisions
    left join learners
        on {{ names_person('learners', 'decisions', 'learner_pseudonym', at='decided_at') }}
    left join deciders_listed on decisions.record_key = deciders_listed.record_key
    left join recused_listed on decisions.record_key = recused_listed.record_key
)

select * from renamed
