{#- No two rows share these columns. -#}
{% test unique_combination(model, columns) %}
    select
        {{ columns | join(', ') }},
        count(*) as n_rows
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}

{#- The expression holds for every row; where it is unknown it counts as broken. -#}
{% test expression_is_true(model, expression, column_name=none) %}
    select *
    from {{ model }}
    where not coalesce({{ column_name or '' }} {{ expression }}, false)
{% endtest %}

{#- A count or a share below nothing cannot be. -#}
{% test not_negative(model, column_name) %}
    select *
    from {{ model }}
    where {{ column_name }} < 0
{% endtest %}

{#- No row is lost or doubled on the way from another model. -#}
{% test same_row_count(model, compare_model, where='true', compare_where='true') %}
    with

    counted as (
        select
            (select count(*) from {{ model }} where {{ where }}) as n_here,
            (select count(*) from {{ compare_model }} where {{ compare_where }}) as n_there
    )

    select *
    from counted
    where n_here <> n_there
{% endtest %}

{#- Stretches of one thing do not overlap; both ends count. -#}
{% test no_overlap(model, columns, from_column, to_column) %}
    with

    ordered as (
        select
            *,
            lead({{ from_column }}) over (
                partition by {{ columns | join(', ') }}
                order by {{ from_column }}
            ) as next_from
        from {{ model }}
    )

    select *
    from ordered
    where next_from <= {{ to_column }}
{% endtest %}
