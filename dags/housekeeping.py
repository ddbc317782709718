"""Clear leftovers, and verify every edition.

Every week. Clears work in progress that intake left behind more than two weeks ago, and reads every
edition again: an edition whose tables no longer have the hashes on its record makes the task red.
"""

from __future__ import annotations

from airflow.sdk import CronTriggerTimetable, dag, task
from assets import ON_TIME, RETRIED, WRITER

from pipelines import stages


@dag(
    dag_display_name="Housekeeping: leftovers, and the truth of editions",
    schedule=CronTriggerTimetable("30 5 * * 0", **ON_TIME),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["operations"],
)
def housekeeping() -> None:
    @task(task_display_name="Clear old work in progress", **WRITER)
    def clear_leftovers(run_id: str | None = None) -> None:
        stages.clear_leftovers(stages.run_name(run_id))

    @task(task_display_name="Verify every edition", **RETRIED)
    def verify_editions(run_id: str | None = None) -> None:
        stages.verify_editions(stages.run_name(run_id))

    clear_leftovers() >> verify_editions()


housekeeping()
