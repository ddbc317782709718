-- Grain: one row per learner, signal rule and subject (a competency, task, action or conflict) that
-- the rule names, before few are chosen. The day it was raised follows from the records alone.
with

status as (
    select * from {{ ref('int_cells__judged') }}
    where is_default and is_current_stage
),

stages as (
    select * from {{ ref('int_learner_stages__spanned') }}
    where is_current
),

conflicts as (
    select * from {{ ref('int_conflicts__listed') }}
    where is_current_stage
),

declarations as (
    select * from {{ ref('fct_ai_declaration') }}
    where not is_amended and declared_on <= {{ as_of() }}
),

actions as (
    select * from {{ ref('fct_action') }}
    where status = 'open'
),

tasks as (
    select * from {{ ref('dim_task') }}
),

no_evidence as (
    select
        status.learner_key,
        status.programme_id,
        'no_evidence' as rule_id,
        status.competency_id as subject,
        status.competency_id,
        cast(null as varchar) as task_id,
        status.sort_order as subject_order,
        case
            when stages.from_on > {{ first_day() }}
                then {{ add_days(
                    'stages.from_on', rule_threshold('signals', 'no_evidence', 'grace_days')
                ) }}
            else {{ as_of() }}
        end as raised_on,
        'There is no data point yet on ' || {{ competency_words('status') }} || '.' as sentence,
        status.evidence_ids
    from status
    inner join stages
        on
            status.learner_key = stages.learner_key
            and status.programme_id = stages.programme_id
            and status.stage_id = stages.stage_id
    where
        status.is_required
        and status.n_data_points = 0
        and {{ days_between('stages.from_on', as_of()) }}
        >= {{ rule_threshold('signals', 'no_evidence', 'grace_days') }}
),

stale_evidence as (
    select
        learner_key,
        programme_id,
        'stale_evidence' as rule_id,
        competency_id as subject,
        competency_id,
        cast(null as varchar) as task_id,
        sort_order as subject_order,
        {{ add_days(
            'latest_on', rule_threshold('signals', 'stale_evidence', 'stale_after_days')
        ) }} as raised_on,
        'The newest data point on ' || {{ competency_words('status') }} || ' is of '
        || cast(latest_on as varchar) || '.' as sentence,
        evidence_ids
    from status
    where
        is_required
        and n_data_points > 0
        and {{ days_between('latest_on', as_of()) }}
        > {{ rule_threshold('signals', 'stale_evidence', 'stale_after_days') }}
),

one_assessor_only as (
    select
        learner_key,
        programme_id,
        'one_assessor_only' as rule_id,
        competency_id as subject,
        competency_id,
        cast(null as varchar) as task_id,
        sort_order as subject_order,
        latest_on as raised_on,
        'All ' || cast(n_assessed as varchar) || ' data points on '
        || {{ competency_words('status') }} || ' that an assessor gave come from one person.'
            as sentence,
        evidence_ids
    from status
    where
        is_required
        and n_assessors = 1
        and n_assessed
        >= {{ rule_threshold('signals', 'one_assessor_only', 'data_points_min') }}
),

conflicting as (
    select
        learner_key,
        programme_id,
        conflict_kind as rule_id,
        conflict_id as subject,
        competency_id,
        cast(null as varchar) as task_id,
        cast(0 as bigint) as subject_order,
        latest_on as raised_on,
        coalesce({{ competency_words('conflicts') }} || ': ', '') || sentence as sentence,
        evidence_ids
    from conflicts
    where conflict_kind in ('score_narrative', 'open_secured')
),

declared as (
    select
        declarations.learner_key,
        declarations.programme_id,
        case
            when declarations.reconciliation = 'missing' then 'ai_declaration_missing'
            when declarations.reconciliation = 'differs' then 'ai_use_differs'
        end as rule_id,
        declarations.task_id as subject,
        cast(null as varchar) as competency_id,
        declarations.task_id,
        cast(0 as bigint) as subject_order,
        declarations.declared_on as raised_on,
        coalesce(tasks.title, declarations.task_id) || ': ' || declarations.sentence as sentence,
        {{ evidence_ids_of('declarations.record_key') }} as evidence_ids
    from declarations
    left join tasks on declarations.task_key = tasks.task_key
    where declarations.reconciliation in ('missing', 'differs')
),

private as (
    select
        declarations.learner_key,
        declarations.programme_id,
        'privacy_concern' as rule_id,
        declarations.task_id as subject,
        cast(null as varchar) as competency_id,
        declarations.task_id,
        cast(0 as bigint) as subject_order,
        declarations.declared_on as raised_on,
        coalesce(tasks.title, declarations.task_id)
        || ': the declaration says that patient data were entered into a tool.' as sentence,
        {{ evidence_ids_of('declarations.record_key') }} as evidence_ids
    from declarations
    left join tasks on declarations.task_key = tasks.task_key
    where declarations.has_patient_data
),

overdue as (
    select
        learner_key,
        programme_id,
        'action_overdue' as rule_id,
        record_key as subject,
        competency_id,
        cast(null as varchar) as task_id,
        cast(0 as bigint) as subject_order,
        {{ add_days('due_on', 1) }} as raised_on,
        'An agreed action was due on ' || cast(due_on as varchar) || ' and is open: ' || description
            as sentence,
        {{ empty_list() }} as evidence_ids
    from actions
    where
        {{ days_between('due_on', as_of()) }}
        > {{ rule_threshold('signals', 'action_overdue', 'overdue_days') }}
),

unioned as (
    select * from no_evidence
    union all
    select * from stale_evidence
    union all
    select * from one_assessor_only
    union all
    select * from conflicting
    union all
    select * from declared
    union all
    select * from private
    union all
    select * from overdue
),

-- Windows of the rules that look back only so far.
windows as (
    select
        rule_id,
        max(case when threshold_name = 'window_days' then threshold_value end) as window_days,
        max(case when threshold_name = 'due_days' then threshold_value end) as due_days,
        max(case when threshold_name = 'max_per_learner' then threshold_value end)
            as max_per_learner
    from {{ ref('int_rules__chosen') }}
    where rule_set_id = 'signals' and stage_id is null
    group by rule_id
),

raised as (
    select
        ---------- ids
        unioned.learner_key,
        unioned.programme_id,
        unioned.rule_id,
        unioned.subject,
        unioned.competency_id,
        unioned.task_id,
        ---------- text
        unioned.sentence,
        ---------- numbers
        unioned.subject_order,
        windows.max_per_learner,
        ---------- lists
        unioned.evidence_ids,
        ---------- days
        unioned.raised_on,
        {{ add_days('unioned.raised_on', 'windows.due_days') }} as due_on
    from unioned
    inner join windows on unioned.rule_id = windows.rule_id
    where
        windows.window_days is null
        or {{ days_between('unioned.raised_on', as_of()) }} <= windows.window_days
)

select * from raised
