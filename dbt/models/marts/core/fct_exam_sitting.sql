-- Grain: one row per learner, exam, sitting and attempt; from item responses where they are
-- there, from the source's own result where they are not.
with

responses as (
    select * from {{ ref('fct_exam_response') }}
),

results as (
    select
        *,
        {{ key('sitting_key') }} as sitting_key
    from {{ ref('int_exam_results__dated') }}
),

tasks as (
    select * from {{ ref('int_tasks__dated') }}
),

-- A cut-score that was set for the sitting itself comes before the one that the task names.
cut_scores as (
    select * from {{ ref('int_cut_scores__chosen') }}
    where station_id is null
),

-- An item that several examiners scored counts once, with the mean of what they gave.
items as (
    select
        sitting_key,
        item_id,
        station_id,
        min(learner_key) as learner_key,
        min(programme_id) as programme_id,
        min(site_id) as site_id,
        min(task_id) as task_id,
        min(sitting_id) as sitting_id,
        min(attempt) as attempt,
        min(occurred_on) as occurred_on,
        max(known_at) as known_at,
        max(case when is_banked then 1 else 0 end) as is_banked,
        {{ measure_joint_outcome('item_outcome') }} as item_outcome,
        count(*) as n_responses,
        {{ measure_mean_points('points') }} as points,
        {{ measure_mean_points('case when points is not null then max_points end') }} as max_points
    from responses
    group by sitting_key, item_id, station_id
),

examiners as (
    select
        sitting_key,
        count(distinct examiner_key) as n_examiners
    from responses
    group by sitting_key
),

answered as (
    select
        sitting_key,
        min(learner_key) as learner_key,
        min(programme_id) as programme_id,
        min(site_id) as site_id,
        min(task_id) as task_id,
        min(sitting_id) as sitting_id,
        min(attempt) as attempt,
        min(occurred_on) as occurred_on,
        max(known_at) as known_at,
        min(is_banked) = 1 as is_banked,
        sum(n_responses) as n_responses,
        count(*) as n_items,
        sum(case when item_outcome = 'right' then 1 else 0 end) as n_right,
        sum(case when item_outcome = 'wrong' then 1 else 0 end) as n_wrong,
        count(case when item_outcome = 'omitted' then points end) as n_omitted,
        count(case when item_outcome = 'dont_know' then points end) as n_dont_know,
        sum(case when item_outcome = 'not_presented' then 1 else 0 end) as n_not_presented,
        cast(sum(points) as decimal(18, 6)) as points,
        cast(sum(max_points) as decimal(18, 6)) as max_points,
        {{ hash_text(list_join(list_of_all(
            "case when item_outcome <> 'not_presented' and points is not null "
            ~ "then coalesce(station_id, '') || '/' || item_id end"
        ))) }} as form_key
    from items
    group by sitting_key
),

-- Where every item has a mark and none is right or wrong, nobody counted right answers.
counted as (
    select
        *,
        n_right + n_wrong + n_omitted + n_dont_know > 0 as is_counted
    from answered
),

-- The result as a whole comes before the results for single competencies.
ranked as (
    select
        *,
        row_number() over (
            partition by sitting_key
            order by
                case when competency_id is null then 0 else 1 end asc,
                known_at desc,
                record_key desc
        ) as preference
    from results
),

reported as (
    select * from ranked
    where preference = 1
),

merged as (
    select
        coalesce(counted.sitting_key, reported.sitting_key) as sitting_key,
        coalesce(counted.learner_key, reported.learner_key) as learner_key,
        coalesce(counted.programme_id, reported.programme_id) as programme_id,
        coalesce(counted.site_id, reported.site_id) as site_id,
        coalesce(counted.task_id, reported.task_id) as task_id,
        coalesce(counted.sitting_id, reported.sitting_id) as sitting_id,
        coalesce(counted.attempt, reported.attempt) as attempt,
        coalesce(counted.occurred_on, reported.occurred_on) as occurred_on,
        greatest(counted.known_at, reported.known_at) as known_at,
        coalesce(reported.is_banked, counted.is_banked) as is_banked,
        coalesce(
            counted.form_key, {{ hash_text("coalesce(cast(reported.max_score as string), '')") }}
        ) as form_key,
        reported.record_key as result_record_key,
        reported.result_status,
        reported.grade,
        reported.score as reported_score,
        reported.max_score as reported_max_score,
        coalesce(counted.n_responses, 0) as n_responses,
        counted.n_items,
        coalesce(case when counted.is_counted then counted.n_right end, reported.n_right)
            as n_right,
        coalesce(case when counted.is_counted then counted.n_wrong end, reported.n_wrong)
            as n_wrong,
        coalesce(case when counted.is_counted then counted.n_omitted end, reported.n_omitted)
            as n_omitted,
        coalesce(case when counted.is_counted then counted.n_dont_know end, reported.n_dont_know)
            as n_dont_know,
        counted.n_not_presented,
        coalesce(counted.points, reported.score) as points,
        coalesce(counted.max_points, reported.max_score) as max_points
    from counted
    full outer join reported on counted.sitting_key = reported.sitting_key
),

judged as (
    select
        ---------- ids
        merged.sitting_key,
        merged.learner_key,
        merged.programme_id,
        merged.site_id,
        merged.task_id,
        tasks.task_key,
        merged.sitting_id,
        merged.form_key,
        merged.result_record_key,
        ---------- text
        merged.result_status,
        merged.grade,
        coalesce(cut_scores.method, tasks.cut_score_method) as cut_score_method,
        ---------- numbers
        merged.attempt,
        cast(merged.n_responses as bigint) as n_responses,
        cast(merged.n_items as bigint) as n_items,
        cast(coalesce(examiners.n_examiners, 0) as bigint) as n_examiners,
        cast(merged.n_right as bigint) as n_right,
        cast(merged.n_wrong as bigint) as n_wrong,
        cast(merged.n_omitted as bigint) as n_omitted,
        cast(merged.n_dont_know as bigint) as n_dont_know,
        cast(merged.n_not_presented as bigint) as n_not_presented,
        merged.points,
        merged.max_points,
        merged.reported_score,
        merged.reported_max_score,
        coalesce(cut_scores.cut_score, tasks.cut_score) as cut_score,
        ---------- yes or no
        case
            -- A result out of other points than the cut-score was set for may be of a part of the exam.
            when
                coalesce(cut_scores.method, tasks.cut_score_method, '') <> 'number_right'
                and merged.max_points <> coalesce(cut_scores.max_score, tasks.max_score)
                then null
            when cut_scores.cut_score is not null
                then {{ measure_is_at_target('merged.points', 'cut_scores.cut_score') }}
            when tasks.cut_score_method = 'number_right'
                then {{ measure_is_at_target('merged.n_right', 'tasks.cut_score') }}
            else {{ measure_is_at_target('merged.points', 'tasks.cut_score') }}
        end as is_at_or_above_cut,
        merged.is_banked,
        ---------- days and instants
        merged.occurred_on,
        ---------- lineage
        merged.known_at
    from merged
    left join examiners on merged.sitting_key = examiners.sitting_key
    left join cut_scores
        on
            merged.programme_id = cut_scores.programme_id
            and merged.task_id = cut_scores.task_id
            and merged.sitting_id = cut_scores.sitting_id
    left join tasks
        on {{ names_task('tasks', 'merged') }}
)

select * from judged
