-- Grain: one row per sitting of an exam with item responses: the variance components of its scores by analysis
-- of variance. Examinees meet stations, or items where the exam has no stations. Examiners are told apart where
-- the design is balanced: as many at every station, each at one station, who marked everybody on all of it.
-- Source: Brennan 2001, Generalizability Theory, chapter 3.
{{ config(materialized='table') }}

with

totals as (
    select * from {{ ref('int_exam_totals__summed') }}
),

items as (
    select
        *,
        case when station_id = '' then item_id else station_id end as part_id
    from {{ ref('int_exam_items__gathered') }}
    where points is not null
),

marks as (
    select marks.*
    from {{ ref('int_exam_marks__gathered') }} as marks
    inner join totals on marks.sitting_key = totals.sitting_key
    where totals.is_complete
),

facets as (
    select
        programme_id,
        task_id,
        sitting_id,
        case
            when max(station_id) = '' then 'item'
            when min(station_id) <> '' then 'station'
        end as facet
    from items
    group by programme_id, task_id, sitting_id
),

part_points as (
    select
        items.programme_id,
        items.task_id,
        items.sitting_id,
        items.sitting_key,
        items.part_id,
        count(*) as n_items,
        sum(items.points) as points,
        sum(items.max_points) as max_points
    from items
    inner join totals on items.sitting_key = totals.sitting_key
    where totals.is_complete
    group by
        items.programme_id, items.task_id, items.sitting_id, items.sitting_key, items.part_id
),

parts as (
    select
        programme_id,
        task_id,
        sitting_id,
        part_id,
        max(n_items) as n_items,
        max(max_points) as max_points
    from part_points
    group by programme_id, task_id, sitting_id, part_id
),

-- Parts that offer different points count alike: each is told in points of the mean part.
sized as (
    select
        *,
        count(max_points) over of_sitting = count(*) over of_sitting
        and min(max_points) over of_sitting < max(max_points) over of_sitting as is_rescaled,
        cast(sum(max_points) over of_sitting as double)
        / count(max_points) over of_sitting / nullif(max_points, 0) as factor
    from parts
    window of_sitting as (partition by programme_id, task_id, sitting_id)
),

station_raters as (
    select
        marks.programme_id,
        marks.task_id,
        marks.sitting_id,
        marks.station_id,
        count(distinct marks.examiner_key) as n_raters,
        count(distinct marks.sitting_key) as n_examinees,
        count(marks.examiner_key) as n_marks,
        min(marks.n_items) = max(sized.n_items) as is_whole
    from marks
    inner join sized
        on
            marks.programme_id = sized.programme_id
            and marks.task_id = sized.task_id
            and marks.sitting_id = sized.sitting_id
            and marks.station_id = sized.part_id
    group by marks.programme_id, marks.task_id, marks.sitting_id, marks.station_id
),

examiners as (
    select
        programme_id,
        task_id,
        sitting_id,
        count(distinct examiner_key) as n_examiners
    from marks
    group by programme_id, task_id, sitting_id
),

crossed as (
    select
        station_raters.programme_id,
        station_raters.task_id,
        station_raters.sitting_id,
        max(station_raters.n_raters) as n_raters,
        min(station_raters.n_raters) > 1
        and min(station_raters.n_raters) = max(station_raters.n_raters)
        and min(station_raters.n_marks) = max(station_raters.n_raters * station_raters.n_examinees)
        and bool_and(station_raters.is_whole)
        and sum(station_raters.n_raters) = max(examiners.n_examiners) as is_crossed
    from station_raters
    inner join examiners
        on
            station_raters.programme_id = examiners.programme_id
            and station_raters.task_id = examiners.task_id
            and station_raters.sitting_id = examiners.sitting_id
    group by station_raters.programme_id, station_raters.task_id, station_raters.sitting_id
),

scores as (
    select
        part_points.programme_id,
        part_points.task_id,
        part_points.sitting_id,
        part_points.sitting_key,
        part_points.part_id,
        'all' as rater_id,
        part_points.points
    from part_points
    left join crossed
        on
            part_points.programme_id = crossed.programme_id
            and part_points.task_id = crossed.task_id
            and part_points.sitting_id = crossed.sitting_id
    where not coalesce(crossed.is_crossed, false)

    union all

    select
        marks.programme_id,
        marks.task_id,
        marks.sitting_id,
        marks.sitting_key,
        marks.station_id as part_id,
        marks.examiner_key as rater_id,
        marks.points
    from marks
    inner join crossed
        on
            marks.programme_id = crossed.programme_id
            and marks.task_id = crossed.task_id
            and marks.sitting_id = crossed.sitting_id
    where crossed.is_crossed
),

rescaled as (
    select
        scores.programme_id,
        scores.task_id,
        scores.sitting_id,
        scores.sitting_key,
        scores.part_id,
        scores.rater_id,
        cast(
            case when sized.is_rescaled then scores.points * sized.factor else scores.points end
            as decimal(18, 6)
        ) as points
    from scores
    inner join sized
        on
            scores.programme_id = sized.programme_id
            and scores.task_id = sized.task_id
            and scores.sitting_id = sized.sitting_id
            and scores.part_id = sized.part_id
),

-- Sums over each effect of the design, whose squares make up the analysis of variance.
effects as (
    {%- for effect, columns in [
        ('person', 'sitting_key'), ('part', 'part_id'), ('rater', 'part_id, rater_id'),
        ('person_part', 'sitting_key, part_id'), ('score', 'sitting_key, part_id, rater_id'),
    ] %}
    select
        programme_id,
        task_id,
        sitting_id,
        '{{ effect }}' as effect,
        cast(sum(points) as decimal(18, 6)) as points
    from rescaled
    group by programme_id, task_id, sitting_id, {{ columns }}
    {% if not loop.last %}
    union all
    {% endif -%}
    {%- endfor %}
),

squared as (
    select
        programme_id,
        task_id,
        sitting_id,
        {%- for effect in ['person', 'part', 'rater', 'person_part', 'score'] %}
        count(case when effect = '{{ effect }}' then 1 end) as n_{{ effect }},
        cast(sum(
            case when effect = '{{ effect }}' then {{ measure_product('points', 'points') }} end
        ) as double) as {{ effect }}_squares,
        {%- endfor %}
        cast(sum(case when effect = 'score' then points end) as double) as total
    from effects
    group by programme_id, task_id, sitting_id
),

corrected as (
    select
        *,
        n_rater / n_part as n_raters,
        person_squares / (n_score / n_person) as of_person,
        part_squares / (n_score / n_part) as of_part,
        rater_squares / n_person as of_rater,
        person_part_squares / (n_score / n_person_part) as of_person_part,
        total * total / n_score as of_mean
    from squared
),

mean_squares as (
    select
        *,
        {{ measure_mean_square('of_person - of_mean', 'n_person - 1') }} as ms_person,
        {{ measure_mean_square('of_part - of_mean', 'n_part - 1') }} as ms_part,
        {{ measure_mean_square('of_rater - of_part', 'n_rater - n_part') }} as ms_rater,
        {{ measure_mean_square(
            'of_person_part - of_person - of_part + of_mean', '(n_person - 1) * (n_part - 1)'
        ) }} as ms_person_part,
        {{ measure_mean_square(
            'score_squares - of_person_part - of_rater + of_part',
            '(n_person - 1) * (n_rater - n_part)'
        ) }} as ms_residual
    from corrected
),

estimated as (
    select
        *,
        (ms_person - ms_person_part) / (n_part * n_raters) as person_variance,
        (ms_part - ms_person_part - coalesce(ms_rater - ms_residual, 0)) / (n_person * n_raters)
            as part_variance,
        (ms_rater - ms_residual) / n_person as rater_variance,
        (ms_person_part - ms_residual) / n_raters as person_part_variance,
        coalesce(ms_residual, ms_person_part) as residual_variance
    from mean_squares
),

people as (
    select
        programme_id,
        task_id,
        sitting_id,
        count(*) as n_examinees,
        count(case when is_complete then 1 end) as n_complete
    from totals
    group by programme_id, task_id, sitting_id
),

rescalings as (
    select
        programme_id,
        task_id,
        sitting_id,
        bool_or(is_rescaled) as is_rescaled
    from sized
    group by programme_id, task_id, sitting_id
)

select
    ---------- ids
    people.programme_id,
    people.task_id,
    people.sitting_id,
    ---------- text
    facets.facet,
    ---------- numbers
    people.n_examinees,
    people.n_complete,
    cast(estimated.n_part as bigint) as n_parts,
    cast(case when crossed.is_crossed then crossed.n_raters end as bigint) as n_raters,
    cast(crossed.n_raters as bigint) as n_raters_most,
    cast(estimated.total / estimated.n_person / estimated.n_raters as decimal(18, 6)) as mean_points,
    {%- for component in ['person', 'part', 'rater', 'person_part', 'residual'] %}
    cast(
        round(case when facets.facet is not null then estimated.{{ component }}_variance end, 9)
        as decimal(18, 9)
    ) as {{ component }}_variance,
    {%- endfor %}
    ---------- yes or no
    coalesce(rescalings.is_rescaled, false) as is_rescaled
from people
left join facets
    on
        people.programme_id = facets.programme_id
        and people.task_id = facets.task_id
        and people.sitting_id = facets.sitting_id
left join estimated
    on
        people.programme_id = estimated.programme_id
        and people.task_id = estimated.task_id
        and people.sitting_id = estimated.sitting_id
left join crossed
    on
        people.programme_id = crossed.programme_id
        and people.task_id = crossed.task_id
        and people.sitting_id = crossed.sitting_id
left join rescalings
    on
        people.programme_id = rescalings.programme_id
        and people.task_id = rescalings.task_id
        and people.sitting_id = rescalings.sitting_id
