-- Grain: one row per learner and competency of a signal: the first present or planned rotation that
-- offers it, and which instrument, kind of assessor and setting, there or else in the programme,
-- the learner has not had yet.
{{ config(materialized='table') }}

{%- set dimensions = {'instrument': 'instrument_id', 'role': 'assessor_role', 'setting': 'setting'} %}
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
    where
        competency_id is not null
        and is_new_evidence
        and not is_withheld
        and coalesce(assurance_level, '') <> 'open'
        and occurred_on <= {{ as_of() }}
),

-- Evidence that is alike is gathered once, for all that is asked of a programme.
alike as (
    select
        programme_id,
        competency_id,
        rotation_id,
        instrument_id,
        assessor_role,
        setting,
        count(*) as n
    from evidence
    group by programme_id, competency_id, rotation_id, instrument_id, assessor_role, setting
),

-- A rotation offers a competency where others were assessed on it there.
offered as (
    select
        programme_id,
        competency_id,
        rotation_id
    from alike
    where rotation_id is not null
    group by programme_id, competency_id, rotation_id
    having sum(n) >= {{ rule_threshold('signals', 'recommendation', 'offered_min') }}
),

planned as (
    select
        signals.learner_key,
        signals.programme_id,
        signals.competency_id,
        rotations.period_id as rotation_id,
        rotations.from_on,
        row_number() over (
            partition by signals.learner_key, signals.programme_id, signals.competency_id
            order by rotations.from_on, rotations.period_id
        ) as soonest
    from signals
    inner join {{ ref('int_learner_history__spanned') }} as rotations
        on
            signals.learner_key = rotations.learner_key
            and signals.programme_id = rotations.programme_id
            and rotations.period_type = 'rotation'
    inner join offered
        on
            signals.programme_id = offered.programme_id
            and signals.competency_id = offered.competency_id
            and rotations.period_id = offered.rotation_id
    where
        rotations.to_on >= {{ as_of() }}
        and {{ days_between(as_of(), 'rotations.from_on') }}
        <= {{ rule_threshold('signals', 'recommendation', 'ahead_days') }}
),

chosen_rotations as (
    select
        learner_key,
        programme_id,
        competency_id,
        rotation_id,
        from_on
    from planned
    where soonest = 1
),

used as (
    {% for dimension, column in dimensions.items() -%}
    select
        programme_id,
        competency_id,
        rotation_id,
        '{{ dimension }}' as dimension,
        {{ column }} as value,
        n
    from alike
    where {{ column }} is not null
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

in_programme as (
    select
        programme_id,
        competency_id,
        dimension,
        value,
        rotation_id,
        cast(sum(n) as bigint) as n_there,
        cast(
            sum(sum(n)) over (partition by programme_id, competency_id, dimension, value) as bigint
        ) as n_used
    from used
    group by programme_id, competency_id, dimension, value, rotation_id
),

-- What the recommended rotation does comes before what others do.
placed as (
    select
        signals.learner_key,
        signals.programme_id,
        signals.competency_id,
        in_programme.dimension,
        in_programme.value,
        max(in_programme.n_used) as n_used,
        max(
            case
                when in_programme.rotation_id = chosen_rotations.rotation_id
                    then in_programme.n_there
                else 0
            end
        ) as n_there
    from signals
    inner join in_programme
        on
            signals.programme_id = in_programme.programme_id
            and signals.competency_id = in_programme.competency_id
    left join chosen_rotations
        on
            signals.learner_key = chosen_rotations.learner_key
            and signals.programme_id = chosen_rotations.programme_id
            and signals.competency_id = chosen_rotations.competency_id
    group by
        signals.learner_key,
        signals.programme_id,
        signals.competency_id,
        in_programme.dimension,
        in_programme.value
),

of_learner as (
    select evidence.*
    from evidence
    inner join signals
        on
            evidence.learner_key = signals.learner_key
            and evidence.programme_id = signals.programme_id
            and evidence.competency_id = signals.competency_id
),

by_learner as (
    {% for dimension, column in dimensions.items() -%}
    select
        learner_key,
        programme_id,
        competency_id,
        '{{ dimension }}' as dimension,
        {{ column }} as value
    from of_learner
    where {{ column }} is not null
    {% if not loop.last %}union distinct{% endif %}
    {% endfor %}
),

options as (
    select
        placed.learner_key,
        placed.programme_id,
        placed.competency_id,
        placed.dimension,
        placed.value,
        by_learner.value is null as is_new,
        row_number() over (
            partition by
                placed.learner_key,
                placed.programme_id,
                placed.competency_id,
                placed.dimension
            order by
                case when placed.n_there > 0 then 0 else 1 end,
                case when by_learner.value is null then 0 else 1 end,
                placed.n_there desc,
                placed.n_used desc,
                placed.value asc
        ) as preference
    from placed
    left join by_learner
        on
            placed.learner_key = by_learner.learner_key
            and placed.programme_id = by_learner.programme_id
            and placed.competency_id = by_learner.competency_id
            and placed.dimension = by_learner.dimension
            and placed.value = by_learner.value
),

ranked as (
    select
        learner_key,
        programme_id,
        competency_id,
        max(case when dimension = 'instrument' then value end) as instrument_id,
        max(case when dimension = 'role' then value end) as assessor_role,
        max(case when dimension = 'setting' then value end) as setting,
        max(case when dimension = 'role' and is_new then 1 else 0 end) = 1 as is_new_role
    from options
    where preference = 1
    group by learner_key, programme_id, competency_id
),

final as (
    select
        ---------- ids
        ranked.learner_key,
        ranked.programme_id,
        ranked.competency_id,
        ranked.instrument_id,
        chosen_rotations.rotation_id,
        ---------- text
        ranked.assessor_role,
        ranked.setting,
        ---------- yes or no
        ranked.is_new_role,
        ---------- days
        case
            when chosen_rotations.from_on is not null
                then greatest(chosen_rotations.from_on, {{ as_of() }})
        end as rotation_from_on
    from ranked
    left join chosen_rotations
        on
            ranked.learner_key = chosen_rotations.learner_key
            and ranked.programme_id = chosen_rotations.programme_id
            and ranked.competency_id = chosen_rotations.competency_id
)

select * from final
