-- Grain: one row per sitting of an exam, station and item: how hard it was, how well it told learners
-- apart, and what speaks for a second look.
with

items as (
    select * from {{ ref('int_exam_items__analysed') }}
),

examiners as (
    select * from {{ ref('int_examiners__counted') }}
),

-- As in the alpha of the exam, items of one station are one part of it.
parts as (
    select
        programme_id,
        task_id,
        sitting_id,
        station_id,
        case when station_id = '' then item_id end as own_item_id,
        count(part_variance) as n_items_of_part,
        max(part_variance) as variance
    from items
    where part_variance is not null
    group by programme_id, task_id, sitting_id, station_id, own_item_id
),

exams as (
    select
        programme_id,
        task_id,
        sitting_id,
        count(*) as n_parts,
        sum(cast(round(variance, 9) as decimal(38, 9))) as sum_of_variances
    from parts
    group by programme_id, task_id, sitting_id
),

described as (
    select
        items.*,
        examiners.n_examiners_min,
        items.n_compared
        >= {{ rule_threshold('exams', 'item_analysis', 'examinees_min') }} as is_described,
        -- Points taken off for wrong answers do not make an item one that hardly anybody gets right.
        greatest(items.difficulty, items.right_share) as earned_share,
        {{ measure_alpha(
            '(exams.n_parts - case when parts.n_items_of_part = 1 then 1 else 0 end)',
            '(exams.sum_of_variances - items.part_variance + items.part_rest_variance)',
            'items.rest_variance'
        ) }} as raw_alpha_without
    from items
    left join parts
        on
            items.programme_id = parts.programme_id
            and items.task_id = parts.task_id
            and items.sitting_id = parts.sitting_id
            and items.station_id = parts.station_id
            and (items.station_id <> '' or items.item_id = parts.own_item_id)
    left join exams
        on
            items.programme_id = exams.programme_id
            and items.task_id = exams.task_id
            and items.sitting_id = exams.sitting_id
    left join examiners
        on {{ same('items', 'examiners', ['programme_id', 'task_id', 'sitting_id']) }}
),

looked_at as (
    select
        *,
        {{ list_present([
            "case when discrimination < 0 then 'better learners do worse on it' end",
            "case when discrimination >= 0 and discrimination < "
                ~ rule_threshold('exams', 'item_analysis', 'discrimination_min')
                ~ " then 'it hardly tells learners apart' end",
            "case when earned_share < " ~ rule_threshold('exams', 'item_analysis', 'difficulty_min')
                ~ " then 'hardly anybody earns its points' end",
            "case when earned_share > " ~ rule_threshold('exams', 'item_analysis', 'difficulty_max')
                ~ " then 'nearly everybody earns its points' end",
        ]) }} as reasons
    from described
),

final as (
    select
        ---------- ids
        programme_id,
        task_id,
        sitting_id,
        station_id,
        item_id,
        ---------- numbers
        n_presented,
        n_scored,
        n_compared,
        n_omitted,
        n_dont_know,
        n_examiners_min,
        max_points,
        case when is_described then difficulty end as difficulty,
        case when is_described then right_share end as right_share,
        case when is_described then discrimination end as discrimination,
        case when is_described then item_total_correlation end as item_total_correlation,
        case when is_described then upper_lower end as upper_lower,
        case when is_described then raw_alpha_without end as alpha_without,
        ---------- yes or no
        is_described and {{ list_size('reasons') }} > 0 as is_for_review,
        ---------- text
        case
            when is_described and {{ list_size('reasons') }} > 0
                then
                    'Have a second look: ' || {{ list_join('reasons') }} || '.'
        end as sentence,
        'exams' as rule_set_id,
        {{ rule_version('exams') }} as rule_version
    from looked_at
)

select * from final
