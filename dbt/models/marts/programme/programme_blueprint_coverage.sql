-- Grain: one row per programme, site, plan, stage, competency and instrument that the assessment plan
-- in force requires something of, and one per stage and competency with evidence that no plan asks
-- for. Counts the learners who are in the stage now; what they should have by now grows with the
-- days of the stage by the plan of each day. Days of leave do not count, part-time ones count in part;
-- days by which a stage was lengthened for them are no further days of it.
with

-- What a plan asked for on which days: a change of it within a stage counts from its day on.
dated_plans as (
    select * from {{ ref('int_plan_targets__dated') }}
),

plans as (
    select * from dated_plans
    where {{ as_of() }} between from_on and to_on
),

spanned as (
    select
        *,
        {{ days_between('from_on', 'to_on') }} + 1 as n_stage_days
    from {{ ref('int_learner_stages__spanned') }}
),

stages as (
    select * from spanned
    where is_current
),

learners as (
    select * from {{ ref('dim_learner') }}
),

time_out as (
    select * from {{ ref('int_learner_time_out__dated') }}
),

evidence as (
    select * from {{ ref('int_cell_evidence__assigned') }}
),

cells as (
    select * from {{ ref('int_cells__counted') }}
),

-- How long a stage is for learners without time out in it: the middle one of them.
whole as (
    select
        spanned.programme_id,
        spanned.stage_id,
        spanned.n_stage_days,
        row_number() over (
            partition by spanned.programme_id, spanned.stage_id
            order by spanned.n_stage_days, spanned.learner_key
        ) as place,
        count(*) over (partition by spanned.programme_id, spanned.stage_id) as n_stages
    from spanned
    left join time_out
        on
            spanned.learner_key = time_out.learner_key
            and spanned.programme_id = time_out.programme_id
            and spanned.from_on <= time_out.to_on
            and spanned.to_on >= time_out.from_on
    where
        spanned.from_on > {{ first_day() }}
        and spanned.to_on < {{ last_day() }}
        and time_out.learner_key is null
),

usual as (
    select
        programme_id,
        stage_id,
        n_stage_days as n_usual_days
    from whole
    where 2 * place between n_stages and n_stages + 1
),

out_of_stage as (
    select
        stages.learner_key,
        stages.programme_id,
        stages.stage_id,
        {{ measure_days_out('time_out', 'stages.from_on', 'stages.judged_on') }} as n_days
    from stages
    inner join time_out
        on
            stages.learner_key = time_out.learner_key
            and stages.programme_id = time_out.programme_id
            and stages.from_on <= time_out.to_on
            and stages.judged_on >= time_out.from_on
    group by stages.learner_key, stages.programme_id, stages.stage_id
),

in_stage as (
    select
        stages.learner_key,
        stages.programme_id,
        stages.stage_id,
        stages.from_on,
        stages.to_on,
        stages.judged_on,
        stages.site_id,
        case
            when out_of_stage.n_days > 0 and usual.n_usual_days < stages.n_stage_days
                then greatest(
                    usual.n_usual_days,
                    {{ days_between('stages.from_on', 'stages.judged_on') }} + 1
                    - out_of_stage.n_days
                )
            else stages.n_stage_days
        end as n_stage_days
    from stages
    inner join learners on stages.learner_key = learners.learner_key
    left join usual
        on {{ same('stages', 'usual', ['programme_id', 'stage_id']) }}
    left join out_of_stage
        on {{ same('stages', 'out_of_stage', ['learner_key', 'programme_id', 'stage_id']) }}
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
        in_stage.from_on,
        in_stage.to_on,
        in_stage.judged_on,
        in_stage.n_stage_days
    from plans
    left join in_stage
        on
            plans.programme_id = in_stage.programme_id
            and plans.stage_id = in_stage.stage_id
            and (plans.site_id is null or plans.site_id = in_stage.site_id)
),

-- A stage without a last day asks for nothing by now: nobody can say how far it has gone.
asked_on_days as (
    select
        asked.programme_id,
        asked.site_id,
        asked.plan_id,
        asked.stage_id,
        asked.competency_id,
        asked.instrument_id,
        asked.learner_key,
        dated_plans.required_n,
        greatest(dated_plans.from_on, asked.from_on) as from_on,
        least(dated_plans.to_on, asked.judged_on) as to_on,
        asked.n_stage_days
    from asked
    inner join dated_plans
        on
            {{ same(
                'asked', 'dated_plans', ['programme_id', 'plan_id', 'stage_id', 'competency_id']
            ) }}
            and asked.site_id is not distinct from dated_plans.site_id
            and asked.instrument_id is not distinct from dated_plans.instrument_id
            and asked.judged_on >= dated_plans.from_on
            and asked.from_on <= dated_plans.to_on
    where asked.from_on > {{ first_day() }} and asked.to_on < {{ last_day() }}
),

days_out as (
    select
        asked_on_days.learner_key,
        asked_on_days.programme_id,
        asked_on_days.from_on,
        asked_on_days.to_on,
        {{ measure_days_out('time_out', 'asked_on_days.from_on', 'asked_on_days.to_on') }}
            as n_days
    from (
        select distinct
            learner_key,
            programme_id,
            from_on,
            to_on
        from asked_on_days
    ) as asked_on_days
    inner join time_out
        on
            asked_on_days.learner_key = time_out.learner_key
            and asked_on_days.programme_id = time_out.programme_id
            and asked_on_days.from_on <= time_out.to_on
            and asked_on_days.to_on >= time_out.from_on
    group by
        asked_on_days.learner_key,
        asked_on_days.programme_id,
        asked_on_days.from_on,
        asked_on_days.to_on
),

expected as (
    select
        asked_on_days.programme_id,
        asked_on_days.site_id,
        asked_on_days.plan_id,
        asked_on_days.stage_id,
        asked_on_days.competency_id,
        asked_on_days.instrument_id,
        asked_on_days.learner_key,
        cast(floor(
            sum(
                asked_on_days.required_n * (
                    {{ days_between('asked_on_days.from_on', 'asked_on_days.to_on') }} + 1
                    - coalesce(days_out.n_days, 0)
                )
            ) / max(asked_on_days.n_stage_days)
        ) as bigint) as n_expected
    from asked_on_days
    left join days_out
        on {{ same(
            'asked_on_days', 'days_out', ['learner_key', 'programme_id', 'from_on', 'to_on']
        ) }}
    group by
        asked_on_days.programme_id,
        asked_on_days.site_id,
        asked_on_days.plan_id,
        asked_on_days.stage_id,
        asked_on_days.competency_id,
        asked_on_days.instrument_id,
        asked_on_days.learner_key
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
        count(case when evidence.is_data_point then 1 end) as n_done,
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
        sum(expected.n_expected) as n_expected,
        sum(greatest(expected.n_expected - coalesce(done.n_done, 0), 0)) as n_missing
    from asked
    left join expected
        on
            {{ same(
                'asked', 'expected',
                ['learner_key', 'programme_id', 'plan_id', 'stage_id', 'competency_id']
            ) }}
            and asked.site_id is not distinct from expected.site_id
            and asked.instrument_id is not distinct from expected.instrument_id
    left join done
        on
            {{ same(
                'asked', 'done',
                ['learner_key', 'programme_id', 'plan_id', 'stage_id', 'competency_id']
            ) }}
            and asked.site_id is not distinct from done.site_id
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
        cast(null as string) as site_id,
        cast(null as string) as plan_id,
        stage_id,
        competency_id,
        cast(null as string) as instrument_id,
        cast(null as string) as requirement_source,
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
