{#- The day that windows, recency and due dates are judged on. For intermediate models and marts. -#}
{% macro as_of() -%}
    (select as_of from {{ ref('stg_build_input') }})
{%- endmacro %}

{#- Whether a day has come by the day of judgement. DuckDB takes `day <= (select ...)` for a join that
    leaves next to nothing, and then gathers all evidence to look up a handful of rows; a number of days
    it takes for a filter. -#}
{% macro has_come(day) -%}
    ({{ days_between(day, as_of()) }} >= 0)
{%- endmacro %}

{#- What had arrived by then: the instant up to which this build knows the log. -#}
{% macro known_at() -%}
    (select known_at from {{ ref('stg_build_input') }})
{%- endmacro %}

{#- The calendar day of an instant in the programme's time zone. For staging models. -#}
{% macro local_day(instant) -%}
    {{ day_in_zone(instant, "coalesce((select time_zone from " ~ source('raw', 'build_input') ~ "), 'UTC')") }}
{%- endmacro %}

{#- The calendar day, in the programme's time zone, on which something had arrived. For intermediate models
    and marts. -#}
{% macro known_day(known_at) -%}
    {{ day_in_zone(known_at, "coalesce((select time_zone from " ~ ref('stg_build_input') ~ "), 'UTC')") }}
{%- endmacro %}

{#- Stand-ins for an open start and an open end, so that days compare. -#}
{% macro first_day() -%} date '0001-01-01' {%- endmacro %}
{% macro last_day() -%} date '9999-12-30' {%- endmacro %}

{#- Whether a day lies in a stretch whose ends both count and may both be open. -#}
{% macro in_force(day, from_day, to_day) -%}
    ({{ day }} >= coalesce({{ from_day }}, {{ first_day() }})
        and {{ day }} <= coalesce({{ to_day }}, {{ last_day() }}))
{%- endmacro %}

{#- How many days from one day to another, both counted, do not count for a learner: summed over the
    stretches of `int_learner_time_out__dated` that lie between them in part. -#}
{% macro measure_days_out(time_out, from_day, to_day) -%}
    sum(
        (
            {{ days_between(
                'greatest(' ~ time_out ~ '.from_on, ' ~ from_day ~ ')',
                'least(' ~ time_out ~ '.to_on, ' ~ to_day ~ ')'
            ) }} + 1
        ) * {{ time_out }}.lost_share
    )
{%- endmacro %}

{#- The first day on which so many days have counted since `after_on`: over rows of stretches of time out that do
    not overlap, with what was lost before each, and one that never comes. It lies before the stretch, or
    within one of which days count in part. -#}
{% macro measure_day_counted(n) -%}
    min(
        case
            when {{ add_days('after_on', 'ceil(' ~ n ~ ' + lost_before)') }} < from_on
                then {{ add_days('after_on', 'ceil(' ~ n ~ ' + lost_before)') }}
            when
                lost_share < 1
                and {{ n }} + lost_before - {{ days_between('after_on', 'from_on') }} + 1
                <= ({{ days_between('from_on', 'to_on') }} + 1) * (1 - lost_share)
                then {{ add_days(
                    'from_on',
                    'ceil((' ~ n ~ ' + lost_before - ' ~ days_between('after_on', 'from_on')
                    ~ ' + 1) / (1 - lost_share)) - 1'
                ) }}
        end
    )
{%- endmacro %}
