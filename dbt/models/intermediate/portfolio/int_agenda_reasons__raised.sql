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

-- A commendation is no reason to worry, and a report that was not upheld is none any more.
reports as (
    select * from {{ ref('fct_professionalism_report') }}
    where
        report_type <> 'commendation'
        and status <> 'not_upheld'
        and occurred_on <= {{ as_of() }}
),

requirements as (
    select * from {{ ref('fct_requirement') }}
    where
        state in ('not_met', 'expired')
        and coalesce({{ has_come('coalesce(occurred_on, issued_on)') }}, true)
),

waiting as (
    select * from {{ ref('int_learner_refusals__counted') }}
),

newest_sittings as (
    select * from {{ ref('int_exam_sittings__newest') }}
),

rules as (
    select * from {{ ref('int_rules__chosen') }}
    where rule_set_id = 'agenda'
),

last_decisions as (
    select
        learner_key,
        programme_id,
        max(decided_on) as decided_on,
        max(case when is_since_first_arrival then decided_at end) as decided_at
    from decisions
    group by learner_key, programme_id
),

limits as (
    select
        rule_id as reason_code,
        max(
            case when threshold_name in ('flags_min', 'exams_min', 'reports_min') then threshold_value end
        ) as n_min,
        max(case when threshold_name = 'window_days' then threshold_value end) as window_days
    from rules
    group by rule_id
),

told as (
    select
        learner_key,
        programme_id,
        'flagged' as reason_code,
        evidence_id as subject,
        occurred_on,
        known_at
    from evidence

    union all

    select
        learner_key,
        programme_id,
        'exam_below_cut' as reason_code,
        sitting_key as subject,
        occurred_on,
        known_at
    from newest_sittings
    where not is_at_or_above_cut

    union all

    select
        learner_key,
        programme_id,
        'conduct' as reason_code,
        record_key as subject,
        occurred_on,
        known_at
    from reports
),

-- What came to be known after the last decision is as new to the committee as what happened since. Of a
-- decision from before files arrived nobody can say what it knew.
undecided as (
    select
        told.learner_key,
        told.programme_id,
        told.reason_code,
        count(distinct told.subject) as n
    from told
    inner join limits on told.reason_code = limits.reason_code
    left join last_decisions
        on
            told.learner_key = last_decisions.learner_key
            and told.programme_id = last_decisions.programme_id
    where
        told.occurred_on > last_decisions.decided_on
        or (
            (last_decisions.decided_on is null or told.known_at > last_decisions.decided_at)
            and {{ days_between('told.occurred_on', 'coalesce(last_decisions.decided_on, ' ~ as_of() ~ ')') }}
            <= limits.window_days
        )
    group by told.learner_key, told.programme_id, told.reason_code
    having count(distinct told.subject) >= max(limits.n_min)
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

lacking as (
    select
        learner_key,
        programme_id,
        count(*) as n
    from requirements
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
        reason_code,
        n
    from undecided

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
        'requirement' as reason_code,
        n
    from lacking
    where n >= {{ rule_threshold('agenda', 'requirement', 'requirements_min') }}

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
