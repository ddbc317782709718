"""Record one decision about a learner: a form, for whoever keeps the minutes of a committee.

Started by hand: the form asks for what `tessera decision form` asks. The account that sends it has
to be one person's, and that person has to hold a term in the committee on that day; shared,
anonymous and default accounts record nothing. The decision goes into the inbox as a delivery, and
from there the way of all evidence. A run holds the words that were sent: delete it when it is done.

When the task is red: its log says what is wrong with which field. Send the form again.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task
from assets import RETRIED

from pipelines import stages
from pipelines.settings import Settings
from pipelines.triggers.decision_form import fields


@dag(
    dag_display_name="Decision: record what a committee decided about a learner",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    params=fields(Settings()),
    tags=["committee"],
)
def decision() -> None:
    @task(task_display_name="Record the decision", **RETRIED)
    def record(params: dict[str, Any], dag_run: Any = None, run_id: str | None = None) -> str:
        return stages.decide(stages.run_name(run_id), params, dag_run.triggering_user_name)

    record()


decision()
