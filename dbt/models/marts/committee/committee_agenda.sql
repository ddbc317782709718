-- Grain: one row per learner. The order is by reason to talk, never by performance.
with

learners as (
    select * from {{ ref('dim_learner') }}
),

raised as (
    select * from {{ ref('int_agenda_reasons__raised') }}
),

reason_codes as (
    select * from {{ ref('agenda_reason') }}
),

status as (
    select * from {{ ref('portfolio_competency_status') }}
    where is_default and is_current_stage and is_required
),

signals as (
    select * from {{ ref('portfolio_signal') }}
),

decisions as (
    select * from {{ ref('fct_decision') }}
    where is_latest
),

actions as (
    select * from {{ ref('fct_action') }}
    where status = 'open' and {{ has_come('agreed_on') }}
),

meetings as (
    select * from {{ ref('stg_committee') }}
    where entry_type = 'meeting' and meets_on >= {{ as_of() }}
),

waiting as (
    select * from {{ ref('int_learner_refusals__counted') }}
),

minutes as (
    select
        rule_id as agenda_group,
        max(case when threshold_name = 'minutes' then threshold_value end) as minutes
    from {{ ref('int_rules__chosen') }}
    where rule_set_id = 'agenda'
    group by rule_id
),

worded as (
    select
        raised.learner_key,
        raised.programme_id,
        raised.reason_code,
        reason_codes.agenda_group,
        reason_codes.sort_order,
        case
            when reason_codes.many is null then reason_codes.one
            else
                cast(raised.n as string) || ' '
                || case when raised.n = 1 then reason_codes.one else reason_codes.many end
        end as reason_words
    from raised
    inner join reason_codes on raised.reason_code = reason_codes.reason_code
),

reasons as (
    select
        learner_key,
        programme_id,
        min(sort_order) as first_reason_order,
        max(case when agenda_group = 'discuss' then 1 else 0 end) = 1 as has_reason_to_discuss,
        {{ list_agg('reason_code', order_by=['sort_order']) }} as reasons,
        {{ list_agg('reason_words', order_by=['sort_order']) }} as reason_texts
    from worded
    group by learner_key, programme_id
),

status_counts as (
    select
        learner_key,
        programme_id,
        count(*) as n_competencies,
        count(case when has_enough_evidence then 1 end) as n_enough_evidence,
        count(case when status = 'needs_discussion' then 1 end) as n_needs_discussion
    from status
    group by learner_key, programme_id
),

signal_counts as (
    select
        learner_key,
        programme_id,
        count(*) as n_signals
    from signals
    group by learner_key, programme_id
),

action_counts as (
    select
        learner_key,
        programme_id,
        count(*) as n_actions_open,
        count(case when is_overdue then 1 end) as n_actions_overdue
    from actions
    group by learner_key, programme_id
),

next_meetings as (
    select
        learners.learner_key,
        meetings.committee_id,
        meetings.meeting_id,
        meetings.meets_on,
        row_number() over (
            partition by learners.learner_key
            order by
                meetings.meets_on,
                case when meetings.stage_id is null then 1 else 0 end,
                meetings.committee_id,
                meetings.meeting_id
        ) as preference
    from learners
    inner join meetings
        on
            learners.programme_id = meetings.programme_id
            and (meetings.stage_id is null or learners.stage_id = meetings.stage_id)
            and (
                meetings.site_id is null
                or learners.site_id is null
                or learners.site_id = meetings.site_id
            )
),

grouped as (
    select
        learners.learner_key,
        learners.programme_id,
        learners.site_id,
        learners.stage_id,
        learners.rotation_id,
        learners.mentor_key,
        learners.enrolment_status,
        next_meetings.committee_id,
        next_meetings.meeting_id,
        next_meetings.meets_on,
        {{ learner_is_active('learners') }} as is_active,
        case
            when reasons.has_reason_to_discuss then 'discuss'
            when not {{ learner_is_active('learners') }} then 'consent'
            when reasons.learner_key is not null then 'data'
            else 'consent'
        end as agenda_group,
        coalesce(reasons.first_reason_order, 99) as first_reason_order,
        coalesce(reasons.reasons, {{ empty_list() }}) as reasons,
        coalesce({{ list_join('reasons.reason_texts', '; ') }}, '') as reason_words
    from learners
    left join reasons
        on
            learners.learner_key = reasons.learner_key
            and learners.programme_id = reasons.programme_id
    left join next_meetings
        on learners.learner_key = next_meetings.learner_key and next_meetings.preference = 1
),

final as (
    select
        ---------- ids
        grouped.learner_key,
        grouped.programme_id,
        grouped.site_id,
        grouped.stage_id,
        grouped.rotation_id,
        grouped.mentor_key,
        grouped.committee_id,
        grouped.meeting_id,
        ---------- text
        grouped.agenda_group,
        case
            when grouped.agenda_group = 'consent' and not grouped.is_active
                then 'The learner is not enrolled at present (' || grouped.enrolment_status || ').'
            when grouped.reason_words = '' then 'No reason to talk has been raised.'
            else {{ as_sentence('grouped.reason_words') }}
        end as reason_text,
        decisions.outcome as last_decision_outcome,
        decisions.rationale as last_decision_rationale,
        decisions.record_key as last_decision_record_key,
        'agenda' as rule_set_id,
        {{ rule_version('agenda') }} as rule_version,
        ---------- numbers
        row_number() over (
            partition by grouped.programme_id
            order by
                case grouped.agenda_group when 'discuss' then 1 when 'data' then 2 else 3 end,
                case when grouped.is_active then 0 else 1 end,
                grouped.first_reason_order,
                grouped.learner_key
        ) as agenda_order,
        cast(minutes.minutes as bigint) as minutes,
        coalesce(action_counts.n_actions_open, 0) as n_actions_open,
        coalesce(action_counts.n_actions_overdue, 0) as n_actions_overdue,
        coalesce(status_counts.n_competencies, 0) as n_competencies,
        coalesce(status_counts.n_enough_evidence, 0) as n_enough_evidence,
        coalesce(status_counts.n_needs_discussion, 0) as n_needs_discussion,
        coalesce(signal_counts.n_signals, 0) as n_signals,
        coalesce(waiting.n_quarantined, 0) as n_quarantined,
        ---------- yes or no
        grouped.is_active,
        ---------- lists
        grouped.reasons,
        ---------- days
        grouped.meets_on,
        decisions.decided_on as last_decided_on
    from grouped
    left join minutes on grouped.agenda_group = minutes.agenda_group
    left join decisions
        on
            grouped.learner_key = decisions.learner_key
            and grouped.programme_id = decisions.programme_id
    left join action_counts
        on
            grouped.learner_key = action_counts.learner_key
            and grouped.programme_id = action_counts.programme_id
    left join status_counts
        on
            grouped.learner_key = status_counts.learner_key
            and grouped.programme_id = status_counts.programme_id
    left join signal_counts
        on
            grouped.learner_key = signal_counts.learner_key
            and grouped.programme_id = signal_counts.programme_id
    left join waiting
        on
            grouped.learner_key = waiting.learner_key
            and grouped.programme_id = waiting.programme_id
)

select * from final
