-- Grain: one row per learner, competency and day from which a signal is known: the first present or planned
-- rotation that offers it, and an instrument, kind of assessor and setting that go together there, or else in the
-- programme, as new to the learner as there is.
{{ config(materialized='table') }}

with

signals as (
    select distinct
        learner_key,
        programme_id,
        competency_id,
        known_on
    from {{ ref('int_signals__chosen') }}
    where competency_id is not null
),

subjects as (
    select distinct
        learner_key,
        programme_id,
        competency_id
    from signals
),

-- What an assessor can be asked for: no examination, no round of many respondents, nothing of one's own.
evidence as {{ read_each_time() }} (
    select * from {{ ref('fct_evidence') }} as evidence
    where
        competency_id is not null
        and kind = 'workplace_assessment'
        and {{ is_by_another('evidence') }}
        and coalesce(method_family, '') <> 'multisource'
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

offering as (
    select
        rotations.learner_key,
        rotations.programme_id,
        offered.competency_id,
        rotations.period_id as rotation_id,
        rotations.from_on,
        rotations.to_on
    from {{ ref('int_learner_history__spanned') }} as rotations
    inner join offered
        on
            rotations.programme_id = offered.programme_id
            and rotations.period_id = offered.rotation_id
    where
        rotations.period_type = 'rotation'
        and {{ days_between(as_of(), 'rotations.from_on') }}
        <= {{ rule_threshold('signals', 'recommendation', 'ahead_days') }}
),

planned as (
    select
        subjects.learner_key,
        subjects.programme_id,
        subjects.competency_id,
        offering.rotation_id,
        offering.from_on,
        row_number() over (
            partition by subjects.learner_key, subjects.programme_id, subjects.competency_id
            order by offering.from_on, offering.rotation_id
        ) as soonest
    from subjects
    left join offering
        on
            {{ same('subjects', 'offering', ['learner_key', 'programme_id', 'competency_id']) }}
            and offering.to_on >= {{ as_of() }}
),

placed as (
    select
        learner_key,
        programme_id,
        competency_id,
        rotation_id,
        from_on
    from planned
    where soonest = 1
),

-- When the learner could first do something about the signal.
begun as (
    select
        signals.learner_key,
        signals.programme_id,
        signals.competency_id,
        signals.known_on,
        min(offering.from_on) as offered_from_on
    from signals
    left join offering
        on
            {{ same('signals', 'offering', ['learner_key', 'programme_id', 'competency_id']) }}
            and signals.known_on <= offering.to_on
    group by
        signals.learner_key, signals.programme_id, signals.competency_id, signals.known_on
),

ways as (
    select
        programme_id,
        competency_id,
        rotation_id,
        instrument_id,
        assessor_role,
        setting,
        n
    from alike
    where rotation_id is not null

    union all

    select
        programme_id,
        competency_id,
        cast(null as string) as rotation_id,
        instrument_id,
        assessor_role,
        setting,
        sum(n) as n
    from alike
    group by programme_id, competency_id, instrument_id, assessor_role, setting
),

of_learner as (
    select evidence.*
    from evidence
    inner join subjects
        on {{ same('evidence', 'subjects', ['learner_key', 'programme_id', 'competency_id']) }}
),

{% for column in ['instrument_id', 'assessor_role', 'setting'] %}
had_{{ column }} as (
    select distinct
        learner_key,
        programme_id,
        competency_id,
        {{ column }}
    from of_learner
    where {{ column }} is not null
),

{% endfor -%}
seen as (
    select
        learner_key,
        programme_id,
        competency_id,
        assessor_role,
        count(distinct assessor_key) as n_assessors
    from of_learner
    group by learner_key, programme_id, competency_id, assessor_role
),

assessors as (
    select
        programme_id,
        competency_id,
        assessor_role,
        count(distinct assessor_key) as n_assessors
    from evidence
    group by programme_id, competency_id, assessor_role
),

matched as (
    select
        placed.learner_key,
        placed.programme_id,
        placed.competency_id,
        placed.rotation_id,
        placed.from_on,
        ways.instrument_id,
        ways.assessor_role,
        ways.setting,
        ways.n,
        ways.instrument_id is not null
        and had_instrument_id.instrument_id is null as is_new_instrument,
        ways.assessor_role is not null
        and had_assessor_role.assessor_role is null as is_new_role,
        ways.setting is not null and had_setting.setting is null as is_new_setting,
        -- Where nobody is named, somebody else may be there.
        coalesce(assessors.n_assessors, 0) = 0
        or coalesce(seen.n_assessors, 0) < assessors.n_assessors as has_new_assessor
    from placed
    inner join ways
        on
            {{ same('placed', 'ways', ['programme_id', 'competency_id']) }}
            and placed.rotation_id is not distinct from ways.rotation_id
    left join assessors
        on {{ same('ways', 'assessors', ['programme_id', 'competency_id', 'assessor_role']) }}
    left join seen
        on
            {{ same('placed', 'seen', ['learner_key', 'programme_id', 'competency_id']) }}
            and ways.assessor_role = seen.assessor_role
    {% for column in ['instrument_id', 'assessor_role', 'setting'] -%}
    left join had_{{ column }}
        on
            {{ same('placed', 'had_' ~ column, ['learner_key', 'programme_id', 'competency_id']) }}
            and ways.{{ column }} = had_{{ column }}.{{ column }}
    {% endfor %}
),

ranked as (
    select
        *,
        row_number() over (
            partition by learner_key, programme_id, competency_id
            order by
                case when has_new_assessor then 0 else 1 end,
                case when is_new_instrument then 0 else 1 end
                + case when is_new_role then 0 else 1 end
                + case when is_new_setting then 0 else 1 end,
                n desc,
                instrument_id asc nulls last,
                assessor_role asc nulls last,
                setting asc nulls last
        ) as preference
    from matched
),

final as (
    select
        ---------- ids
        ranked.learner_key,
        ranked.programme_id,
        ranked.competency_id,
        ranked.instrument_id,
        ranked.rotation_id,
        ---------- text
        ranked.assessor_role,
        ranked.setting,
        ---------- yes or no
        ranked.is_new_role,
        ranked.has_new_assessor,
        ---------- days
        begun.known_on,
        begun.offered_from_on,
        case
            when ranked.from_on is not null then greatest(ranked.from_on, {{ as_of() }})
        end as rotation_from_on
    from ranked
    inner join begun on {{ same('ranked', 'begun', ['learner_key', 'programme_id', 'competency_id']) }}
    where ranked.preference = 1
)

select * from final
