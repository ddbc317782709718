-- One row a learner and sitting, oldest first, an absent one too.
select
    sitting.learner_key,
    sitting.evidence_id,
    coalesce(instrument.title, sitting.instrument_id, 'Exams') as series,
    coalesce(instrument.method_family = 'progress_test', false) as is_growth,
    sitting.task_id,
    task.title,
    sitting.sitting_id,
    sitting.attempt,
    sitting.occurred_on,
    sitting.result_status,
    sitting.is_banked,
    sitting.score,
    sitting.max_score,
    sitting.score / nullif(sitting.max_score, 0) as score_share,
    sitting.cut_score,
    sitting.cut_score / nullif(sitting.max_score, 0) as cut_share,
    sitting.is_at_or_above_cut,
    sitting.n_right,
    sitting.n_wrong,
    sitting.n_dont_know,
    sitting.n_omitted,
    sitting.assurance_level
from fct_exam_sitting as sitting
left join dim_instrument as instrument on sitting.instrument_id = instrument.instrument_id
left join dim_task as task
    on
        sitting.programme_id = task.programme_id
        and sitting.task_id = task.task_id
        and task.is_current
order by
    sitting.learner_key,
    is_growth desc,
    series,
    sitting.occurred_on,
    sitting.task_id,
    sitting.sitting_id,
    sitting.attempt
