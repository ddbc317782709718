-- Grain: one row per programme, scale, version and direction of it of the calibration in use; what
-- assessors' ratings can carry. Where the design is not connected there are no components, and the sentence says so.
-- Shares are as estimated; what the typical learner's ratings are worth goes by components drawn towards
-- the published ones.
with

connectivity as (
    select * from {{ ref('stg_calibration_connectivity') }}
),

components as (
    select * from {{ ref('stg_calibration_component') }}
),

chosen as (
    select * from {{ ref('int_rating_components__chosen') }}
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
        max(case when component = 'residual' then variance_share end) as residual_share,
        coalesce(max(case when component = 'context' then variance end), 0) as context_variance
    from components
    where block = 0
    group by programme_id, scale_id, scale_version, direction
),

-- Over all competencies, their difficulty is error too.
typical as (
    select
        chosen.*,
        connectivity.assessors_per_learner * connectivity.ratings_per_assessor as n_rated,
        connectivity.assessors_per_learner
        * connectivity.ratings_per_assessor
        * connectivity.ratings_per_assessor as sum_of_squares,
        greatest(1, cast(round(connectivity.ratings_per_assessor) as bigint)) as cases_each,
        chosen.case_variance + pivoted.context_variance as error_of_cases
    from chosen
    inner join connectivity
        on {{ same_scale('chosen', 'connectivity') }}
    inner join pivoted
        on {{ same_scale('chosen', 'pivoted') }}
),

erred as (
    select
        *,
        {{ rule_threshold('measurement', 'dependability', 'wanted') }} as wanted,
        {{ measure_error_variance(
            'by_assessor_variance', 'error_of_cases', 'n_rated', 'sum_of_squares'
        ) }} as error_variance
    from typical
),

judged as (
    select
        *,
        cast({{ measure_dependability('learner_variance', 'error_variance') }} as decimal(18, 6))
            as dependability,
        cast(round(sqrt(error_variance), 6) as decimal(18, 6)) as sem,
        {{ measure_assessors_wanted(
            'learner_variance', 'by_assessor_variance', 'error_of_cases', 'cases_each', 'wanted'
        ) }} as n_assessors_wanted
    from erred
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
            when judged.n_assessors_wanted is not null
                then
                    'A dependability of '
                    || cast(cast(judged.wanted as decimal(3, 2)) as string)
                    || ' takes '
                    || {{ counted(
                        'judged.n_assessors_wanted * judged.cases_each', 'rating', 'ratings'
                    ) }} || ' by '
                    || {{ counted('judged.n_assessors_wanted', 'assessor', 'assessors') }}
                    || ' a learner; the typical learner has '
                    || {{ coefficient_text('judged.dependability') }} || '.'
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
        judged.dependability,
        judged.sem,
        cast(judged.wanted as decimal(18, 6)) as wanted_dependability,
        judged.n_assessors_wanted,
        judged.n_assessors_wanted * judged.cases_each as n_ratings_wanted,
        ---------- yes or no
        connectivity.is_connected,
        connectivity.is_estimated
    from connectivity
    left join pivoted
        on
            connectivity.is_estimated
            and {{ same_scale('connectivity', 'pivoted') }}
    left join judged
        on {{ same_scale('connectivity', 'judged') }}
)

select * from final
