-- The present outcome of every evidence event.
--
-- {events} gives one row an event of an interpretation in force that is not held:
--   event_id, kind, record_key, content_hash, source_version, known_at, delivery_sha256,
--   source_row, source_cell.
-- A void has the record_key of the record that it withdraws.
-- Conflicts resolve by one total order, so the order of processing cannot matter.
with ordered as (
    select
        event_id,
        kind,
        record_key,
        source_version,
        coalesce(content_hash = lag(content_hash) over statements, false) as is_repeat,
        row_number() over statements as position
    from {events}
    window
        statements as (
            partition by kind, record_key
            order by
                source_version nulls first,
                known_at,
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
)

select
    runs.event_id,
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
        else 'accepted'
    end as present_outcome
from runs
left join voids on runs.record_key = voids.record_key
