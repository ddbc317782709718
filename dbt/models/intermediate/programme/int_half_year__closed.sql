-- Grain: one row; the last half-year that was over on the day of judgement.
with

inputs as (
    select
        coalesce(time_zone, 'UTC') as time_zone,
        {{ add_days(half_year_of('as_of'), -1) }} as period_end_on
    from {{ ref('stg_build_input') }}
)

select
    period_end_on,
    {{ day_start(add_days('period_end_on', 1), 'time_zone') }} as known_before
from inputs
