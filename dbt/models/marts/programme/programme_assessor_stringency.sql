-- Grain: one row per programme, scale, version and direction of it, and assessor that the
-- calibration in use could estimate.
-- Restricted: seen by need, to train and to thank, never to rank.
{{ config(schema='restricted_marts', group='programme', access='private') }}

with

assessors as (
    select * from {{ ref('stg_calibration_assessor') }}
),

inputs as (
    select * from {{ ref('stg_build_input') }}
)

select
    ---------- ids
    assessors.programme_id,
    assessors.scale_id,
    assessors.scale_version,
    assessors.direction,
    assessors.assessor_key,
    assessors.calibration_version,
    ---------- numbers
    assessors.block,
    assessors.n_ratings,
    assessors.n_learners,
    assessors.raw_mean,
    assessors.effect,
    assessors.standard_error
from assessors
inner join inputs on assessors.calibration_version = inputs.calibration_version
