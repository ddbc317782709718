-- Grain: one row per source and month in which deliveries of it became known, in the programme's time zone.
with

deliveries as (
    select * from {{ ref('programme_delivery') }}
),

counted as (
    select
        coalesce(source_id, 'unknown') as source_id,
        {{ month_of(programme_day('first_known_at')) }} as month_on,
        count(*) as n_deliveries,
        count(case when status <> 'committed' then 1 end) as n_not_taken_in,
        count(case when check_verdict = 'warn' then 1 end) as n_with_warnings,
        cast(sum(rows_read) as bigint) as n_rows,
        cast(sum(accepted) as bigint) as n_accepted,
        cast(sum(duplicate) as bigint) as n_duplicate,
        cast(sum(superseded) as bigint) as n_superseded,
        cast(sum(voided) as bigint) as n_voided,
        cast(sum(quarantined) as bigint) as n_quarantined
    from deliveries
    group by coalesce(source_id, 'unknown'), {{ month_of(programme_day('first_known_at')) }}
),

final as (
    select
        ---------- ids
        source_id,
        ---------- days
        month_on,
        ---------- numbers
        n_deliveries,
        n_not_taken_in,
        n_with_warnings,
        n_rows,
        n_accepted,
        n_duplicate,
        n_superseded,
        n_voided,
        n_quarantined,
        {{ measure_share('n_quarantined', 'n_rows') }} as quarantined_share
    from counted
)

select * from final
