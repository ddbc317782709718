"""Freeze a pack for a meeting, and wait for a person to release it.

Started by hand with the meeting's id. The pack of the current edition is frozen as it is; a person
who votes in the committee approves or rejects it. Silence is a refusal. Who answered, when and
why goes on record beside the pack, also where the answer did not count: a shared account, or a
person without a vote on that day. A pack that was not released is kept with the reason. Nobody is
told that it waits, unless the site names a notifier (TESSERA_NOTIFIER).

When a task is red: open its log, mend the cause, clear the task.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, dag, task
from assets import RETRIED, WRITER

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
    params={"meeting_id": Param(type="string", minLength=1, description="The meeting's id")},
    tags=["committee"],
)
def committee() -> None:
    @task(task_display_name="Freeze the pack for the meeting", **WRITER)
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

    frozen = freeze()
    frozen >> approval
    release(frozen, approval.output)


committee()
