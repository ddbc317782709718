-- Grain: one row per declaration, and one per declaration that a policy asks for and nobody gave;
-- each beside the policy in force for that task on that day.
with

declarations as (
    select * from {{ ref('stg_ai_use_declaration') }}
),

expected as (
    select * from {{ ref('int_ai_declarations__expected') }}
),

policies as (
    select * from {{ ref('int_ai_policies__dated') }}
),

amendments as (
    select distinct
        programme_id,
        learner_key,
        amends_record_id
    from declarations
    where amends_record_id is not null
),

unioned as (
    select
        record_key,
        event_id,
        record_id,
        learner_key,
        programme_id,
        site_id,
        task_id,
        submission_id,
        status,
        extent,
        prompts_reference,
        output_changes,
        verification,
        is_verified,
        has_patient_data,
        has_accessibility_exemption,
        tools,
        purposes,
        stages,
        declared_at,
        declared_on,
        statement_accepted_at,
        source_id,
        delivery_id,
        source_row,
        known_at
    from declarations
    union all
    select
        cast(null as varchar) as record_key,
        cast(null as varchar) as event_id,
        cast(null as varchar) as record_id,
        learner_key,
        programme_id,
        site_id,
        task_id,
        cast(null as varchar) as submission_id,
        cast(null as varchar) as status,
        cast(null as varchar) as extent,
        cast(null as varchar) as prompts_reference,
        cast(null as varchar) as output_changes,
        cast(null as varchar) as verification,
        cast(null as boolean) as is_verified,
        cast(null as boolean) as has_patient_data,
        false as has_accessibility_exemption,
        null as tools,
        null as purposes,
        null as stages,
        cast(null as timestamptz) as declared_at,
        handed_in_on as declared_on,
        cast(null as timestamptz) as statement_accepted_at,
        cast(null as varchar) as source_id,
        cast(null as varchar) as delivery_id,
        cast(null as bigint) as source_row,
        known_at
    from expected
),

compared as (
    select
        unioned.*,
        {{ key(
            'task_key', programme_id='unioned.programme_id', task_id='unioned.task_id'
        ) }} as task_key,
        policies.task_key is not null and policies.allows_use is not null as has_policy,
        policies.ai_policy_scale,
        policies.ai_policy_scale_version,
        policies.ai_policy_level,
        policies.level_label as policy_label,
        policies.allows_use,
        policies.requires_declaration,
        policies.max_extent,
        policies.allowed_stages,
        amendments.amends_record_id is not null as is_amended,
        case
            when policies.allowed_stages is null or unioned.stages is null then null
            else {{ list_except('unioned.stages', 'policies.allowed_stages') }}
        end as stages_beyond_policy,
        coalesce(
            {{ extent_rank('unioned.extent') }} > {{ extent_rank('policies.max_extent') }}, false
        ) as is_beyond_extent
    from unioned
    left join policies
        on
            unioned.programme_id = policies.programme_id
            and unioned.task_id = policies.task_id
            and unioned.declared_on between policies.in_force_from_on and policies.in_force_to_on
    left join amendments
        on
            unioned.programme_id = amendments.programme_id
            and unioned.learner_key = amendments.learner_key
            and unioned.record_id = amendments.amends_record_id
),

-- Missing is not none: what nobody declared is neither use nor its absence.
reconciled as (
    select
        *,
        case
            when has_accessibility_exemption then 'exempt'
            when status = 'not_required' then 'not_required'
            when status is null then 'missing'
            when status = 'not_declared' and requires_declaration = false then 'not_required'
            when status = 'not_declared' then 'missing'
            when not has_policy then 'no_policy'
            when status = 'not_used' then 'within'
            when not allows_use then 'differs'
            when {{ list_size('stages_beyond_policy') }} > 0 or is_beyond_extent then 'differs'
            else 'within'
        end as reconciliation
    from compared
)

select * from reconciled
