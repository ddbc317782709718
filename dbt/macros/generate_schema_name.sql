{#- Schemas are exactly those named in dbt_project.yml, with no prefix of the target; on DuckDB the marts
    have a database of their own, whose tables lie in `main`: an edition is a copy of it. `marts.<mart>`
    names them on every engine. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name == 'marts' and target.type == 'duckdb' -%}
    main
    {%- else -%}
    {{ (custom_schema_name or target.schema) | trim }}
    {%- endif -%}
{%- endmacro %}

{% macro generate_database_name(custom_database_name=none, node=none) -%}
    {%- if node is not none and node.config.schema == 'marts' and target.type == 'duckdb' -%}
    marts
    {%- else -%}
    {{ (custom_database_name or target.database) | trim }}
    {%- endif -%}
{%- endmacro %}
