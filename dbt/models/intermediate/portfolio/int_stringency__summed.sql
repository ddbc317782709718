-- Grain: one row per learner, stage and competency with a rating by an assessor whom the calibration
-- knows: by how much the chances of reaching the target differ, over all ratings, from those with
-- assessors of typical stringency.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_peers__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_peers__fingerprinted') }}

with

evidence as (
    select * from {{ ref('int_cell_evidence__assigned') }}
    where {{ is_moved('int_peers__fingerprinted', 'learner_key') }} and is_rated
),

effects as (
    select * from {{ ref('stg_calibration_target_effect') }}
),

-- A learner or a context that the calibration did not know counts as a typical one.
expected as (
    select
        evidence.learner_key,
        evidence.programme_id,
        evidence.stage_id,
        evidence.competency_id,
        assessors.effect as assessor_effect,
        means.effect + coalesce(learners.effect, 0) + coalesce(contexts.effect, 0)
            as typical_log_odds,
        means.label
    from evidence
    left join effects as assessors
        on
            evidence.programme_id = assessors.programme_id
            and evidence.scale_id = assessors.scale_id
            and {{ is_estimated_for(
                'assessors', 'evidence.scale_version', 'evidence.counted_direction'
            ) }}
            and evidence.target_level = assessors.target_level
            and evidence.assessor_key = assessors.effect_id
            and assessors.component = 'assessor'
    left join effects as means
        on
            assessors.programme_id = means.programme_id
            and assessors.scale_id = means.scale_id
            and assessors.scale_version is not distinct from means.scale_version
            and assessors.direction is not distinct from means.direction
            and assessors.target_level = means.target_level
            and assessors.block = means.block
            and means.component = 'mean'
    left join effects as learners
        on
            means.programme_id = learners.programme_id
            and means.scale_id = learners.scale_id
            and means.scale_version is not distinct from learners.scale_version
            and means.direction is not distinct from learners.direction
            and means.target_level = learners.target_level
            and means.block = learners.block
            and evidence.learner_key = learners.effect_id
            and learners.component = 'learner'
    left join effects as contexts
        on
            means.programme_id = contexts.programme_id
            and means.scale_id = contexts.scale_id
            and means.scale_version is not distinct from contexts.scale_version
            and means.direction is not distinct from contexts.direction
            and means.target_level = contexts.target_level
            and means.block = contexts.block
            and evidence.competency_id = contexts.effect_id
            and contexts.component = 'context'
),

-- Rounded before they are added up, so that the order of addition cannot show.
summed as (
    select
        ---------- ids
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        ---------- text
        max(label) as label,
        ---------- numbers
        count(assessor_effect) as n_known,
        cast(sum(cast(
            round(
                {{ measure_chance('typical_log_odds + assessor_effect') }}
                - {{ measure_chance('typical_log_odds') }},
                6
            ) as decimal(18, 6)
        )) as decimal(38, 6)) as excess
    from expected
    group by learner_key, programme_id, stage_id, competency_id
    having count(assessor_effect) > 0
)

select * from summed
