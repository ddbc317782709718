-- Grain: one row per programme, scale, version and direction of it whose ratings the calibration in use
-- could estimate: what a learner's ratings on one competency are made of.
with

components as (
    select * from {{ ref('stg_calibration_component') }}
),

connectivity as (
    select * from {{ ref('stg_calibration_connectivity') }}
),

-- Within one competency its own difficulty is the same for every rating, so it is no error there.
pivoted as (
    select
        components.calibration_version,
        components.programme_id,
        components.scale_id,
        components.scale_version,
        components.direction,
        sum(case when components.component = 'learner' then components.variance end)
            as learner_variance,
        sum(
            case
                when components.component in ('assessor', 'learner_assessor')
                    then components.variance
            end
        ) as by_assessor_variance,
        sum(case when components.component = 'residual' then components.variance end)
            as case_variance
    from components
    inner join connectivity
        on
            components.programme_id = connectivity.programme_id
            and components.scale_id = connectivity.scale_id
            and components.scale_version is not distinct from connectivity.scale_version
            and components.direction is not distinct from connectivity.direction
    where components.block = 0 and connectivity.is_estimated
    group by
        components.calibration_version,
        components.programme_id,
        components.scale_id,
        components.scale_version,
        components.direction
),

final as (
    select
        ---------- ids
        calibration_version,
        programme_id,
        scale_id,
        scale_version,
        direction,
        ---------- numbers
        cast(learner_variance as decimal(18, 6)) as learner_variance,
        cast(by_assessor_variance as decimal(18, 6)) as by_assessor_variance,
        cast(case_variance as decimal(18, 6)) as case_variance,
        cast(
            round(
                cast(by_assessor_variance as double)
                / nullif(by_assessor_variance + case_variance, 0),
                6
            ) as decimal(18, 6)
        ) as assessor_variance_share
    from pivoted
)

select * from final
