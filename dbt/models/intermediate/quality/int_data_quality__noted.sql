-- Grain: one row per oddity: what intake noted, and what shows only when records are seen
-- together and intake has not noted already; those of single data points are counted by learner.
with

noted as (
    select * from {{ ref('int_notes__active') }}
),

derived as (
    select * from {{ ref('int_data_quality__derived') }}
),

known_already as (
    select distinct
        code,
        record_key
    from noted
    where record_key is not null
),

unioned as (
    select
        code,
        kind,
        record_key,
        source_id,
        delivery_id,
        learner_key,
        detail,
        cast(null as string) as suggestion,
        'intake' as noted_by
    from noted
    union all
    select
        derived.code,
        derived.kind,
        derived.record_key,
        derived.source_id,
        derived.delivery_id,
        derived.learner_key,
        derived.detail,
        derived.suggestion,
        'build' as noted_by
    from derived
    left join known_already
        on
            derived.code = known_already.code
            and derived.record_key = known_already.record_key
    where known_already.record_key is null
)

select * from unioned
