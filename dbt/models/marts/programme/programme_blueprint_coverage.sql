-- Grain: one row per programme, site, plan, stage, competency and instrument that the assessment plan
-- in force requires something of, and one per stage and competency with evidence that no plan asks
-- for. Counts the learners who are in the stage now; what they should have by now grows with the
-- days of the stage, and days of leave do not count.
with

plans as (
    select * from {{ ref('int_plan_targets__dated') }}
    where {{ as_of() }} between from_on and to_on
),

stages as (
    select * from {{ ref('int_learner_stages__spanned') }}
    where is_current
),

learners as (
    select * from {{ ref('dim_learner') }}
),

leave as (
    select * from {{ ref('int_learner_leave__merged') }}
),

evidence as (
    select * from {{ ref('int_cell_evidence__assigned') }}
),

cells as (
    select * from {{ ref('int_cells__counted') }}
),

days_of_leave as (
    select
        stages.learner_key,
        stages.programme_id,
        stages.stage_id,
        sum(
            {{ days_between(
                'greatest(leave.from_on, stages.from_on)', 'least(leave.to_on, stages.judged_on)'
            ) }} + 1
        ) as n_days
    from stages
    inner join leave
        on
            stages.learner_key = leave.learner_key
            and stages.programme_id = leave.programme_id
            and stages.from_on <= leave.to_on
            and stages.judged_on >= leave.from_on
    group by stages.learner_key, stages.programme_id, stages.stage_id
),

-- A stage without a last day asks for nothing by now: nobody can say how far it has gone.
in_stage as (
    select
        stages.learner_key,
        stages.programme_id,
        stages.stage_id,
        learners.site_id,
        case
            when
                stages.from_on > {{ first_day() }}
                and stages.to_on < {{ last_day() }}
                then
                    cast(
                        {{ days_between('stages.from_on', 'stages.judged_on') }} + 1
                        - coalesce(days_of_leave.n_days, 0) as double
                    ) / ({{ days_between('stages.from_on', 'stages.to_on') }} + 1)
        end as elapsed_share
    from stages
    inner join learners on stages.learner_key = learners.learner_key
    left join days_of_leave
        on
            stages.learner_key = days_of_leave.learner_key
            and stages.programme_id = days_of_leave.programme_id
            and stages.stage_id = days_of_leave.stage_id
    where {{ learner_is_active('learners') }}
),

asked as (
    select
        plans.programme_id,
        plans.site_id,
        plans.plan_id,
        plans.stage_id,
        plans.competency_id,
        plans.instrument_id,
        plans.requirement_source,
        plans.required_n,
        plans.required_assessors,
        in_stage.learner_key,
        cast(floor(plans.required_n * in_stage.elapsed_share) as bigint) as n_expected
    from plans
    left join in_stage
        on
            plans.programme_id = in_stage.programme_id
            and plans.stage_id = in_stage.stage_id
            and (plans.site_id is null or plans.site_id = in_stage.site_id)
),

done as (
    select
        asked.programme_id,
        asked.site_id,
        asked.plan_id,
        asked.stage_id,
        asked.competency_id,
        asked.instrument_id,
        asked.learner_key,
        count(evidence.record_key) as n_done,
        {{ measure_n_assessors('evidence.assessor_key', 'evidence.examiner_keys') }} as n_assessors
    from asked
    inner join evidence
        on
            asked.learner_key = evidence.learner_key
            and asked.programme_id = evidence.programme_id
            and asked.stage_id = evidence.stage_id
            and asked.competency_id = evidence.competency_id
            and (asked.instrument_id is null or asked.instrument_id = evidence.instrument_id)
    group by
        asked.programme_id,
        asked.site_id,
        asked.plan_id,
        asked.stage_id,
        asked.competency_id,
        asked.instrument_id,
        asked.learner_key
),

planned as (
    select
        asked.programme_id,
        asked.site_id,
        asked.plan_id,
        asked.stage_id,
        asked.competency_id,
        asked.instrument_id,
        max(asked.requirement_source) as requirement_source,
        max(asked.required_n) as required_n,
        max(asked.required_assessors) as required_assessors,
        count(distinct asked.learner_key) as n_learners,
        count(case
            when
                coalesce(done.n_done, 0) >= coalesce(asked.required_n, 0)
                and coalesce(done.n_assessors, 0) >= coalesce(asked.required_assessors, 0)
                then asked.learner_key
        end) as n_learners_complete,
        coalesce(sum(done.n_done), 0) as n_data_points,
        sum(asked.n_expected) as n_expected,
        sum(greatest(asked.n_expected - coalesce(done.n_done, 0), 0)) as n_missing
    from asked
    left join done
        on
            asked.learner_key = done.learner_key
            and asked.programme_id = done.programme_id
            and asked.site_id is not distinct from done.site_id
            and asked.plan_id = done.plan_id
            and asked.stage_id = done.stage_id
            and asked.competency_id = done.competency_id
            and asked.instrument_id is not distinct from done.instrument_id
    group by
        asked.programme_id,
        asked.site_id,
        asked.plan_id,
        asked.stage_id,
        asked.competency_id,
        asked.instrument_id
),

unplanned as (
    select
        cells.programme_id,
        cells.stage_id,
        cells.competency_id,
        count(distinct cells.learner_key) as n_learners,
        sum(cells.n_data_points) as n_data_points
    from cells
    inner join in_stage
        on
            cells.learner_key = in_stage.learner_key
            and cells.programme_id = in_stage.programme_id
            and cells.stage_id = in_stage.stage_id
    left join plans
        on
            cells.programme_id = plans.programme_id
            and cells.stage_id = plans.stage_id
            and cells.competency_id = plans.competency_id
            and (plans.site_id is null or plans.site_id = in_stage.site_id)
    where plans.competency_id is null
    group by cells.programme_id, cells.stage_id, cells.competency_id
),

final as (
    select
        ---------- ids
        programme_id,
        site_id,
        plan_id,
        stage_id,
        competency_id,
        instrument_id,
        ---------- text
        requirement_source,
        ---------- numbers
        required_n,
        required_assessors,
        n_learners,
        n_learners_complete,
        {{ measure_share('n_learners_complete', 'n_learners') }} as complete_share,
        cast(n_data_points as bigint) as n_data_points,
        cast(n_expected as bigint) as n_expected,
        cast(n_missing as bigint) as n_missing,
        ---------- yes or no
        true as is_planned,
        n_learners > 0 and n_data_points = 0 as is_uncovered
    from planned

    union all

    select
        programme_id,
        cast(null as varchar) as site_id,
        cast(null as varchar) as plan_id,
        stage_id,
        competency_id,
        cast(null as varchar) as instrument_id,
        cast(null as varchar) as requirement_source,
        cast(null as bigint) as required_n,
        cast(null as bigint) as required_assessors,
        n_learners,
        cast(null as bigint) as n_learners_complete,
        cast(null as decimal(5, 4)) as complete_share,
        cast(n_data_points as bigint) as n_data_points,
        cast(null as bigint) as n_expected,
        cast(null as bigint) as n_missing,
        false as is_planned,
        false as is_uncovered
    from unplanned
)

select * from final
