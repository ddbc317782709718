-- Grain: one row per data point and competency with a standing among peers: an observed or secured
-- level, or the mark of an open task. Norms are those of the calibration in force.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_peers__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_peers__fingerprinted') }}

with

evidence as (
    select * from {{ ref('fct_evidence') }}
    where
        {{ is_moved('int_peers__fingerprinted', 'learner_key') }}
        and is_new_evidence
        and competency_id is not null
        and {{ has_come('occurred_on') }}
),

stages as (
    select * from {{ ref('int_learner_history__spanned') }}
    where period_type = 'stage'
),

level_norms as (
    select * from {{ ref('stg_calibration_level_norm') }}
),

score_norms as (
    select * from {{ ref('stg_calibration_score_norm') }}
),

spreads as (
    select * from {{ ref('stg_calibration_spread') }}
),

rated as (
    select
        evidence.*,
        {{ stage_or_none('stages.period_id') }} as peer_stage_id,
        coalesce(
            cast(floor(
                {{ days_between('stages.from_on', 'evidence.occurred_on') }}
                / (select max(spreads.quarter_days) from spreads)
            ) as bigint),
            0
        ) as quarter
    from evidence
    left join stages
        on
            evidence.learner_key = stages.learner_key
            and evidence.programme_id = stages.programme_id
            and evidence.occurred_on between stages.from_on and stages.to_on
            and stages.from_on > {{ first_day() }}
    where
        evidence.level is not null
        and not evidence.is_withheld
        and coalesce(evidence.assurance_level, '') <> 'open'
        and {{ is_by_another('evidence') }}
),

levels as (
    select
        rated.learner_key,
        rated.programme_id,
        rated.competency_id,
        rated.evidence_id,
        coalesce(rated.assessor_key, rated.record_key) as assessor_cluster,
        level_norms.standing,
        rated.occurred_at,
        rated.occurred_on,
        false as is_open
    from rated
    inner join level_norms
        on
            rated.programme_id = level_norms.programme_id
            and rated.peer_stage_id = level_norms.stage_id
            and rated.quarter = level_norms.quarter
            and rated.instrument_id = level_norms.instrument_id
            and rated.scale_id = level_norms.scale_id
            and coalesce(rated.scale_version, '') = level_norms.scale_version
            and (
                level_norms.direction is null
                or {{ measure_direction('rated.direction') }} = level_norms.direction
            )
            and rated.level = level_norms.level
    where
        level_norms.n_ratings >= {{ rule_threshold('signals', 'peers', 'ratings_min') }}
        and level_norms.n_learners >= {{ rule_threshold('signals', 'peers', 'learners_min') }}
),

marks as (
    select
        evidence.learner_key,
        evidence.programme_id,
        evidence.competency_id,
        evidence.evidence_id,
        evidence.record_key as assessor_cluster,
        {{ measure_standing_of_mark(
            'evidence.score_share', 'score_norms.mean_share', 'score_norms.sd_share'
        ) }} as standing,
        evidence.occurred_at,
        evidence.occurred_on,
        true as is_open
    from evidence
    inner join score_norms
        on
            evidence.programme_id = score_norms.programme_id
            and evidence.task_id = score_norms.task_id
    where
        evidence.assurance_level = 'open'
        and evidence.score_share is not null
        and score_norms.n_learners >= {{ rule_threshold('signals', 'peers', 'learners_min') }}
),

unioned as (
    select * from levels

    union all

    select * from marks
),

found as (
    select
        ---------- ids
        learner_key,
        programme_id,
        competency_id,
        evidence_id,
        assessor_cluster,
        ---------- numbers
        cast(standing as decimal(9, 6)) as standing,
        cast(
            {{ days_between(
                'min(case when not is_open then occurred_on end) over ('
                ~ 'partition by learner_key, programme_id)',
                'occurred_on'
            ) }} as bigint
        ) as since_first_days,
        ---------- yes or no
        is_open,
        ---------- days and instants
        occurred_at,
        occurred_on
    from unioned
)

select * from found
