-- Grain: one row per threshold of the version of each rule set in force: known by then, and
-- effective on the day that the picture is judged on. A version of the site takes the place of shipped
-- ones, and its default that of the shipped default.
{{ config(materialized='table') }}

with

thresholds as (
    select * from {{ ref('stg_rule_set') }}
),

versions as (
    select distinct
        rule_set_id,
        rule_version,
        effective_from,
        known_from,
        is_default,
        is_of_site
    from thresholds
    where
        {{ rules_are_known('known_from') }}
        and coalesce({{ rules_on() }}, {{ as_of() }})
        between effective_from and coalesce(effective_to, {{ last_day() }})
),

ranked as (
    select
        rule_set_id,
        rule_version,
        is_default,
        is_of_site,
        row_number() over (
            partition by rule_set_id
            order by
                is_of_site desc,
                known_from desc,
                effective_from desc,
                {{ version_order('rule_version') }} desc
        ) as newest_first
    from versions
),

site_defaults as (
    select count(*) as n_defaults
    from ranked
    where newest_first = 1 and is_of_site and is_default
),

chosen as (
    select
        ---------- ids
        thresholds.rule_set_id,
        thresholds.programme_id,
        thresholds.stage_id,
        thresholds.rule_id,
        thresholds.threshold_name,
        ---------- text
        thresholds.rule_version,
        thresholds.title,
        thresholds.words,
        thresholds.unit,
        thresholds.source,
        ---------- numbers
        thresholds.threshold_value,
        ---------- yes or no
        thresholds.is_default
        and (thresholds.is_of_site or site_defaults.n_defaults = 0) as is_default
    from thresholds
    inner join ranked
        on
            thresholds.rule_set_id = ranked.rule_set_id
            and thresholds.rule_version = ranked.rule_version
    cross join site_defaults
    where ranked.newest_first = 1
)

select * from chosen
