-- Grain: one row per sitting of an exam, item and option that was in the key or that somebody chose:
-- who chose it, and whether a wrong one does its work.
with

items as (
    select * from {{ ref('int_exam_items__gathered') }}
    where answer_key is not null
),

totals as (
    select * from {{ ref('int_exam_totals__summed') }}
    where is_complete
),

answered as (
    select
        items.programme_id,
        items.task_id,
        items.sitting_id,
        items.station_id,
        items.item_id,
        items.sitting_key,
        totals.total - items.points as rest,
        {{ answer_set('items.response') }} as answer_set,
        {{ answer_set('items.answer_key') }} as key_set
    from items
    inner join totals on items.sitting_key = totals.sitting_key
),

sizes as (
    select
        programme_id,
        task_id,
        sitting_id,
        station_id,
        item_id,
        count(*) as n_examinees,
        sum(rest) as sum_rest,
        sum({{ measure_product('rest', 'rest') }}) as sum_rest_squares,
        max(key_set) as key_set
    from answered
    group by programme_id, task_id, sitting_id, station_id, item_id
),

chosen as (
    select
        programme_id,
        task_id,
        sitting_id,
        station_id,
        item_id,
        rest,
        {{ unnest_list('answer_set') }} as option_code
    from answered
),

counted as (
    select
        programme_id,
        task_id,
        sitting_id,
        station_id,
        item_id,
        option_code,
        count(*) as n_chosen,
        sum(rest) as sum_rest_chosen
    from chosen
    group by programme_id, task_id, sitting_id, station_id, item_id, option_code
),

keyed as (
    select
        programme_id,
        task_id,
        sitting_id,
        station_id,
        item_id,
        {{ unnest_list('key_set') }} as option_code
    from sizes
),

options as (
    select
        programme_id,
        task_id,
        sitting_id,
        station_id,
        item_id,
        option_code
    from counted

    union

    select
        programme_id,
        task_id,
        sitting_id,
        station_id,
        item_id,
        option_code
    from keyed
),

measured as (
    select
        options.programme_id,
        options.task_id,
        options.sitting_id,
        options.station_id,
        options.item_id,
        options.option_code,
        sizes.n_examinees,
        coalesce(counted.n_chosen, 0) as n_chosen,
        {{ list_has('sizes.key_set', 'options.option_code') }} as is_key,
        sizes.n_examinees
        >= {{ rule_threshold('exams', 'item_analysis', 'examinees_min') }} as is_described,
        {{ measure_share('coalesce(counted.n_chosen, 0)', 'sizes.n_examinees') }} as raw_share,
        {{ measure_correlation(
            'sizes.n_examinees', 'counted.n_chosen', 'counted.n_chosen', 'sizes.sum_rest',
            'sizes.sum_rest_squares', 'counted.sum_rest_chosen'
        ) }} as raw_discrimination
    from options
    inner join sizes
        on
            options.programme_id = sizes.programme_id
            and options.task_id = sizes.task_id
            and options.sitting_id = sizes.sitting_id
            and options.station_id = sizes.station_id
            and options.item_id = sizes.item_id
    left join counted
        on
            options.programme_id = counted.programme_id
            and options.task_id = counted.task_id
            and options.sitting_id = counted.sitting_id
            and options.station_id = counted.station_id
            and options.item_id = counted.item_id
            and options.option_code = counted.option_code
),

final as (
    select
        ---------- ids
        programme_id,
        task_id,
        sitting_id,
        station_id,
        item_id,
        option_code,
        ---------- numbers
        n_examinees,
        case when is_described then n_chosen end as n_chosen,
        case when is_described then raw_share end as chosen_share,
        case when is_described then raw_discrimination end as discrimination,
        ---------- yes or no
        is_key,
        case
            when is_described and not is_key
                then
                    raw_share >= {{ rule_threshold('exams', 'distractors', 'chosen_share_min') }}
                    and coalesce(raw_discrimination < 0, false)
        end as is_functioning
    from measured
)

select * from final
