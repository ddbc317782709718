-- Grain: one row per programme, scale, version and direction of it, and assessor that the
-- calibration in use could estimate.
-- Restricted: seen by need, to train and to thank, never to rank.
{{ config(schema='restricted_marts', group='programme', access='private') }}

with

assessors as (
    select * from {{ ref('stg_calibration_assessor') }}
)

select
    ---------- ids
    programme_id,
    scale_id,
    scale_version,
    direction,
    assessor_key,
    calibration_version,
    ---------- numbers
    block,
    n_ratings,
    n_learners,
    raw_mean,
    effect,
    standard_error
from assessors
