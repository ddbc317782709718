-- Grain: one row per learner's sitting of an exam (attempt) and competency that stations of it are
-- about: what these stations gave together, who examined there, and the cut-scores that were set for
-- them. A station that was carried over or not presented is no performance of that sitting.
{{ config(materialized='table') }}

with

responses as (
    select
        *,
        {{ key('sitting_key') }} as sitting_key
    from {{ ref('int_exam_responses__scored') }}
    where station_id is not null and not is_banked and item_outcome <> 'not_presented'
),

tasks as (
    select * from {{ ref('int_tasks__dated') }}
),

cut_scores as (
    select * from {{ ref('int_cut_scores__chosen') }}
    where station_id is not null
),

-- What the record says comes before what the item, the station and the exam are about.
placed as (
    select
        responses.*,
        {{ unnest_list(
            "case
                when responses.competency_id is not null
                    then " ~ list_of('responses.competency_id') ~ "
                when " ~ list_size('responses.item_competency_ids') ~ " > 0
                    then " ~ list_distinct('responses.item_competency_ids') ~ "
                when " ~ list_size('stations.competency_ids') ~ " > 0
                    then " ~ list_distinct('stations.competency_ids') ~ "
                when " ~ list_size('responses.exam_competency_ids') ~ " > 0
                    then " ~ list_distinct('responses.exam_competency_ids') ~ "
                else " ~ list_of('cast(null as string)') ~ "
            end"
        ) }} as about_competency_id
    from responses
    left join tasks as stations
        on
            {{ names_task('stations', 'responses', task_id='station_id') }}
            and responses.task_id = stations.parent_task_id
),

-- An item that several examiners scored counts once, with the mean of what they gave.
items as (
    select
        sitting_key,
        about_competency_id,
        station_id,
        item_id,
        {{ measure_mean_points('points') }} as points,
        {{ measure_mean_points('max_points') }} as max_points
    from placed
    group by sitting_key, about_competency_id, station_id, item_id
),

stations as (
    select
        sitting_key,
        about_competency_id,
        station_id,
        count(*) as n_items,
        count(points) as n_scored,
        count(max_points) as n_limited,
        sum(points) as points,
        sum(max_points) as max_points
    from items
    group by sitting_key, about_competency_id, station_id
),

station_sizes as (
    select
        sitting_key,
        station_id,
        count(distinct item_id) as n_items
    from responses
    group by sitting_key, station_id
),

sittings as (
    select
        sitting_key,
        min(learner_key) as learner_key,
        min(programme_id) as programme_id,
        min(site_id) as site_id,
        min(task_id) as task_id,
        min(sitting_id) as sitting_id,
        min(attempt) as attempt,
        min(occurred_at) as occurred_at,
        min(occurred_on) as occurred_on,
        max(known_at) as known_at,
        count(distinct station_id) as n_stations
    from responses
    group by sitting_key
),

summed as (
    select
        stations.sitting_key,
        stations.about_competency_id,
        count(*) as n_stations,
        case when sum(stations.n_scored) = sum(stations.n_items) then sum(stations.points) end
            as points,
        case when sum(stations.n_limited) = sum(stations.n_items) then sum(stations.max_points) end
            as max_points,
        count(case when stations.n_items = station_sizes.n_items then 1 end) as n_whole_stations,
        case
            when
                count(case
                    when stations.n_items = station_sizes.n_items then cut_scores.cut_score
                end) = count(*)
                then sum(cut_scores.cut_score)
        end as cut_score,
        min(cut_scores.method) as cut_score_method
    from stations
    inner join station_sizes
        on
            stations.sitting_key = station_sizes.sitting_key
            and stations.station_id = station_sizes.station_id
    inner join sittings on stations.sitting_key = sittings.sitting_key
    left join cut_scores
        on
            sittings.programme_id = cut_scores.programme_id
            and sittings.task_id = cut_scores.task_id
            and sittings.sitting_id = cut_scores.sitting_id
            and stations.station_id = cut_scores.station_id
    group by stations.sitting_key, stations.about_competency_id
),

ordered as (
    select
        *,
        row_number() over (
            partition by sitting_key, about_competency_id
            order by known_at desc, record_key desc
        ) as newest_first
    from placed
),

-- Global ratings stay in the words of their own scale; nothing adds them up.
told as (
    select
        sitting_key,
        about_competency_id,
        max(case when newest_first = 1 then event_id end) as event_id,
        max(case when newest_first = 1 then record_id end) as record_id,
        max(case when newest_first = 1 then source_id end) as source_id,
        max(case when newest_first = 1 then delivery_id end) as delivery_id,
        max(case when newest_first = 1 then source_row end) as source_row,
        max(case when newest_first = 1 then source_cell end) as source_cell,
        {{ list_agg('examiner_key', distinct=true) }} as examiner_keys,
        {{ list_join(
            list_agg("station_id || ': ' || global_rating", distinct=true), '; '
        ) }} as global_ratings
    from ordered
    group by sitting_key, about_competency_id
),

gathered as (
    select
        ---------- ids
        summed.sitting_key,
        told.event_id,
        told.record_id,
        sittings.learner_key,
        sittings.programme_id,
        sittings.site_id,
        sittings.task_id,
        sittings.sitting_id,
        summed.about_competency_id as competency_id,
        ---------- text
        nullif(told.global_ratings, '') as global_ratings,
        case when summed.cut_score is not null then summed.cut_score_method end
            as cut_score_method,
        ---------- numbers
        sittings.attempt,
        cast(summed.n_stations as bigint) as n_stations,
        cast(summed.points as decimal(18, 6)) as points,
        cast(summed.max_points as decimal(18, 6)) as max_points,
        cast(summed.cut_score as decimal(18, 6)) as cut_score,
        ---------- yes or no
        summed.n_whole_stations = sittings.n_stations as is_every_station,
        ---------- lists
        told.examiner_keys,
        ---------- days and instants
        sittings.occurred_at,
        sittings.occurred_on,
        ---------- lineage
        told.source_id,
        told.delivery_id,
        told.source_row,
        told.source_cell,
        sittings.known_at
    from summed
    inner join told
        on
            summed.sitting_key = told.sitting_key
            and summed.about_competency_id is not distinct from told.about_competency_id
    inner join sittings on summed.sitting_key = sittings.sitting_key
)

select * from gathered
