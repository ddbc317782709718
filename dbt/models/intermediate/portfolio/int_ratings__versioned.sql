-- Grain: one row per rating by another than the learner, up to the day of judgement: the version of the
-- scale and the direction by which it counts.
with

evidence as (
    select * from {{ ref('fct_evidence') }}
),

scales as (
    select * from {{ ref('int_scales__described') }}
),

versioned as (
    select
        ---------- ids
        evidence.record_key,
        evidence.learner_key,
        evidence.programme_id,
        evidence.stage_id,
        evidence.competency_id,
        coalesce(evidence.instrument_id, 'none') as instrument_id,
        evidence.scale_id,
        coalesce(evidence.scale_version, scales.newest_version, 'none') as scale_version,
        evidence.assessor_key,
        ---------- text
        {{ measure_direction('evidence.direction') }} as direction,
        ---------- numbers
        evidence.level,
        ---------- yes or no
        evidence.is_at_or_above_target,
        ---------- days and instants
        evidence.occurred_on
    from evidence
    left join scales on evidence.scale_id = scales.scale_id
    where
        evidence.level is not null
        and evidence.scale_id is not null
        and {{ is_by_another('evidence') }}
        and {{ has_come('evidence.occurred_on') }}
)

select * from versioned
