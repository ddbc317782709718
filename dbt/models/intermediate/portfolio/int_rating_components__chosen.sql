-- Grain: one row per programme, scale, version and direction of it whose ratings the calibration in use
-- could estimate: what a learner's ratings on one competency are made of. Estimates are drawn towards
-- the published components, the more the fewer learners and assessors they rest on.
with

components as (
    select * from {{ ref('stg_calibration_component') }}
),

connectivity as (
    select * from {{ ref('stg_calibration_connectivity') }}
),

published as (
    select
        cast({{ rule_threshold('measurement', 'components', 'learner') }} as double) as learner,
        cast({{ rule_threshold('measurement', 'components', 'stringency') }} as double)
            as stringency,
        cast({{ rule_threshold('measurement', 'components', 'subjectivity') }} as double) as taste,
        cast({{ rule_threshold('measurement', 'components', 'case') }} as double) as cases,
        cast({{ rule_threshold('measurement', 'shrinkage', 'pseudo_learners') }} as double)
            as pseudo_learners,
        cast({{ rule_threshold('measurement', 'shrinkage', 'pseudo_assessors') }} as double)
            as pseudo_assessors
),

-- Within one competency its own difficulty is the same for every rating, so it is no error there.
pivoted as (
    select
        components.calibration_version,
        components.programme_id,
        components.scale_id,
        components.scale_version,
        components.direction,
        coalesce(max(case when components.component = 'learner' then components.n_levels end), 0)
            as n_learners,
        coalesce(max(case when components.component = 'assessor' then components.n_levels end), 0)
            as n_assessors,
        sum(case when components.component = 'learner' then components.variance end) as learner,
        sum(case when components.component = 'assessor' then components.variance end)
            as stringency,
        sum(case when components.component = 'learner_assessor' then components.variance end)
            as taste,
        sum(case when components.component = 'residual' then components.variance end) as residual
    from components
    inner join connectivity
        on {{ same_scale('components', 'connectivity') }}
    where components.block = 0 and connectivity.is_estimated
    group by
        components.calibration_version,
        components.programme_id,
        components.scale_id,
        components.scale_version,
        components.direction
),

-- Taste that could not be told apart lies in the residual, which is then split as published.
split as (
    select
        pivoted.*,
        cast(pivoted.stringency as double) + coalesce(
            pivoted.taste, pivoted.residual * published.taste / (published.taste + published.cases)
        ) as by_assessor,
        cast(
            pivoted.learner + pivoted.stringency + coalesce(pivoted.taste, 0) + pivoted.residual
            as double
        ) as total
    from pivoted
    cross join published
),

drawn as (
    select
        split.*,
        split.n_assessors < published.pseudo_assessors as is_mostly_published,
        {{ measure_shrunken(
            'split.learner / nullif(split.total, 0)',
            'published.learner / (published.learner + published.stringency + published.taste'
            ~ ' + published.cases)',
            'split.n_learners', 'published.pseudo_learners'
        ) }} as learner_share,
        {{ measure_shrunken(
            'split.by_assessor / nullif(split.total - split.learner, 0)',
            '(published.stringency + published.taste)'
            ~ ' / (published.stringency + published.taste + published.cases)',
            'split.n_assessors', 'published.pseudo_assessors'
        ) }} as assessor_share
    from split
    cross join published
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
        n_learners,
        n_assessors,
        cast(round(total * learner_share, 6) as decimal(18, 6)) as learner_variance,
        cast(round(total * (1 - learner_share) * assessor_share, 6) as decimal(18, 6))
            as by_assessor_variance,
        cast(round(total * (1 - learner_share) * (1 - assessor_share), 6) as decimal(18, 6))
            as case_variance,
        cast(round(assessor_share, 6) as decimal(18, 6)) as assessor_variance_share,
        ---------- yes or no
        is_mostly_published
    from drawn
)

select * from final
