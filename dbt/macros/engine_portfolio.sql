{#- What the portfolio needs of an engine beyond engine.sql. DuckDB is the default. -#}

{#- The list of the given expressions, without missing ones. -#}
{% macro list_present(expressions) -%}
    {{ return(adapter.dispatch('list_present', 'tessera')(expressions)) }}
{%- endmacro %}
{% macro default__list_present(expressions) -%}
    list_filter([{{ expressions | join(', ') }}], lambda member: member is not null)
{%- endmacro %}
{% macro spark__list_present(expressions) -%}
    array_except(array({{ expressions | join(', ') }}), array(null))
{%- endmacro %}

{#- The first n members of a list. -#}
{% macro list_first(list_expression, n) -%}
    {{ return(adapter.dispatch('list_first', 'tessera')(list_expression, n)) }}
{%- endmacro %}
{% macro default__list_first(list_expression, n) -%}
    {{ list_expression }}[1:cast({{ n }} as bigint)]
{%- endmacro %}
{% macro spark__list_first(list_expression, n) -%}
    slice({{ list_expression }}, 1, cast({{ n }} as int))
{%- endmacro %}

{#- How many members of a list of numbers reach a limit. -#}
{% macro list_count_from(list_expression, limit) -%}
    {{ return(adapter.dispatch('list_count_from', 'tessera')(list_expression, limit)) }}
{%- endmacro %}
{% macro default__list_count_from(list_expression, limit) -%}
    len(list_filter({{ list_expression }}, lambda member: member >= {{ limit }}))
{%- endmacro %}
{% macro spark__list_count_from(list_expression, limit) -%}
    size(filter({{ list_expression }}, member -> member >= {{ limit }}))
{%- endmacro %}

{#- How many days of a list lie in the last `n` days up to a day, which count both. -#}
{% macro list_count_days(list_expression, up_to_day, n) -%}
    {{ return(adapter.dispatch('list_count_days', 'tessera')(list_expression, up_to_day, n)) }}
{%- endmacro %}
{% macro default__list_count_days(list_expression, up_to_day, n) -%}
    len(list_filter(
        {{ list_expression }},
        lambda member: {{ days_between('member', up_to_day) }} between 0 and {{ n }}
    ))
{%- endmacro %}
{% macro spark__list_count_days(list_expression, up_to_day, n) -%}
    size(filter(
        {{ list_expression }},
        member -> {{ days_between('member', up_to_day) }} between 0 and {{ n }}
    ))
{%- endmacro %}

{#- The union of lists, sorted, each member once. -#}
{% macro list_merge(expression) -%}
    {{ return(adapter.dispatch('list_merge', 'tessera')(expression)) }}
{%- endmacro %}
{% macro default__list_merge(expression) -%}
    list_sort(list_distinct(flatten(list({{ expression }}) filter (where {{ expression }} is not null))))
{%- endmacro %}
{% macro spark__list_merge(expression) -%}
    array_sort(array_distinct(flatten(collect_list({{ expression }}))))
{%- endmacro %}

{#- An empty list of texts. -#}
{% macro empty_list() -%}
    {{ return(adapter.dispatch('empty_list', 'tessera')()) }}
{%- endmacro %}
{% macro default__empty_list() -%} cast([] as varchar[]) {%- endmacro %}
{% macro spark__empty_list() -%} cast(array() as array<string>) {%- endmacro %}

{#-
    The middle of ordered levels of one scale; between two levels where their number is even. Not a
    mean of levels: only the middle one or two count.
-#}
{% macro median_level(level) -%}
    {{ return(adapter.dispatch('median_level', 'tessera')(level)) }}
{%- endmacro %}
{% macro default__median_level(level) -%}
    cast(quantile_cont({{ level }}, 0.5) as decimal(5, 1))
{%- endmacro %}
{% macro spark__median_level(level) -%}
    cast(percentile({{ level }}, 0.5) as decimal(5, 1))
{%- endmacro %}

{#- Text as words only: lower case, one space between words and at both ends. -#}
{% macro words_only(text) -%}
    {{ return(adapter.dispatch('words_only', 'tessera')(text)) }}
{%- endmacro %}
{% macro default__words_only(text) -%}
    (' ' || trim(regexp_replace(lower({{ text }}), '[^\p{L}\p{N}]+', ' ', 'g')) || ' ')
{%- endmacro %}
{% macro spark__words_only(text) -%}
    concat(' ', trim(regexp_replace(lower({{ text }}), '[^\\p{L}\\p{N}]+', ' ')), ' ')
{%- endmacro %}

{#- The words of a text of words only, as a list. -#}
{% macro split_words(words) -%}
    {{ return(adapter.dispatch('split_words', 'tessera')(words)) }}
{%- endmacro %}
{% macro default__split_words(words) -%} string_split(trim({{ words }}), ' ') {%- endmacro %}
{% macro spark__split_words(words) -%} split(trim({{ words }}), ' ') {%- endmacro %}

{#- Those members of a list of words and phrases that occur in a text of words only. -#}
{% macro phrases_in(words, phrases) -%}
    {{ return(adapter.dispatch('phrases_in', 'tessera')(words, phrases)) }}
{%- endmacro %}
{% macro default__phrases_in(words, phrases) -%}
    list_filter({{ phrases }}, lambda phrase: contains({{ words }}, ' ' || phrase || ' '))
{%- endmacro %}
{% macro spark__phrases_in(words, phrases) -%}
    filter({{ phrases }}, phrase -> instr({{ words }}, concat(' ', phrase, ' ')) > 0)
{%- endmacro %}

{#- A text of words and stops: `words_only` with a bar wherever a sentence or a part of one ends. -#}
{% macro words_and_stops(text) -%}
    {{ return(adapter.dispatch('words_and_stops', 'tessera')(text)) }}
{%- endmacro %}
{% macro default__words_and_stops(text) -%}
    (' ' || trim(regexp_replace(
        regexp_replace(lower({{ text }}), '[.,;:!?()|\n]+', ' | ', 'g'), '[^\p{L}\p{N}|]+', ' ', 'g'
    )) || ' ')
{%- endmacro %}
{% macro spark__words_and_stops(text) -%}
    concat(' ', trim(regexp_replace(
        regexp_replace(lower({{ text }}), '[.,;:!?()|\\n]+', ' | '), '[^\\p{L}\\p{N}|]+', ' '
    )), ' ')
{%- endmacro %}

{#- A text of words and stops with a sign behind each of the given phrases. -#}
{% macro with_sign_behind(words, phrases) -%}
    {{ return(adapter.dispatch('with_sign_behind', 'tessera')(words, phrases)) }}
{%- endmacro %}
{% macro default__with_sign_behind(words, phrases) -%}
    list_reduce({{ phrases }}, lambda text, phrase: replace(text, ' ' || phrase || ' ', ' ' || phrase || ' ¬ '), {{ words }})
{%- endmacro %}
{% macro spark__with_sign_behind(words, phrases) -%}
    aggregate({{ phrases }}, {{ words }}, (text, phrase) -> replace(text, concat(' ', phrase, ' '), concat(' ', phrase, ' ¬ ')))
{%- endmacro %}

{#- A text of words and stops without those of the given words that stand right behind a sign. -#}
{% macro without_behind_sign(words, those) -%}
    {{ return(adapter.dispatch('without_behind_sign', 'tessera')(words, those)) }}
{%- endmacro %}
{% macro default__without_behind_sign(words, those) -%}
    array_to_string(list_transform(string_split({{ words }}, ' ¬ '), lambda part: case when list_contains({{ those }}, split_part(part, ' ', 1)) then substr(part, instr(part, ' ') + 1) else part end), ' ¬ ')
{%- endmacro %}
{% macro spark__without_behind_sign(words, those) -%}
    array_join(transform(split({{ words }}, ' ¬ '), part -> case when array_contains({{ those }}, split_part(part, ' ', 1)) then substr(part, instr(part, ' ') + 1) else part end), ' ¬ ')
{%- endmacro %}

{#- A text of words and stops with a sign between each negation and the word that it takes back; up to two of
    the words that may stand between them are left out. -#}
{% macro with_negations_signed(words, negations, between) -%}
    {%- set signed = without_behind_sign(without_behind_sign(with_sign_behind(words, negations), between), between) -%}
    case when {{ list_size(negations) }} = 0 then {{ words }} else {{ signed }} end
{%- endmacro %}

{#- A text of words and stops without the given phrases; a stop takes their place. -#}
{% macro without_phrases(words, phrases) -%}
    {{ return(adapter.dispatch('without_phrases', 'tessera')(words, phrases)) }}
{%- endmacro %}
{% macro default__without_phrases(words, phrases) -%}
    list_reduce({{ phrases }}, lambda text, phrase: replace(text, ' ' || phrase || ' ', ' | '), {{ words }})
{%- endmacro %}
{% macro spark__without_phrases(words, phrases) -%}
    aggregate({{ phrases }}, {{ words }}, (text, phrase) -> replace(text, concat(' ', phrase, ' '), ' | '))
{%- endmacro %}

{#- A mark for people to read, without zeros that say nothing: "12.5", "60". -#}
{% macro score_text(score) -%}
    {{ return(adapter.dispatch('score_text', 'tessera')(score)) }}
{%- endmacro %}
{% macro default__score_text(score) -%}
    rtrim(rtrim(cast({{ score }} as varchar), '0'), '.')
{%- endmacro %}
{% macro spark__score_text(score) -%}
    rtrim('.', rtrim('0', cast({{ score }} as string)))
{%- endmacro %}

{#- How many words a text of words only has. -#}
{% macro word_count(words) -%}
    (length(trim({{ words }})) - length(replace(trim({{ words }}), ' ', ''))
        + case when trim({{ words }}) = '' then 0 else 1 end)
{%- endmacro %}

{#- The members of two lists, sorted, each once. -#}
{% macro list_union(one, other) -%}
    {{ return(adapter.dispatch('list_union', 'tessera')(one, other)) }}
{%- endmacro %}
{% macro default__list_union(one, other) -%}
    list_sort(list_distinct(list_concat({{ one }}, {{ other }})))
{%- endmacro %}
{% macro spark__list_union(one, other) -%}
    array_sort(array_union({{ one }}, {{ other }}))
{%- endmacro %}
