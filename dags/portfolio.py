"""Make an edition and its committee pack of the evidence log.

Starts when intake announces the log, and stops where the current edition already shows all of it.
One writer at a time: every task takes the one slot of the pool `warehouse`, and the lock of the
home. Announcements that come meanwhile are taken together by the next run. A failed audit publishes
nothing, and the last good edition stays current.

When a task is red: open its log, mend the cause, clear the task. Each can be run again.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task
from assets import CALIBRATION, IN_TIME, LOG, PACK, WRITER
from edition import audit, build, has_news, publish

from pipelines import stages


@dag(
    dag_display_name="Portfolio: from the evidence log to an edition and its pack",
    schedule=[LOG],
    catchup=False,
    deadline=IN_TIME,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["evidence", "portfolio"],
)
def portfolio() -> None:
    @task(task_display_name="Load the evidence into the warehouse", inlets=[LOG], **WRITER)
    def load(run_id: str | None = None, *, triggering_asset_events: Any = None) -> str:
        return stages.load(stages.run_name(run_id, triggering_asset_events[LOG]))

    @task(task_display_name="Calibrate, where no calibration is", outlets=[CALIBRATION], **WRITER)
    def calibrate_if_missing(run: str) -> None:
        stages.calibrate(run, only_if_missing=True)

    @task(task_display_name="Make the committee pack", outlets=[PACK], **WRITER)
    def pack(run: str) -> None:
        stages.pack(run)

    run = load()
    ready = run >> has_news() >> calibrate_if_missing(run) >> build(run) >> audit(run)
    ready >> publish(run) >> pack(run)


portfolio()
