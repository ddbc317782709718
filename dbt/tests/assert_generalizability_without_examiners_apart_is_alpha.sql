-- What is this test? Where examiners are not told apart, comparing examinees is as sure as alpha says: two ways
-- to the same number.
-- When is it important to resolve? Before publication: one of the two marts is wrong.
-- How to resolve? Look at the stations and items of the sitting listed, and at what each mart counts as one.
{{ config(severity='error', meta={'consequence': 'exams'}) }}

select
    exams.programme_id,
    exams.task_id,
    exams.sitting_id
from {{ ref('programme_exam_generalizability') }} as exams
inner join {{ ref('programme_exam_analysis') }} as analyses
    on
        exams.programme_id = analyses.programme_id
        and exams.task_id = analyses.task_id
        and exams.sitting_id = analyses.sitting_id
where
    exams.n_raters is null
    and not exams.is_rescaled
    and round(abs(exams.generalizability - greatest(analyses.alpha, 0)), 3) > 0
