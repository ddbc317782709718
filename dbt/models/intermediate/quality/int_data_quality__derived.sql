-- Grain: one row per oddity that shows only when records are seen together, those of single data points
-- left out: they are counted by learner.
with

evidence as (
    select * from {{ ref('fct_evidence') }}
),

results as (
    select * from {{ ref('int_exam_results__dated') }}
),

sittings as (
    select * from {{ ref('fct_exam_sitting') }}
),

competencies as (
    select distinct
        programme_id,
        competency_id
    from {{ ref('int_competencies__dated') }}
),

tasks as (
    select * from {{ ref('int_tasks__current') }}
),

enrolments as (
    select * from {{ ref('int_enrolments__merged') }}
),

task_parents as (
    select * from {{ ref('stg_task') }}
),

blocks as (
    select * from {{ ref('int_rating_blocks__counted') }}
),

learners as (
    select * from {{ ref('int_learners__unioned') }}
),

records as (
    select * from {{ ref('int_records__accepted') }}
),

plans as (
    select * from {{ ref('stg_assessment_plan') }}
),

links as (
    select * from {{ ref('int_framework_links__placed') }}
),

policies as (
    select
        *,
        coalesce(policy_from, {{ first_day() }}) as from_on,
        coalesce(policy_to, {{ last_day() }}) as to_on,
        coalesce(ai_policy_scale, 'no scale')
        || coalesce(' ' || ai_policy_scale_version, '')
        || ', level '
        || cast(ai_policy_level as string) as policy
    from {{ ref('stg_task') }}
    where ai_policy_level is not null
),

policy_levels as (
    select * from {{ ref('stg_ai_policy_level') }}
),

responses as (
    select distinct
        programme_id,
        task_id
    from {{ ref('stg_exam_response') }}
),

days_unknown as (
    select
        'day_unknown' as code,
        'exam_result' as kind,
        record_key,
        source_id,
        delivery_id,
        learner_key,
        'the day counts from a module start that is not known' as detail
    from results
    where is_day_unknown
),

-- Points that the exam's page adds up from items, and a mark that the source reports out of as many.
results_beside_items as (
    select
        'result_differs_from_items' as code,
        'exam_result' as kind,
        results.record_key,
        results.source_id,
        results.delivery_id,
        results.learner_key,
        'the source reports another mark than its items add up to; pages of exams show the items, and the '
        || 'data point the result' as detail
    from sittings
    inner join results on sittings.result_record_key = results.record_key
    where
        results.competency_id is null
        and sittings.n_items is not null
        and sittings.reported_max_score = sittings.max_points
        and round(abs(sittings.reported_score - sittings.points), 2) > 0
),

-- Items of an exam have no due day of their own, and nobody hands them in.
whole_tasks as (
    select * from tasks
    where parent_task_id is null
),

tasks_without_due_date as (
    select
        'task_without_due_date' as code,
        'task' as kind,
        record_key,
        source_id,
        delivery_id,
        cast(null as string) as learner_key,
        'nothing can be late for it' as detail
    from whole_tasks
    where due_on is null
),

tasks_in_use as (
    select
        programme_id,
        task_id
    from evidence
    where task_id is not null
    union distinct
    select
        programme_id,
        task_id
    from responses
),

tasks_never_submitted as (
    select
        'task_never_submitted' as code,
        'task' as kind,
        whole_tasks.record_key,
        whole_tasks.source_id,
        whole_tasks.delivery_id,
        cast(null as string) as learner_key,
        'no learner has a record for it' as detail
    from whole_tasks
    left join tasks_in_use
        on
            whole_tasks.programme_id = tasks_in_use.programme_id
            and whole_tasks.task_id = tasks_in_use.task_id
    where
        tasks_in_use.task_id is null
        and coalesce(whole_tasks.due_on, {{ first_day() }}) < {{ as_of() }}
),

tasks_reused as (
    select
        'task_id_reused' as code,
        'task' as kind,
        min(record_key) as record_key,
        min(source_id) as source_id,
        min(delivery_id) as delivery_id,
        cast(null as string) as learner_key,
        'one id stands for items of several exams' as detail
    from task_parents
    group by programme_id, task_id
    having count(distinct parent_task_id) > 1
),

withdrawn_without_date as (
    select
        'withdrawn_without_date' as code,
        'learner_stage' as kind,
        record_key,
        source_id,
        delivery_id,
        learner_key,
        'withdrawn, but the last day is not given' as detail
    from enrolments
    where status = 'withdrawn' and ends_on is null
),

-- A last day is odd on an enrolment that was not withdrawn only where the programme gives one to
-- withdrawals and mostly leaves it out elsewhere.
habits as (
    select
        programme_id,
        sum(case when ends_on is not null then 1 else 0 end) * 2 < count(*) as leaves_end_out
    from enrolments
    where status is null or status <> 'withdrawn'
    group by programme_id
),

ended_not_withdrawn as (
    select
        'ended_not_withdrawn' as code,
        'learner_stage' as kind,
        enrolments.record_key,
        enrolments.source_id,
        enrolments.delivery_id,
        enrolments.learner_key,
        'a last day is given, but not a withdrawal' as detail
    from enrolments
    inner join habits on enrolments.programme_id = habits.programme_id
    where
        (enrolments.status is null or enrolments.status <> 'withdrawn')
        and enrolments.ends_on is not null
        and habits.leaves_end_out
),

rating_blocks_incomplete as (
    select
        'rating_block_incomplete' as code,
        'exam_response' as kind,
        record_key,
        source_id,
        delivery_id,
        learner_key,
        cast(n_scored as string) || ' of ' || cast(n_items as string)
        || ' items were scored by one examiner in sitting ' || sitting_id as detail
    from blocks
    where n_scored < n_items
),

unknown_learners as (
    select
        'unknown_learner' as code,
        min(records.kind) as kind,
        min(records.record_key) as record_key,
        min(records.source_id) as source_id,
        min(records.delivery_id) as delivery_id,
        records.learner_key,
        'no roster names this learner' as detail
    from records
    inner join learners on records.learner_key = learners.learner_key
    where not learners.is_on_roster
    group by records.learner_key
),

-- A programme without a framework in the log can name what it likes.
with_frameworks as (
    select distinct programme_id
    from competencies
),

plans_beside_frameworks as (
    select
        'plan_unknown_competency' as code,
        'assessment_plan' as kind,
        plans.record_key,
        plans.source_id,
        plans.delivery_id,
        cast(null as string) as learner_key,
        'plan ' || plans.plan_id || ' requires ' || plans.competency_id
        || ', which no framework of the programme has, ' || {{ place_of('plans') }} as detail,
        'Mend the competency''s id in the plan, or send the framework that has it. Until then it is '
        || 'required of nobody.' as suggestion
    from plans
    inner join with_frameworks on plans.programme_id = with_frameworks.programme_id
    left join competencies
        on
            plans.programme_id = competencies.programme_id
            and plans.competency_id = competencies.competency_id
    where competencies.competency_id is null
),

circular_links as (
    select
        'framework_circle' as code,
        'framework' as kind,
        record_key,
        source_id,
        delivery_id,
        cast(null as string) as learner_key,
        competency_id || ' under ' || target_competency_id || ' in framework ' || framework_id
        || ' version ' || framework_version || ', ' || {{ place_of('links') }} as detail,
        'These links lead in a circle, so that a competency lies under itself. Take out the one that goes '
        || 'from a parent to what lies below it. Until then none of them places anything.' as suggestion
    from links
    where is_circular
),

-- A policy without a last day ends where the next one begins, and what was said again is said once.
policies_overlapping as (
    select
        'ai_policies_overlap' as code,
        'task' as kind,
        later.record_key,
        later.source_id,
        later.delivery_id,
        cast(null as string) as learner_key,
        'task ' || later.task_id || ' has ' || earlier.policy || ', ' || {{ place_of('earlier') }}
        || ', and ' || later.policy || ', ' || {{ place_of('later') }} || ', both '
        || case
            when later.from_on = {{ first_day() }} then 'from the beginning'
            else 'on ' || cast(later.from_on as string)
        end as detail,
        'Give each AI policy of the task days of its own, and send the task again. Until then the one '
        || 'holds that begins later or, on one day, came later.' as suggestion
    from policies as later
    inner join policies as earlier
        on
            later.programme_id = earlier.programme_id
            and later.task_id = earlier.task_id
    where
        later.policy <> earlier.policy
        and later.from_on <= earlier.to_on
        and (
            (earlier.from_on < later.from_on and earlier.policy_to is not null)
            or (earlier.from_on = later.from_on and earlier.record_key < later.record_key)
        )
),

policies_unknown as (
    select
        'ai_policy_unknown' as code,
        'task' as kind,
        policies.record_key,
        policies.source_id,
        policies.delivery_id,
        cast(null as string) as learner_key,
        'task ' || policies.task_id || ' names level ' || cast(policies.ai_policy_level as string)
        || ' of the AI policy scale ' || policies.ai_policy_scale || ', which no rule file has, '
        || {{ place_of('policies') }} as detail,
        'Correct the scale and the level of the task, or add them to the rules of the site. Until then '
        || 'nothing is known to be allowed.' as suggestion
    from policies
    left join policy_levels
        on
            policies.ai_policy_scale = policy_levels.ai_policy_scale
            and policies.ai_policy_level = policy_levels.level
            and coalesce(policies.ai_policy_scale_version, policy_levels.ai_policy_scale_version)
            = policy_levels.ai_policy_scale_version
    where policies.ai_policy_scale is not null and policy_levels.level is null
),

for_a_person as (
    select * from plans_beside_frameworks
    union all
    select * from circular_links
    union all
    select * from policies_overlapping
    union all
    select * from policies_unknown
),

only_told as (
    select * from days_unknown
    union all
    select * from results_beside_items
    union all
    select * from tasks_without_due_date
    union all
    select * from tasks_never_submitted
    union all
    select * from tasks_reused
    union all
    select * from withdrawn_without_date
    union all
    select * from ended_not_withdrawn
    union all
    select * from rating_blocks_incomplete
    union all
    select * from unknown_learners
),

unioned as (
    select * from for_a_person
    union all
    select
        *,
        cast(null as string) as suggestion
    from only_told
)

select * from unioned
