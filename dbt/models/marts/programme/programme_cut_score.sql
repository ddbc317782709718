-- Grain: one row per sitting, and per station of a sitting, with a cut-score on record: how it was set,
-- by whom, how far it can be trusted, and what it would be under other assumptions.
select
    ---------- ids
    cut_scores.cut_score_id,
    cut_scores.programme_id,
    cut_scores.task_id,
    cut_scores.sitting_id,
    coalesce(cut_scores.station_id, '') as station_id,
    ---------- text
    cut_scores.method,
    cut_scores.parameters,
    cut_scores.panel,
    cut_scores.sensitivity,
    cut_scores.decided_by,
    cut_scores.source,
    ---------- numbers
    cut_scores.cut_score,
    cut_scores.max_score,
    cut_scores.standard_error,
    cut_scores.n_judges,
    cut_scores.n_examinees,
    exams.n_complete,
    case
        when cut_scores.n_examinees is null then null
        when cut_scores.station_id is null then examiners.n_examiners
        else examiners.n_examiners_min
    end as n_examiners,
    cut_scores.rmse,
    cut_scores.r_squared,
    cut_scores.slope,
    ---------- days and instants
    cut_scores.known_at
from {{ ref('int_cut_scores__chosen') }} as cut_scores
left join {{ ref('programme_exam_analysis') }} as exams
    on {{ same('cut_scores', 'exams', ['programme_id', 'task_id', 'sitting_id']) }}
left join {{ ref('int_examiners__counted') }} as examiners
    on {{ same('cut_scores', 'examiners', ['programme_id', 'task_id', 'sitting_id']) }}
