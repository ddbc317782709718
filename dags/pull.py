"""Pull new statements from Learning Record Stores into the inbox.

Every night before the intake, and when a person asks for it. Each source whose spec has `pull` is
asked by itself: a store that is down leaves the others alone. What comes is a delivery like any
other, and the intake takes it in.

Secrets: the Airflow connection `lrs_<source>`, or TESSERA_LRS_<SOURCE>_KEY and _SECRET.

When a task is red: open its log, mend the cause, clear the task. It goes on where it stopped.
"""

from __future__ import annotations

from airflow.sdk import CronTriggerTimetable, dag, task
from assets import ON_TIME, RETRIED

from pipelines import stages
from pipelines.triggers.connections import uri_of_store


@dag(
    dag_display_name="Pull: from Learning Record Stores to the inbox",
    schedule=CronTriggerTimetable("0 1 * * *", **ON_TIME),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["evidence"],
)
def pull() -> None:
    @task(task_display_name="Which sources are pulled", **RETRIED)
    def sources() -> list[str]:
        return stages.pulled_sources()

    @task(
        task_display_name="Pull a source",
        map_index_template="{{ task.op_kwargs['source'] }}",
        **RETRIED,
    )
    def pull_source(source: str, run_id: str | None = None) -> None:
        stages.pull(stages.run_name(run_id), source, uri_of_store(source))

    pull_source.expand(source=sources())


pull()
