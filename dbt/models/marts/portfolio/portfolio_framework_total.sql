-- Grain: one row per learner, framework that the evidence names, framework that it is told in, and
-- competency: how many data points there are. All of them are told in every framework, or version of one, that
-- anything of the programme maps to. A data point that maps to several competencies counts a part for
-- each, and one that maps to none is told as unmapped, so that the totals of a learner are the same in
-- every framework.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ drop_moved('int_portfolio__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_portfolio__fingerprinted') }}

with

competencies as (
    select * from {{ ref('dim_competency') }}
),

mappings as (
    select * from {{ ref('bridge_competency') }}
    where
        link_type = 'maps_to'
        and (to_framework_id <> framework_id or to_framework_version <> framework_version)
),

evidence as (
    select
        evidence.evidence_key,
        evidence.learner_key,
        evidence.programme_id,
        evidence.competency_id,
        coalesce(competencies.framework_id, 'none') as framework_id,
        coalesce(competencies.framework_version, 'none') as framework_version
    from {{ ref('fct_evidence') }} as evidence
    left join competencies on evidence.competency_key = competencies.competency_key
    left join {{ ref('int_rounds__formed') }} as rounds
        on
            evidence.record_key = rounds.record_key
            and evidence.competency_id = rounds.competency_id
    where
        {{ is_moved('int_portfolio__fingerprinted', 'evidence.learner_key') }}
        and evidence.competency_id is not null
        and evidence.is_new_evidence
        and {{ is_by_another('evidence') }}
        and {{ has_come('evidence.occurred_on') }}
        and coalesce(rounds.is_data_point, true)
),

told_in as (
    select distinct
        programme_id,
        to_framework_id,
        to_framework_version
    from mappings
),

-- A data point stands once for each competency, so that none needs telling apart.
in_its_own as (
    select
        learner_key,
        programme_id,
        framework_id,
        framework_version,
        framework_id as told_framework_id,
        framework_version as told_framework_version,
        competency_id as told_competency_id,
        count(*) as n_data_points,
        cast(count(*) as decimal(18, 6)) as data_points_shared,
        true as is_own_framework
    from evidence
    group by learner_key, programme_id, framework_id, framework_version, competency_id
),

in_another as (
    select
        evidence.*,
        told_in.to_framework_id as told_framework_id,
        told_in.to_framework_version as told_framework_version,
        coalesce(mappings.to_competency_id, 'unmapped') as told_competency_id,
        coalesce(mappings.mapped_share, 1) as part
    from evidence
    inner join told_in
        on
            evidence.programme_id = told_in.programme_id
            and (
                evidence.framework_id <> told_in.to_framework_id
                or evidence.framework_version <> told_in.to_framework_version
            )
    left join mappings
        on
            evidence.programme_id = mappings.programme_id
            and evidence.framework_id = mappings.framework_id
            and evidence.framework_version = mappings.framework_version
            and evidence.competency_id = mappings.competency_id
            and told_in.to_framework_id = mappings.to_framework_id
            and told_in.to_framework_version = mappings.to_framework_version
),

told_in_another as (
    select
        learner_key,
        programme_id,
        framework_id,
        framework_version,
        told_framework_id,
        told_framework_version,
        told_competency_id,
        count(distinct evidence_key) as n_data_points,
        cast(sum(part) as decimal(18, 6)) as data_points_shared,
        false as is_own_framework
    from in_another
    group by
        learner_key,
        programme_id,
        framework_id,
        framework_version,
        told_framework_id,
        told_framework_version,
        told_competency_id
),

final as (
    select * from in_its_own

    union all

    select * from told_in_another
)

select * from final
