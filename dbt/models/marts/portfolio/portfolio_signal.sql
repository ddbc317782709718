-- Grain: one row per signal: something worth a person's time, with its rule, its evidence, what is
-- recommended, an owner and a day. Not a finding.
with

signals as (
    select * from {{ ref('int_signals__chosen') }}
),

options as (
    select * from {{ ref('int_assessment_options__ranked') }}
),

learners as (
    select * from {{ ref('dim_learner') }}
),

leave as (
    select * from {{ ref('int_learner_leave__merged') }}
),

-- What no rotation offered when the signal could be known cannot be done before one does: its time runs
-- from there.
described as (
    select
        signals.*,
        options.instrument_id,
        options.assessor_role,
        options.setting,
        options.rotation_id,
        options.rotation_from_on,
        options.is_new_role,
        coalesce(options.has_new_assessor, true) as has_new_assessor,
        learners.mentor_key,
        case
            when signals.asks_for_evidence and options.offered_from_on > signals.known_on
                then {{ add_days('options.offered_from_on', 'signals.due_days') }}
            else signals.due_on
        end as done_by
    from signals
    left join options
        on
            signals.learner_key = options.learner_key
            and signals.programme_id = options.programme_id
            and signals.competency_id = options.competency_id
            and signals.known_on = options.known_on
    left join learners on signals.learner_key = learners.learner_key
),

-- Who was away for a part of that time has it in full from the first day back.
away as (
    select
        described.learner_key,
        described.programme_id,
        described.rule_id,
        described.subject,
        max({{ add_days('leave.to_on', 1) }}) as back_on
    from described
    inner join leave
        on
            described.learner_key = leave.learner_key
            and described.programme_id = leave.programme_id
            and described.known_on <= leave.to_on
            and described.done_by >= leave.from_on
    where described.asks_for_evidence
    group by
        described.learner_key,
        described.programme_id,
        described.rule_id,
        described.subject
),

timed as (
    select
        described.*,
        coalesce(
            {{ add_days('away.back_on', 'described.due_days') }}, described.done_by
        ) as due_by
    from described
    left join away
        on {{ same('described', 'away', ['learner_key', 'programme_id', 'rule_id', 'subject']) }}
),

final as (
    select
        ---------- ids
        {{ signal_id() }} as signal_id,
        learner_key,
        programme_id,
        rule_id,
        competency_id,
        task_id,
        case when rule_id = 'action_overdue' then subject end as action_record_key,
        ---------- text
        'signals' as rule_set_id,
        {{ rule_version('signals') }} as rule_version,
        severity,
        title,
        sentence
        || case
            when n_more > 0
                then ' The same holds for ' || cast(n_more as string) || ' more.'
            else ''
        end as sentence,
        remedy,
        case when asks_for_evidence then competency_id end as recommended_competency_id,
        case when asks_for_evidence then instrument_id end as recommended_instrument_id,
        case when asks_for_evidence then setting end as recommended_setting,
        case when asks_for_evidence then rotation_id end as recommended_rotation_id,
        case when asks_for_evidence then assessor_role end as recommended_assessor_role,
        case
            when asks_for_evidence and is_new_role
                then 'an assessor in a role that has not yet assessed this learner on it'
            when asks_for_evidence and has_new_assessor
                then 'an assessor who has not yet assessed this learner on it'
        end as recommended_assessor,
        'Closes when ' || closes_when || '.' as closes_when,
        owner_role,
        case when owner_role = 'mentor' then mentor_key end as owner_key,
        ---------- numbers
        rank_in_all as display_order,
        n_more,
        ---------- lists
        evidence_ids,
        held_back_titles,
        ---------- yes or no
        due_by < {{ as_of() }} as is_overdue,
        ---------- days
        case when asks_for_evidence then rotation_from_on end as recommended_from_on,
        raised_on,
        due_by as due_on
    from timed
)

select * from final
