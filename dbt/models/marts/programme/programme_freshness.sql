-- Grain: one row per source that has ever delivered: how new what it sent is.
with

receipts as (
    select * from {{ ref('stg_receipt') }}
    where source_id is not null
),

intake_records as (
    select * from {{ ref('stg_intake_record') }}
),

evidence as (
    select * from {{ ref('fct_evidence') }}
),

responses as (
    select * from {{ ref('fct_exam_response') }}
),

declarations as (
    select * from {{ ref('fct_ai_declaration') }}
    where is_on_record
),

events as (
    select
        source_id,
        occurred_on as event_on
    from evidence

    union all

    select
        source_id,
        occurred_on as event_on
    from responses

    union all

    select
        source_id,
        declared_on as event_on
    from declarations
),

newest_events as (
    select
        source_id,
        max(event_on) as newest_event_on
    from events
    where event_on <= {{ as_of() }}
    group by source_id
),

arrivals as (
    select
        source_id,
        count(*) as n_receipts,
        count(distinct delivery_id) as n_deliveries,
        max(known_at) as newest_known_at
    from receipts
    where status = 'received'
    group by source_id
),

held as (
    select
        source_id,
        count(case when status = 'held' then 1 end) as n_held,
        count(case when status = 'unreadable' then 1 end) as n_unreadable
    from intake_records
    group by source_id
),

aged as (
    select
        arrivals.source_id,
        arrivals.n_receipts,
        arrivals.n_deliveries,
        arrivals.newest_known_at,
        newest_events.newest_event_on,
        coalesce(held.n_held, 0) as n_held,
        coalesce(held.n_unreadable, 0) as n_unreadable,
        {{ days_between(programme_day('arrivals.newest_known_at'), day_of_known_at()) }}
            as n_days_since_delivery,
        {{ days_between('newest_events.newest_event_on', as_of()) }} as n_days_since_event
    from arrivals
    left join newest_events on arrivals.source_id = newest_events.source_id
    left join held on arrivals.source_id = held.source_id
),

final as (
    select
        ---------- ids
        source_id,
        ---------- text
        'Last delivery '
        || case
            when n_days_since_delivery = 0 then 'on the day of this edition'
            else {{ counted('n_days_since_delivery', 'day', 'days') }} || ' before this edition'
        end
        || coalesce('; newest evidence of ' || cast(newest_event_on as string), '')
        || case
            when n_held + n_unreadable > 0
                then
                    '; '
                    || {{ counted('n_held + n_unreadable', 'delivery is', 'deliveries are') }}
                    || ' held or unreadable'
            else ''
        end || '.' as sentence,
        ---------- numbers
        n_receipts,
        n_deliveries,
        n_held,
        n_unreadable,
        n_days_since_delivery,
        n_days_since_event,
        ---------- days and instants
        newest_known_at,
        newest_event_on
    from aged
)

select * from final
