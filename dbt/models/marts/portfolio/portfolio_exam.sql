-- Grain: one row per learner, exam, sitting and attempt, and one per sitting of a progress test
-- that most of the cohort sat and the learner, who was not away then, did not: a gap is a row, never a zero.
with

sittings as (
    select * from {{ ref('fct_exam_sitting') }}
    where occurred_on <= {{ as_of() }}
),

-- Sittings of which stations tell, because no result is there.
told_by_stations as (
    select distinct
        record_key as sitting_key,
        evidence_id
    from {{ ref('fct_evidence') }}
    where kind = 'exam_response'
),

cohorts as (
    select * from {{ ref('int_learner_cohorts__dated') }}
),

tasks as (
    select * from {{ ref('dim_task') }}
),

instruments as (
    select * from {{ ref('dim_instrument') }}
),

analyses as (
    select * from {{ ref('programme_exam_analysis') }}
),

newest_below_cut as (
    select * from {{ ref('int_exam_sittings__newest') }}
    where not is_at_or_above_cut
),

described as (
    select
        sittings.*,
        cohorts.cohort_id,
        tasks.title,
        tasks.modality,
        tasks.module_id,
        tasks.instrument_id,
        tasks.assurance_level,
        instruments.method_family,
        {{ is_progress_test('tasks') }} as is_progress_test,
        case
            when sittings.result_status in ('absent', 'exempt', 'not_scored')
                then sittings.result_status
            when sittings.points is null then 'not_scored'
            else 'scored'
        end as sitting_status,
        case
            when coalesce(sittings.result_status, 'scored') = 'scored'
                then {{ measure_score_share('sittings.points', 'sittings.max_points') }}
        end as score_share
    from sittings
    left join cohorts
        on
            sittings.learner_key = cohorts.learner_key
            and sittings.occurred_on between cohorts.from_on and cohorts.to_on
    left join tasks on sittings.task_key = tasks.task_key
    left join instruments on tasks.instrument_id = instruments.instrument_id
),

-- The norm of a sitting is that of who first sat it: a later attempt moves nobody's.
normed as (
    select
        *,
        row_number() over (
            partition by
                learner_key, programme_id, task_id, sitting_id,
                sitting_status = 'scored' and not is_banked
            order by attempt, sitting_key
        ) = 1
        and sitting_status = 'scored'
        and not is_banked as is_in_norm
    from described
),

last_days as (
    select
        learner_key,
        programme_id,
        max(coalesce(ends_on, {{ last_day() }})) as ends_on
    from {{ ref('int_enrolments__merged') }}
    group by learner_key, programme_id
),

leave as (
    select * from {{ ref('int_learner_leave__merged') }}
),

cohort_sittings as (
    select
        programme_id,
        cohort_id,
        task_id,
        sitting_id,
        max(task_key) as task_key,
        max(title) as title,
        max(modality) as modality,
        max(module_id) as module_id,
        max(instrument_id) as instrument_id,
        max(assurance_level) as assurance_level,
        max(method_family) as method_family,
        max(case when is_progress_test then 1 else 0 end) = 1 as is_progress_test,
        min(occurred_on) as occurred_on,
        max(known_at) as known_at,
        count(case when is_in_norm then 1 end) as n_sat
    from normed
    where cohort_id is not null
    group by programme_id, cohort_id, task_id, sitting_id
),

forms as (
    select
        programme_id,
        cohort_id,
        task_id,
        sitting_id,
        form_key,
        count(*) as n_sat,
        count(score_share) as n_shares,
        sum(score_share) as sum_of_shares,
        sum(score_share * score_share) as sum_of_squares
    from normed
    where cohort_id is not null and is_in_norm
    group by programme_id, cohort_id, task_id, sitting_id, form_key
),

-- Who met other items is compared with those who met the same, and where enough of them sat.
cohort_norms as (
    select
        *,
        {{ measure_share('sum_of_shares', 'n_shares') }} as mean_share,
        {{ measure_sd('sum_of_squares', 'sum_of_shares', 'n_shares') }} as sd_share,
        count(*) over (partition by programme_id, cohort_id, task_id, sitting_id) as n_norms
    from forms
    where n_sat >= {{ rule_threshold('exams', 'cohort_norm', 'learners_min') }}
),

-- Who had left by the day of the sitting, or was on leave, was not expected at it.
there as (
    select
        cohorts.learner_key,
        cohorts.site_id,
        cohort_sittings.*,
        count(*) over (
            partition by
                cohort_sittings.programme_id, cohort_sittings.cohort_id, cohort_sittings.task_id,
                cohort_sittings.sitting_id
        ) as n_learners
    from cohort_sittings
    inner join cohorts
        on
            cohort_sittings.programme_id = cohorts.programme_id
            and cohort_sittings.cohort_id = cohorts.cohort_id
            and cohort_sittings.occurred_on between cohorts.from_on and cohorts.to_on
            and cohort_sittings.occurred_on >= coalesce(cohorts.entered_on, {{ first_day() }})
    left join last_days
        on
            cohorts.learner_key = last_days.learner_key
            and cohorts.programme_id = last_days.programme_id
    left join leave
        on
            cohorts.learner_key = leave.learner_key
            and cohorts.programme_id = leave.programme_id
            and cohort_sittings.occurred_on between leave.from_on and leave.to_on
    where
        cohort_sittings.is_progress_test
        and cohort_sittings.occurred_on <= coalesce(last_days.ends_on, {{ last_day() }})
        and leave.learner_key is null
),

expected as (
    select * from there
    where
        n_sat
        >= n_learners * {{ rule_threshold('exams', 'absent_sitting', 'cohort_share_min') }}
),

gaps as (
    select expected.*
    from expected
    left join described
        on
            expected.learner_key = described.learner_key
            and expected.programme_id = described.programme_id
            and expected.task_id = described.task_id
            and expected.sitting_id = described.sitting_id
    where described.learner_key is null
),

unioned as (
    select
        sitting_key,
        learner_key,
        programme_id,
        site_id,
        cohort_id,
        task_id,
        sitting_id,
        form_key,
        result_record_key,
        instrument_id,
        module_id,
        title,
        modality,
        method_family,
        assurance_level,
        sitting_status,
        grade,
        cut_score_method,
        attempt,
        n_items,
        n_right,
        n_wrong,
        n_omitted,
        n_dont_know,
        points,
        max_points,
        score_share,
        cut_score,
        is_at_or_above_cut,
        is_progress_test,
        is_banked,
        occurred_on,
        known_at
    from described

    union all

    select
        {{ key('sitting_key', attempt='0') }} as sitting_key,
        learner_key,
        programme_id,
        site_id,
        cohort_id,
        task_id,
        sitting_id,
        cast(null as string) as form_key,
        cast(null as string) as result_record_key,
        instrument_id,
        module_id,
        title,
        modality,
        method_family,
        assurance_level,
        'absent' as sitting_status,
        cast(null as string) as grade,
        cast(null as string) as cut_score_method,
        cast(0 as bigint) as attempt,
        cast(null as bigint) as n_items,
        cast(null as bigint) as n_right,
        cast(null as bigint) as n_wrong,
        cast(null as bigint) as n_omitted,
        cast(null as bigint) as n_dont_know,
        cast(null as decimal(18, 6)) as points,
        cast(null as decimal(18, 6)) as max_points,
        cast(null as decimal(9, 6)) as score_share,
        cast(null as decimal(18, 6)) as cut_score,
        cast(null as boolean) as is_at_or_above_cut,
        is_progress_test,
        false as is_banked,
        occurred_on,
        known_at
    from gaps
),

final as (
    select
        ---------- ids
        unioned.sitting_key,
        unioned.learner_key,
        unioned.programme_id,
        unioned.task_id,
        unioned.sitting_id,
        unioned.form_key,
        unioned.instrument_id,
        unioned.module_id,
        coalesce(
            told_by_stations.evidence_id,
            case
                when unioned.result_record_key is not null
                    then {{ evidence_id('unioned.result_record_key') }}
            end
        ) as evidence_id,
        ---------- text
        unioned.title,
        unioned.modality,
        unioned.method_family,
        unioned.assurance_level,
        unioned.sitting_status,
        unioned.grade,
        unioned.cut_score_method,
        ---------- numbers
        unioned.attempt,
        unioned.n_items,
        unioned.n_right,
        unioned.n_wrong,
        unioned.n_omitted,
        unioned.n_dont_know,
        unioned.points,
        unioned.max_points,
        unioned.score_share,
        unioned.cut_score,
        analyses.alpha as reliability,
        case when unioned.points is not null then analyses.sem end as sem,
        cohort_norms.n_sat as cohort_n,
        cohort_norms.mean_share as cohort_mean_share,
        cohort_norms.sd_share as cohort_sd_share,
        ---------- yes or no
        unioned.is_at_or_above_cut,
        case
            when
                unioned.is_at_or_above_cut is not null
                and coalesce(unioned.cut_score_method, '') <> 'number_right'
                then
                    abs(unioned.points - unioned.cut_score)
                    <= analyses.sem * {{ rule_threshold('exams', 'near_cut', 'z') }}
        end as is_near_cut,
        newest_below_cut.sitting_key is not null as is_below_cut_at_newest,
        unioned.is_progress_test,
        unioned.sitting_status = 'absent' as is_absent,
        unioned.is_banked,
        ---------- days and instants
        unioned.occurred_on,
        unioned.known_at
    from unioned
    left join told_by_stations on unioned.sitting_key = told_by_stations.sitting_key
    left join newest_below_cut on unioned.sitting_key = newest_below_cut.sitting_key
    left join cohort_norms
        on
            unioned.programme_id = cohort_norms.programme_id
            and unioned.cohort_id = cohort_norms.cohort_id
            and unioned.task_id = cohort_norms.task_id
            and unioned.sitting_id = cohort_norms.sitting_id
            and (
                unioned.form_key is not distinct from cohort_norms.form_key
                or (unioned.score_share is null and cohort_norms.n_norms = 1)
            )
    -- Reliability is that of all items: a learner who was presented with some has another one.
    left join analyses
        on
            unioned.programme_id = analyses.programme_id
            and unioned.task_id = analyses.task_id
            and unioned.sitting_id = analyses.sitting_id
            and unioned.max_points = analyses.max_points
            and unioned.n_items is not null
)

select * from final
