-- Grain: one row per learner with evidence or dated periods: a name for all that they are held against
-- peers by, and whether it is another than that of the rows that stand.
{{ config(materialized='table', post_hook="{{ forget_moved('peers') }}") }}

with

portfolio as (
    select * from {{ ref('int_portfolio__fingerprinted') }}
),

rules as (
    select * from {{ ref('int_rules__chosen') }}
    where rule_set_id = 'signals' and rule_id = 'peers'
),

level_norms as (
    select norms.*
    from {{ ref('stg_calibration_level_norm') }} as norms
    inner join {{ ref('stg_build_input') }} as inputs
        on norms.calibration_version = inputs.calibration_version
),

score_norms as (
    select norms.*
    from {{ ref('stg_calibration_score_norm') }} as norms
    inner join {{ ref('stg_build_input') }} as inputs
        on norms.calibration_version = inputs.calibration_version
),

spreads as (
    select spreads.*
    from {{ ref('stg_calibration_spread') }} as spreads
    inner join {{ ref('stg_build_input') }} as inputs
        on spreads.calibration_version = inputs.calibration_version
),

effects as (
    select effects.*
    from {{ ref('stg_calibration_target_effect') }} as effects
    inner join {{ ref('stg_build_input') }} as inputs
        on effects.calibration_version = inputs.calibration_version
),

-- What the rows of many learners rest on: another calibration moves everybody.
shared as (
    select
        {{ content_hash({
            'effects': 'effects',
            'level_norms': 'level_norms',
            'rules': 'rules',
            'score_norms': 'score_norms',
            'spreads': 'spreads',
        }) }} as content
),

fingerprinted as (
    select
        portfolio.learner_key,
        {{ hash_text("portfolio.fingerprint || ' ' || shared.content") }} as fingerprint
    from portfolio
    cross join shared
),

compared as (
    {{ compared_with_kept('peers', 'fingerprinted') }}
)

select * from compared
