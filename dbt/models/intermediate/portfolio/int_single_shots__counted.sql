-- Grain: one row per learner, stage and competency with evidence by somebody else: whether it is one data
-- point, and whether one assessor, one method, one day or one task is all that it hangs on.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    contract={'enforced': true},
    pre_hook="{{ drop_moved('int_portfolio__fingerprinted') }}"
) }}
-- depends_on: {{ kept_by('int_portfolio__fingerprinted') }}

with

evidence as (
    select * from {{ ref('fct_evidence') }} as evidence
    where
        {{ is_moved('int_portfolio__fingerprinted', 'learner_key') }}
        and is_new_evidence
        and {{ is_by_another('evidence') }}
        and competency_id is not null
        and {{ has_come('occurred_on') }}
),

counted as (
    select
        ---------- ids
        learner_key,
        programme_id,
        {{ stage_or_none('stage_id') }} as stage_id,
        competency_id,
        ---------- yes or no
        count(*) = 1 as has_one_data_point,
        {{ is_one("coalesce(assessor_key, record_key)") }}
        and max({{ list_size('examiner_keys') }}) <= 1 as has_one_source,
        {{ is_one("coalesce(method_family, 'other')") }} as has_one_method,
        {{ is_one("occurred_on") }} as has_one_day,
        {{ is_one("coalesce(task_id, record_key)") }} as has_one_occasion
    from evidence
    group by learner_key, programme_id, {{ stage_or_none('stage_id') }}, competency_id
)

select * from counted
