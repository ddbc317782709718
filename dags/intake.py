"""Take in what lies in the inbox, as far as the evidence log.

Starts when files have arrived whole, and every night. Receives what is new, splits it into batches
by size, and takes each through its stages: a batch that fails leaves the others alone. Ends by
announcing the evidence log, for which the portfolio waits.

When a task is red: open its log, mend the cause, clear the task. It goes on where it stopped.
"""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task, task_group
from assets import IN_TIME, INBOX, LOG, ON_TIME, RETRIED, WRITER

from pipelines import stages

Batch = dict[str, Any]
BY_BATCH: dict[str, Any] = RETRIED | {"map_index_template": "{{ task.op_kwargs['batch']['name'] }}"}


@dag(
    dag_display_name="Intake: from the inbox to the evidence log",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 2 * * *", **ON_TIME), assets=[INBOX]
    ),
    catchup=False,
    deadline=IN_TIME,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["evidence"],
)
def intake() -> None:
    @task(task_display_name="Receive what lies in the inbox", **WRITER)
    def receive(run_id: str | None = None) -> dict[str, Any]:
        return stages.receive(stages.run_name(run_id))

    @task(task_display_name="Split into batches", **RETRIED)
    def batches(received: dict[str, Any]) -> list[Batch]:
        return stages.batches(received)

    @task_group(group_display_name="Take in a batch")
    def take_in(batch: Batch) -> None:
        @task(task_display_name="Read by the source's spec", **BY_BATCH)
        def read(batch: Batch) -> None:
            stages.read(batch)

        @task(task_display_name="Validate by contract, put pseudonyms for people", **BY_BATCH)
        def validate(batch: Batch) -> None:
            stages.validate(batch)

        @task(task_display_name="Check what the delivery promises", **BY_BATCH)
        def check(batch: Batch) -> None:
            stages.check(batch)

        @task(task_display_name="Commit to the evidence log", **BY_BATCH)
        def segment(batch: Batch) -> None:
            stages.segment(batch)

        read(batch=batch) >> validate(batch=batch) >> check(batch=batch) >> segment(batch=batch)

    @task(
        task_display_name="Announce the evidence log",
        outlets=[LOG],
        trigger_rule="all_done",
        **RETRIED,
    )
    def announce(received: dict[str, Any], *, outlet_events: Any = None) -> None:
        outlet_events[LOG].extra = stages.announce(received)

    received = receive()
    taken_in = take_in.expand(batch=batches(received))
    taken_in >> announce(received)
    taken_in >> EmptyOperator(task_id="every_batch_taken_in", trigger_rule="none_failed")


intake()
