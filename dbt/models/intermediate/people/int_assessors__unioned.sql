-- Grain: one row per assessor: the roster record whose dates hold on the as-of day, else the
-- newest; none for an assessor that no roster knows.
{{ config(materialized='table') }}

with

roster as (
    select * from {{ ref('stg_assessor') }}
),

seen as (
    select distinct
        assessor_key,
        programme_id,
        assessor_role
    from {{ ref('stg_workplace_assessment') }}
    union all
    select
        examiner_key as assessor_key,
        programme_id,
        'examiner' as assessor_role
    from {{ ref('stg_exam_response') }}
    union all
    select
        mentor_key as assessor_key,
        programme_id,
        'mentor' as assessor_role
    from {{ ref('stg_learner') }}
    union all
    select
        mentor_key as assessor_key,
        programme_id,
        'mentor' as assessor_role
    from {{ ref('stg_meeting_note') }}
    union all
    select
        member_key as assessor_key,
        programme_id,
        coalesce(member_role, 'member') as assessor_role
    from {{ ref('stg_committee') }}
    union all
    select
        assessor_key,
        programme_id,
        assessor_role
    from roster
),

roles as (
    select
        assessor_key,
        min(programme_id) as programme_id,
        min(assessor_role) as first_role,
        {{ list_agg('assessor_role', distinct=true) }} as assessor_roles
    from seen
    where assessor_key is not null
    group by assessor_key
),

ranked as (
    select
        *,
        row_number() over (
            partition by assessor_key
            order by
                case when {{ in_force(as_of(), 'active_from', 'active_to') }} then 0 else 1 end asc,
                known_at desc,
                record_key desc
        ) as preference
    from roster
),

preferred as (
    select * from ranked
    where preference = 1
),

unioned as (
    select
        ---------- ids
        roles.assessor_key,
        coalesce(preferred.programme_id, roles.programme_id) as programme_id,
        preferred.site_id,
        preferred.record_key,
        ---------- text
        coalesce(preferred.assessor_role, roles.first_role) as assessor_role,
        preferred.specialty,
        ---------- yes or no
        preferred.is_trained,
        preferred.record_key is not null as is_on_roster,
        ---------- lists
        roles.assessor_roles,
        ---------- days and instants
        preferred.active_from,
        preferred.active_to,
        ---------- lineage
        preferred.source_id,
        preferred.delivery_id,
        preferred.known_at
    from roles
    left join preferred on roles.assessor_key = preferred.assessor_key
)

select * from unioned
