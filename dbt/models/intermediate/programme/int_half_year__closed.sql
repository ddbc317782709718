-- Grain: one row; the last half-year that was over on the day of judgement. What a school had before it
-- began to keep a log counts from that first day on: a history that is delivered at once has half-years.
with

inputs as (
    select
        coalesce(time_zone, 'UTC') as time_zone,
        {{ add_days(half_year_of('as_of'), -1) }} as period_end_on
    from {{ ref('stg_build_input') }}
),

receipts as (
    select min(known_at) as first_known_at
    from {{ ref('stg_receipt') }}
),

ended as (
    select
        inputs.period_end_on,
        inputs.time_zone,
        greatest(
            inputs.period_end_on,
            {{ day_in_zone('receipts.first_known_at', 'inputs.time_zone') }}
        ) as known_up_to_on
    from inputs
    cross join receipts
)

select
    time_zone,
    period_end_on,
    {{ day_start(add_days('known_up_to_on', 1), 'time_zone') }} as known_before
from ended
