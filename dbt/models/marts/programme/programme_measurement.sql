-- Grain: one row per programme, scale, version and direction of it of the calibration in use; what
-- assessors' ratings can carry. Where the design is not connected there are no components, and the sentence says so.
with

connectivity as (
    select * from {{ ref('stg_calibration_connectivity') }}
),

components as (
    select * from {{ ref('stg_calibration_component') }}
),

pivoted as (
    select
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
    group by programme_id, scale_id, scale_version, direction
),

final as (
    select
        ---------- ids
        connectivity.programme_id,
        connectivity.scale_id,
        connectivity.scale_version,
        connectivity.direction,
        connectivity.calibration_version,
        ---------- text
        connectivity.sentence,
        connectivity.label,
        case
            when connectivity.n_ratings_wanted is not null
                then
                    'A dependability of '
                    || cast(cast(connectivity.wanted_dependability as decimal(3, 2)) as varchar)
                    || ' takes '
                    || {{ counted('connectivity.n_ratings_wanted', 'rating', 'ratings') }} || ' by '
                    || {{ counted('connectivity.n_assessors_wanted', 'assessor', 'assessors') }}
                    || ' a learner; the typical learner has '
                    || cast(cast(connectivity.dependability as decimal(3, 2)) as varchar) || '.'
        end as need_sentence,
        ---------- numbers
        connectivity.n_ratings,
        connectivity.n_learners,
        connectivity.n_assessors,
        connectivity.n_blocks,
        connectivity.main_block_share,
        connectivity.assessors_per_learner,
        connectivity.ratings_per_assessor,
        pivoted.learner_share,
        pivoted.assessor_share,
        pivoted.context_share,
        pivoted.learner_assessor_share,
        pivoted.residual_share,
        connectivity.dependability,
        connectivity.sem,
        connectivity.wanted_dependability,
        connectivity.n_assessors_wanted,
        connectivity.n_ratings_wanted,
        ---------- yes or no
        connectivity.is_connected,
        connectivity.is_estimated
    from connectivity
    left join pivoted
        on
            connectivity.is_estimated
            and connectivity.programme_id = pivoted.programme_id
            and connectivity.scale_id = pivoted.scale_id
            and connectivity.scale_version is not distinct from pivoted.scale_version
            and connectivity.direction is not distinct from pivoted.direction
)

select * from final
