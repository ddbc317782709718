-- Grain: one row per accepted action, with how far the evidence since then has come.
with

-- What was done after the as-of day was open on it.
actions as (
    select
        stated.*,
        case
            when stated.done_on is not null and not {{ has_come('stated.done_on') }} then 'open'
            else stated.status
        end as status_by_then
    from {{ ref('stg_action') }} as stated
),

decisions as (
    select * from {{ ref('stg_decision') }}
),

evidence as (
    select * from {{ ref('fct_evidence') }} as evidence
    where is_new_evidence and {{ is_by_another('evidence') }}
),

-- An action that names neither instrument nor competency is not counted against evidence.
counted as (
    select
        actions.record_key,
        count(distinct evidence.record_key) as n_done
    from actions
    inner join evidence
        on
            actions.learner_key = evidence.learner_key
            and actions.programme_id = evidence.programme_id
            and (actions.instrument_id is null or actions.instrument_id = evidence.instrument_id)
            and (actions.competency_id is null or actions.competency_id = evidence.competency_id)
            and actions.agreed_on < evidence.occurred_on
            and evidence.occurred_on <= {{ as_of() }}
    where actions.instrument_id is not null or actions.competency_id is not null
    group by actions.record_key
),

decided as (
    select
        programme_id,
        learner_key,
        record_id,
        max(record_key) as record_key
    from decisions
    group by programme_id, learner_key, record_id
)

select
    ---------- ids
    actions.record_key,
    actions.event_id,
    actions.record_id,
    actions.learner_key,
    actions.programme_id,
    actions.site_id,
    actions.decision_record_id,
    decided.record_key as decision_record_key,
    actions.owner_key,
    actions.instrument_id,
    actions.competency_id,
    ---------- text
    actions.description,
    actions.owner_role,
    actions.status_by_then as status,
    ---------- numbers
    actions.required_n,
    case
        when actions.instrument_id is not null or actions.competency_id is not null
            then coalesce(counted.n_done, 0)
    end as n_done,
    cast(
        case
            when {{ measure_is_overdue('actions.status_by_then', 'actions.due_on') }}
                then {{ days_between('actions.due_on', as_of()) }}
        end as bigint
    ) as n_days_overdue,
    ---------- yes or no
    {{ measure_is_overdue('actions.status_by_then', 'actions.due_on') }} as is_overdue,
    ---------- days and instants
    actions.agreed_on,
    actions.due_on,
    actions.done_on,
    ---------- lineage
    actions.source_id,
    actions.delivery_id,
    actions.source_row,
    actions.source_cell,
    actions.known_at
from actions
left join counted on actions.record_key = counted.record_key
left join decided
    on
        actions.programme_id = decided.programme_id
        and actions.learner_key = decided.learner_key
        and actions.decision_record_id = decided.record_id
