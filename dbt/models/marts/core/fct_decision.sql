-- Grain: one row per accepted decision; a correction is a decision of its own and marks the one
-- it corrects. One that nobody entitled made, or without quorum, is kept and does not stand; one of
-- after the as-of day is kept, and neither corrects anything yet nor is the latest.
with

decisions as (
    select * from {{ ref('int_decisions__judged') }}
),

first_arrival as (
    select min(known_at) as known_at
    from {{ ref('stg_receipt') }}
),

-- Who may not decide may not correct.
corrections as (
    select distinct
        programme_id,
        learner_key,
        corrects_record_id
    from decisions
    where corrects_record_id is not null and standing = 'stands' and {{ has_come('decided_on') }}
),

marked as (
    select
        decisions.*,
        corrections.corrects_record_id is not null as is_corrected,
        decisions.standing = 'stands'
        and corrections.corrects_record_id is null
        and {{ has_come('decisions.decided_on') }} as is_in_force,
        coalesce(decisions.decided_at >= first_arrival.known_at, false) as is_since_first_arrival
    from decisions
    cross join first_arrival
    left join corrections
        on
            decisions.programme_id = corrections.programme_id
            and decisions.learner_key = corrections.learner_key
            and decisions.record_id = corrections.corrects_record_id
)

select
    ---------- ids
    record_key,
    event_id,
    record_id,
    learner_key,
    programme_id,
    site_id,
    committee_id,
    meeting_id,
    vocabulary_id,
    corrects_record_id,
    freeze_id,
    ---------- text
    decision_kind,
    outcome,
    rationale,
    dissent,
    appeal_status,
    standing,
    agenda_list,
    ---------- numbers
    n_entitled,
    n_present_voting,
    n_needed,
    ---------- yes or no
    is_entitled,
    has_quorum,
    is_corrected,
    is_since_first_arrival,
    is_in_force and row_number() over (
        partition by learner_key, programme_id, is_in_force
        order by decided_at desc, known_at desc, record_key desc
    ) = 1 as is_latest,
    ---------- lists
    decided_by_keys,
    present_keys,
    recused_keys,
    dissent_by_keys,
    pulled_by_keys,
    addendum_ids,
    ---------- days and instants
    decided_at,
    decided_on,
    meets_on,
    ---------- lineage
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from marked
