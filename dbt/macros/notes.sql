{#-
    The codes whose condition holds for a row, as a list.
    `rules` maps a code to its condition and its words.
-#}
{% macro codes_that_hold(rules) -%}
    {%- set cases = [] -%}
    {%- for code, rule in rules.items() -%}
        {%- do cases.append("case when " ~ rule[0] ~ " then '" ~ code ~ "' end") -%}
    {%- endfor -%}
    {{ list_present(cases) }}
{%- endmacro %}

{#- Where a record stands, for people to find it: its row and its delivery. -#}
{% macro place_of(record) -%}
    'row ' || cast({{ record }}.source_row as string) || ' of delivery ' || {{ record }}.delivery_id
{%- endmacro %}
