{#- Everything that engines spell differently, once. DuckDB is the default, Spark the second target. -#}

{#- The type of an instant. That of a text is `string` on both engines. -#}
{% macro instant_type() -%}
    {{ adapter.dispatch('instant_type', 'tessera')() }}
{%- endmacro %}
{% macro default__instant_type() -%} timestamptz {%- endmacro %}
{% macro spark__instant_type() -%} timestamp {%- endmacro %}

{#- An instant as a text, in UTC; part of keys, so every engine has to write it alike. -#}
{% macro instant_text(instant) -%}
    {{ adapter.dispatch('instant_text', 'tessera')(instant) }}
{%- endmacro %}
{% macro default__instant_text(instant) -%} cast({{ instant }} as varchar) {%- endmacro %}
{% macro spark__instant_text(instant) -%} concat(cast({{ instant }} as string), '+00') {%- endmacro %}

{#- 32 hexadecimal digits of a text. -#}
{% macro hash_text(expression) -%}
    {{ adapter.dispatch('hash_text', 'tessera')(expression) }}
{%- endmacro %}
{% macro default__hash_text(expression) -%} md5({{ expression }}) {%- endmacro %}

{#- Whole days from one day to another. -#}
{% macro days_between(from_day, to_day) -%}
    {{ adapter.dispatch('days_between', 'tessera')(from_day, to_day) }}
{%- endmacro %}
{% macro default__days_between(from_day, to_day) -%}
    date_diff('day', {{ from_day }}, {{ to_day }})
{%- endmacro %}
{% macro spark__days_between(from_day, to_day) -%}
    datediff({{ to_day }}, {{ from_day }})
{%- endmacro %}

{#- The first day of the month of a day. -#}
{% macro month_of(day) -%}
    {{ adapter.dispatch('month_of', 'tessera')(day) }}
{%- endmacro %}
{% macro default__month_of(day) -%} cast(date_trunc('month', {{ day }}) as date) {%- endmacro %}
{% macro spark__month_of(day) -%} trunc({{ day }}, 'MM') {%- endmacro %}

{#- The first day of the half-year of a day. -#}
{% macro half_year_of(day) -%}
    make_date(year({{ day }}), case when month({{ day }}) <= 6 then 1 else 7 end, 1)
{%- endmacro %}

{#- A day some days later; earlier where the number is negative. -#}
{% macro add_days(day, n) -%}
    {{ adapter.dispatch('add_days', 'tessera')(day, n) }}
{%- endmacro %}
{% macro default__add_days(day, n) -%} ({{ day }} + cast({{ n }} as integer)) {%- endmacro %}
{% macro spark__add_days(day, n) -%} date_add({{ day }}, cast({{ n }} as integer)) {%- endmacro %}

{#- The calendar day of an instant in a named time zone. -#}
{% macro day_in_zone(instant, zone) -%}
    {{ adapter.dispatch('day_in_zone', 'tessera')(instant, zone) }}
{%- endmacro %}
{% macro default__day_in_zone(instant, zone) -%}
    cast(timezone({{ zone }}, {{ instant }}) as date)
{%- endmacro %}
{% macro spark__day_in_zone(instant, zone) -%}
    cast(from_utc_timestamp({{ instant }}, {{ zone }}) as date)
{%- endmacro %}

{#- The instant at which a calendar day begins in a named time zone. -#}
{% macro day_start(day, zone) -%}
    {{ adapter.dispatch('day_start', 'tessera')(day, zone) }}
{%- endmacro %}
{% macro default__day_start(day, zone) -%}
    timezone({{ zone }}, cast({{ day }} as timestamp))
{%- endmacro %}
{% macro spark__day_start(day, zone) -%}
    to_utc_timestamp(cast({{ day }} as timestamp), {{ zone }})
{%- endmacro %}

{#- A sorted list of the values of a group, without missing ones; `order_by` names columns to sort it by. -#}
{% macro list_agg(expression, distinct=false, order_by=none, descending=false) -%}
    {{ adapter.dispatch('list_agg', 'tessera')(expression, distinct, order_by, descending) }}
{%- endmacro %}
{% macro default__list_agg(expression, distinct, order_by, descending) -%}
    {%- set direction = ' desc' if descending else '' -%}
    coalesce(
        list(
            {{ 'distinct ' if distinct }}{{ expression }}
            order by {{ (order_by or [expression]) | join(direction ~ ', ') }}{{ direction }}
        ) filter (where {{ expression }} is not null),
        []
    )
{%- endmacro %}
{% macro spark__list_agg(expression, distinct, order_by, descending) -%}
    {%- set values -%}
    {%- if order_by -%}
        case when {{ expression }} is not null then struct({{ order_by | join(', ') }}, {{ expression }} as listed) end
    {%- else -%}
        {{ expression }}
    {%- endif -%}
    {%- endset -%}
    {%- set sorted -%}
        array_sort({{ 'collect_set' if distinct else 'collect_list' }}({{ values }}))
    {%- endset -%}
    {%- set in_order = 'reverse(' ~ sorted ~ ')' if descending else sorted -%}
    {{ 'transform(' ~ in_order ~ ', entry -> entry.listed)' if order_by else in_order }}
{%- endmacro %}

{#- The values of a group as a list in no order, without missing ones. -#}
{% macro list_gathered(expression) -%}
    {{ adapter.dispatch('list_gathered', 'tessera')(expression) }}
{%- endmacro %}
{% macro default__list_gathered(expression) -%}
    coalesce(list({{ expression }}) filter (where {{ expression }} is not null), [])
{%- endmacro %}
{% macro spark__list_gathered(expression) -%} collect_list({{ expression }}) {%- endmacro %}

{#- `list_agg` with each value once, for groups of few rows: many of these are gathered faster than they are
    told apart. One large group would be a list in memory. -#}
{% macro list_of_few(expression) -%}
    {{ adapter.dispatch('list_of_few', 'tessera')(expression) }}
{%- endmacro %}
{% macro default__list_of_few(expression) -%}
    list_sort(list_distinct({{ list_gathered(expression) }}))
{%- endmacro %}
{% macro spark__list_of_few(expression) -%} array_sort(collect_set({{ expression }})) {%- endmacro %}

{#- The values of a group as a list in their order, each as often as it comes. -#}
{% macro list_of_all(expression) -%}
    {{ adapter.dispatch('list_of_all', 'tessera')(expression) }}
{%- endmacro %}
{% macro default__list_of_all(expression) -%} list_sort({{ list_gathered(expression) }}) {%- endmacro %}
{% macro spark__list_of_all(expression) -%} array_sort(collect_list({{ expression }})) {%- endmacro %}

{#- One list after the other. -#}
{% macro list_concat(one, other) -%}
    {{ adapter.dispatch('list_concat', 'tessera')(one, other) }}
{%- endmacro %}
{% macro default__list_concat(one, other) -%} list_concat({{ one }}, {{ other }}) {%- endmacro %}
{% macro spark__list_concat(one, other) -%} concat({{ one }}, {{ other }}) {%- endmacro %}

{#- The members of the lists of a list, as one list. -#}
{% macro list_flattened(lists) -%}
    {{ adapter.dispatch('list_flattened', 'tessera')(lists) }}
{%- endmacro %}
{% macro default__list_flattened(lists) -%} flatten({{ lists }}) {%- endmacro %}
{% macro spark__list_flattened(lists) -%} flatten({{ lists }}) {%- endmacro %}

{#- The members of a list as one text. -#}
{% macro list_join(list_expression, separator=', ') -%}
    {{ adapter.dispatch('list_join', 'tessera')(list_expression, separator) }}
{%- endmacro %}
{% macro default__list_join(list_expression, separator) -%}
    array_to_string({{ list_expression }}, '{{ separator }}')
{%- endmacro %}
{% macro spark__list_join(list_expression, separator) -%}
    array_join({{ list_expression }}, '{{ separator }}')
{%- endmacro %}

{#- How many members a list has; none where there is no list. -#}
{% macro list_size(list_expression) -%}
    {{ adapter.dispatch('list_size', 'tessera')(list_expression) }}
{%- endmacro %}
{% macro default__list_size(list_expression) -%} coalesce(len({{ list_expression }}), 0) {%- endmacro %}
{% macro spark__list_size(list_expression) -%} coalesce(size({{ list_expression }}), 0) {%- endmacro %}

{#- Whether a list holds a value. -#}
{% macro list_has(list_expression, value) -%}
    {{ adapter.dispatch('list_has', 'tessera')(list_expression, value) }}
{%- endmacro %}
{% macro default__list_has(list_expression, value) -%}
    list_contains({{ list_expression }}, {{ value }})
{%- endmacro %}
{% macro spark__list_has(list_expression, value) -%}
    array_contains({{ list_expression }}, {{ value }})
{%- endmacro %}

{#- The members of one list that another lacks. -#}
{% macro list_except(list_expression, other) -%}
    {{ adapter.dispatch('list_except', 'tessera')(list_expression, other) }}
{%- endmacro %}
{% macro default__list_except(list_expression, other) -%}
    list_filter({{ list_expression }}, lambda member: not list_contains({{ other }}, member))
{%- endmacro %}
{% macro spark__list_except(list_expression, other) -%}
    array_except({{ list_expression }}, {{ other }})
{%- endmacro %}

{#- One row a member of a list, in the select list. -#}
{% macro unnest_list(list_expression) -%}
    {{ adapter.dispatch('unnest_list', 'tessera')(list_expression) }}
{%- endmacro %}
{% macro default__unnest_list(list_expression) -%} unnest({{ list_expression }}) {%- endmacro %}
{% macro spark__unnest_list(list_expression) -%} explode({{ list_expression }}) {%- endmacro %}

{#- A field of every struct in a list. -#}
{% macro list_field(list_expression, field) -%}
    {{ adapter.dispatch('list_field', 'tessera')(list_expression, field) }}
{%- endmacro %}
{% macro default__list_field(list_expression, field) -%}
    list_transform({{ list_expression }}, lambda member: member.{{ field }})
{%- endmacro %}
{% macro spark__list_field(list_expression, field) -%} {{ list_expression }}.{{ field }} {%- endmacro %}

{#- A list of one value. -#}
{% macro list_of(expression) -%}
    {{ adapter.dispatch('list_of', 'tessera')(expression) }}
{%- endmacro %}
{% macro default__list_of(expression) -%} [{{ expression }}] {%- endmacro %}
{% macro spark__list_of(expression) -%} array({{ expression }}) {%- endmacro %}

{#- A list with each value once. -#}
{% macro list_distinct(expression) -%}
    {{ adapter.dispatch('list_distinct', 'tessera')(expression) }}
{%- endmacro %}
{% macro default__list_distinct(expression) -%} list_distinct({{ expression }}) {%- endmacro %}
{% macro spark__list_distinct(expression) -%} array_distinct({{ expression }}) {%- endmacro %}

{#- Every part of a text that matches a pattern, as a list. -#}
{% macro find_all(text, pattern) -%}
    {{ adapter.dispatch('find_all', 'tessera')(text, pattern) }}
{%- endmacro %}
{% macro default__find_all(text, pattern) -%}
    regexp_extract_all({{ text }}, '{{ pattern }}')
{%- endmacro %}
{% macro spark__find_all(text, pattern) -%}
    regexp_extract_all({{ text }}, '({{ pattern }})')
{%- endmacro %}

{#- Whether some part of a text matches a pattern. -#}
{% macro contains_pattern(text, pattern) -%}
    {{ adapter.dispatch('contains_pattern', 'tessera')(text, pattern) }}
{%- endmacro %}
{% macro default__contains_pattern(text, pattern) -%}
    regexp_matches({{ text }}, '{{ pattern }}')
{%- endmacro %}
{% macro spark__contains_pattern(text, pattern) -%} {{ text }} rlike '{{ pattern }}' {%- endmacro %}

{#- Declared tools, each as its name and version. -#}
{% macro tool_texts(tools) -%}
    {{ adapter.dispatch('tool_texts', 'tessera')(tools) }}
{%- endmacro %}
{% macro default__tool_texts(tools) -%}
    list_transform({{ tools }}, lambda tool: concat_ws(' ', tool.name, tool.version))
{%- endmacro %}
{% macro spark__tool_texts(tools) -%}
    transform({{ tools }}, tool -> concat_ws(' ', tool.name, tool.version))
{%- endmacro %}

{#- Whether the whole text matches a pattern. -#}
{% macro matches(text, pattern) -%}
    {{ adapter.dispatch('matches', 'tessera')(text, pattern) }}
{%- endmacro %}
{% macro default__matches(text, pattern) -%} regexp_full_match({{ text }}, '{{ pattern }}') {%- endmacro %}
{% macro spark__matches(text, pattern) -%} {{ text }} rlike '^(?:{{ pattern }})$' {%- endmacro %}

{#- A field of a JSON text, as text. -#}
{% macro json_text(expression, path) -%}
    {{ adapter.dispatch('json_text', 'tessera')(expression, path) }}
{%- endmacro %}
{% macro default__json_text(expression, path) -%}
    json_extract_string({{ expression }}, '{{ path }}')
{%- endmacro %}
{% macro spark__json_text(expression, path) -%}
    get_json_object({{ expression }}, '{{ path }}')
{%- endmacro %}

{#- All columns of a relation but these. -#}
{% macro all_but(alias, columns) -%}
    {{ adapter.dispatch('all_but', 'tessera')(alias, columns) }}
{%- endmacro %}
{% macro default__all_but(alias, columns) -%} {{ alias }}.* exclude ({{ columns | join(', ') }}) {%- endmacro %}
{% macro spark__all_but(alias, columns) -%} {{ alias }}.* except ({{ columns | join(', ') }}) {%- endmacro %}

{#- A number for the content of a row of a relation, equal for equal rows. DuckDB takes lists one behind the
    other for one list, and an empty one for none: a row that is hashed has one list at most. -#}
{% macro row_hash(alias) -%}
    {{ adapter.dispatch('row_hash', 'tessera')(alias) }}
{%- endmacro %}
{% macro default__row_hash(alias) -%} hash({{ alias }}) {%- endmacro %}
{% macro spark__row_hash(alias) -%} xxhash64(to_json(struct({{ alias }}.*))) {%- endmacro %}

{#- A text for a group of such numbers, whatever their order; how many there are is a part of it. -#}
{% macro set_hash(row_hashes) -%}
    {{ adapter.dispatch('set_hash', 'tessera')(row_hashes) }}
{%- endmacro %}
{% macro default__set_hash(row_hashes) -%}
    cast(count(*) as varchar) || '/' || coalesce(cast(sum(cast({{ row_hashes }} as hugeint)) as varchar), '')
{%- endmacro %}
{% macro spark__set_hash(row_hashes) -%}
    cast(count(*) as string) || '/' || coalesce(cast(sum(cast({{ row_hashes }} as decimal(38, 0))) as string), '')
{%- endmacro %}

{#- The engine and its version: what another one hashes is another number. -#}
{% macro engine_version() -%}
    {{ adapter.dispatch('engine_version', 'tessera')() }}
{%- endmacro %}
{% macro default__engine_version() -%} version() {%- endmacro %}

{#- Columns whose texts hardly ever come twice: keys of rows, and lists of them. -#}
{% macro hardly_repeated() -%}
    {{ return([
        'comment_key', 'event_id', 'event_key', 'evidence_id', 'evidence_ids', 'evidence_key', 'record_id',
        'record_key',
    ]) }}
{%- endmacro %}

{#-
    How dbt makes the columns of a table with a contract. DuckDB looks for a dictionary of every text
    column; where there is none to find, that is most of what the column costs: a third of a core second
    for a million keys. Stored plainly they take 35 MB instead of 17 MB, so marts, of which every edition
    is a copy, keep them as the engine would.
-#}
{% macro duckdb__get_table_columns_and_constraints() -%}
    {%- set constraints = adapter.render_raw_model_constraints(raw_constraints=model['constraints']) -%}
    {%- set plain = [] if model['config']['schema'] == 'marts' else hardly_repeated() -%}
    (
    {%- for column in adapter.render_raw_columns_constraints(raw_columns=model['columns']) %}
        {{ column }}
        {%- if column.split(' ')[0] in plain %} using compression uncompressed {%- endif -%}
        {{ ',' if not loop.last or constraints }}
    {%- endfor %}
    {{ constraints | join(', ') }}
    )
{%- endmacro %}

{#- Of a long relation that is read more than once: read it each time, in place of writing it down
    first. What each reader leaves out is left out where it reads. -#}
{% macro read_each_time() -%} {{ adapter.dispatch('read_each_time', 'tessera')() }} {%- endmacro %}
{% macro default__read_each_time() -%} not materialized {%- endmacro %}
{% macro spark__read_each_time() -%} {%- endmacro %}
