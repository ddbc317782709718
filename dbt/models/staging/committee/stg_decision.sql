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

named as (
    select
        record_key,
        decided_at,
        known_at,
        'decided_by' as part,
        {{ unnest_list('decided_by_pseudonyms') }} as pseudonym
    from decisions
    union all
    select
        record_key,
        decided_at,
        known_at,
        'present' as part,
        {{ unnest_list('present_pseudonyms') }} as pseudonym
    from decisions
    union all
    select
        record_key,
        decided_at,
        known_at,
        'recused' as part,
        {{ unnest_list('recused_pseudonyms') }} as pseudonym
    from decisions
    union all
    select
        record_key,
        decided_at,
        known_at,
        'dissent_by' as part,
        {{ unnest_list('dissent_by_pseudonyms') }} as pseudonym
    from decisions
    union all
    select
        record_key,
        decided_at,
        known_at,
        'pulled_by' as part,
        pulled_by_pseudonym as pseudonym
    from decisions
    where pulled_by_pseudonym is not null
),

people as (
    select
        named.record_key,
        named.part,
        {{ list_agg('assessors.person_key', distinct=true) }} as person_keys
    from named
    left join assessors on {{ names_person('assessors', 'named', 'pseudonym', at='decided_at') }}
    group by named.record_key, named.part
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
        decisions.freeze_id,
        ---------- text
        decisions.decision_kind,
        decisions.outcome,
        decisions.rationale,
        decisions.dissent,
        decisions.appeal_status,
        decisions.agenda_list,
        ---------- lists
        deciders.person_keys as decided_by_keys,
        present.person_keys as present_keys,
        recused.person_keys as recused_keys,
        dissenting.person_keys as dissent_by_keys,
        pulling.person_keys as pulled_by_keys,
        decisions.addendum_ids,
        ---------- numbers
        decisions.quorum,
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
    left join people as deciders
        on decisions.record_key = deciders.record_key and deciders.part = 'decided_by'
    left join people as present
        on decisions.record_key = present.record_key and present.part = 'present'
    left join people as recused
        on decisions.record_key = recused.record_key and recused.part = 'recused'
    left join people as dissenting
        on decisions.record_key = dissenting.record_key and dissenting.part = 'dissent_by'
    left join people as pulling
        on decisions.record_key = pulling.record_key and pulling.part = 'pulled_by'
)

select * from renamed
