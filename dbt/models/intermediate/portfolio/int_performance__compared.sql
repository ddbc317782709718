-- Grain: one row per learner with enough recent ratings: how observed and secured performance
-- stands among peers lately, beside what the learner's own earlier record makes one expect. Of
-- several stretches of recent time, the one in which it fell the most beyond doubt.
{{ config(materialized='table') }}
{%- set rho = rule_threshold('signals', 'peers', 'assessor_variance_share') %}
{%- set stretches = [] %}
{%- for place in [1, 2, 3] %}
{%- set days = rule_threshold('signals', 'performance_fell', 'window_days_' ~ place) %}
{%- set until = rule_threshold('signals', 'performance_fell', 'until_days_' ~ place) %}
{%- do stretches.append({
    'days': 'cast(' ~ days ~ ' as bigint)',
    'until': 'cast(coalesce(' ~ until ~ ', ' ~ days ~ ') as bigint)',
}) %}
{%- endfor %}

with

spreads as (
    select * from {{ ref('stg_calibration_spread') }}
),

-- Who was rated often enough of late: of others nothing is said.
rated_lately as (
    select
        learner_key,
        programme_id
    from {{ ref('int_standings__aged') }}
    where
        not is_open
        and (
            {%- for stretch in stretches %}
            {% if not loop.first %}or {% endif %}age_days <= {{ stretch.days }}
            {%- endfor %}
        )
    group by learner_key, programme_id
    having count(*) >= {{ rule_threshold('signals', 'performance_fell', 'data_points_min') }}
),

ratings as (
    select
        standings.*,
        standings.standing - 0.5 as excess
    from {{ ref('int_standings__aged') }} as standings
    inner join rated_lately
        on
            standings.learner_key = rated_lately.learner_key
            and standings.programme_id = rated_lately.programme_id
    where not standings.is_open
),

-- Ratings are gone through once for all stretches.
by_assessor as (
    select
        learner_key,
        programme_id,
        max(occurred_on) as latest_on,
        {% for stretch in stretches %}
        {%- set recent = 'case when age_days <= ' ~ stretch.days ~ ' then ' %}
        {%- set earlier = 'case when age_days > ' ~ stretch.until ~ ' then ' %}
        count({{ recent }} 1 end) as n_recent_{{ loop.index }},
        sum({{ recent }} standing end) as total_recent_{{ loop.index }},
        sum({{ recent }} since_first_days end) as days_recent_{{ loop.index }},
        count({{ earlier }} 1 end) as n_{{ loop.index }},
        sum({{ earlier }} excess end) as excess_{{ loop.index }},
        sum({{ earlier }} since_first_days end) as days_{{ loop.index }},
        sum({{ earlier }} since_first_days * since_first_days end) as squares_{{ loop.index }},
        sum({{ earlier }} since_first_days * excess end) as products_{{ loop.index }}
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from ratings
    group by learner_key, programme_id, assessor_cluster
),

by_learner as (
    select
        learner_key,
        programme_id,
        max(latest_on) as latest_on,
        {% for stretch in stretches %}
        {%- set n = loop.index %}
        cast(sum(n_recent_{{ n }}) as bigint) as n_recent_{{ n }},
        sum(total_recent_{{ n }}) as total_recent_{{ n }},
        sum(days_recent_{{ n }}) as days_recent_{{ n }},
        sum(n_recent_{{ n }} * n_recent_{{ n }}) as squares_recent_{{ n }},
        cast(sum(n_{{ n }}) as bigint) as n_earlier_{{ n }},
        {{ sums_of_trend(
            'n_' ~ n, 'coalesce(days_' ~ n ~ ', 0)', 'coalesce(squares_' ~ n ~ ', 0)',
            'coalesce(excess_' ~ n ~ ', 0)', 'coalesce(products_' ~ n ~ ', 0)', rho, '_' ~ n
        ) }}
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from by_assessor
    group by learner_key, programme_id
),

sides as (
    {% for stretch in stretches %}
    {%- set n = loop.index %}
    select
        learner_key,
        programme_id,
        latest_on,
        {{ stretch.days }} as window_days,
        {{ stretch.until }} as earlier_days,
        n_recent_{{ n }} as n_recent,
        total_recent_{{ n }} as total_recent,
        days_recent_{{ n }} as days_recent,
        squares_recent_{{ n }} as squares_recent,
        n_earlier_{{ n }} as n_earlier,
        level_information_{{ n }} as level_information,
        both_information_{{ n }} as both_information,
        rise_information_{{ n }} as rise_information,
        level_excess_{{ n }} as level_excess,
        rise_excess_{{ n }} as rise_excess
    from by_learner
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

weighed as (
    select
        sides.*,
        cast(spreads.within_variance as double) as within_variance,
        cast(spreads.between_variance as double) as between_variance,
        spreads.rise_variance as rise_variance_of_all,
        cast(sides.total_recent as double) / sides.n_recent as mean_recent,
        cast(sides.days_recent as double) / sides.n_recent as mean_days,
        {{ measure_clustered_n('sides.n_recent', 'sides.squares_recent', rho) }} as worth_recent
    from sides
    inner join spreads on sides.programme_id = spreads.programme_id
    where
        sides.window_days is not null
        and sides.n_recent >= {{ rule_threshold('signals', 'performance_fell', 'data_points_min') }}
        and spreads.n_learners >= {{ rule_threshold('signals', 'peers', 'learners_min') }}
        and spreads.within_variance > 0
),

trended as (
    select
        *,
        {{ surety_of_trend('between_variance', 'rise_variance_of_all', 'within_variance') }}
    from weighed
),

expected as (
    select
        *,
        {{ standing_by_trend('mean_days', 'within_variance') }} as mean_expected,
        sqrt({{ variance_by_trend('mean_days') }} + within_variance / worth_recent) as doubt
    from trended
),

compared as (
    select
        *,
        mean_recent - mean_expected as change,
        row_number() over (
            partition by learner_key, programme_id
            order by round((mean_recent - mean_expected) / doubt, 6) asc, window_days asc
        ) as preference
    from expected
),

chosen as (
    select * from compared
    where preference = 1
),

-- The competency in which recent ratings stand lowest is the one to look at first.
by_competency as (
    select
        standings.learner_key,
        standings.programme_id,
        standings.competency_id,
        row_number() over (
            partition by standings.learner_key, standings.programme_id
            order by
                round(cast(sum(standings.standing) as double) / count(*), 6) asc,
                standings.competency_id asc
        ) as lowest_first
    from {{ ref('int_standings__aged') }} as standings
    inner join chosen
        on
            standings.learner_key = chosen.learner_key
            and standings.programme_id = chosen.programme_id
            and standings.age_days <= chosen.window_days
    where not standings.is_open
    group by standings.learner_key, standings.programme_id, standings.competency_id
),

-- Evidence is listed where anything could be said: the lists are long.
rested_on as (
    select
        standings.learner_key,
        standings.programme_id,
        {{ list_agg('standings.evidence_id', distinct=true) }} as evidence_ids
    from {{ ref('int_standings__aged') }} as standings
    inner join chosen
        on
            standings.learner_key = chosen.learner_key
            and standings.programme_id = chosen.programme_id
    where not standings.is_open and chosen.change <= -chosen.doubt
    group by standings.learner_key, standings.programme_id
),

final as (
    select
        ---------- ids
        chosen.learner_key,
        chosen.programme_id,
        by_competency.competency_id as lowest_competency_id,
        ---------- numbers
        chosen.window_days,
        chosen.earlier_days,
        chosen.n_recent,
        chosen.n_earlier,
        {{ to_standing('chosen.mean_recent') }} as recent_standing,
        {{ to_standing('chosen.mean_expected') }} as expected_standing,
        {{ to_standing('chosen.change') }} as change,
        {{ to_standing(
            "chosen.change - " ~ rule_threshold('signals', 'performance_fell', 'z')
            ~ " * chosen.doubt"
        ) }} as change_low,
        {{ to_standing(
            "chosen.change + " ~ rule_threshold('signals', 'performance_fell', 'z')
            ~ " * chosen.doubt"
        ) }} as change_high,
        cast(round(chosen.change / chosen.doubt, 4) as decimal(9, 4)) as change_in_errors,
        ---------- lists
        coalesce(rested_on.evidence_ids, {{ empty_list() }}) as evidence_ids,
        ---------- days
        chosen.latest_on
    from chosen
    left join rested_on
        on
            chosen.learner_key = rested_on.learner_key
            and chosen.programme_id = rested_on.programme_id
    left join by_competency
        on
            chosen.learner_key = by_competency.learner_key
            and chosen.programme_id = by_competency.programme_id
            and by_competency.lowest_first = 1
)

select * from final
