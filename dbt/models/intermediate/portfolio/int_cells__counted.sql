-- Grain: one row per learner, stage and competency with evidence: counts that no rule set changes.
-- Levels count only on the scale of the target; they are never averaged.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_portfolio__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_portfolio__fingerprinted') }}

with

evidence as (
    select * from {{ ref('int_cell_evidence__assigned') }}
    where {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
),

rated_by_assessor as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        count(*) as n_rated
    from evidence
    where is_rated
    group by
        learner_key, programme_id, stage_id, competency_id, {{ assessor_cluster() }}
),

clusters as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        sum(n_rated * n_rated) as sum_of_squares
    from rated_by_assessor
    group by learner_key, programme_id, stage_id, competency_id
),

levels as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        level,
        count(*) as n_at_level
    from evidence
    where is_rated
    group by learner_key, programme_id, stage_id, competency_id, level
),

distributions as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        {{ list_join(
            list_agg(
                "cast(level as string) || ':' || cast(n_at_level as string)", order_by=['level']
            ),
            ' '
        ) }} as level_counts
    from levels
    group by learner_key, programme_id, stage_id, competency_id
),

totals as (
    select
        learner_key,
        programme_id,
        stage_id,
        competency_id,
        count(case when is_data_point then 1 end) as n_data_points,
        {{ measure_n_assessors('assessor_key', 'examiner_keys') }} as n_assessors,
        count(case when assessor_key is not null or examiner_keys is not null then 1 end)
            as n_assessed,
        count(distinct assessor_role) as n_roles,
        count(distinct method_family) as n_methods,
        count(distinct setting) as n_settings,
        count(distinct case_type) as n_case_types,
        count(case when has_narrative then 1 end) as n_narratives,
        count(case when is_flagged then 1 end) as n_flags,
        count(case when is_rated then 1 end) as n_rated,
        count(case when is_at_target then 1 end) as n_at_target,
        count(case when is_rated_apart then 1 end) as n_rated_apart,
        count(case when is_at_target_apart then 1 end) as n_at_target_apart,
        max(case when is_rated or is_rated_apart then counted_direction end) as counted_direction,
        max(case when is_rated then scale_version end) as counted_scale_version,
        count(case when is_data_point and assurance_level = 'observed' then 1 end) as n_observed,
        count(case when is_data_point and assurance_level = 'secured' then 1 end) as n_secured,
        count(case when is_data_point and assurance_level = 'open' then 1 end) as n_open,
        {{ median_level('case when is_rated then level end') }} as level_median,
        min(occurred_on) as first_on,
        max(occurred_on) as latest_on,
        {{ list_agg(
            'case when is_rated then level end', order_by=['occurred_at', 'evidence_id'], descending=true
        ) }} as levels_newest_first,
        {{ list_of_few('evidence_id') }} as evidence_ids,
        {{ list_of_all('case when is_data_point then occurred_on end') }} as days,
        {{ list_of_all('case when n_suggestion_markers > 0 then n_improvement_characters end') }}
            as characters_with_marker,
        {{ list_of_all('case when n_suggestion_markers = 0 then n_improvement_characters end') }}
            as characters_without_marker
    from evidence
    group by learner_key, programme_id, stage_id, competency_id
),

counted as (
    select
        ---------- ids
        totals.learner_key,
        totals.programme_id,
        totals.stage_id,
        totals.competency_id,
        ---------- text
        distributions.level_counts,
        totals.counted_direction,
        totals.counted_scale_version,
        ---------- numbers
        totals.n_data_points,
        totals.n_assessors,
        totals.n_assessed,
        totals.n_roles,
        totals.n_methods,
        totals.n_settings,
        totals.n_case_types,
        totals.n_narratives,
        totals.n_flags,
        totals.n_rated,
        totals.n_at_target,
        totals.n_rated_apart,
        totals.n_at_target_apart,
        totals.n_observed,
        totals.n_secured,
        totals.n_open,
        totals.level_median,
        cast(clusters.sum_of_squares as bigint) as sum_of_squares,
        ---------- lists
        totals.levels_newest_first,
        totals.evidence_ids,
        totals.days,
        totals.characters_with_marker,
        totals.characters_without_marker,
        ---------- days and instants
        totals.first_on,
        totals.latest_on
    from totals
    left join clusters
        on
            totals.learner_key = clusters.learner_key
            and totals.programme_id = clusters.programme_id
            and totals.stage_id = clusters.stage_id
            and totals.competency_id = clusters.competency_id
    left join distributions
        on
            totals.learner_key = distributions.learner_key
            and totals.programme_id = distributions.programme_id
            and totals.stage_id = distributions.stage_id
            and totals.competency_id = distributions.competency_id
)

select * from counted
