-- The present outcome of every evidence event.
--
-- {events} gives one row an event of an interpretation in force that is not held:
--   event_id, kind, record_key, content_hash, source_version, known_at, delivery_id,
--   source_row, source_cell.
-- {refused} gives delivery_id and record_key of refused records.
-- standing_delivery, standing_arrival and standing_register say how deliveries stand.
--
-- A void has the record_key of the record that it withdraws.
-- A delivery of a source of snapshots says what it says each time that it arrives.
-- Conflicts resolve by one total order, so the order of processing cannot matter.
with entries as (
    select
        event.event_id,
        event.kind,
        event.record_key,
        event.content_hash,
        event.source_version,
        event.source_row,
        event.source_cell,
        delivery.delivery_id,
        delivery.source_id,
        delivery.sha256 as delivery_sha256,
        delivery.on_change,
        delivery.has_several_arrivals,
        arrival.arrived_at,
        coalesce(
            arrival.arrived_at,
            case
                when event.known_at = delivery.stamped_at then delivery.known_at
                else event.known_at
            end
        ) as said_at
    from {events} as event
    inner join standing_delivery as delivery on event.delivery_id = delivery.delivery_id
    left join standing_arrival as arrival on event.delivery_id = arrival.delivery_id
),

-- Where a source declares that a record does not change, the first to say something stays.
guarded as (
    select
        event_id,
        on_change,
        content_hash <> first_value(content_hash) over statements as differs,
        first_value(event_id) over statements as first_event_id
    from entries
    where
        kind <> 'void'
        and record_key in (select record_key from entries where on_change = 'conflict')
    window
        statements as (
            partition by kind, record_key, source_version
            order by said_at, delivery_sha256, source_row, source_cell nulls first, event_id
        )
),

conflicts as (
    select
        event_id,
        min(first_event_id) as conflicts_with
    from guarded
    where differs and on_change = 'conflict'
    group by event_id
),

ordered as (
    select
        event_id,
        kind,
        record_key,
        source_version,
        has_several_arrivals,
        said_at,
        coalesce(content_hash = lag(content_hash) over statements, false) as is_repeat,
        row_number() over statements as position
    from entries
    where event_id not in (select event_id from conflicts)
    window
        statements as (
            partition by kind, record_key
            order by
                source_version nulls first,
                said_at,
                delivery_sha256,
                source_row,
                source_cell nulls first,
                event_id
        )
),

runs as (
    select
        *,
        count(*) filter (where not is_repeat) over (
            partition by kind, record_key
            order by position
        ) as run,
        count(*) filter (where not is_repeat) over (partition by kind, record_key) as last_run,
        max(source_version) over (partition by kind, record_key) as newest_version
    from ordered
),

voids as (
    select
        record_key,
        max(source_version) as voided_up_to,
        bool_or(source_version is null) as is_for_good
    from {events}
    where kind = 'void'
    group by record_key
),

-- Records that earlier snapshots of a source held, and the one in force lacks. A refused row still
-- says that there is such a record.
gone_from as (
    select
        entries.record_key,
        any_value(register.arrived_at) as gone_at,
        any_value(register.withdraws) as is_withdrawn
    from entries
    inner join standing_register as register on entries.source_id = register.source_id
    where
        (register.delivery_id, entries.record_key) not in (
            select (delivery_id, record_key) from {refused} where record_key is not null
        )
    group by entries.record_key, register.source_id
    having
        not bool_or(entries.delivery_id = register.delivery_id)
        and bool_and(entries.arrived_at is not null and entries.arrived_at <= register.arrived_at)
),

gone as (
    select
        record_key,
        max(gone_at) as gone_at,
        max(gone_at) filter (where is_withdrawn) as withdrawn_at
    from gone_from
    group by record_key
),

judged as (
    select
        runs.event_id,
        runs.has_several_arrivals,
        case
            when runs.is_repeat then 'duplicate'
            when runs.run < runs.last_run then 'superseded'
            when
                runs.kind <> 'void'
                and voids.record_key is not null
                and (
                    voids.is_for_good
                    or runs.newest_version is null
                    or voids.voided_up_to >= runs.newest_version
                )
                then 'voided'
            when runs.kind <> 'void' and runs.said_at <= gone.withdrawn_at then 'voided'
            else 'accepted'
        end as outcome,
        case
            when
                runs.kind <> 'void'
                and not runs.is_repeat
                and runs.run = runs.last_run
                and runs.said_at <= gone.gone_at
                then gone.gone_at
        end as gone_at
    from runs
    left join voids on runs.record_key = voids.record_key
    left join gone on runs.record_key = gone.record_key
)

select
    event_id,
    outcome as present_outcome,
    gone_at,
    cast(null as varchar) as conflicts_with
from judged
where not has_several_arrivals

union all

select
    event_id,
    arg_min(
        outcome, list_position(['accepted', 'voided', 'superseded', 'duplicate'], outcome)
    ) as present_outcome,
    max(gone_at) as gone_at,
    null as conflicts_with
from judged
where has_several_arrivals
group by event_id

union all

select
    event_id,
    'quarantined' as present_outcome,
    null as gone_at,
    conflicts_with
from conflicts
