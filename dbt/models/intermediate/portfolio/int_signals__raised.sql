-- Grain: one row per learner, signal rule and subject (a competency, declaration, action or conflict) that
-- the rule names, before few are chosen. The day it was raised follows from the records alone.
{{ config(materialized='table') }}

with

judged as (
    select * from {{ ref('int_cells__judged') }}
    where is_default and is_current_stage
),

cells as (
    select * from {{ ref('int_cells__counted') }}
),

status as (
    select
        judged.*,
        coalesce(cells.evidence_ids, {{ empty_list() }}) as evidence_ids
    from judged
    left join cells
        on {{ same('judged', 'cells', ['learner_key', 'programme_id', 'stage_id', 'competency_id']) }}
),

stages as (
    select * from {{ ref('int_learner_stages__spanned') }}
    where is_current
),

recorded_stages as (
    select
        learner_key,
        programme_id,
        period_id as stage_id,
        min({{ programme_day('known_at') }}) as recorded_on
    from {{ ref('stg_learner_stage') }}
    where period_type = 'stage'
    group by learner_key, programme_id, period_id
),

recorded_plans as (
    select
        programme_id,
        stage_id,
        competency_id,
        min(greatest(
            coalesce(valid_from, {{ first_day() }}), {{ programme_day('known_at') }}
        )) as recorded_on
    from {{ ref('stg_assessment_plan') }}
    group by programme_id, stage_id, competency_id
),

conflicts as (
    select * from {{ ref('int_conflicts__listed') }}
    where is_current_stage
),

declarations as (
    select * from {{ ref('fct_ai_declaration') }}
    where not is_amended and declared_on <= {{ as_of() }}
),

-- Where nobody declared, the work that was handed in is what the signal rests on.
handed_in as (
    select * from {{ ref('int_ai_declarations__expected') }}
),

actions as (
    select * from {{ ref('fct_action') }}
    where status = 'open'
),

tasks as (
    select * from {{ ref('dim_task') }}
),

assessor_shares as (
    select * from {{ ref('int_assessor_shares__counted') }}
),

performance as (
    select * from {{ ref('int_performance__compared') }}
),

open_beside_secured as (
    select * from {{ ref('int_open_secured__compared') }}
),

gaps as (
    select * from {{ ref('int_practice_gaps__compared') }}
),

expected as (
    select * from {{ ref('int_evidence__expected') }}
    where next_on is null
),

competencies as (
    select
        programme_id,
        competency_id,
        title as competency_title,
        sort_order
    from {{ ref('int_competencies__named') }}
),

-- Nothing for so long is a signal where chance hardly leaves such a gap, by what peers get in the same
-- rotations; after a year, whatever was to be expected.
no_evidence as (
    select
        status.learner_key,
        status.programme_id,
        'no_evidence' as rule_id,
        status.competency_id as subject,
        status.competency_id,
        cast(null as string) as task_id,
        status.sort_order as subject_order,
        case
            when stages.from_on <= {{ first_day() }} then {{ as_of() }}
            else greatest(
                {{ lasted_from(
                    'stages.from_on', 'expected.grace_over_on',
                    rule_threshold('signals', 'no_evidence', 'grace_days') ~ ' - 1'
                ) }},
                {{ missed_from('stages.from_on', 'expected') }}
            )
        end as raised_on,
        'There is no data point yet on ' || {{ competency_words('status') }} || '.'
        || {{ expected_words('expected') }} as sentence,
        {{ list_union(
            'status.evidence_ids', "coalesce(expected.evidence_ids, " ~ empty_list() ~ ")"
        ) }} as evidence_ids,
        greatest(recorded_stages.recorded_on, recorded_plans.recorded_on) as recorded_on
    from status
    inner join stages
        on
            status.learner_key = stages.learner_key
            and status.programme_id = stages.programme_id
            and status.stage_id = stages.stage_id
    left join recorded_stages
        on {{ same('status', 'recorded_stages', ['learner_key', 'programme_id', 'stage_id']) }}
    left join recorded_plans
        on {{ same('status', 'recorded_plans', ['programme_id', 'stage_id', 'competency_id']) }}
    left join expected
        on
            status.learner_key = expected.learner_key
            and status.programme_id = expected.programme_id
            and status.competency_id = expected.competency_id
            and not expected.is_whole
    where
        status.is_required
        and status.n_data_points = 0
        and {{ lasted_from(
            'stages.from_on', 'expected.grace_over_on',
            rule_threshold('signals', 'no_evidence', 'grace_days') ~ ' - 1'
        ) }} <= {{ as_of() }}
        and {{ is_missed('stages.from_on', as_of(), 'expected') }}
),

stale_evidence as (
    select
        status.learner_key,
        status.programme_id,
        'stale_evidence' as rule_id,
        status.competency_id as subject,
        status.competency_id,
        cast(null as string) as task_id,
        status.sort_order as subject_order,
        greatest(
            {{ lasted_from(
                'status.latest_on', 'expected.stale_on',
                rule_threshold('signals', 'stale_evidence', 'stale_after_days')
            ) }},
            {{ missed_from('status.latest_on', 'expected') }}
        ) as raised_on,
        'The newest data point on ' || {{ competency_words('status') }} || ' is of '
        || cast(status.latest_on as string) || '.' || {{ expected_words('expected') }}
            as sentence,
        {{ list_union(
            'status.evidence_ids', "coalesce(expected.evidence_ids, " ~ empty_list() ~ ")"
        ) }} as evidence_ids
    from status
    left join expected
        on
            status.learner_key = expected.learner_key
            and status.programme_id = expected.programme_id
            and status.competency_id = expected.competency_id
            and not expected.is_whole
    where
        status.is_required
        and status.n_data_points > 0
        and {{ lasted_from(
            'status.latest_on', 'expected.stale_on',
            rule_threshold('signals', 'stale_evidence', 'stale_after_days')
        ) }} <= {{ as_of() }}
        and {{ is_missed('status.latest_on', as_of(), 'expected') }}
),

one_assessor_only as (
    select
        status.learner_key,
        status.programme_id,
        'one_assessor_only' as rule_id,
        status.competency_id as subject,
        status.competency_id,
        cast(null as string) as task_id,
        status.sort_order as subject_order,
        assessor_shares.latest_on as raised_on,
        cast(assessor_shares.n_by_one as string) || ' of '
        || cast(assessor_shares.n_assessed as string) || ' data points on '
        || {{ competency_words('status') }} || ' that an assessor gave'
        || coalesce(
            ' in the last ' || cast(cast({{ rule_threshold(
                'signals', 'one_assessor_only', 'window_days'
            ) }} as integer) as string) || ' days',
            ''
        )
        || ' come from one person, over '
        || cast(assessor_shares.spread_days as string) || ' days.' as sentence,
        assessor_shares.evidence_ids
    from status
    inner join assessor_shares
        on
            status.learner_key = assessor_shares.learner_key
            and status.programme_id = assessor_shares.programme_id
            and status.competency_id = assessor_shares.competency_id
    where status.is_required
),

open_evidence_only as (
    select
        status.learner_key,
        status.programme_id,
        'open_evidence_only' as rule_id,
        status.competency_id as subject,
        status.competency_id,
        cast(null as string) as task_id,
        status.sort_order as subject_order,
        status.latest_on as raised_on,
        cast(status.n_open as string) || ' of ' || cast(status.n_data_points as string)
        || ' data points on ' || {{ competency_words('status') }} || ' come from open tasks.'
        || {{ expected_words('expected') }} as sentence,
        {{ list_union(
            'status.evidence_ids', "coalesce(expected.evidence_ids, " ~ empty_list() ~ ")"
        ) }} as evidence_ids
    from status
    left join expected
        on
            status.learner_key = expected.learner_key
            and status.programme_id = expected.programme_id
            and status.competency_id = expected.competency_id
            and expected.is_whole
    where
        status.is_required
        and status.n_open
        >= {{ rule_threshold('signals', 'open_evidence_only', 'data_points_min') }}
        and status.n_open
        >= status.n_data_points
        * {{ rule_threshold('signals', 'open_evidence_only', 'share_min') }}
        -- That nothing else is there at all is told whatever was to be expected.
        and (
            status.n_open = status.n_data_points
            or expected.n_expected is null
            or {{ rule_threshold('signals', 'open_evidence_only', 'chance_max') }} is null
            or {{ measure_poisson_chance(
                'status.n_data_points - status.n_open', 'expected.n_expected'
            ) }} <= {{ rule_threshold('signals', 'open_evidence_only', 'chance_max') }}
        )
),

-- Where open work clearly did not follow a fall, that alone is told; where it may have, both are.
parted as (
    select distinct
        conflicts.learner_key,
        conflicts.programme_id
    from conflicts
    inner join open_beside_secured
        on
            conflicts.learner_key = open_beside_secured.learner_key
            and conflicts.programme_id = open_beside_secured.programme_id
    where
        conflicts.conflict_kind = 'open_secured'
        and open_beside_secured.difference_in_errors
        >= coalesce({{ rule_threshold('signals', 'performance_fell', 'apart_errors_min') }}, 0)
),

performance_fell as (
    select
        performance.learner_key,
        performance.programme_id,
        'performance_fell' as rule_id,
        'performance' as subject,
        performance.lowest_competency_id as competency_id,
        cast(null as string) as task_id,
        cast(0 as bigint) as subject_order,
        performance.latest_on as raised_on,
        'In the last ' || cast(performance.window_days as string) || ' days '
        || cast(performance.n_recent as string) || ' observed and secured ratings stand above '
        || {{ percent('performance.recent_standing') }}
        || ' of those of peers; the record of more than '
        || cast(performance.earlier_days as string) || ' days ago makes one expect '
        || {{ percent('performance.expected_standing') }} || ' (change '
        || {{ percent('performance.change') }} || ', interval '
        || {{ percent('performance.change_low') }} || ' to '
        || {{ percent('performance.change_high') }} || ').' as sentence,
        performance.evidence_ids
    from performance
    left join parted
        on
            performance.learner_key = parted.learner_key
            and performance.programme_id = parted.programme_id
    where
        parted.learner_key is null
        and performance.change_in_errors
        <= -{{ rule_threshold('signals', 'performance_fell', 'errors_min') }}
        and performance.change
        <= -{{ rule_threshold('signals', 'performance_fell', 'change_min') }}
),

performance_after_gap as (
    select
        gaps.learner_key,
        gaps.programme_id,
        'performance_after_gap' as rule_id,
        gaps.competency_id as subject,
        gaps.competency_id,
        cast(null as string) as task_id,
        coalesce(competencies.sort_order, 0) as subject_order,
        gaps.latest_on as raised_on,
        'After ' || cast({{ days_between('gaps.paused_on', 'gaps.resumed_on') }} as string)
        || ' days without it, ' || cast(gaps.n_since as string) || ' ratings on '
        || {{ competency_words('competencies') }} || ' stand above '
        || {{ percent('gaps.standing_since') }}
        || ' of those of peers; the other ratings make one expect '
        || {{ percent('gaps.expected_standing') }} || ' (change ' || {{ percent('gaps.change') }}
        || ', interval ' || {{ percent('gaps.change_low') }} || ' to '
        || {{ percent('gaps.change_high') }} || ').' as sentence,
        gaps.evidence_ids
    from gaps
    inner join competencies
        on
            gaps.programme_id = competencies.programme_id
            and gaps.competency_id = competencies.competency_id
    where
        gaps.change_in_errors
        <= -{{ rule_threshold('signals', 'performance_after_gap', 'errors_min') }}
),

conflicting as (
    select
        learner_key,
        programme_id,
        conflict_kind as rule_id,
        conflict_id as subject,
        competency_id,
        cast(null as string) as task_id,
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
        declarations.declaration_key as subject,
        cast(null as string) as competency_id,
        declarations.task_id,
        cast(0 as bigint) as subject_order,
        declarations.declared_on as raised_on,
        coalesce(tasks.title, declarations.task_id) || ': ' || declarations.sentence as sentence,
        {{ evidence_ids_of(
            'coalesce(declarations.record_key, handed_in.handed_in_record_key)'
        ) }} as evidence_ids
    from declarations
    left join tasks on declarations.task_key = tasks.task_key
    left join handed_in
        on
            declarations.learner_key = handed_in.learner_key
            and declarations.programme_id = handed_in.programme_id
            and declarations.task_id = handed_in.task_id
            and declarations.attempt = handed_in.attempt
    where declarations.reconciliation in ('missing', 'differs')
),

private as (
    select
        declarations.learner_key,
        declarations.programme_id,
        'privacy_concern' as rule_id,
        declarations.declaration_key as subject,
        cast(null as string) as competency_id,
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

unverified as (
    select
        learner_key,
        programme_id,
        'ai_output_unverified' as rule_id,
        'unverified' as subject,
        cast(null as string) as competency_id,
        cast(null as string) as task_id,
        cast(0 as bigint) as subject_order,
        max(declared_on) as raised_on,
        cast(count(*) as string)
        || ' declarations of use do not say that the output was checked.' as sentence,
        {{ list_merge(evidence_ids_of('record_key')) }} as evidence_ids
    from declarations
    where
        status = 'used'
        and not coalesce(is_verified, false)
        and {{ days_between('declared_on', as_of()) }}
        <= {{ rule_threshold('signals', 'ai_output_unverified', 'window_days') }}
    group by learner_key, programme_id
    having
        count(*) >= {{ rule_threshold('signals', 'ai_output_unverified', 'declarations_min') }}
),

overdue as (
    select
        learner_key,
        programme_id,
        'action_overdue' as rule_id,
        record_key as subject,
        competency_id,
        cast(null as string) as task_id,
        cast(0 as bigint) as subject_order,
        {{ add_days(
            'due_on', rule_threshold('signals', 'action_overdue', 'overdue_days') ~ ' + 1'
        ) }} as raised_on,
        'An agreed action was due on ' || cast(due_on as string) || ' and is open: “' || description
        || '”.' as sentence,
        {{ empty_list() }} as evidence_ids,
        {{ programme_day('known_at') }} as recorded_on
    from actions
    where
        {{ days_between('due_on', as_of()) }}
        > {{ rule_threshold('signals', 'action_overdue', 'overdue_days') }}
),

unioned as (
    select * from no_evidence
    union all
    select
        *,
        cast(null as date) as recorded_on
    from stale_evidence
    union all
    select
        *,
        cast(null as date) as recorded_on
    from one_assessor_only
    union all
    select
        *,
        cast(null as date) as recorded_on
    from open_evidence_only
    union all
    select
        *,
        cast(null as date) as recorded_on
    from performance_fell
    union all
    select
        *,
        cast(null as date) as recorded_on
    from performance_after_gap
    union all
    select
        *,
        cast(null as date) as recorded_on
    from conflicting
    union all
    select
        *,
        cast(null as date) as recorded_on
    from declared
    union all
    select
        *,
        cast(null as date) as recorded_on
    from private
    union all
    select
        *,
        cast(null as date) as recorded_on
    from unverified
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
        windows.due_days,
        ---------- lists
        unioned.evidence_ids,
        ---------- days
        unioned.raised_on,
        unioned.recorded_on
    from unioned
    inner join windows on unioned.rule_id = windows.rule_id
    where
        windows.window_days is null
        or {{ days_between('unioned.raised_on', as_of()) }} <= windows.window_days
)

select * from raised
