-- Grain: one row per declaration of AI use, and one per declaration that was asked for and is not
-- there.
with

declarations as (
    select * from {{ ref('int_ai_declarations__reconciled') }}
),

worded as (
    select
        *,
        'the task''s policy ('
        || ai_policy_scale
        || coalesce(' ' || ai_policy_scale_version, '')
        || ', level '
        || cast(ai_policy_level as string)
        || coalesce(': ' || policy_label, '')
        || ')' as policy_words
    from declarations
),

described as (
    select
        ---------- ids
        {{ key('declaration_key') }} as declaration_key,
        record_key,
        event_id,
        record_id,
        learner_key,
        programme_id,
        site_id,
        task_id,
        task_key,
        submission_id,
        ai_policy_scale,
        ai_policy_scale_version,
        ---------- text
        status,
        reconciliation,
        policy_label,
        extent,
        {{ list_join(tool_texts('tools')) }} as tools_text,
        prompts_reference,
        output_changes,
        verification,
        case reconciliation
            when 'within'
                then 'What is declared lies within ' || coalesce(policy_words, 'the policy') || '.'
            when 'differs'
                then
                    'What is declared differs from '
                    || coalesce(policy_words, 'the policy')
                    || case
                        when not allows_use then ': use was not foreseen'
                        when {{ list_size('stages_beyond_policy') }} > 0
                            then
                                ': use for '
                                || replace({{ list_join('stages_beyond_policy') }}, '_', ' ')
                                || ' was not foreseen'
                        else ': the extent goes further than foreseen'
                    end
                    || '.'
            when 'missing'
                then
                    case
                        when status = 'not_required'
                            then
                                'The record says that no declaration was required, '
                                || 'the task''s policy asks for one. '
                        when attempt > 1
                            then
                                'A declaration was asked for with attempt ' || cast(attempt as string)
                                || ' and is not there. '
                        else 'A declaration was asked for and is not there. '
                    end
                    || 'That says nothing about whether AI was used.'
            when 'unclear'
                then
                    'What AI was used for is not said, and '
                    || coalesce(policy_words, 'the policy')
                    || ' foresees some uses only; an amended declaration can say it.'
            when 'not_required'
                then 'No declaration was required.'
            when 'exempt'
                then 'An accessibility exemption applies; nothing is compared.'
            when 'no_policy'
                then 'No AI policy is on record for this task on that day; nothing is compared.'
        end as sentence,
        ---------- numbers
        attempt,
        ai_policy_level,
        ---------- yes or no
        record_key is not null as is_on_record,
        is_amended,
        is_verified,
        has_patient_data,
        has_accessibility_exemption,
        allows_use as policy_allows_use,
        requires_declaration as policy_requires_declaration,
        ---------- lists
        {{ tool_texts('tools') }} as tools,
        purposes,
        stages,
        stages_beyond_policy,
        ---------- days and instants
        declared_at,
        declared_on,
        policy_on,
        statement_accepted_at,
        ---------- lineage
        source_id,
        delivery_id,
        source_row,
        known_at
    from worded
)

select * from described
