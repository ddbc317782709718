-- Grain: one row per task and stretch of days that one record of it describes; the stretches of a
-- task do not overlap and leave no day out. A record whose policy starts later ends the one
-- before it for good; the AI policy itself holds from policy_from_on to policy_to_on only.
with

tasks as (
    select * from {{ ref('stg_task') }}
),

ranked as (
    select
        *,
        coalesce(policy_from, {{ first_day() }}) as policy_from_on,
        row_number() over (
            partition by programme_id, task_id, policy_from
            order by known_at desc, record_key desc
        ) as recency
    from tasks
),

ordered as (
    select
        *,
        lead(policy_from_on) over of_task as next_from_on,
        row_number() over of_task as stretch
    from ranked
    where recency = 1
    window of_task as (partition by programme_id, task_id order by policy_from_on)
),

dated as (
    select
        ---------- ids
        {{ key('task_key') }} as task_key,
        programme_id,
        site_id,
        task_id,
        parent_task_id,
        module_id,
        instrument_id,
        record_key,
        ai_policy_scale,
        ai_policy_scale_version,
        ---------- text
        title,
        modality,
        assurance_level,
        cut_score_method,
        scoring_rule,
        answer_key,
        ---------- numbers
        weight,
        max_score,
        cut_score,
        points_right,
        points_wrong,
        points_dont_know,
        n_options,
        ai_policy_level,
        ---------- yes or no
        requires_ai_declaration,
        ---------- lists
        competency_ids,
        ---------- days and instants
        module_starts_on,
        opens_on,
        due_on,
        case when stretch = 1 then {{ first_day() }} else policy_from_on end as from_on,
        coalesce({{ add_days('next_from_on', -1) }}, {{ last_day() }}) as to_on,
        policy_from_on,
        least(
            coalesce(policy_to, {{ last_day() }}),
            coalesce({{ add_days('next_from_on', -1) }}, {{ last_day() }})
        ) as policy_to_on,
        ---------- lineage
        source_id,
        delivery_id,
        known_at
    from ordered
)

select * from dated
