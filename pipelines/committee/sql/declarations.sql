-- One row a task for which AI use was declared, or should have been, newest first.
select
    declaration.learner_key,
    printed_id('U', declaration.record_key) as evidence_id,
    declaration.declaration_key,
    declaration.task_id,
    task.title,
    declaration.status,
    declaration.tools_text as tools,
    declaration.purposes,
    declaration.stages,
    declaration.extent,
    declaration.output_changes,
    declaration.verification,
    declaration.is_verified,
    declaration.has_patient_data,
    declaration.has_accessibility_exemption,
    declaration.reconciliation,
    declaration.sentence,
    declaration.declared_on,
    declaration.source_id,
    declaration.delivery_id,
    declaration.source_row,
    declaration.known_at
from fct_ai_declaration as declaration
left join dim_task as task
    on
        declaration.programme_id = task.programme_id
        and declaration.task_id = task.task_id
where
    not declaration.is_amended
    and (declaration.declared_on is null or declaration.declared_on <= getvariable('as_of'))
order by
    declaration.learner_key,
    declaration.declared_on desc nulls last,
    declaration.task_id,
    declaration.declaration_key
