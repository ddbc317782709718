-- Grain: one row per data point and competency, with the task, stage, rotation and enrolment of
-- its day. Its plan is that of the site that the record names, or else of the learner's stage, or else of the
-- roster. Who reads all of it reads `fct_evidence`, which is a table.
with

evidence as (
    select * from {{ ref('int_evidence__tasked') }}
),

stations as (
    select * from {{ ref('int_exam_stations__gathered') }}
),

circuits as (
    select
        learner_key,
        programme_id,
        task_id,
        sitting_id,
        attempt,
        {{ list_agg('competency_id', distinct=true) }} as competency_ids
    from stations
    group by learner_key, programme_id, task_id, sitting_id, attempt
),

stages as (
    select * from {{ ref('int_learner_history__spanned') }}
    where period_type = 'stage'
),

rotations as (
    select * from {{ ref('int_learner_history__spanned') }}
    where period_type = 'rotation'
),

enrolments as (
    select * from {{ ref('int_enrolments__merged') }}
),

learners as (
    select * from {{ ref('int_learners__unioned') }}
),

assessors as (
    select * from {{ ref('int_assessors__unioned') }}
),

-- A result that names no competency counts for each one that its task names, or else its stations.
placed as (
    select
        evidence.*,
        {{ unnest_list(
            "case
                when evidence.competency_id is not null or evidence.kind = 'exam_response'
                    then " ~ list_of('evidence.competency_id') ~ "
                when " ~ list_size('evidence.task_competency_ids') ~ " > 0
                    then " ~ list_distinct('evidence.task_competency_ids') ~ "
                when " ~ list_size('circuits.competency_ids') ~ " > 0
                    then circuits.competency_ids
                else " ~ list_of('cast(null as string)') ~ "
            end"
        ) }} as counted_competency_id
    from evidence
    left join circuits
        on
            evidence.learner_key = circuits.learner_key
            and evidence.programme_id = circuits.programme_id
            and evidence.task_id = circuits.task_id
            and evidence.sitting_id = circuits.sitting_id
            and evidence.attempt = circuits.attempt
),

-- A cut-score of the whole exam judges stations where they are all of it, and no result out of other points
-- than the exam has, such as that of a part of it.
judged as (
    select
        placed.*,
        stations.cut_score as stations_cut_score,
        stations.cut_score_method as stations_cut_score_method,
        (
            coalesce(placed.kind, '') <> 'exam_response'
            and (
                coalesce(placed.max_score = placed.exam_max_score, true)
                or coalesce(placed.exam_cut_score_method, '') = 'number_right'
            )
        )
        or coalesce(
            stations.is_every_station
            and placed.max_score = placed.exam_max_score
            and placed.exam_cut_score is not null
            and coalesce(placed.exam_cut_score_method, '') <> 'number_right',
            false
        ) as is_whole_exam,
        case when {{ list_size('stations.examiner_keys') }} > 0 then stations.examiner_keys end
            as examiner_keys
    from placed
    left join stations
        on
            placed.learner_key = stations.learner_key
            and placed.programme_id = stations.programme_id
            and placed.task_id = stations.task_id
            and placed.sitting_id = stations.sitting_id
            and placed.attempt = stations.attempt
            and placed.counted_competency_id is not distinct from stations.competency_id
),

dated as (
    select
        ---------- ids
        judged.kind,
        judged.record_key,
        judged.event_id,
        judged.record_id,
        judged.learner_key,
        judged.programme_id,
        judged.site_id,
        coalesce(judged.site_id, stages.site_id, learners.site_id) as plan_site_id,
        stages.period_id as stage_id,
        rotations.period_id as rotation_id,
        judged.framework_id,
        judged.counted_competency_id as competency_id,
        coalesce(judged.instrument_id, judged.task_instrument_id) as instrument_id,
        judged.task_id,
        judged.task_key,
        judged.module_id,
        judged.sitting_id,
        judged.form_id,
        judged.form_record_id,
        judged.scale_id,
        judged.scale_version,
        judged.assessor_key,
        ---------- text
        judged.raw_label,
        judged.direction,
        judged.decision_kind,
        coalesce(
            judged.assessor_role,
            assessors.assessor_role,
            case when judged.examiner_keys is not null then 'examiner' end
        ) as assessor_role,
        judged.setting,
        judged.case_type,
        judged.complexity,
        coalesce(judged.assurance_level, judged.task_assurance_level) as assurance_level,
        judged.result_status,
        judged.grade,
        case
            when judged.is_whole_exam then judged.exam_cut_score_method
            else judged.stations_cut_score_method
        end as cut_score_method,
        judged.narrative_strengths,
        judged.narrative_improvements,
        judged.narrative_other,
        ---------- numbers
        judged.attempt,
        judged.level,
        judged.stake,
        judged.score,
        case
            when judged.kind = 'exam_response' then judged.max_score
            else coalesce(judged.max_score, judged.task_max_score)
        end as max_score,
        case
            when judged.is_whole_exam then judged.exam_cut_score
            else judged.stations_cut_score
        end as cut_score,
        judged.n_right,
        ---------- yes or no
        judged.is_flagged,
        judged.is_banked,
        judged.is_day_unknown,
        enrolments.period_id is not null as has_enrolment,
        coalesce(
            coalesce(judged.submitted_on, judged.occurred_on) < enrolments.starts_on, false
        ) as is_before_enrolment,
        coalesce(
            coalesce(judged.submitted_on, judged.occurred_on) > enrolments.ends_on, false
        ) as is_after_enrolment,
        enrolments.period_id is not null and enrolments.starts_on is null as has_no_enrolment_date,
        ---------- lists
        judged.examiner_keys,
        ---------- days and instants
        judged.occurred_at,
        judged.occurred_on,
        judged.submitted_at,
        judged.submitted_on,
        judged.due_on,
        ---------- lineage
        judged.source_id,
        judged.delivery_id,
        judged.source_row,
        judged.source_cell,
        judged.known_at
    from judged
    left join stages
        on
            judged.learner_key = stages.learner_key
            and judged.programme_id = stages.programme_id
            and judged.occurred_on between stages.from_on and stages.to_on
    left join rotations
        on
            judged.learner_key = rotations.learner_key
            and judged.programme_id = rotations.programme_id
            and judged.occurred_on between rotations.from_on and rotations.to_on
    left join enrolments
        on
            judged.learner_key = enrolments.learner_key
            and judged.programme_id = enrolments.programme_id
            and coalesce(judged.module_id, judged.programme_id) = enrolments.period_id
    left join learners
        on judged.learner_key = learners.learner_key and judged.programme_id = learners.programme_id
    left join assessors on judged.assessor_key = assessors.assessor_key
)

select * from dated
