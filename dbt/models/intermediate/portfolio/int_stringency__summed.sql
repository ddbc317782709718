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
            {{ is_estimated_for(
                'assessors', 'evidence.programme_id', 'evidence.scale_id', 'evidence.scale_version',
                'evidence.counted_direction'
            ) }}
            and evidence.target_level = assessors.target_level
            and evidence.assessor_key = assessors.effect_id
            and assessors.component = 'assessor'
    left join effects as means
        on
            {{ same_scale('assessors', 'means') }}
            and {{ same('assessors', 'means', ['target_level', 'block']) }}
            and means.component = 'mean'
    left join effects as learners
        on
            {{ same_scale('means', 'learners') }}
            and {{ same('means', 'learners', ['target_level', 'block']) }}
            and evidence.learner_key = learners.effect_id
            and learners.component = 'learner'
    left join effects as contexts
        on
            {{ same_scale('means', 'contexts') }}
            and {{ same('means', 'contexts', ['target_level', 'block']) }}
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
