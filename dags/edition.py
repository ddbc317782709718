"""The tasks that load and make an edition; more than one DAG wires them."""

from __future__ import annotations

from airflow.sdk import task
from assets import EDITION, WRITER

from pipelines import stages


@task(task_display_name="Load the evidence into the warehouse", **WRITER)
def load(run_id: str | None = None) -> str:
    return stages.load(stages.run_name(run_id))


@task.short_circuit(
    task_display_name="Is there anything new to show?",
    ignore_downstream_trigger_rules=False,
    **WRITER,
)
def has_news() -> bool:
    return stages.has_news()


@task(task_display_name="Build the marts with dbt", **WRITER)
def build(run: str) -> None:
    stages.build(run)


@task(task_display_name="Audit the candidate: the gate", **WRITER)
def audit(run: str) -> None:
    stages.audit(run)


@task(task_display_name="Publish the edition", outlets=[EDITION], **WRITER)
def publish(run: str) -> str:
    return stages.publish(run)
