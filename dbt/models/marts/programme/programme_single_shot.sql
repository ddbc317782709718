-- Grain: one row per programme, stage and competency with evidence: for how many learners it hangs on
-- one data point, one assessor, one method, one day or one task.
with

evidence as (
    select * from {{ ref('fct_evidence') }}
    where is_new_evidence and competency_id is not null and occurred_on <= {{ as_of() }}
),

cells as (
    select
        programme_id,
        coalesce(stage_id, 'no_stage') as stage_id,
        competency_id,
        learner_key,
        count(*) as n_data_points,
        {{ is_one("coalesce(assessor_key, record_key)") }}
        and max({{ list_size('examiner_keys') }}) < 2 as has_one_source,
        {{ is_one("coalesce(method_family, 'other')") }} as has_one_method,
        {{ is_one("occurred_on") }} as has_one_day,
        {{ is_one("coalesce(task_id, record_key)") }} as has_one_occasion
    from evidence
    group by programme_id, coalesce(stage_id, 'no_stage'), competency_id, learner_key
),

counted as (
    select
        programme_id,
        stage_id,
        competency_id,
        count(*) as n_learners,
        count(case when n_data_points = 1 then 1 end) as n_one_data_point,
        count(case when has_one_source then 1 end) as n_one_assessor,
        count(case when has_one_method then 1 end) as n_one_method,
        count(case when has_one_day then 1 end) as n_one_day,
        count(case when has_one_occasion then 1 end) as n_one_occasion
    from cells
    group by programme_id, stage_id, competency_id
),

final as (
    select
        ---------- ids
        programme_id,
        stage_id,
        competency_id,
        ---------- numbers
        n_learners,
        n_one_data_point,
        n_one_assessor,
        n_one_method,
        n_one_day,
        n_one_occasion,
        {{ measure_share('n_one_occasion', 'n_learners') }} as single_shot_share
    from counted
)

select * from final
