-- Grain: one row per learner, instrument, version of a scale, direction and level: how many ratings by
-- others the learner has there.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_portfolio__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_portfolio__fingerprinted') }}

with

ratings as (
    select * from {{ ref('int_ratings__versioned') }}
    where {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
),

counted as (
    select
        ---------- ids
        learner_key,
        programme_id,
        instrument_id,
        scale_id,
        scale_version,
        ---------- text
        direction,
        ---------- numbers
        level,
        count(*) as n_ratings,
        count(case when is_at_or_above_target then 1 end) as n_at_target,
        count(case when not is_at_or_above_target then 1 end) as n_below
    from ratings
    group by learner_key, programme_id, instrument_id, scale_id, scale_version, direction, level
)

select * from counted
