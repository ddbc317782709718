{#- Definitions that people use by name. -#}

{#- The share of the greatest mark that was earned; unknown without a greatest mark. -#}
{% macro measure_score_share(score, max_score) -%}
    cast({{ score }} / nullif({{ max_score }}, 0) as decimal(9, 6))
{%- endmacro %}

{#- Late: handed in on a day after the day it was due. -#}
{% macro measure_is_late(submitted_on, due_on) -%}
    coalesce({{ submitted_on }} > {{ due_on }}, false)
{%- endmacro %}

{#- At or above the target: only levels of one scale compare; unknown without both. -#}
{% macro measure_is_at_target(level, target_level) -%}
    {{ level }} >= {{ target_level }}
{%- endmacro %}

{#-
    The options of an answer or a key as a set: 'BD', 'b, d' and 'D;B' are the same, and so are 'A' and
    'A)'. Options longer than one sign are told apart by a separator; signs are those of any script.
-#}
{% macro answer_set(text) -%}
    {%- set upper_text = "upper(coalesce(" ~ text ~ ", ''))" -%}
    {{ list_distinct(
        "case when " ~ contains_pattern(upper_text, '[,;|/ ]') ~ " then "
        ~ find_all(upper_text, '[^,;|/ ]+') ~ " else " ~ find_all(upper_text, '[^-.:()&+_]') ~ " end"
    ) }}
{%- endmacro %}

{#- Exact: the answer set is the key set. -#}
{% macro measure_exact_score(answer_set, key_set) -%}
    cast(
        case
            when {{ symmetric_difference_size(answer_set, key_set) }} = 0 then 1
            else 0
        end as decimal(18, 6)
    )
{%- endmacro %}

{#-
    Graded: one point for every option judged rightly, that is the number of options less the size of
    the symmetric difference of answer and key. A blank against a one-letter key of four earns 3.
-#}
{% macro measure_graded_score(answer_set, key_set, n_options) -%}
    cast({{ n_options }} - {{ symmetric_difference_size(answer_set, key_set) }} as decimal(18, 6))
{%- endmacro %}

{% macro symmetric_difference_size(one, other) -%}
    ({{ list_size(list_except(one, other)) }} + {{ list_size(list_except(other, one)) }})
{%- endmacro %}

{#- Formula scoring: what a right, a wrong and a don't-know answer earn; an omission earns nothing. -#}
{% macro measure_formula_points(status, right, wrong, dont_know) -%}
    cast(
        case {{ status }}
            when 'right' then coalesce({{ right }}, 1)
            when 'wrong' then coalesce({{ wrong }}, 0)
            when 'dont_know' then coalesce({{ dont_know }}, 0)
            when 'omitted' then 0
        end as decimal(18, 6)
    )
{%- endmacro %}

{#- New evidence: not carried over from an earlier sitting, and not absent, exempt or without a mark. -#}
{% macro measure_is_new_evidence(is_banked, result_status) -%}
    (not {{ is_banked }} and coalesce({{ result_status }}, 'scored') = 'scored')
{%- endmacro %}

{#- How many people assessed, examiners of the stations of an exam among them. -#}
{% macro measure_n_assessors(assessor_key, examiner_keys) -%}
    cast(
        {{ list_size(list_distinct(list_concat(
            list_gathered(assessor_key), list_flattened(list_gathered(examiner_keys))
        ))) }} as bigint
    )
{%- endmacro %}

{#- What versions are put in order by: as numbers where they are numbers, so that 10 comes after 9, and
    these after all others; as in `newest_version` of `pipelines/sources/codes`. -#}
{% macro version_order(version) -%}
    (
        case when {{ contains_pattern(version, '^[0-9]+$') }} then '1' else '0' end
        || lpad({{ version }}, cast(greatest(length({{ version }}), 12) as integer), '0')
    )
{%- endmacro %}

{#- Whether somebody else than the learner says it. -#}
{% macro is_by_another(alias) -%} coalesce({{ alias }}.assessor_role, '') <> 'self' {%- endmacro %}

{#- Whose ratings go together: those of one assessor. Those that name nobody may all be by one. -#}
{% macro assessor_cluster() -%} coalesce(assessor_key, 'nobody named') {%- endmacro %}

{#- Which way a rating looks where nobody says so: back, as in the calibration. -#}
{% macro measure_direction(direction) -%} coalesce({{ direction }}, 'retrospective') {%- endmacro %}

{#- Whether what a calibration estimated is about a programme's ratings on a scale, in this version and
    direction. A calibration that told these two not apart is about all. -#}
{% macro is_estimated_for(estimated, programme_id, scale_id, scale_version, direction) -%}
    {{ programme_id }} = {{ estimated }}.programme_id
    and {{ scale_id }} = {{ estimated }}.scale_id
    and ({{ estimated }}.scale_version is null or {{ estimated }}.scale_version = {{ scale_version }})
    and ({{ estimated }}.direction is null or {{ estimated }}.direction = {{ direction }})
{%- endmacro %}

{#- Overdue: still open on the as-of day, after the day it was due. -#}
{% macro measure_is_overdue(status, due_on) -%}
    coalesce({{ status }} = 'open' and {{ due_on }} < {{ as_of() }}, false)
{%- endmacro %}

{#- Whether the values of a group are all the same; cheaper than to count them apart. -#}
{% macro is_one(expression) -%}
    min({{ expression }}) = max({{ expression }})
{%- endmacro %}

{#- The median of values that come more than once: of each, up to how many come with it and with those below
    it, and how many come in all. The same as `median_level` of all of them. -#}
{% macro measure_median_of_counted(value, n_up_to, n_in_all) -%}
    cast(
        (
            min(case when 2 * {{ n_up_to }} >= {{ n_in_all }} then {{ value }} end)
            + min(case when 2 * {{ n_up_to }} > {{ n_in_all }} then {{ value }} end)
        ) / 2.0 as decimal(5, 1)
    )
{%- endmacro %}

{#- Whether a task is a progress test, by its instrument or its modality. -#}
{% macro is_progress_test(tasks) -%}
    coalesce(
        {{ tasks }}.instrument_id = 'progress_test' or {{ tasks }}.modality = 'progress_test', false
    )
{%- endmacro %}
