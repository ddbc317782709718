"""Calibrate assessor stringency, variance components and norms.

Twice a year, and when a person asks for it. A calibration is kept under a version and used by the
editions built after it: one new rating must not move every learner, so this is not nightly. Ends by
announcing the evidence log, so that the next edition is built on the new calibration.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, task
from assets import CALIBRATION, LOG, ON_TIME, WRITER
from edition import load

from pipelines import stages


@dag(
    dag_display_name="Calibrate: stringency, variance components, norms",
    schedule=CronTriggerTimetable("0 4 1 2,8 *", **ON_TIME),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["measurement"],
)
def calibrate() -> None:
    @task(task_display_name="Estimate and keep a new version", outlets=[CALIBRATION, LOG], **WRITER)
    def estimate(run: str, *, outlet_events: Any = None) -> None:
        outlet_events[LOG].extra = stages.calibrate(run)

    estimate(load())


calibrate()
