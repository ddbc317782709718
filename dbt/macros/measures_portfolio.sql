{#- Definitions of the portfolio that people use by name. -#}

{#-
    A number no smaller than one bound and no greater than the other. Unknown stays unknown: engines leave
    nulls out of the greatest and the least of several.
-#}
{% macro bounded(number, low, high) -%}
    case when {{ number }} is not null then greatest({{ low }}, least({{ high }}, {{ number }})) end
{%- endmacro %}

{#-
    How many independent judgements the ratings of a cell are worth. Ratings by one assessor have a
    part of their variance in common (rho), so the design effect of clusters of unequal size is
    1 + r * (sum of squared cluster sizes / n - 1), r being what rho leaves of itself in yes or no.
    Source: Kish 1965, Survey Sampling, section 5.4; rho comes from the calibration in force or,
    without one, from the rule set with its source.
-#}
{% macro measure_effective_n(n, sum_of_squares, rho) -%}
    (
        cast({{ n }} as double)
        / (1 + {{ measure_binary_rho(rho) }} * (cast({{ sum_of_squares }} as double) / nullif({{ n }}, 0) - 1))
    )
{%- endmacro %}

{#-
    One end of the Wilson interval of a share on an effective number of ratings; `side` is -1 or 1.
    Source: Wilson 1927, J Am Stat Assoc 22:209; on the effective sample size: Korn and Graubard 1998,
    Survey Methodology 24:193.
-#}
{% macro measure_wilson(share, n_effective, z, side) -%}
    {%- set end_of_interval -%}
    (
        cast({{ share }} as double)
        + power(cast({{ z }} as double), 2) / (2 * {{ n_effective }})
        + ({{ side }}) * cast({{ z }} as double) * sqrt(
            cast({{ share }} as double) * (1 - cast({{ share }} as double)) / {{ n_effective }}
            + power(cast({{ z }} as double) / (2 * {{ n_effective }}), 2)
        )
    )
    / (1 + power(cast({{ z }} as double), 2) / {{ n_effective }})
    {%- endset -%}
    cast(round({{ bounded(end_of_interval, 0, 1) }}, 4) as decimal(5, 4))
{%- endmacro %}

{#-
    One end of the interval of a difference of two shares, from the Wilson ends of each; `side` is -1
    or 1. Source: Newcombe 1998, Stat Med 17:873, method 10.
-#}
{% macro measure_difference(share_a, low_a, high_a, share_b, low_b, high_b, side) -%}
    {%- set up_a, up_b = (low_a, high_b) if side < 0 else (high_a, low_b) -%}
    cast(
        round(
            cast({{ share_a }} - {{ share_b }} as double)
            + ({{ side }}) * sqrt(
                power(cast({{ up_a }} - {{ share_a }} as double), 2)
                + power(cast({{ up_b }} - {{ share_b }} as double), 2)
            ),
            4
        ) as decimal(5, 4)
    )
{%- endmacro %}

{#- A part of a whole, to four places; unknown where there is no whole. -#}
{% macro measure_share(part, whole) -%}
    cast(round(cast({{ part }} as double) / nullif({{ whole }}, 0), 4) as decimal(5, 4))
{%- endmacro %}

{#- How many improvement comments there are to act on: long enough and, where the rule asks, with a
    marker. Both lists hold lengths of comments. -#}
{% macro measure_n_actionable(with_marker, without_marker, characters, needs_marker) -%}
    (
        {{ list_count_from(with_marker, characters) }}
        + case
            when {{ needs_marker }} = 0 then {{ list_count_from(without_marker, characters) }} else 0
        end
    )
{%- endmacro %}

{#- Whether a rule set judges by the median level, and not by the share of ratings at or above target: what its
    threshold `summary` says. -#}
{% macro is_by_median() -%} summary = 2 {%- endmacro %}

{#- Where a learner with enough evidence stands by the share of ratings at or above target: the one place that
    says so, for shares as they were given and for adjusted ones. -#}
{% macro status_by_share(share, share_low, share_high) -%}
    case
        when {{ share_high }} < discussion_high_max then 'needs_discussion'
        when {{ share_low }} >= above_low_min and n_latest_at_target >= latest_at_target_min
            then 'at_or_above_target'
        when {{ share }} >= on_track_share_min then 'on_track'
        else 'developing'
    end
{%- endmacro %}

{#- A share for people to read: "43 %". -#}
{% macro percent(share) -%}
    cast(cast(round({{ share }} * 100) as integer) as string) || ' %'
{%- endmacro %}

{#- The same with a decimal where whole numbers would hide that it lies below a limit: "49.9 %" below 50 %. -#}
{% macro percent_below(share, limit) -%}
    case
        when {{ share }} < {{ limit }} and round({{ share }} * 100) >= {{ limit }} * 100
            then
                cast(cast(floor({{ share }} * 1000) / 10 as decimal(5, 1)) as string)
                || ' %'
        else {{ percent(share) }}
    end
{%- endmacro %}

{#- A number and its noun: "1 data point", "2 data points". -#}
{% macro counted(n, one, many) -%}
    cast({{ n }} as string) || case when {{ n }} = 1 then ' {{ one }}' else ' {{ many }}' end
{%- endmacro %}

{#- What is there of what is asked for: "2 of 5 data points", "0 of 1 data point". -#}
{% macro of_required(n, required, one, many) -%}
    cast({{ n }} as string) || ' of '
    || {{ counted("cast(" ~ required ~ " as integer)", one, many) }}
{%- endmacro %}

{#- A window for people to read, and whether it left out time away and a part of part-time training. -#}
{% macro window_words(n_days, has_time_out) -%}
    ' in the last ' || cast(cast({{ n_days }} as integer) as string) || ' days'
    || case when {{ has_time_out }} then ', time away and part-time left out' else '' end
{%- endmacro %}

{#- A level for people to read: "3", and "3.5" only where the middle lies between two levels. -#}
{% macro level_text(level) -%}
    case
        when {{ level }} = floor({{ level }}) then cast(cast({{ level }} as integer) as string)
        else cast(cast({{ level }} as decimal(5, 1)) as string)
    end
{%- endmacro %}

{#- The standard deviation of a sample from its exact sums; unknown below two members. -#}
{% macro measure_sd(sum_of_squares, sum_of_values, n) -%}
    cast(
        round(
            case
                when {{ n }} > 1
                    then sqrt(greatest(0, (
                        cast({{ sum_of_squares }} as double)
                        - power(cast({{ sum_of_values }} as double), 2) / {{ n }}
                    ) / ({{ n }} - 1)))
            end,
            4
        ) as decimal(5, 4)
    )
{%- endmacro %}

{#- A competency for people to read: its title and its id, or the id alone. -#}
{% macro competency_words(alias) -%}
    coalesce(
        {{ alias }}.competency_title || ' (' || {{ alias }}.competency_id || ')',
        {{ alias }}.competency_id
    )
{%- endmacro %}

{#- The list of the one evidence id of a record that is there. -#}
{% macro evidence_ids_of(record_key) -%}
    {{ list_present([
        "case when " ~ record_key ~ " is not null then " ~ evidence_id(record_key) ~ " end",
    ]) }}
{%- endmacro %}

{#- With the programme: in a stage today, or not known to have ended the last enrolment. -#}
{% macro learner_is_active(alias) -%}
    ({{ alias }}.stage_id is not null or coalesce({{ alias }}.enrolment_status, 'active') = 'active')
{%- endmacro %}

{#- Words as a sentence: a capital letter in front, a full stop behind. -#}
{% macro as_sentence(words) -%}
    upper(substring({{ words }}, 1, 1)) || substring({{ words }}, 2) || '.'
{%- endmacro %}

{#- Whether something is written in one of the parts of a comment; blanks are nothing. Only the first
    letters are looked at. -#}
{% macro has_words() -%}
    (
        ltrim(coalesce(narrative_strengths, '')) <> ''
        or ltrim(coalesce(narrative_improvements, '')) <> ''
        or ltrim(coalesce(narrative_other, '')) <> ''
    )
{%- endmacro %}
