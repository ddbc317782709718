-- Grain: one row per signal that evidence closed lately: what it asked for came, from when it stood
-- until what closed it. Follows from the records alone; nobody ticks anything off.
with

stages as (
    select * from {{ ref('int_learner_stages__spanned') }}
    where is_current and from_on > {{ first_day() }}
),

required as (
    select * from {{ ref('int_cells__judged') }}
    where is_default and is_current_stage and is_required and n_data_points > 0
),

evidence as (
    select
        evidence.learner_key,
        evidence.programme_id,
        evidence.stage_id,
        evidence.competency_id,
        evidence.evidence_id,
        evidence.occurred_on,
        required.competency_title,
        lag(evidence.occurred_on) over (
            partition by
                evidence.learner_key,
                evidence.programme_id,
                evidence.stage_id,
                evidence.competency_id
            order by evidence.occurred_at, evidence.evidence_id
        ) as previous_on
    from {{ ref('int_cell_evidence__assigned') }} as evidence
    inner join required
        on
            evidence.learner_key = required.learner_key
            and evidence.programme_id = required.programme_id
            and evidence.stage_id = required.stage_id
            and evidence.competency_id = required.competency_id
),

expected as (
    select * from {{ ref('int_evidence__expected') }}
    where next_on is not null and not is_whole
),

actions as (
    select * from {{ ref('fct_action') }}
    where status = 'done' and done_on <= {{ as_of() }}
),

no_evidence as (
    select
        evidence.learner_key,
        evidence.programme_id,
        'no_evidence' as rule_id,
        evidence.competency_id as subject,
        evidence.competency_id,
        greatest(
            {{ lasted_from(
                'stages.from_on', 'expected.grace_over_on',
                rule_threshold('signals', 'no_evidence', 'grace_days') ~ ' - 1'
            ) }},
            {{ missed_from('stages.from_on', 'expected') }}
        ) as raised_on,
        evidence.occurred_on as closed_on,
        'A first data point on ' || {{ competency_words('evidence') }} || ' arrived.' as sentence,
        {{ list_of('evidence.evidence_id') }} as closed_by_evidence_ids
    from evidence
    inner join stages
        on
            evidence.learner_key = stages.learner_key
            and evidence.programme_id = stages.programme_id
            and evidence.stage_id = stages.stage_id
    left join expected
        on
            evidence.learner_key = expected.learner_key
            and evidence.programme_id = expected.programme_id
            and evidence.competency_id = expected.competency_id
            and evidence.occurred_on = expected.next_on
    where
        evidence.previous_on is null
        and {{ lasted_from(
            'stages.from_on', 'expected.grace_over_on',
            rule_threshold('signals', 'no_evidence', 'grace_days') ~ ' - 1'
        ) }} < evidence.occurred_on
        and {{ is_missed('stages.from_on', 'evidence.occurred_on', 'expected') }}
),

stale_evidence as (
    select
        evidence.learner_key,
        evidence.programme_id,
        'stale_evidence' as rule_id,
        evidence.competency_id as subject,
        evidence.competency_id,
        greatest(
            {{ lasted_from(
                'evidence.previous_on', 'expected.stale_on',
                rule_threshold('signals', 'stale_evidence', 'stale_after_days')
            ) }},
            {{ missed_from('evidence.previous_on', 'expected') }}
        ) as raised_on,
        evidence.occurred_on as closed_on,
        'A new data point on ' || {{ competency_words('evidence') }} || ' arrived, '
        || cast({{ days_between('evidence.previous_on', 'evidence.occurred_on') }} as string)
        || ' days after the one before.' as sentence,
        {{ list_of('evidence.evidence_id') }} as closed_by_evidence_ids
    from evidence
    left join expected
        on
            evidence.learner_key = expected.learner_key
            and evidence.programme_id = expected.programme_id
            and evidence.competency_id = expected.competency_id
            and evidence.occurred_on = expected.next_on
            and evidence.previous_on = expected.after_on
    where
        {{ lasted_from(
            'evidence.previous_on', 'expected.stale_on',
            rule_threshold('signals', 'stale_evidence', 'stale_after_days')
        ) }} <= evidence.occurred_on
        and {{ is_missed('evidence.previous_on', 'evidence.occurred_on', 'expected') }}
),

action_overdue as (
    select
        learner_key,
        programme_id,
        'action_overdue' as rule_id,
        record_key as subject,
        competency_id,
        {{ add_days(
            'due_on', rule_threshold('signals', 'action_overdue', 'overdue_days') ~ ' + 1'
        ) }} as raised_on,
        done_on as closed_on,
        'An agreed action that was due on ' || cast(due_on as string) || ' is done.' as sentence,
        {{ empty_list() }} as closed_by_evidence_ids
    from actions
    where
        {{ days_between('due_on', 'done_on') }}
        > {{ rule_threshold('signals', 'action_overdue', 'overdue_days') }}
),

unioned as (
    select * from no_evidence

    union all

    select * from stale_evidence

    union all

    select * from action_overdue
),

ranked as (
    select
        *,
        row_number() over (
            partition by learner_key, programme_id, rule_id, subject
            order by closed_on desc
        ) as newest_first
    from unioned
    where
        {{ days_between('closed_on', as_of()) }}
        <= {{ rule_threshold('signals', 'all', 'closed_days') }}
),

final as (
    select
        ---------- ids
        {{ signal_id() }} as signal_id,
        learner_key,
        programme_id,
        rule_id,
        competency_id,
        ---------- text
        'signals' as rule_set_id,
        {{ rule_version('signals') }} as rule_version,
        sentence,
        ---------- lists
        closed_by_evidence_ids,
        ---------- days
        raised_on,
        closed_on
    from ranked
    where newest_first = 1
)

select * from final
