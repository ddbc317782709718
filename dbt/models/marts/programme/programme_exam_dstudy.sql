-- Grain: one row per sitting of an exam whose components could be estimated, number of stations (items, where
-- it has none) and number of examiners a station: what an exam of that size would be worth.
with

exams as (
    select * from {{ ref('programme_exam_generalizability') }}
    where residual_variance is not null
),

rules as (
    select * from {{ ref('int_rules__chosen') }}
    where rule_set_id = 'exams' and rule_id = 'd_study'
),

sizes as (
    select
        exams.programme_id,
        exams.task_id,
        exams.sitting_id,
        cast(greatest(1, round(exams.n_parts * rules.threshold_value)) as bigint) as n_parts
    from exams
    cross join rules

    union distinct

    select
        programme_id,
        task_id,
        sitting_id,
        n_parts
    from exams
),

raters as (
    select
        programme_id,
        task_id,
        sitting_id,
        n_raters
    from exams

    union distinct

    select
        programme_id,
        task_id,
        sitting_id,
        cast(1 as bigint) as n_raters
    from exams
    where n_raters is not null
),

designs as (
    select
        exams.programme_id,
        exams.task_id,
        exams.sitting_id,
        exams.title,
        exams.facet,
        exams.n_examinees,
        exams.n_complete,
        exams.person_variance,
        exams.part_variance,
        exams.rater_variance,
        exams.person_part_variance,
        exams.residual_variance,
        sizes.n_parts,
        raters.n_raters,
        sizes.n_parts = exams.n_parts
        and coalesce(raters.n_raters, 0) = coalesce(exams.n_raters, 0)
            as is_as_held
    from exams
    inner join sizes
        on
            exams.programme_id = sizes.programme_id
            and exams.task_id = sizes.task_id
            and exams.sitting_id = sizes.sitting_id
    inner join raters
        on
            exams.programme_id = raters.programme_id
            and exams.task_id = raters.task_id
            and exams.sitting_id = raters.sitting_id
),

erred as (
    select
        *,
        {{ measure_exam_error('n_parts', 'n_raters', false) }} as relative_error,
        {{ measure_exam_error('n_parts', 'n_raters', true) }} as absolute_error
    from designs
),

final as (
    select
        ---------- ids
        programme_id,
        task_id,
        sitting_id,
        ---------- text
        title,
        facet,
        ---------- numbers
        n_examinees,
        n_complete,
        n_parts,
        n_raters,
        {{ measure_exam_coefficient('relative_error') }} as generalizability,
        {{ measure_exam_coefficient('absolute_error') }} as dependability,
        {{ to_places('sqrt(relative_error)') }} as relative_sem,
        {{ to_places('sqrt(absolute_error)') }} as absolute_sem,
        ---------- yes or no
        is_as_held
    from erred
)

select * from final
