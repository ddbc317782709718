{#- Thresholds come from rule sets, never from SQL. -#}

{#- One threshold of one named rule set in force; for rules that hold for every stage. -#}
{% macro rule_threshold(rule_set_id, rule_id, threshold_name) -%}
    (
        select threshold_value
        from {{ ref('int_rules__chosen') }}
        where
            rule_set_id = '{{ rule_set_id }}'
            and rule_id = '{{ rule_id }}'
            and threshold_name = '{{ threshold_name }}'
            and stage_id is null
    )
{%- endmacro %}

{#- A threshold as a column, where the rows of one rule set are grouped to one row. -#}
{% macro pivoted_threshold(rule_id, threshold_name) -%}
    max(case
        when rule_id = '{{ rule_id }}' and threshold_name = '{{ threshold_name }}'
            then threshold_value
    end)
{%- endmacro %}

{#- The version of the chosen rule set, for rows that say which rule they rest on. -#}
{% macro rule_version(rule_set_id) -%}
    (
        select max(rule_version)
        from {{ ref('int_rules__chosen') }}
        where rule_set_id = '{{ rule_set_id }}'
    )
{%- endmacro %}

{#- The reviewed words and phrases of one kind, as a list. -#}
{% macro marker_list(kind) -%}
    {{ list_agg("case when marker_kind = '" ~ kind ~ "' then marker end", distinct=true) }}
{%- endmacro %}

{#- Words and phrases of one kind that may occur in a text, as a list. -#}
{% macro phrases_of_kind(kind) -%}
    {{ list_of_few("case when phrases.kind = '" ~ kind ~ "' then phrases.phrase end") }}
{%- endmacro %}

{#- Whether the row of a small group is kept to itself: below the least number of learners, and, where
    there is such a group, the next smallest too, until as many learners are hidden together as may be
    shown, so that subtraction tells nothing. -#}
{% macro is_small_cell(n_learners, group, tie) -%}
    {%- set least = rule_threshold('privacy', 'small_cells', 'learners_min') -%}
    (
        {{ n_learners }} < {{ least }}
        or (
            min({{ n_learners }}) over (partition by {{ group }}) < {{ least }}
            and coalesce(sum({{ n_learners }}) over (
                partition by {{ group }}
                order by {{ n_learners }}, {{ tie }}
                rows between unbounded preceding and 1 preceding
            ), 0) < {{ least }}
        )
    )
{%- endmacro %}

{#- A count of learners rounded down to a multiple of the fewest that may be shown, so that what it and
    another count of nearly the same learners differ by is nobody. -#}
{% macro rounded_count(n_learners) -%}
    {%- set least = rule_threshold('privacy', 'small_cells', 'learners_min') -%}
    cast(floor({{ n_learners }} / {{ least }}) * {{ least }} as bigint)
{%- endmacro %}

{#- Which rows in an order are told together, so that none is about fewer learners than may be shown: each
    row of enough learners takes with it those of too few that follow, the first also those before. -#}
{% macro told_together(n_learners, group, order) -%}
    greatest(
        1,
        sum(
            case
                when {{ n_learners }} >= {{ rule_threshold('privacy', 'small_cells', 'learners_min') }}
                    then 1
                else 0
            end
        ) over (partition by {{ group }} order by {{ order }})
    )
{%- endmacro %}

{#- Whether a difference of what is shown is about somebody, and about fewer learners than may be shown. -#}
{% macro is_told_by_few(n_learners) -%}
    (
        {{ n_learners }} > 0
        and {{ n_learners }} < {{ rule_threshold('privacy', 'small_cells', 'learners_min') }}
    )
{%- endmacro %}

{#- The day from which a pause has lasted longer than so many days: of what is expected in it, or, where that is
    not known, by the calendar. -#}
{% macro lasted_from(since, lasted_on, n_days) -%}
    coalesce({{ lasted_on }}, {{ add_days(since, n_days ~ ' + 1') }})
{%- endmacro %}

{#-
    Whether a pause since a day is unlikely to be chance, or longer than a year, days of leave not counted.
    Where the calibration does not say what rotations offer, or a site's rule set does not ask, every pause
    counts.
-#}
{% macro is_missed(since, until, expected) -%}
    (
        {{ expected }}.n_expected is null
        or {{ rule_threshold('signals', 'expected_evidence', 'chance_max') }} is null
        or {{ expected }}.unlikely_on is not null
        or {{ lasted_from(
            since, expected ~ '.always_on',
            rule_threshold('signals', 'expected_evidence', 'always_after_days')
        ) }} <= {{ until }}
    )
{%- endmacro %}

{#- The day from which it is. -#}
{% macro missed_from(since, expected) -%}
    {%- set after_a_year = lasted_from(
        since, expected ~ '.always_on',
        rule_threshold('signals', 'expected_evidence', 'always_after_days')
    ) -%}
    case
        when
            {{ expected }}.n_expected is null
            or {{ rule_threshold('signals', 'expected_evidence', 'chance_max') }} is null
            then {{ since }}
        else least(coalesce({{ expected }}.unlikely_on, {{ after_a_year }}), {{ after_a_year }})
    end
{%- endmacro %}

{#- How many data points were to be expected, as a sentence that follows another one. -#}
{% macro expected_words(expected) -%}
    case
        when {{ expected }}.n_expected is not null
            then
                ' By what peers get in the same rotations, '
                || cast(cast(round({{ expected }}.n_expected, 1) as decimal(9, 1)) as string)
                || ' were to be expected.'
        else ''
    end
{%- endmacro %}
