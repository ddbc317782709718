-- Grain: one row per learner and competency of a signal that asks for evidence: which instrument,
-- kind of assessor and setting the programme uses for it that the learner has not had yet.
with

signals as (
    select distinct
        learner_key,
        programme_id,
        competency_id
    from {{ ref('int_signals__chosen') }}
    where competency_id is not null
),

evidence as (
    select * from {{ ref('fct_evidence') }}
    where competency_id is not null and is_new_evidence and occurred_on <= {{ as_of() }}
),

used as (
    select
        learner_key,
        programme_id,
        competency_id,
        'instrument' as dimension,
        instrument_id as value
    from evidence
    where instrument_id is not null

    union all

    select
        learner_key,
        programme_id,
        competency_id,
        'role' as dimension,
        assessor_role as value
    from evidence
    where assessor_role is not null

    union all

    select
        learner_key,
        programme_id,
        competency_id,
        'setting' as dimension,
        setting as value
    from evidence
    where setting is not null
),

in_programme as (
    select
        programme_id,
        competency_id,
        dimension,
        value,
        count(*) as n_used
    from used
    group by programme_id, competency_id, dimension, value
),

by_learner as (
    select distinct
        learner_key,
        programme_id,
        competency_id,
        dimension,
        value
    from used
),

options as (
    select
        signals.learner_key,
        signals.programme_id,
        signals.competency_id,
        in_programme.dimension,
        in_programme.value,
        by_learner.value is null as is_new,
        row_number() over (
            partition by
                signals.learner_key,
                signals.programme_id,
                signals.competency_id,
                in_programme.dimension
            order by
                case when by_learner.value is null then 0 else 1 end,
                in_programme.n_used desc,
                in_programme.value asc
        ) as preference
    from signals
    inner join in_programme
        on
            signals.programme_id = in_programme.programme_id
            and signals.competency_id = in_programme.competency_id
    left join by_learner
        on
            signals.learner_key = by_learner.learner_key
            and signals.programme_id = by_learner.programme_id
            and signals.competency_id = by_learner.competency_id
            and in_programme.dimension = by_learner.dimension
            and in_programme.value = by_learner.value
),

ranked as (
    select
        ---------- ids
        learner_key,
        programme_id,
        competency_id,
        max(case when dimension = 'instrument' then value end) as instrument_id,
        ---------- text
        max(case when dimension = 'role' then value end) as assessor_role,
        max(case when dimension = 'setting' then value end) as setting,
        ---------- yes or no
        max(case when dimension = 'role' and is_new then 1 else 0 end) = 1 as is_new_role
    from options
    where preference = 1
    group by learner_key, programme_id, competency_id
)

select * from ranked
