-- Grain: one row per accepted workplace assessment or exam result, and, where a sitting has stations and
-- no result of its own yet, one per competency that they are about; in the same columns.
with

assessments as (
    select * from {{ ref('stg_workplace_assessment') }}
),

results as (
    select * from {{ ref('int_exam_results__dated') }}
),

-- A result that has no mark yet takes nobody's place.
results_in_place as (
    select
        record_key,
        learner_key,
        programme_id,
        task_id,
        sitting_id,
        attempt
    from {{ ref('stg_exam_result') }}
    where result_status <> 'not_scored'
),

stations_alone as (
    select stations.*
    from {{ ref('int_exam_stations__gathered') }} as stations
    left join results_in_place
        on
            stations.learner_key = results_in_place.learner_key
            and stations.programme_id = results_in_place.programme_id
            and stations.task_id = results_in_place.task_id
            and stations.sitting_id = results_in_place.sitting_id
            and stations.attempt = results_in_place.attempt
    where results_in_place.record_key is null
),

unioned as (
    select
        ---------- ids
        'workplace_assessment' as kind,
        record_key,
        event_id,
        record_id,
        learner_key,
        programme_id,
        site_id,
        task_id,
        cast(null as string) as sitting_id,
        instrument_id,
        form_id,
        form_record_id,
        framework_id,
        competency_id,
        scale_id,
        scale_version,
        assessor_key,
        ---------- text
        raw_label,
        direction,
        decision_kind,
        assessor_role,
        setting,
        case_type,
        complexity,
        assurance_level,
        cast(null as string) as result_status,
        cast(null as string) as grade,
        narrative_strengths,
        narrative_improvements,
        narrative_other,
        ---------- numbers
        cast(null as bigint) as attempt,
        level,
        stake,
        cast(null as decimal(18, 6)) as score,
        cast(null as decimal(18, 6)) as max_score,
        cast(null as bigint) as n_right,
        ---------- yes or no
        is_flagged,
        false as is_banked,
        false as is_day_unknown,
        ---------- days and instants
        occurred_at,
        occurred_on,
        submitted_at,
        submitted_on,
        ---------- lineage
        source_id,
        delivery_id,
        source_row,
        source_cell,
        known_at
    from assessments
    union all
    select
        ---------- ids
        'exam_result' as kind,
        record_key,
        event_id,
        record_id,
        learner_key,
        programme_id,
        site_id,
        task_id,
        sitting_id,
        instrument_id,
        cast(null as string) as form_id,
        cast(null as string) as form_record_id,
        cast(null as string) as framework_id,
        competency_id,
        cast(null as string) as scale_id,
        cast(null as string) as scale_version,
        cast(null as string) as assessor_key,
        ---------- text
        cast(null as string) as raw_label,
        cast(null as string) as direction,
        cast(null as string) as decision_kind,
        cast(null as string) as assessor_role,
        cast(null as string) as setting,
        cast(null as string) as case_type,
        cast(null as string) as complexity,
        cast(null as string) as assurance_level,
        result_status,
        grade,
        cast(null as string) as narrative_strengths,
        cast(null as string) as narrative_improvements,
        cast(null as string) as narrative_other,
        ---------- numbers
        attempt,
        cast(null as bigint) as level,
        cast(null as decimal(18, 6)) as stake,
        score,
        max_score,
        n_right,
        ---------- yes or no
        false as is_flagged,
        is_banked,
        is_day_unknown,
        ---------- days and instants
        occurred_at,
        occurred_on,
        submitted_at,
        submitted_on,
        ---------- lineage
        source_id,
        delivery_id,
        source_row,
        source_cell,
        known_at
    from results
    union all
    select
        ---------- ids
        'exam_response' as kind,
        sitting_key as record_key,
        event_id,
        record_id,
        learner_key,
        programme_id,
        site_id,
        task_id,
        sitting_id,
        cast(null as string) as instrument_id,
        cast(null as string) as form_id,
        cast(null as string) as form_record_id,
        cast(null as string) as framework_id,
        competency_id,
        cast(null as string) as scale_id,
        cast(null as string) as scale_version,
        cast(null as string) as assessor_key,
        ---------- text
        global_ratings as raw_label,
        cast(null as string) as direction,
        cast(null as string) as decision_kind,
        cast(null as string) as assessor_role,
        cast(null as string) as setting,
        cast(null as string) as case_type,
        cast(null as string) as complexity,
        cast(null as string) as assurance_level,
        case when points is null and global_ratings is null then 'not_scored' else 'scored' end
            as result_status,
        cast(null as string) as grade,
        cast(null as string) as narrative_strengths,
        cast(null as string) as narrative_improvements,
        cast(null as string) as narrative_other,
        ---------- numbers
        attempt,
        cast(null as bigint) as level,
        cast(null as decimal(18, 6)) as stake,
        points as score,
        max_points as max_score,
        cast(null as bigint) as n_right,
        ---------- yes or no
        false as is_flagged,
        false as is_banked,
        false as is_day_unknown,
        ---------- days and instants
        occurred_at,
        occurred_on,
        cast(null as {{ instant_type() }}) as submitted_at,
        cast(null as date) as submitted_on,
        ---------- lineage
        source_id,
        delivery_id,
        source_row,
        source_cell,
        known_at
    from stations_alone
)

select * from unioned
