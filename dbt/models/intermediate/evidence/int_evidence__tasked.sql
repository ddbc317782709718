-- Grain: one row per row of int_evidence__unioned, with what its task says on its day and the cut-score
-- of its sitting. All that evidence takes from tasks and cut-scores of whole exams is taken here, so
-- that a fingerprint over these rows has it too.
with

evidence as (
    select * from {{ ref('int_evidence__unioned') }}
),

tasks as (
    select * from {{ ref('int_tasks__dated') }}
),

cut_scores as (
    select * from {{ ref('int_cut_scores__chosen') }}
    where station_id is null
),

tasked as (
    select
        evidence.*,
        ---------- what the task says
        tasks.task_key,
        tasks.module_id,
        tasks.instrument_id as task_instrument_id,
        tasks.assurance_level as task_assurance_level,
        tasks.max_score as task_max_score,
        tasks.competency_ids as task_competency_ids,
        tasks.due_on,
        ---------- what the sitting was judged by, or else the task
        coalesce(cut_scores.method, tasks.cut_score_method) as exam_cut_score_method,
        coalesce(cut_scores.cut_score, tasks.cut_score) as exam_cut_score,
        coalesce(cut_scores.max_score, tasks.max_score) as exam_max_score
    from evidence
    left join tasks
        on {{ names_task('tasks', 'evidence') }}
    left join cut_scores
        on
            evidence.programme_id = cut_scores.programme_id
            and evidence.task_id = cut_scores.task_id
            and evidence.sitting_id = cut_scores.sitting_id
)

select * from tasked
