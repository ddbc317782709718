-- Grain: one row per accepted decision; a correction is a decision of its own and marks the one
-- it corrects.
with

decisions as (
    select * from {{ ref('stg_decision') }}
),

meetings as (
    select
        programme_id,
        committee_id,
        meeting_id,
        max(meets_on) as meets_on
    from {{ ref('stg_committee') }}
    where entry_type = 'meeting'
    group by programme_id, committee_id, meeting_id
),

corrections as (
    select distinct
        programme_id,
        learner_key,
        corrects_record_id
    from decisions
    where corrects_record_id is not null
),

marked as (
    select
        decisions.*,
        meetings.meets_on,
        corrections.corrects_record_id is not null as is_corrected
    from decisions
    left join meetings
        on
            decisions.programme_id = meetings.programme_id
            and decisions.committee_id = meetings.committee_id
            and decisions.meeting_id = meetings.meeting_id
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
    ---------- text
    decision_kind,
    outcome,
    rationale,
    dissent,
    appeal_status,
    ---------- yes or no
    is_corrected,
    not is_corrected and row_number() over (
        partition by learner_key, programme_id, is_corrected
        order by decided_at desc, known_at desc, record_key desc
    ) = 1 as is_latest,
    ---------- lists
    decided_by_keys,
    recused_keys,
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
