-- Grain: one row per sitting of an exam and station that was scored: how hard it was and how it goes with
-- the others. All stations of a sitting are about the same examinees, so that none less another is one.
-- The station, not the item, is what an OSCE samples.
with

items as (
    select * from {{ ref('int_exam_items__gathered') }}
    where station_id <> '' and points is not null
),

responses as (
    select * from {{ ref('int_exam_responses__scored') }}
    where station_id is not null and not is_banked
),

complete as (
    select * from {{ ref('int_exam_totals__summed') }}
    where is_complete
),

stations as (
    select
        items.programme_id,
        items.task_id,
        items.sitting_id,
        items.station_id,
        items.sitting_key,
        complete.total,
        sum(items.points) as points,
        sum(items.max_points) as max_points,
        count(*) as n_items
    from items
    inner join complete on items.sitting_key = complete.sitting_key
    group by
        items.programme_id, items.task_id, items.sitting_id, items.station_id, items.sitting_key,
        complete.total
),

fewest as (
    select * from {{ ref('int_examiners__counted') }}
),

examiners as (
    select
        programme_id,
        task_id,
        sitting_id,
        station_id,
        count(distinct examiner_key) as n_examiners
    from responses
    group by programme_id, task_id, sitting_id, station_id
),

summed as (
    select
        programme_id,
        task_id,
        sitting_id,
        station_id,
        count(*) as n_examinees,
        max(n_items) as n_items,
        max(max_points) as max_points,
        sum(points) as sum_x,
        sum({{ measure_product('points', 'points') }}) as sum_xx,
        sum(total - points) as sum_r,
        sum({{ measure_product('total - points', 'total - points') }}) as sum_rr,
        sum({{ measure_product('points', 'total - points') }}) as sum_xr
    from stations
    group by programme_id, task_id, sitting_id, station_id
),

measured as (
    select
        *,
        n_examinees >= {{ rule_threshold('exams', 'item_analysis', 'examinees_min') }}
            as is_described,
        {{ measure_variance('n_examinees', 'sum_x', 'sum_xx') }} as variance,
        {{ measure_variance('n_examinees', 'sum_r', 'sum_rr') }} as rest_variance,
        count(*) over (partition by programme_id, task_id, sitting_id) as n_stations,
        {{ measure_correlation('n_examinees', 'sum_x', 'sum_xx', 'sum_r', 'sum_rr', 'sum_xr') }}
            as raw_correlation
    from summed
),

placed as (
    select
        *,
        sum(cast(round(variance, 9) as decimal(38, 9))) over (
            partition by programme_id, task_id, sitting_id
        ) as sum_of_variances
    from measured
),

final as (
    select
        ---------- ids
        placed.programme_id,
        placed.task_id,
        placed.sitting_id,
        placed.station_id,
        ---------- numbers
        placed.n_stations,
        placed.n_examinees,
        examiners.n_examiners,
        fewest.n_examiners_min,
        placed.n_items,
        cast(placed.max_points as decimal(18, 6)) as max_points,
        {{ to_places('case when placed.is_described then '
            ~ 'cast(placed.sum_x as double) / placed.n_examinees end') }} as mean_points,
        {{ to_places('case when placed.is_described then sqrt(placed.variance) end') }} as sd_points,
        case when placed.is_described then placed.raw_correlation end as correlation_with_others,
        case
            when placed.is_described
                then {{ measure_alpha(
                    '(placed.n_stations - 1)', '(placed.sum_of_variances - placed.variance)',
                    'placed.rest_variance'
                ) }}
        end as alpha_without
    from placed
    inner join examiners
        on
            placed.programme_id = examiners.programme_id
            and placed.task_id = examiners.task_id
            and placed.sitting_id = examiners.sitting_id
            and placed.station_id = examiners.station_id
    left join fewest
        on {{ same('placed', 'fewest', ['programme_id', 'task_id', 'sitting_id']) }}
)

select * from final
