-- Grain: one row per programme, scale, version and direction of it of the calibration in use; what
-- assessors' ratings can carry. Where the design is not connected there are no components, and the sentence says so.
with

connectivity as (
    select * from {{ ref('stg_calibration_connectivity') }}
),

components as (
    select * from {{ ref('stg_calibration_component') }}
),

inputs as (
    select * from {{ ref('stg_build_input') }}
),

in_use as (
    select connectivity.*
    from connectivity
    inner join inputs on connectivity.calibration_version = inputs.calibration_version
),

pivoted as (
    select
        calibration_version,
        programme_id,
        scale_id,
        scale_version,
        direction,
        max(case when component = 'learner' then variance_share end) as learner_share,
        max(case when component = 'assessor' then variance_share end) as assessor_share,
        max(case when component = 'context' then variance_share end) as context_share,
        max(case when component = 'learner_assessor' then variance_share end)
            as learner_assessor_share,
        max(case when component = 'residual' then variance_share end) as residual_share
    from components
    where block = 0
    group by calibration_version, programme_id, scale_id, scale_version, direction
),

final as (
    select
        ---------- ids
        in_use.programme_id,
        in_use.scale_id,
        in_use.scale_version,
        in_use.direction,
        in_use.calibration_version,
        ---------- text
        in_use.sentence,
        in_use.label,
        case
            when in_use.n_ratings_wanted is not null
                then
                    'A dependability of '
                    || cast(cast(in_use.wanted_dependability as decimal(3, 2)) as varchar)
                    || ' takes '
                    || {{ counted('in_use.n_ratings_wanted', 'rating', 'ratings') }} || ' by '
                    || {{ counted('in_use.n_assessors_wanted', 'assessor', 'assessors') }}
                    || ' a learner; the typical learner has '
                    || cast(cast(in_use.dependability as decimal(3, 2)) as varchar) || '.'
        end as need_sentence,
        ---------- numbers
        in_use.n_ratings,
        in_use.n_learners,
        in_use.n_assessors,
        in_use.n_blocks,
        in_use.main_block_share,
        in_use.assessors_per_learner,
        in_use.ratings_per_assessor,
        pivoted.learner_share,
        pivoted.assessor_share,
        pivoted.context_share,
        pivoted.learner_assessor_share,
        pivoted.residual_share,
        in_use.dependability,
        in_use.sem,
        in_use.wanted_dependability,
        in_use.n_assessors_wanted,
        in_use.n_ratings_wanted,
        ---------- yes or no
        in_use.is_connected,
        in_use.is_estimated
    from in_use
    left join pivoted
        on
            in_use.is_estimated
            and in_use.calibration_version = pivoted.calibration_version
            and in_use.programme_id = pivoted.programme_id
            and in_use.scale_id = pivoted.scale_id
            and in_use.scale_version is not distinct from pivoted.scale_version
            and in_use.direction is not distinct from pivoted.direction
)

select * from final
