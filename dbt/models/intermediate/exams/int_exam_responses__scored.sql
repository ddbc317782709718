-- Grain: one row per accepted response to an item or station, with the points that the task's own
-- rule gives it. The item's rule, key and points count before those of the exam it belongs to.
with

responses as (
    select * from {{ ref('stg_exam_response') }}
),

tasks as (
    select * from {{ ref('int_tasks__dated') }}
),

ruled as (
    select
        responses.*,
        exams.task_key,
        items.task_key as item_task_key,
        items.answer_key,
        items.competency_ids as item_competency_ids,
        exams.competency_ids as exam_competency_ids,
        coalesce(responses.max_score, items.max_score) as item_max_score,
        coalesce(items.scoring_rule, exams.scoring_rule, 'as_scored') as scoring_rule,
        coalesce(items.points_right, exams.points_right) as points_right,
        coalesce(items.points_wrong, exams.points_wrong) as points_wrong,
        coalesce(items.points_dont_know, exams.points_dont_know) as points_dont_know,
        coalesce(items.n_options, exams.n_options) as n_options,
        {{ answer_set('responses.response') }} as answer_set,
        {{ answer_set('items.answer_key') }} as key_set
    from responses
    left join tasks as exams
        on {{ names_task('exams', 'responses') }}
    left join tasks as items
        on
            {{ names_task('items', 'responses', task_id='item_id') }}
            and coalesce(items.parent_task_id, responses.task_id) = responses.task_id
),

-- An omitted item and one answered with "don't know" give the empty answer; one that was not
-- presented gives none. Where the rule is the key, it judges answers that the source scored, too.
compared as (
    select
        *,
        case
            when answer_key is null then null
            when response_status in ('answered', 'omitted', 'dont_know') or response is not null
                then {{ measure_exact_score('answer_set', 'key_set') }}
        end as exact_score,
        case
            when answer_key is null then null
            when response_status in ('answered', 'omitted', 'dont_know') or response is not null
                then {{ measure_graded_score('answer_set', 'key_set', 'n_options') }}
        end as graded_score,
        response_status = 'answered'
        or (
            response_status = 'scored'
            and response is not null
            and scoring_rule in ('exact_set', 'symmetric_difference')
        ) as is_judged_by_key
    from ruled
),

judged as (
    select
        *,
        case
            when not is_judged_by_key then response_status
            when exact_score = 1 then 'right'
            when exact_score = 0 then 'wrong'
            else response_status
        end as item_outcome
    from compared
),

-- Whoever omitted an item whose answers cannot be scored is no worse off than who answered it.
weighed as (
    select
        *,
        count(case when item_outcome = 'answered' then 1 end) over of_item > 0
        and count(case when item_outcome in ('right', 'wrong', 'partial', 'scored') then 1 end)
            over of_item
        = 0 as is_unscorable
    from judged
    window of_item as (partition by programme_id, task_id, sitting_id, station_id, item_id)
),

scored as (
    select
        *,
        case
            when item_outcome = 'not_presented' or is_unscorable then null
            when scoring_rule = 'symmetric_difference'
                then
                    coalesce(
                        graded_score,
                        case
                            when answer_key is not null
                                then cast(
                                    score * n_options / nullif(item_max_score, 0) as decimal(18, 6)
                                )
                        end
                    )
            when scoring_rule = 'exact_set'
                then
                    coalesce(
                        cast(
                            exact_score * coalesce(points_right, item_max_score, 1)
                            as decimal(18, 6)
                        ),
                        {{ measure_formula_points(
                            'item_outcome', 'coalesce(points_right, item_max_score)', '0', '0'
                        ) }},
                        case when answer_key is not null then score end
                    )
            when scoring_rule = 'formula'
                then
                    coalesce(
                        {{ measure_formula_points(
                            'item_outcome', 'coalesce(points_right, item_max_score)', 'points_wrong',
                            'points_dont_know'
                        ) }},
                        score
                    )
            else
                coalesce(
                    score,
                    {{ measure_formula_points('item_outcome', 'item_max_score', '0', '0') }}
                )
        end as points,
        case
            when item_outcome = 'not_presented' then null
            when scoring_rule = 'symmetric_difference' then cast(n_options as decimal(18, 6))
            when scoring_rule in ('exact_set', 'formula')
                then cast(coalesce(points_right, item_max_score, 1) as decimal(18, 6))
            when item_outcome in ('scored', 'partial') then item_max_score
            else cast(coalesce(item_max_score, 1) as decimal(18, 6))
        end as max_points
    from weighed
)

select
    ---------- ids
    record_key,
    event_id,
    record_id,
    learner_key,
    programme_id,
    site_id,
    task_id,
    task_key,
    item_task_key,
    sitting_id,
    item_id,
    station_id,
    competency_id,
    examiner_key,
    ---------- text
    response,
    response_status,
    item_outcome,
    scoring_rule,
    answer_key,
    global_rating,
    ---------- numbers
    attempt,
    score,
    max_score,
    points,
    max_points,
    case when scoring_rule = 'formula' then coalesce(points_wrong, 0) end as points_wrong,
    exact_score,
    graded_score,
    ---------- yes or no
    response_status = 'omitted' as is_blank,
    is_banked,
    ---------- lists
    item_competency_ids,
    exam_competency_ids,
    ---------- days and instants
    occurred_at,
    occurred_on,
    ---------- lineage
    source_id,
    delivery_id,
    source_row,
    source_cell,
    known_at
from scored
