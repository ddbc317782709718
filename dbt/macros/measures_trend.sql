{#-
    A learner's own record as a line: a level at the first rating and a rise from then on, each known
    as far as learners differ in it more than chance. Source: Laird and Ware 1982, Biometrics 38:963,
    random effects for longitudinal data; ratings by one assessor have a part (rho) of their variance
    in common.
-#}

{#-
    What the ratings of a learner say about level and rise, to be summed over assessors.

    Args: for one assessor, how many ratings (n), their days since the learner's first rating (days) and
    the squares of these, by how much their standings exceed one half (total), and that times the days
    (products); rho; what the names of the sums end with.
-#}
{% macro sums_of_trend(n, days, squares, total, products, rho, suffix='') -%}
    {%- set weight -%}
        (1 / (1 + cast({{ rho }} as double) * (greatest({{ n }}, 1) - 1)))
    {%- endset -%}
    {%- set shared = "cast(" ~ rho ~ " as double) * " ~ weight ~ " * cast(" ~ days ~ " as double)" -%}
    sum({{ _exactly(n ~ " * " ~ weight) }}) as level_information{{ suffix }},
    sum({{ _exactly(days ~ " * " ~ weight) }}) as both_information{{ suffix }},
    sum({{ _exactly(
        "(" ~ squares ~ " - " ~ shared ~ " * " ~ days ~ ") / (1 - cast(" ~ rho ~ " as double))"
    ) }}) as rise_information{{ suffix }},
    sum({{ _exactly("cast(" ~ total ~ " as double) * " ~ weight) }}) as level_excess{{ suffix }},
    sum({{ _exactly(
        "(cast(" ~ products ~ " as double) - " ~ shared ~ " * cast(" ~ total ~ " as double))"
        ~ " / (1 - cast(" ~ rho ~ " as double))"
    ) }}) as rise_excess{{ suffix }}
{%- endmacro %}

{#- So that a sum is the same in whatever order it is taken. -#}
{% macro _exactly(number) -%}
    cast({{ number }} as decimal(18, 6))
{%- endmacro %}

{#-
    How surely level and rise are known, from sums of trend and how much standings vary: of learners at
    the start (between), of their rises in a year (rise) and of one learner's ratings (within).
-#}
{% macro surety_of_trend(between, rise, within) -%}
    {%- set a_day = "(cast(coalesce(" ~ rise ~ ", 0) as double) / power(365.25, 2))" -%}
    {%- set level = "cast(coalesce(level_information, 0) as double) / " ~ within -%}
    {%- set both = "cast(coalesce(both_information, 0) as double) / " ~ within -%}
    {%- set slope = "cast(coalesce(rise_information, 0) as double) / " ~ within -%}
    {%- set determinant -%}
        (
            (1 + {{ between }} * {{ level }}) * (1 + {{ a_day }} * {{ slope }})
            - {{ between }} * {{ a_day }} * power({{ both }}, 2)
        )
    {%- endset -%}
    {{ between }} * (1 + {{ a_day }} * {{ slope }}) / {{ determinant }} as level_variance,
    -{{ between }} * {{ a_day }} * {{ both }} / {{ determinant }} as level_and_rise,
    {{ a_day }} * (1 + {{ between }} * {{ level }}) / {{ determinant }} as rise_variance
{%- endmacro %}

{#- The standing that the line makes one expect so many days after the first rating. -#}
{% macro standing_by_trend(days, within) -%}
    (
        0.5 + (
            (level_variance + {{ days }} * level_and_rise) * cast(coalesce(level_excess, 0) as double)
            + (level_and_rise + {{ days }} * rise_variance) * cast(coalesce(rise_excess, 0) as double)
        ) / {{ within }}
    )
{%- endmacro %}

{#- The variance of that standing. -#}
{% macro variance_by_trend(days) -%}
    (
        level_variance + 2 * {{ days }} * level_and_rise
        + {{ days }} * {{ days }} * rise_variance
    )
{%- endmacro %}
