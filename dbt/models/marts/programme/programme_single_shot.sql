-- Grain: one row per programme, stage and competency with evidence: for how many learners it hangs on
-- one data point, one assessor, one method, one day or one task.
with

cells as (
    select * from {{ ref('int_single_shots__counted') }}
),

counted as (
    select
        programme_id,
        stage_id,
        competency_id,
        count(*) as n_learners,
        count(case when has_one_data_point then 1 end) as n_one_data_point,
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
