-- Grain: one row per learner and reason to put them on the agenda of a progress meeting.
{{ config(materialized='table') }}

with

learners as (
    select * from {{ ref('dim_learner') }}
),

status as (
    select * from {{ ref('int_cells__judged') }}
    where is_default and is_current_stage and is_required
),

conflicts as (
    select * from {{ ref('int_conflicts__listed') }}
    where is_current_stage
),

actions as (
    select * from {{ ref('fct_action') }}
    where is_overdue
),

decisions as (
    select * from {{ ref('fct_decision') }}
    where standing = 'stands' and decided_on <= {{ as_of() }}
),

reflections as (
    select * from {{ ref('fct_reflection') }}
    where occurred_on <= {{ as_of() }}
),

evidence as (
    select * from {{ ref('fct_evidence') }}
    where is_flagged and occurred_on <= {{ as_of() }}
),

waiting as (
    select * from {{ ref('int_learner_refusals__counted') }}
),

last_decisions as (
    select
        learner_key,
        programme_id,
        max(decided_on) as decided_on,
        max(decided_at) as decided_at
    from decisions
    group by learner_key, programme_id
),

-- What came to be known after the last decision is as new to the committee as what happened since.
flagged as (
    select
        evidence.learner_key,
        evidence.programme_id,
        count(distinct evidence.evidence_id) as n
    from evidence
    left join last_decisions
        on
            evidence.learner_key = last_decisions.learner_key
            and evidence.programme_id = last_decisions.programme_id
    where
        evidence.occurred_on > last_decisions.decided_on
        or (
            (last_decisions.decided_on is null or evidence.known_at > last_decisions.decided_at)
            and {{ days_between('evidence.occurred_on', as_of()) }}
            <= {{ rule_threshold('agenda', 'flagged', 'window_days') }}
        )
    group by evidence.learner_key, evidence.programme_id
    having
        count(distinct evidence.evidence_id)
        >= {{ rule_threshold('agenda', 'flagged', 'flags_min') }}
),

counted as (
    select
        learner_key,
        programme_id,
        count(case when status = 'needs_discussion' then 1 end) as n_needs_discussion,
        count(case when status = 'not_enough_evidence' then 1 end) as n_not_enough,
        count(*) as n_competencies
    from status
    group by learner_key, programme_id
),

conflicting as (
    select
        learner_key,
        programme_id,
        count(*) as n
    from conflicts
    group by learner_key, programme_id
),

appealed as (
    select
        learner_key,
        programme_id,
        count(*) as n
    from decisions
    where is_latest and appeal_status = 'lodged'
    group by learner_key, programme_id
),

overdue as (
    select
        learner_key,
        programme_id,
        count(*) as n
    from actions
    group by learner_key, programme_id
),

disputed as (
    select
        learner_key,
        programme_id,
        count(distinct coalesce(about_evidence_id, about_record_id)) as n
    from reflections
    where dispute_status = 'raised'
    group by learner_key, programme_id
),

unioned as (
    select
        learner_key,
        programme_id,
        'appeal' as reason_code,
        n
    from appealed

    union all

    select
        learner_key,
        programme_id,
        'action_overdue' as reason_code,
        n
    from overdue

    union all

    select
        learner_key,
        programme_id,
        'flagged' as reason_code,
        n
    from flagged

    union all

    select
        learner_key,
        programme_id,
        'dispute' as reason_code,
        n
    from disputed

    union all

    select
        learner_key,
        programme_id,
        'needs_discussion' as reason_code,
        n_needs_discussion as n
    from counted
    where
        n_needs_discussion
        >= {{ rule_threshold('agenda', 'needs_discussion', 'competencies_min') }}

    union all

    select
        learner_key,
        programme_id,
        'conflict' as reason_code,
        n
    from conflicting
    where n >= {{ rule_threshold('agenda', 'conflict', 'conflicts_min') }}

    union all

    select
        learner_key,
        programme_id,
        'data_problem' as reason_code,
        n_quarantined as n
    from waiting

    union all

    select
        learner_key,
        programme_id,
        'not_on_roster' as reason_code,
        1 as n
    from learners
    where not is_on_roster

    union all

    select
        learner_key,
        programme_id,
        'not_enough_evidence' as reason_code,
        n_not_enough as n
    from counted
    where
        n_not_enough
        >= {{ rule_threshold('agenda', 'not_enough_evidence', 'competencies_min') }}

    union all

    select
        learners.learner_key,
        learners.programme_id,
        'no_plan' as reason_code,
        1 as n
    from learners
    left join counted
        on
            learners.learner_key = counted.learner_key
            and learners.programme_id = counted.programme_id
    where counted.learner_key is null
)

select
    ---------- ids
    learner_key,
    programme_id,
    reason_code,
    ---------- numbers
    cast(n as bigint) as n
from unioned
