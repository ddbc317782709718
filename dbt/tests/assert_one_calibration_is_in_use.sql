-- What is this test? All that was calibrated is of the calibration that the build names as its input.
-- When is it important to resolve? Always: estimates of two calibrations would be mixed, and no edition
-- could say which ones it used.
-- How to resolve? `tessera calibrate` puts one calibration in place of whatever is there.
{{ config(severity='error', meta={'consequence': 'status'}) }}

with

calibrated as (
    {% for name in [
        'assessor', 'component', 'connectivity', 'level_norm', 'offer', 'score_norm', 'spread',
        'target_effect'
    ] -%}
    select distinct
        '{{ name }}' as calibrated,
        calibration_version
    from {{ ref('stg_calibration_' ~ name) }}
    {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor %}
),

inputs as (
    select * from {{ ref('stg_build_input') }}
)

select calibrated.*
from calibrated
left join inputs on calibrated.calibration_version = inputs.calibration_version
where inputs.calibration_version is null
