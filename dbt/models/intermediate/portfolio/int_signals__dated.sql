-- Grain: one row per signal that was raised, with the day from which somebody could know it: what it rests
-- on had arrived. Its time runs from there.
{{ config(materialized='table') }}

with

raised as (
    select
        *,
        {{ day_start(
            add_days('raised_on', 1),
            "coalesce((select time_zone from " ~ ref('stg_build_input') ~ "), 'UTC')"
        ) }} as raised_until
    from {{ ref('int_signals__raised') }}
),

records as (
    select
        learner_key,
        programme_id,
        evidence_id,
        occurred_on,
        known_at
    from {{ ref('fct_evidence') }}

    union all

    select
        learner_key,
        programme_id,
        {{ evidence_id() }} as evidence_id,
        declared_on as occurred_on,
        known_at
    from {{ ref('stg_ai_use_declaration') }}
),

-- What happened by the day on which a signal was raised, and arrived only later.
arrived as (
    select
        raised.learner_key,
        raised.programme_id,
        raised.rule_id,
        raised.subject,
        max(records.known_at) as arrived_at
    from raised
    inner join records
        on
            raised.learner_key = records.learner_key
            and raised.programme_id = records.programme_id
            and raised.raised_on >= records.occurred_on
            and raised.raised_until <= records.known_at
    where {{ list_has('raised.evidence_ids', 'records.evidence_id') }}
    group by raised.learner_key, raised.programme_id, raised.rule_id, raised.subject
),

dated as (
    select
        raised.*,
        greatest(
            raised.raised_on,
            coalesce(raised.recorded_on, raised.raised_on),
            coalesce({{ programme_day('arrived.arrived_at') }}, raised.raised_on)
        ) as known_on
    from raised
    left join arrived
        on {{ same('raised', 'arrived', ['learner_key', 'programme_id', 'rule_id', 'subject']) }}
),

final as (
    select
        ---------- ids
        learner_key,
        programme_id,
        rule_id,
        subject,
        competency_id,
        task_id,
        ---------- text
        sentence,
        ---------- numbers
        subject_order,
        max_per_learner,
        due_days,
        ---------- lists
        evidence_ids,
        ---------- days
        raised_on,
        known_on,
        {{ add_days('known_on', 'due_days') }} as due_on
    from dated
)

select * from final
