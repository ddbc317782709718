-- Grain: one row per sitting of an exam, station and item: sums over the learners who were presented
-- every item, and the item's statistics from them.
{{ config(materialized='table') }}

with

items as (
    select * from {{ ref('int_exam_items__gathered') }}
),

totals as (
    select * from {{ ref('int_exam_totals__summed') }}
),

joined as (
    select
        items.*,
        totals.score_group,
        totals.n_items,
        totals.is_complete,
        case when totals.is_complete then items.points end as compared,
        case when totals.is_complete then totals.total - items.points end as rest,
        case when totals.is_complete then totals.total end as total,
        -- What the item's station earns in all, or the item itself where it is of none.
        case
            when totals.is_complete and items.station_id = '' then items.points
            when totals.is_complete
                then sum(items.points) over (partition by items.sitting_key, items.station_id)
        end as part
    from items
    inner join totals on items.sitting_key = totals.sitting_key
),

summed as (
    select
        programme_id,
        task_id,
        sitting_id,
        station_id,
        item_id,
        max(n_items) as n_items,
        max(max_points) as max_points,
        count(*) as n_presented,
        count(case when item_outcome = 'omitted' then 1 end) as n_omitted,
        count(case when item_outcome = 'dont_know' then 1 end) as n_dont_know,
        count(compared) as n_compared,
        sum(points) as sum_points,
        count(points) as n_points,
        sum(compared) as sum_x,
        sum({{ measure_product('compared', 'compared') }}) as sum_xx,
        sum(rest) as sum_r,
        sum({{ measure_product('rest', 'rest') }}) as sum_rr,
        sum({{ measure_product('compared', 'rest') }}) as sum_xr,
        sum(total) as sum_t,
        sum({{ measure_product('total', 'total') }}) as sum_tt,
        sum({{ measure_product('compared', 'total') }}) as sum_xt,
        sum(part) as sum_p,
        sum({{ measure_product('part', 'part') }}) as sum_pp,
        sum(part - compared) as sum_l,
        sum({{ measure_product('part - compared', 'part - compared') }}) as sum_ll,
        count(right_or_wrong) as n_right_or_wrong,
        sum(right_or_wrong) as n_right,
        count(case when is_complete then right_or_wrong end) as n_compared_right_or_wrong,
        sum(case when is_complete then right_or_wrong end) as n_compared_right,
        count(case when score_group = 'upper' then 1 end) as n_upper,
        count(case when score_group = 'lower' then 1 end) as n_lower,
        sum(case when score_group = 'upper' then points end) as sum_upper,
        sum(case when score_group = 'lower' then points end) as sum_lower
    from joined
    group by programme_id, task_id, sitting_id, station_id, item_id
)

select
    ---------- ids
    programme_id,
    task_id,
    sitting_id,
    station_id,
    item_id,
    ---------- numbers
    n_items,
    max_points,
    n_presented,
    n_points as n_scored,
    n_omitted,
    n_dont_know,
    n_compared,
    {{ measure_variance('n_compared', 'sum_x', 'sum_xx') }} as variance,
    {{ measure_variance('n_compared', 'sum_r', 'sum_rr') }} as rest_variance,
    {{ measure_variance('n_compared', 'sum_p', 'sum_pp') }} as part_variance,
    {{ measure_variance('n_compared', 'sum_l', 'sum_ll') }} as part_rest_variance,
    case
        when n_compared_right_or_wrong = n_compared
            then {{ measure_variance('n_compared', 'n_compared_right', 'n_compared_right') }}
    end as right_variance,
    {{ to_places(
        'cast(sum_points as double) / nullif(n_points * max_points, 0)'
    ) }} as difficulty,
    {{ to_places(
        'case when n_right_or_wrong = n_presented then cast(n_right as double) / n_presented end'
    ) }} as right_share,
    {{ measure_correlation('n_compared', 'sum_x', 'sum_xx', 'sum_r', 'sum_rr', 'sum_xr') }}
        as discrimination,
    {{ measure_correlation('n_compared', 'sum_x', 'sum_xx', 'sum_t', 'sum_tt', 'sum_xt') }}
        as item_total_correlation,
    {{ to_places(
        '(cast(sum_upper as double) / nullif(n_upper, 0)'
        ~ ' - cast(sum_lower as double) / nullif(n_lower, 0)) / nullif(max_points, 0)'
    ) }} as upper_lower
from summed
