-- Grain: one row per sitting of an exam with item responses: how its scores spread and how reliable
-- they are. Statistics rest on the learners who were presented every item. Items of one station are one
-- part of the exam, since they share a case and an examiner; what was scored for nobody is no part.
with

totals as (
    select * from {{ ref('int_exam_totals__summed') }}
),

items as (
    select * from {{ ref('int_exam_items__analysed') }}
),

station_items as (
    select * from {{ ref('int_exam_items__gathered') }}
    where station_id <> ''
),

examiners as (
    select * from {{ ref('int_examiners__counted') }}
),

tasks as (
    select * from {{ ref('int_tasks__current') }}
),

spread as (
    select
        programme_id,
        task_id,
        sitting_id,
        max(n_items) as n_items,
        count(*) as n_examinees,
        count(case when is_complete then 1 end) as n_complete,
        max(max_total) as max_points,
        bool_and(case when is_complete then is_right_or_wrong end) as is_right_or_wrong,
        sum(case when is_complete then total end) as sum_total,
        sum(case when is_complete then {{ measure_product('total', 'total') }} end) as sum_of_squares,
        sum(case when is_complete then n_right end) as sum_right,
        sum(case when is_complete then n_right * n_right end) as sum_right_squares
    from totals
    group by programme_id, task_id, sitting_id
),

station_points as (
    select
        station_items.programme_id,
        station_items.task_id,
        station_items.sitting_id,
        station_items.station_id,
        station_items.sitting_key,
        sum(station_items.points) as points
    from station_items
    inner join totals on station_items.sitting_key = totals.sitting_key
    where totals.is_complete
    group by
        station_items.programme_id, station_items.task_id, station_items.sitting_id,
        station_items.station_id, station_items.sitting_key
),

stations as (
    select
        programme_id,
        task_id,
        sitting_id,
        {{ measure_variance(
            'count(points)', 'sum(points)', 'sum(' ~ measure_product('points', 'points') ~ ')'
        ) }} as variance
    from station_points
    group by programme_id, task_id, sitting_id, station_id
),

varied as (
    select
        programme_id,
        task_id,
        sitting_id,
        case when station_id = '' then variance end as variance,
        right_variance
    from items

    union all

    select
        programme_id,
        task_id,
        sitting_id,
        variance,
        cast(null as double) as right_variance
    from stations
),

parts as (
    select
        programme_id,
        task_id,
        sitting_id,
        count(variance) as n_parts,
        sum(cast(round(variance, 9) as decimal(38, 9))) as sum_of_variances,
        sum(cast(round(right_variance, 9) as decimal(38, 9))) as sum_of_right_variances
    from varied
    group by programme_id, task_id, sitting_id
),

measured as (
    select
        spread.*,
        parts.n_parts,
        parts.sum_of_variances,
        parts.sum_of_right_variances,
        spread.n_complete
        >= {{ rule_threshold('exams', 'item_analysis', 'examinees_min') }} as is_described,
        {{ measure_variance('spread.n_complete', 'spread.sum_total', 'spread.sum_of_squares') }}
            as variance,
        {{ measure_variance('spread.n_complete', 'spread.sum_right', 'spread.sum_right_squares') }}
            as right_variance
    from spread
    inner join parts
        on
            spread.programme_id = parts.programme_id
            and spread.task_id = parts.task_id
            and spread.sitting_id = parts.sitting_id
),

related as (
    select
        *,
        {{ measure_reliability('n_parts', 'sum_of_variances', 'variance') }} as reliability,
        {{ measure_alpha('n_parts', 'sum_of_variances', 'variance') }} as raw_alpha,
        {{ measure_alpha('n_items', 'sum_of_right_variances', 'right_variance') }} as raw_kr20
    from measured
),

reliable as (
    select
        *,
        case when is_described then {{ measure_sem('sqrt(variance)', 'reliability') }} end as sem
    from related
),

final as (
    select
        ---------- ids
        reliable.programme_id,
        reliable.task_id,
        reliable.sitting_id,
        ---------- text
        tasks.title,
        case
            when
                reliable.n_complete = 0
                and reliable.n_examinees
                >= {{ rule_threshold('exams', 'item_analysis', 'examinees_min') }}
                then
                    'Nobody was presented every item: forms of a test are described where each is a '
                    || 'sitting of its own.'
            when not reliable.is_described
                then
                    {{ counted(
                        'reliable.n_complete', 'learner was', 'learners were'
                    ) }} || ' presented every item: too few to describe the exam.'
            when reliable.raw_alpha is null
                then 'One item or station, or equal totals: nothing can be told apart.'
            when reliable.reliability < 0
                then
                    'Alpha ' || cast(cast(reliable.raw_alpha as decimal(9, 2)) as string)
                    || ': below 0, since the parts of the exam run against one another; '
                    || 'no standard error follows from it.'
            when reliable.sem is null
                then
                    'Alpha 1.00: all parts say the same of everybody, so they show no error; '
                    || 'no standard error follows from it.'
            else
                'Alpha ' || {{ coefficient_text('reliable.raw_alpha') }} || ': a score of '
                || {{ score_text(
                    'cast(round(reliable.sum_total / reliable.n_complete, 1) as decimal(18, 1))'
                ) }}
                || ' has a standard error ' || {{ error_text('reliable.sem') }} || '.'
        end as sentence,
        ---------- numbers
        reliable.n_examinees,
        reliable.n_complete,
        examiners.n_examiners,
        reliable.n_items,
        reliable.max_points,
        {{ to_places('case when reliable.is_described then '
            ~ 'cast(reliable.sum_total as double) / reliable.n_complete end') }} as mean_points,
        {{ to_places('case when reliable.is_described then sqrt(reliable.variance) end') }}
            as sd_points,
        {{ to_places('case when reliable.is_described and reliable.is_right_or_wrong then '
            ~ 'cast(reliable.sum_right as double) / reliable.n_complete end') }} as mean_right,
        {{ to_places('case when reliable.is_described and reliable.is_right_or_wrong then '
            ~ 'sqrt(reliable.right_variance) end') }} as sd_right,
        case when reliable.is_described then reliable.raw_alpha end as alpha,
        case
            when reliable.is_described and reliable.is_right_or_wrong then reliable.raw_kr20
        end as kr20,
        reliable.sem,
        ---------- rule
        'exams' as rule_set_id,
        {{ rule_version('exams') }} as rule_version
    from reliable
    left join examiners
        on {{ same('reliable', 'examiners', ['programme_id', 'task_id', 'sitting_id']) }}
    left join tasks
        on
            reliable.programme_id = tasks.programme_id
            and reliable.task_id = tasks.task_id
)

select * from final
