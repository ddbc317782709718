-- One row a learner and sitting, oldest first; a progress test that was not sat is a row too.
select
    exam.learner_key,
    exam.evidence_id,
    coalesce(instrument.title, exam.instrument_id, exam.modality, 'Exams') as series,
    exam.is_progress_test or coalesce(exam.instrument_id = 'progress_test', false) as is_growth,
    exam.task_id,
    exam.title,
    exam.sitting_id,
    exam.attempt,
    exam.occurred_on,
    exam.sitting_status,
    exam.is_banked,
    exam.points as score,
    exam.max_points as max_score,
    exam.score_share,
    case
        when
            exam.n_items is not null
            and sat.reported_max_score = exam.max_points
            and round(abs(sat.reported_score - exam.points), 2) > 0
            then sat.reported_score
    end as reported_score,
    exam.cut_score,
    cut_scores.method as set_by_method,
    cast(cut_scores.known_at as date) as set_on,
    case
        when
            exam.is_at_or_above_cut is not null
            and exam.cut_score_method is distinct from 'number_right'
            then exam.cut_score / nullif(exam.max_points, 0)
    end as cut_share,
    exam.is_at_or_above_cut,
    exam.is_below_cut_at_newest,
    exam.cohort_n,
    exam.cohort_mean_share,
    exam.cohort_sd_share,
    exam.reliability,
    exam.sem,
    exam.sem / nullif(exam.max_points, 0) as sem_share,
    exam.is_near_cut,
    exam.n_right,
    exam.n_wrong,
    exam.n_dont_know,
    exam.n_omitted,
    exam.assurance_level
from portfolio_exam as exam
left join dim_instrument as instrument on exam.instrument_id = instrument.instrument_id
left join fct_exam_sitting as sat on exam.sitting_key = sat.sitting_key
left join programme_cut_score as cut_scores
    on
        exam.programme_id = cut_scores.programme_id
        and exam.task_id = cut_scores.task_id
        and exam.sitting_id = cut_scores.sitting_id
        and cut_scores.station_id = ''
order by
    exam.learner_key,
    is_growth desc,
    series,
    exam.occurred_on,
    exam.sitting_key
