-- Grain: one row per declaration, and one per declaration that a policy asks for and nobody gave;
-- each beside the policy that was in force for the task when the work was handed in.
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

work as (
    select * from {{ ref('int_work__handed_in') }}
    where {{ has_come('handed_in_on') }}
),

extents as (
    select * from {{ ref('ai_use_extent') }}
),

-- A declaration is about the work last handed in by its day, or else about the first after it.
declared_work as (
    select
        declarations.record_key,
        coalesce(
            max(
                case
                    when work.handed_in_on <= declarations.declared_on then work.handed_in_on
                end
            ),
            min(work.handed_in_on)
        ) as handed_in_on
    from declarations
    inner join work
        on {{ same('declarations', 'work', ['learner_key', 'programme_id', 'task_id']) }}
    group by declarations.record_key
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
        declarations.record_key,
        declarations.event_id,
        declarations.record_id,
        declarations.learner_key,
        declarations.programme_id,
        declarations.site_id,
        declarations.task_id,
        declarations.submission_id,
        cast(null as bigint) as attempt,
        declarations.status,
        declarations.extent,
        declarations.prompts_reference,
        declarations.output_changes,
        declarations.verification,
        declarations.is_verified,
        declarations.has_patient_data,
        declarations.has_accessibility_exemption,
        declarations.tools,
        declarations.purposes,
        declarations.stages,
        declarations.declared_at,
        declarations.declared_on,
        coalesce(declared_work.handed_in_on, declarations.declared_on) as policy_on,
        declarations.statement_accepted_at,
        declarations.source_id,
        declarations.delivery_id,
        declarations.source_row,
        declarations.known_at
    from declarations
    left join declared_work on declarations.record_key = declared_work.record_key
    union all
    select
        cast(null as string) as record_key,
        cast(null as string) as event_id,
        cast(null as string) as record_id,
        learner_key,
        programme_id,
        site_id,
        task_id,
        cast(null as string) as submission_id,
        attempt,
        cast(null as string) as status,
        cast(null as string) as extent,
        cast(null as string) as prompts_reference,
        cast(null as string) as output_changes,
        cast(null as string) as verification,
        cast(null as boolean) as is_verified,
        cast(null as boolean) as has_patient_data,
        false as has_accessibility_exemption,
        null as tools,
        null as purposes,
        null as stages,
        cast(null as {{ instant_type() }}) as declared_at,
        handed_in_on as declared_on,
        handed_in_on as policy_on,
        cast(null as {{ instant_type() }}) as statement_accepted_at,
        cast(null as string) as source_id,
        cast(null as string) as delivery_id,
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
        coalesce(declared_extents.sort_order > extents_allowed.sort_order, false) as is_beyond_extent
    from unioned
    left join policies
        on
            unioned.programme_id = policies.programme_id
            and unioned.task_id = policies.task_id
            and unioned.policy_on between policies.in_force_from_on and policies.in_force_to_on
    left join extents as declared_extents on unioned.extent = declared_extents.extent
    left join extents as extents_allowed on policies.max_extent = extents_allowed.extent
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
            when status is null then 'missing'
            when status = 'not_required' and not coalesce(requires_declaration, false)
                then 'not_required'
            when status = 'not_declared' and requires_declaration = false then 'not_required'
            when status in ('not_required', 'not_declared') then 'missing'
            when not has_policy then 'no_policy'
            when status = 'not_used' then 'within'
            when not allows_use then 'differs'
            when {{ list_size('stages_beyond_policy') }} > 0 or is_beyond_extent then 'differs'
            when allowed_stages is not null and {{ list_size('stages') }} = 0 then 'unclear'
            else 'within'
        end as reconciliation
    from compared
)

select * from reconciled
