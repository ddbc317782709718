-- Grain: one row per learner, stage and competency with ratings on the scale of its target: how
-- dependable they are together, and how many more by how many more assessors would be enough.
with

cells as (
    select * from {{ ref('int_cells__required') }}
),

evidence as (
    select * from {{ ref('int_cell_evidence__assigned') }}
    where is_rated
),

components as (
    select * from {{ ref('int_rating_components__chosen') }}
),

rated_by_assessor as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        count(*) as n_rated,
        max(scale_version) as scale_version,
        max(counted_direction) as counted_direction
    from evidence
    group by
        learner_key, programme_id, stage_id, competency_id, {{ assessor_cluster() }}
),

clusters as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        max(scale_version) as scale_version,
        max(counted_direction) as counted_direction,
        cast(sum(n_rated) as bigint) as n_rated,
        cast(count(*) as bigint) as n_raters,
        cast(sum(n_rated * n_rated) as bigint) as sum_of_squares
    from rated_by_assessor
    group by learner_key, programme_id, stage_id, competency_id
),

weighed as (
    select
        clusters.*,
        cells.competency_title,
        cells.target_scale_id as scale_id,
        components.calibration_version,
        components.n_assessors as n_estimated_from,
        components.scale_id is not null as is_calibrated,
        coalesce(components.is_mostly_published, false) as is_mostly_published,
        coalesce(
            components.learner_variance,
            {{ rule_threshold('measurement', 'components', 'learner') }}
        ) as learner_variance,
        coalesce(
            components.by_assessor_variance,
            {{ rule_threshold('measurement', 'components', 'stringency') }}
            + {{ rule_threshold('measurement', 'components', 'subjectivity') }}
        ) as by_assessor_variance,
        coalesce(
            components.case_variance,
            {{ rule_threshold('measurement', 'components', 'case') }}
        ) as case_variance,
        {{ rule_threshold('measurement', 'dependability', 'wanted') }} as wanted
    from clusters
    inner join cells
        on
            clusters.learner_key = cells.learner_key
            and clusters.programme_id = cells.programme_id
            and clusters.stage_id = cells.stage_id
            and clusters.competency_id = cells.competency_id
    left join components
        on {{ is_estimated_for(
            'components', 'cells.programme_id', 'cells.target_scale_id', 'clusters.scale_version',
            'clusters.counted_direction'
        ) }}
),

erred as (
    select
        *,
        {{ measure_error_variance(
            'by_assessor_variance', 'case_variance', 'n_rated', 'sum_of_squares'
        ) }} as error_variance,
        {{ measure_ratings_wanted(
            'learner_variance', 'by_assessor_variance', 'case_variance', 'n_rated',
            'sum_of_squares', 'wanted'
        ) }} as n_ratings_wanted
    from weighed
),

judged as (
    select
        *,
        {{ measure_dependability('learner_variance', 'error_variance') }} as dependability,
        cast(case when is_calibrated then round(sqrt(error_variance), 4) end as decimal(18, 4))
            as sem,
        n_ratings_wanted - n_rated as n_more_ratings,
        coalesce(n_ratings_wanted = n_rated, false) as is_reached
    from erred
),

final as (
    select
        ---------- ids
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        scale_id,
        calibration_version,
        ---------- text
        competency_title,
        case
            when n_more_ratings is null
                then
                    'The ratings show no difference between learners: more of them would not '
                    || 'change that.'
            when is_reached
                then
                    'A dependability of ' || cast(cast(wanted as decimal(3, 2)) as string)
                    || ' is reached with ' || {{ counted('n_rated', 'rating', 'ratings') }} || ' by '
                    || {{ counted('n_raters', 'assessor', 'assessors') }} || '.'
            else
                'A dependability of ' || cast(cast(wanted as decimal(3, 2)) as string) || ' takes '
                || {{ counted('n_more_ratings', 'more rating', 'more ratings') }} || ' by '
                || {{ counted('n_more_ratings', 'more assessor', 'more assessors') }}
                || case when n_more_ratings > 1 then ', one each.' else '.' end
        end
        || case
            when is_mostly_published
                then
                    ' Mostly by published components: those of this programme rest on '
                    || {{ counted('n_estimated_from', 'assessor', 'assessors') }} || '.'
            when is_calibrated then ''
            else ' By published components, since this programme has none of its own yet.'
        end as sentence,
        ---------- numbers
        n_rated,
        n_raters,
        dependability,
        sem,
        cast(wanted as decimal(18, 6)) as wanted_dependability,
        n_ratings_wanted,
        n_raters + n_more_ratings as n_assessors_wanted,
        n_more_ratings,
        n_more_ratings as n_more_assessors,
        ---------- yes or no
        is_calibrated,
        is_reached,
        ---------- rule
        'measurement' as rule_set_id,
        {{ rule_version('measurement') }} as rule_version
    from judged
)

select * from final
