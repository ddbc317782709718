-- Grain: one row per accepted member's term or meeting of a committee.
with

entries as (
    select *
    from {{ source('raw', 'committee') }}
    where present_outcome = 'accepted'
),

members as (
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
        entries.record_key,
        entries.event_id,
        entries.programme_id,
        entries.site_id,
        entries.record_id,
        entries.committee_id,
        members.person_key as member_key,
        entries.meeting_id,
        entries.stage_id,
        ---------- text
        entries.entry_type,
        entries.member_role,
        entries.attendance,
        ---------- numbers
        entries.quorum,
        ---------- yes or no
        entries.is_voting,
        ---------- days and instants
        entries.term_from,
        entries.term_to,
        entries.meets_on,
        ---------- lineage
        entries.source_id,
        entries.delivery_id,
        entries.source_row,
        entries.source_cell,
        entries.known_at
    from entries
    left join members on {{ names_person('members', 'entries', 'member_pseudonym') }}
)

select * from renamed
