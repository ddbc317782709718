{#- What own estimates are worth beside published ones, and how many ratings are enough. -#}

{#-
    The fewest ratings with which the wanted dependability is reached, where every rating that is added
    comes from another new assessor. None adds less to the sum of squared cluster sizes, so no other way
    takes fewer. With N ratings in all the error variance is
        by_assessor * (sum of squares - n + N) / N^2 + case / N,
    and N solves the quadratic equation that it be learner * (1 - wanted) / wanted. Unknown where
    learners do not differ: no number would do. Source of the error variance: Brennan 2001,
    Generalizability Theory, section 7.2 (unbalanced nesting).
-#}
{% macro measure_ratings_wanted(learner, by_assessor, case_variance, n, sum_of_squares, wanted) -%}
    {%- set allowed = "(cast(" ~ learner ~ " as double) * (1 - " ~ wanted ~ ") / " ~ wanted ~ ")" -%}
    {%- set of_one = "(cast(" ~ by_assessor ~ " as double) + cast(" ~ case_variance ~ " as double))" -%}
    case
        when {{ learner }} > 0
            then greatest({{ n }}, cast(
                ceil(
                    (
                        {{ of_one }}
                        + sqrt(
                            {{ of_one }} * {{ of_one }}
                            + 4 * {{ allowed }} * cast({{ by_assessor }} as double)
                            * ({{ sum_of_squares }} - {{ n }})
                        )
                    )
                    / (2 * {{ allowed }})
                    - 0.000000001
                ) as bigint
            ))
    end
{%- endmacro %}

{#-
    An estimated share drawn towards a published one, as if so many units more had been seen that split
    as published. Source: Efron and Morris 1975, J Am Stat Assoc 70:311.
-#}
{% macro measure_shrunken(own, published, n, pseudo_n) -%}
    (
        (cast({{ n }} as double) * ({{ own }}) + {{ pseudo_n }} * ({{ published }}))
        / (cast({{ n }} as double) + {{ pseudo_n }})
    )
{%- endmacro %}
