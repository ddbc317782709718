{#- Statistics of items, stations and exams, from exact sums, so that no order of addition shows. -#}

{#- What an item earned where several examiners scored it: the mean of what they gave, so that a second
    examiner adds no points. -#}
{% macro measure_mean_points(points) -%}
    cast(sum({{ points }}) / nullif(count({{ points }}), 0) as decimal(18, 6))
{%- endmacro %}

{#- What became of an item on which examiners agree; where they do not, nobody's verdict stands for all: a
    mark, else partly right where one found it so, else wrong. An item that one of them was not shown is told by
    the others. -#}
{% macro measure_joint_outcome(outcome) -%}
    case
        when
            count(case when {{ outcome }} <> 'not_presented' then 1 end) = 0
            then min({{ outcome }})
        when
            min(nullif({{ outcome }}, 'not_presented')) = max(nullif({{ outcome }}, 'not_presented'))
            then min(nullif({{ outcome }}, 'not_presented'))
        when count(case when {{ outcome }} = 'scored' then 1 end) > 0 then 'scored'
        when count(case when {{ outcome }} in ('right', 'partial') then 1 end) > 0 then 'partial'
        when count(case when {{ outcome }} = 'answered' then 1 end) > 0 then 'answered'
        else 'wrong'
    end
{%- endmacro %}

{#- The exact product of two numbers of points: as wide as two of them need, so that a total of thousands of
    points has a square. -#}
{% macro measure_product(one, other) -%}
    cast({{ one }} as decimal(19, 6)) * cast({{ other }} as decimal(19, 6))
{%- endmacro %}

{#- The variance of a sample from its sums; unknown below two members. -#}
{% macro measure_variance(n, total, total_of_squares) -%}
    case
        when {{ n }} > 1
            then greatest(0, (
                cast({{ total_of_squares }} as double)
                - cast({{ total }} as double) * cast({{ total }} as double) / {{ n }}
            ) / ({{ n }} - 1))
    end
{%- endmacro %}

{#- Pearson's correlation from sums; unknown where either does not vary. -#}
{% macro measure_correlation(n, sum_x, sum_xx, sum_y, sum_yy, sum_xy) -%}
    cast(
        round(
            (
                cast({{ n }} as double) * cast({{ sum_xy }} as double)
                - cast({{ sum_x }} as double) * cast({{ sum_y }} as double)
            )
            / nullif(
                sqrt(greatest(0,
                    (
                        cast({{ n }} as double) * cast({{ sum_xx }} as double)
                        - power(cast({{ sum_x }} as double), 2)
                    )
                    * (
                        cast({{ n }} as double) * cast({{ sum_yy }} as double)
                        - power(cast({{ sum_y }} as double), 2)
                    )
                )),
                0
            ),
            4
        ) as decimal(5, 4)
    )
{%- endmacro %}

{#-
    Cronbach's alpha of k parts, as it is; KR-20 where each is right or wrong. Sources: Cronbach 1951,
    Psychometrika 16:297; Kuder and Richardson 1937, Psychometrika 2:151, formula 20.
-#}
{% macro measure_reliability(k, sum_of_variances, variance_of_total) -%}
    case
        when {{ k }} > 1
            then
                {{ k }} / ({{ k }} - 1.0)
                * (1 - {{ sum_of_variances }} / nullif({{ variance_of_total }}, 0))
    end
{%- endmacro %}

{#- The same to four places, as it is published. -#}
{% macro measure_alpha(k, sum_of_variances, variance_of_total) -%}
    cast(
        round({{ measure_reliability(k, sum_of_variances, variance_of_total) }}, 4) as decimal(9, 4)
    )
{%- endmacro %}

{#-
    The standard error of measurement of a total, in points: SD * sqrt(1 - reliability). A reliability
    below 0 is none: the error would exceed the spread of the totals. Nor is an error of 0 one: parts that
    say the same of everybody show no error, which is no proof that there is none. Source: Lord and Novick
    1968, Statistical Theories of Mental Test Scores, section 3.4.
-#}
{% macro measure_sem(sd, reliability) -%}
    case
        when {{ reliability }} >= 0
            then nullif(
                cast(round({{ sd }} * sqrt(greatest(0, 1 - {{ reliability }})), 4) as decimal(18, 4)), 0
            )
    end
{%- endmacro %}

{#- A standard error in points as a sentence tells it: never as 0.0. -#}
{% macro error_text(error) -%}
    case
        when round({{ error }}, 1) = 0 then 'below 0.1 points'
        else 'of ' || cast(cast({{ error }} as decimal(18, 1)) as string) || ' points'
    end
{%- endmacro %}

{#- A number to four places. -#}
{% macro to_places(number) -%}
    cast(round({{ number }}, 4) as decimal(18, 4))
{%- endmacro %}

{#- A mean square of an analysis of variance; unknown without a degree of freedom. -#}
{% macro measure_mean_square(sum_of_squares, degrees_of_freedom) -%}
    case
        when {{ degrees_of_freedom }} > 0
            then greatest(0, {{ sum_of_squares }}) / ({{ degrees_of_freedom }})
    end
{%- endmacro %}

{#-
    The error variance of the mean over n parts with so many raters each, for comparing examinees
    (`is_absolute=false`) or for holding each against a standard. An estimate below 0 counts as 0. Source:
    Brennan 2001, Generalizability Theory, chapter 3; `gstudy.py` computes the same.
-#}
{% macro measure_exam_error(n_parts, n_raters, is_absolute) -%}
    (
        greatest(0, coalesce(cast(person_part_variance as double), 0))
        + greatest(0, cast(residual_variance as double)) / coalesce({{ n_raters }}, 1)
        {%- if is_absolute %}
        + greatest(0, cast(part_variance as double))
        + greatest(0, coalesce(cast(rater_variance as double), 0)) / coalesce({{ n_raters }}, 1)
        {%- endif %}
    ) / {{ n_parts }}
{%- endmacro %}

{#- The coefficient that belongs to an error variance, 0 to 1; 0 where examinees do not differ. -#}
{% macro measure_exam_coefficient(error) -%}
    cast(
        round(
            case
                when person_variance > 0
                    then
                        cast(person_variance as double)
                        / (cast(person_variance as double) + {{ error }})
                when person_variance is not null then 0
            end,
            4
        ) as decimal(5, 4)
    )
{%- endmacro %}

{#- A coefficient as a sentence tells it: rounded down, so that what is not reached is not told as reached. -#}
{% macro coefficient_text(coefficient) -%}
    cast(cast(floor({{ coefficient }} * 100) / 100 as decimal(3, 2)) as string)
{%- endmacro %}
