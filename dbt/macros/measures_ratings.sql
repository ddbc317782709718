{#- What ratings are worth: clustering by assessor, dependability, stringency. -#}

{#-
    What two yes-or-no judgements by one assessor have in common, given what the levels behind them
    have in common (rho): the correlation of the signs of two normal variables, 2 / pi * arcsin(rho),
    which is exact where half reach the target and the most it can be elsewhere. Source: Sheppard
    1899, Phil Trans R Soc A 192:101.
-#}
{% macro measure_binary_rho(rho) -%}
    (2 / pi() * asin(least(1, greatest(0, cast({{ rho }} as double)))))
{%- endmacro %}

{#-
    The variance of a learner's mean around the level it stands for, where assessors have seen
    unequal numbers of cases: by_assessor * sum of squared cluster sizes / n^2 + case / n. With equal
    numbers it is by_assessor / assessors + case / n. Source: Brennan 2001, Generalizability Theory,
    section 7.2 (unbalanced nesting).
-#}
{% macro measure_error_variance(by_assessor, case_variance, n, sum_of_squares) -%}
    (
        cast({{ by_assessor }} as double) * cast({{ sum_of_squares }} as double)
        / nullif(cast({{ n }} as double) * {{ n }}, 0)
        + cast({{ case_variance }} as double) / nullif({{ n }}, 0)
    )
{%- endmacro %}

{#- Dependability (phi): the part of a mean's variance that is the learner's. Source: Brennan 2001. -#}
{% macro measure_dependability(learner, error) -%}
    cast(
        round(
            case
                when cast({{ learner }} as double) <= 0 then 0
                else cast({{ learner }} as double) / (cast({{ learner }} as double) + {{ error }})
            end,
            4
        ) as decimal(5, 4)
    )
{%- endmacro %}

{#-
    Assessors who reach the wanted dependability if each sees as many cases. Unknown where learners
    do not differ: no number would do. Source: Brennan 2001, section 1.2 (D study).
-#}
{% macro measure_assessors_wanted(learner, by_assessor, case_variance, cases_each, wanted) -%}
    case
        when {{ learner }} > 0
            then cast(
                greatest(1, ceil(
                    (
                        cast({{ by_assessor }} as double)
                        + cast({{ case_variance }} as double) / {{ cases_each }}
                    )
                    / (cast({{ learner }} as double) * (1 - {{ wanted }}) / {{ wanted }})
                    - 0.000000001
                )) as bigint
            )
    end
{%- endmacro %}

{#- The chance that belongs to log odds. -#}
{% macro measure_chance(log_odds) -%}
    (1 / (1 + exp(-cast({{ log_odds }} as double))))
{%- endmacro %}
