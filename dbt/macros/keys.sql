{#-
    The SQL of one surrogate key, and the one registry of what each key is made of. `learner_key` and
    `assessor_key` are not here: identity gives them (raw.identity). A column may be given another
    expression: `key('task_key', task_id='item_id')`. A missing part counts as the empty text, and
    parts cannot run into each other.
-#}
{% macro key(name) -%}
    {%- set columns_of = {
        'task_key': ['programme_id', 'task_id'],
        'competency_key': ['programme_id', 'framework_id', 'framework_version', 'competency_id'],
        'scale_level_key': ['scale_id', 'scale_version', 'level'],
        'learner_stage_key': ['learner_key', 'programme_id', 'stage_id'],
        'circumstance_key': [
            'programme_id', 'site_id', 'stage_id', 'framework_id', 'competency_id', 'instrument_id',
            'scale_id', 'scale_version', 'occurred_on',
        ],
        'enrolment_key': ['learner_key', 'programme_id', 'period_id'],
        'evidence_key': ['record_key', 'competency_id'],
        'sitting_key': ['learner_key', 'programme_id', 'task_id', 'sitting_id', 'attempt'],
        'declaration_key': ['learner_key', 'programme_id', 'task_id', 'attempt', 'record_key'],
        'signal_key': ['programme_id', 'learner_key', 'rule_id', 'subject'],
        'conflict_key': ['learner_key', 'conflict_kind', 'programme_id', 'stage_id', 'competency_id'],
    } -%}
    {%- set parts = [] -%}
    {%- for column in columns_of[name] -%}
        {%- do parts.append("coalesce(cast(" ~ kwargs.get(column, column) ~ " as string), '')") -%}
    {%- endfor -%}
    {{ hash_text(parts | join(" || chr(31) || ")) }}
{%- endmacro %}

{#-
    The join of a record to the person whom it names. What a re-used id means depends on the day on
    which the record names the person (pipelines/identity/dates.py): `at` is the column of the
    instant, or `on_day` that of the day. Where there is none, the day counts on which the record
    became known. It is worked out for those ids alone that were ever given to another person.
-#}
{% macro names_person(person, record, pseudonym, at=none, on_day=none) -%}
    {%- set named_on = day_in_zone(record ~ '.known_at', "'UTC'") -%}
    {%- if at -%}
        {%- set named_on = "coalesce(" ~ day_in_zone(record ~ '.' ~ at, "'UTC'") ~ ", " ~ named_on ~ ")" -%}
    {%- elif on_day -%}
        {%- set named_on = "coalesce(" ~ record ~ "." ~ on_day ~ ", " ~ named_on ~ ")" -%}
    {%- endif -%}
    {{ record }}.{{ pseudonym }} = {{ person }}.pseudonym
    and ({{ person }}.valid_from is null or {{ named_on }} >= {{ person }}.valid_from)
    and ({{ person }}.valid_to is null or {{ named_on }} <= {{ person }}.valid_to)
{%- endmacro %}

{#- The join of a record to what its task says on the day of the record. -#}
{% macro names_task(task, record, task_id='task_id') -%}
    {{ record }}.programme_id = {{ task }}.programme_id
    and {{ record }}.{{ task_id }} = {{ task }}.task_id
    and {{ record }}.occurred_on between {{ task }}.from_on and {{ task }}.to_on
{%- endmacro %}

{#- A printed id: short enough to read out, and found again on every page. -#}
{% macro printed_id(letter, hashed) -%}
    '{{ letter }}-' || upper(substring({{ hashed }}, 1, {{ var('printed_id_length') }}))
{%- endmacro %}

{#- The printed id of a data point. -#}
{% macro evidence_id(record_key='record_key') -%} {{ printed_id('E', record_key) }} {%- endmacro %}

{#- The printed id of a signal: the same while it stands and once it is closed. -#}
{% macro signal_id() -%} {{ printed_id('S', key('signal_key')) }} {%- endmacro %}

{#- The printed id of a conflict. -#}
{% macro conflict_id() -%} {{ printed_id('C', key('conflict_key')) }} {%- endmacro %}

{#- The condition of a join by columns that both sides call alike; of `or_neither`, neither side may have one. -#}
{% macro same(one, other, columns, or_neither=[]) -%}
    {%- for column in columns -%}
        {{ one }}.{{ column }} = {{ other }}.{{ column }}
        {%- if not loop.last %} and {% endif -%}
    {%- endfor -%}
    {%- for column in or_neither %}
        and {{ one }}.{{ column }} is not distinct from {{ other }}.{{ column }}
    {%- endfor -%}
{%- endmacro %}

{#- The join of what one calibration says of a scale, in the version and direction that it told apart. -#}
{% macro same_scale(one, other) -%}
    {{ same(one, other, ['programme_id', 'scale_id'], or_neither=['scale_version', 'direction']) }}
{%- endmacro %}

{#- The stage that a row is told under: days outside every stage, and learners without one, have one in common. -#}
{% macro stage_or_none(stage_id) -%} coalesce({{ stage_id }}, 'no_stage') {%- endmacro %}
