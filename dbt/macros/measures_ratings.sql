{#- What ratings are worth: clustering by assessor, dependability, stringency. -#}

{#-
    What two yes-or-no judgements by one assessor have in common, given what the levels behind them
    have in common (rho): the correlation of the signs of two normal variables, 2 / pi * arcsin(rho),
    which is exact where half reach the target and the most it can be elsewhere. Source: Sheppard
    1899, Phil Trans R Soc A 192:101.
-#}
{% macro measure_binary_rho(rho) -%}
    (2 / pi() * asin({{ bounded('cast(' ~ rho ~ ' as double)', 0, 1) }}))
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

{#-
    How many independent levels the ratings of a learner are worth, where those by one assessor have
    a part (rho) of their variance in common. Source: Kish 1965, Survey Sampling, section 5.4.
-#}
{% macro measure_clustered_n(n, sum_of_squares, rho) -%}
    (
        cast({{ n }} as double)
        / (1 + cast({{ rho }} as double) * (cast({{ sum_of_squares }} as double) / nullif({{ n }}, 0) - 1))
    )
{%- endmacro %}

{#-
    Where a mark stands among those of all who did the task: the logistic curve over its distance from
    their mean. Source: Haley 1952, technical report 15, Stanford: 1.702 follows the normal curve.
-#}
{% macro measure_standing_of_mark(share, mean_share, sd_share) -%}
    cast(
        round(
            {{ measure_chance(
                "1.702 * (cast(" ~ share ~ " as double) - cast(" ~ mean_share ~ " as double)) / cast("
                ~ sd_share ~ " as double)"
            ) }},
            6
        ) as decimal(9, 6)
    )
{%- endmacro %}

{#-
    How much of a learner's own record counts against what peers do: between / (between + noise).
    Source: Robinson 1991, Stat Sci 6:15, best linear unbiased prediction.
-#}
{% macro measure_reliance(between, within, n) -%}
    (
        cast({{ between }} as double)
        / nullif(cast({{ between }} as double) + cast({{ within }} as double) / nullif({{ n }}, 0), 0)
    )
{%- endmacro %}

{#- A standing, or a difference of two, to four places. -#}
{% macro to_standing(number) -%}
    cast(round({{ number }}, 4) as decimal(9, 4))
{%- endmacro %}

{#-
    The chance of so few or fewer where so many are expected: the lower tail of a Poisson distribution.
    Beyond 20 it is not worked out, and counts as certain. Source: Poisson 1837; Johnson, Kemp and Kotz
    2005, Univariate Discrete Distributions, chapter 4.
-#}
{% macro measure_poisson_chance(n, expected) -%}
    {%- set factor = namespace(value=1) -%}
    case
        when {{ n }} > 20 then 1
        else
            round(
                exp(-cast({{ expected }} as double)) * (
                    1
                    {%- for k in range(1, 21) -%}
                    {%- set factor.value = factor.value * k %}
                    + case
                        when {{ n }} >= {{ k }}
                            then power(cast({{ expected }} as double), {{ k }}) / {{ factor.value }}.0
                        else 0
                    end
                    {%- endfor %}
                ),
                9
            )
    end
{%- endmacro %}
