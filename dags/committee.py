"""Freeze a pack for a meeting, and wait for a person to release it.

Started by hand with the meeting's id. The calibration is refitted for it, and an edition made on it
(unless `refit` is off). A person who votes in the committee releases the pack; silence refuses it.
Who answered, when and why goes on record, also where it did not count: a shared account, no vote on
that day. TESSERA_NOTIFIER names who is told. When a task is red: mend the cause, then clear it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, dag, task
from assets import CALIBRATION, RETRIED, WRITER
from edition import audit, build, has_news, load, publish

from pipelines import stages
from pipelines.settings import Settings
from pipelines.triggers.notifiers import notifiers

SETTINGS = Settings()
PATIENCE = timedelta(days=SETTINGS.release_days)


@dag(
    dag_display_name="Committee: freeze a pack, and release it by a person",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    params={
        "meeting_id": Param(type="string", minLength=1, description="The meeting's id"),
        "refit": Param(True, type="boolean", description="Refit the calibration for it first"),
    },
    tags=["committee"],
)
def committee() -> None:
    @task.short_circuit(
        task_display_name="Is a refit wanted?", ignore_downstream_trigger_rules=False, **RETRIED
    )
    def wants_refit(params: dict[str, Any]) -> bool:
        return bool(params["refit"])

    @task(task_display_name="Refit for the meeting", outlets=[CALIBRATION], **WRITER)
    def refit(run: str, params: dict[str, Any]) -> None:
        stages.calibrate(run, meeting_id=params["meeting_id"])

    @task(task_display_name="Freeze the meeting's pack", trigger_rule="none_failed", **WRITER)
    def freeze(params: dict[str, Any], run_id: str | None = None) -> dict[str, str]:
        return stages.freeze(stages.run_name(run_id), params["meeting_id"])

    approval = HITLOperator(
        task_id="approval",
        task_display_name="A person releases the pack",
        subject="Release the pack of meeting {{ params.meeting_id }}?",
        body="Frozen pack {{ ti.xcom_pull(task_ids='freeze')['freeze_id'] }}. "
        "Read it first: `tessera pack reprint --meeting {{ params.meeting_id }} --out DIR`",
        options=["Approve", "Reject"],
        defaults="Reject",
        params={"reason": Param("", type="string", description="Why, where you reject it")},
        response_timeout=PATIENCE,
        notifiers=notifiers(SETTINGS),
        **RETRIED,
    )

    @task(task_display_name="Put the answer on record", **WRITER)
    def release(frozen: dict[str, str], response: dict[str, Any]) -> None:
        stages.release(frozen, response)

    run, frozen = load(), freeze()
    ready = wants_refit() >> run >> refit(run) >> has_news() >> build(run) >> audit(run)
    ready >> publish(run) >> frozen >> approval
    release(frozen, approval.output)


committee()
