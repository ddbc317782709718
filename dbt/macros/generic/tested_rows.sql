{#-
    Which rows of kept tables data tests look at. Those of learners who did not move are the rows that
    the last finished build tested; docs/decisions/0051 tells which tests may count on that, and why.
-#}

{#- Whether this test may leave out what the last finished build tested: it stops the build by its
    first row found, and the build keeps what stands. A warning counts all rows, since people read how
    many. -#}
{% macro counts_on_last_build() -%}
    {%- do return(
        execute
        and flags.WHICH == 'build'
        and not flags.FULL_REFRESH
        and config.get('severity', 'error') | lower == 'error'
        and config.get('error_if', '!= 0') == '!= 0'
    ) -%}
{%- endmacro %}

{#- Whether a test of the project looks at the rows of a learner. Rows of nobody are always among them. -#}
{% macro is_tested(fingerprinted, learner_key) -%}
    {%- set relation = ref(fingerprinted) -%}
    {%- if counts_on_last_build() -%}
    coalesce({{ learner_key }}, '') not in {{ unmoved(relation) }}
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{#- The relation with the fingerprints by which a tested model is kept; none where it is not kept. -#}
{% macro fingerprints_of(tested) -%}
    {%- set node = graph.nodes.get(tested or '', {}) -%}
    {%- set found = [] -%}
    {%- if node and node.config.materialized == 'incremental' -%}
        {%- for parent in node.depends_on.nodes if parent.endswith('__fingerprinted') -%}
            {%- do found.append(graph.nodes[parent].relation_name) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(found[0] if found | length == 1 else none) -%}
{%- endmacro %}

{#- The columns that a test says come once together; none where it says something else. -#}
{% macro columns_told_unique(metadata) -%}
    {%- set of_test = {
        'unique': [metadata.kwargs.get('column_name')],
        'unique_combination': metadata.kwargs.get('columns'),
    } -%}
    {%- do return(of_test.get(metadata.name)) -%}
{%- endmacro %}

{#- What dbt has a generic test read in place of its model. A test of uniqueness reads the rows of
    learners who moved; where the learner is no part of the key, all rows that share a key with them:
    two learners may have one row each, and only one of them has moved. -#}
{% macro default__get_where_subquery(relation) -%}
    {%- set rows = dbt.default__get_where_subquery(relation) -%}
    {%- if not counts_on_last_build() or config.get('where') -%}
        {%- do return(rows) -%}
    {%- endif -%}
    {%- set fingerprints = fingerprints_of(model.attached_node) -%}
    {%- set columns = columns_told_unique(model.test_metadata) -%}
    {%- if not fingerprints or not columns -%}
        {%- do return(rows) -%}
    {%- endif -%}
    {%- set of_moved -%}
        (
            select * from {{ relation }}
            where coalesce(learner_key, '') not in {{ unmoved(fingerprints) }}
        )
    {%- endset -%}
    {%- set tested -%}
        {%- if 'learner_key' in columns -%}
        {{ of_moved }} as tested
        {%- else -%}
        (
            select entry.* from {{ relation }} as entry
            where exists (
                select 1 from {{ of_moved }} as moved
                where
                    {% for column in columns -%}
                    moved.{{ column }} is not distinct from entry.{{ column }}
                    {%- if not loop.last %} and {% endif -%}
                    {%- endfor %}
            )
        ) as tested
        {%- endif -%}
    {%- endset -%}
    {%- do return(tested) -%}
{%- endmacro %}
