"""One run is followed to its end, and told in lines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.embedded_airflow import run_once as module
from pipelines.embedded_airflow.api import ApiError
from pipelines.embedded_airflow.run_once import Observer, RunError, log_lines, name, run_once

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Screen:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        self.lines.append(text)

    def now(self, text: str) -> None: ...


class Airflow:
    """Answers as Airflow does; each resource has its answers in turn, the last for ever."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.posted: list[tuple[str, ...]] = []

    def get(self, *path: str, **_query: Any) -> Any:
        turns = self.answers[self._resource(path)]
        answer = turns[0] if len(turns) == 1 else turns.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def post(self, *path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.posted.append(path)
        return body

    @staticmethod
    def _resource(path: tuple[str, ...]) -> str:
        match path:
            case ("dags", dag_id):
                return f"{dag_id}_read"
            case ("dags", dag_id, "dagRuns", _):
                return f"{dag_id}_run"
            case (*_, "taskInstances", "receive"):
                return "receive"
            case ("dags", dag_id, "dagRuns"):
                return f"{dag_id}_runs"
            case ("dags", _, "tasks"):
                return "names"
            case ("dags", dag_id, "dagRuns", _, "taskInstances"):
                return f"{dag_id}_tasks"
            case (*_, "logs", _):
                return "log"
            case ("assets", "events"):
                return "events"
            case _:
                return path[0]


def task(state: str, task_id: str = "read", **other: Any) -> dict[str, Any]:
    return {
        "dag_id": "intake",
        "dag_run_id": "run-1",
        "task_id": task_id,
        "map_index": -1,
        "rendered_map_index": None,
        "try_number": 1,
        "state": state,
        "duration": 1.25,
        "end_date": "2026-11-22T12:00:00Z" if state == "success" else None,
        "operator": "_PythonDecoratedOperator",
    } | other


def airflow(**changes: list[Any]) -> Airflow:
    parsed = [{"last_parsed_time": NOW.isoformat()}]
    usual: dict[str, list[Any]] = {
        "intake_read": parsed,
        "portfolio_read": list(parsed),
        "importErrors": [{"import_errors": []}],
        "names": [
            {
                "tasks": [
                    {"task_id": "read", "task_display_name": "Read"},
                    {"task_id": "load", "task_display_name": "Load"},
                ]
            }
        ],
        "intake_runs": [{"dag_runs": []}],
        "intake_run": [{"dag_run_id": "run-1", "state": "success"}],
        "intake_tasks": [{"task_instances": [task("success")]}],
        "events": [{"asset_events": [started("portfolio-1")]}],
        "portfolio_run": [{"dag_run_id": "portfolio-1", "state": "success"}],
        "portfolio_runs": [{"total_entries": 0}],
        "portfolio_tasks": [{"task_instances": [task("success", "load")]}],
    }
    return Airflow(**(usual | changes))


def started(*run_ids: str) -> dict[str, Any]:
    return {"created_dagruns": [{"dag_id": "portfolio", "run_id": run_id} for run_id in run_ids]}


def follow(answers: Airflow) -> tuple[str, list[str]]:
    screen = Screen()
    observer = Observer(answers, screen, lambda: None)  # type: ignore[arg-type]
    return run_once(observer, NOW), screen.lines


@pytest.fixture(autouse=True)
def _in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_SECONDS", 0.001)
    monkeypatch.setattr(module, "FOLLOWS_WITHIN_SECONDS", 0.05)


def test_intake_and_portfolio_are_told_task_by_task_with_seconds() -> None:
    answers = airflow()
    run_id, lines = follow(answers)
    assert run_id.startswith("run-2")
    assert answers.posted == [("dags", "intake", "dagRuns")]
    assert lines == ["Intake", "     1.2 s  Read", "Portfolio", "     1.2 s  Load"]


def test_each_end_of_a_task_is_told_once_however_often_it_is_seen() -> None:
    running = {"dag_run_id": "run-1", "state": "running"}
    again = task("up_for_retry")
    _, lines = follow(
        airflow(
            intake_run=[running, running, running, {"dag_run_id": "run-1", "state": "success"}],
            intake_tasks=[
                {"task_instances": [task("running")]},
                {"task_instances": [again]},
                {"task_instances": [again]},
                {"task_instances": [task("success", try_number=2)]},
            ],
        )
    )
    assert lines[:3] == ["Intake", "     1.2 s  Read: failed, is tried again", "     1.2 s  Read"]


def test_a_run_that_waits_to_look_into_the_inbox_is_taken_for_ours() -> None:
    nightly = {"dag_runs": [{"dag_run_id": "scheduled__2026"}]}
    answers = airflow(intake_runs=[nightly], receive=[{"state": None}])
    run_id, _ = follow(answers)
    assert run_id == "scheduled__2026"
    assert answers.posted == []


def test_a_run_that_has_looked_into_the_inbox_goes_first_and_ours_after_it() -> None:
    resumed = {"dag_runs": [{"dag_run_id": "run-1"}]}
    answers = airflow(intake_runs=[resumed], receive=[{"state": "success"}])
    run_id, _ = follow(answers)
    assert run_id != "run-1"
    assert answers.posted


def test_a_run_that_announces_nothing_ends_with_intake() -> None:
    _, lines = follow(airflow(events=[{"asset_events": []}]))
    assert "Portfolio" not in lines


def test_the_portfolio_is_awaited_while_airflow_cannot_tell_or_another_goes_first() -> None:
    _, lines = follow(
        airflow(
            events=[
                ApiError(500, "a queued run has no start date"),
                {"asset_events": [started()]},
                {"asset_events": [started("portfolio-1")]},
            ],
            portfolio_runs=[{"total_entries": 1}],
        )
    )
    assert "Portfolio" in lines


def test_a_portfolio_that_never_starts_is_a_failure() -> None:
    with pytest.raises(RunError, match="did not start"):
        follow(airflow(events=[{"asset_events": [started()]}]))


def test_a_failed_task_is_named_with_the_end_of_its_log() -> None:
    failed = task("failed", rendered_map_index="forms-1 and 2 more", map_index=0)
    fault = {"exc_type": "BuildError", "exc_value": "unique_fct_evidence failed"}
    log = {"content": [{"event": "building"}, {"event": "failed", "error_detail": [fault]}]}
    with pytest.raises(RunError) as caught:
        follow(
            airflow(
                intake_run=[{"dag_run_id": "run-1", "state": "failed"}],
                intake_tasks=[{"task_instances": [failed]}],
                log=[log],
            )
        )
    assert str(caught.value).splitlines() == [
        "Read [forms-1 and 2 more] failed. Its log ends:",
        "  building",
        "  failed",
        "  BuildError: unique_fct_evidence failed",
    ]


def test_a_dag_file_that_cannot_be_imported_is_shown_and_an_old_fault_is_not() -> None:
    old = {"timestamp": "2026-11-21T00:00:00Z", "filename": "old.py", "stack_trace": "-"}
    new = {"timestamp": "2026-11-23T00:00:00Z", "filename": "intake.py", "stack_trace": "Oh"}
    with pytest.raises(RunError, match=r"intake\.py"):
        follow(
            airflow(
                intake_read=[ApiError(404, "no such DAG")],
                importErrors=[{"import_errors": [old]}, {"import_errors": [old, new]}],
            )
        )


def test_dags_that_were_read_before_the_start_are_waited_for() -> None:
    stale = {"last_parsed_time": "2026-11-20T00:00:00Z"}
    fresh = {"last_parsed_time": NOW.isoformat()}
    run_id, _ = follow(airflow(intake_read=[stale, stale, fresh]))
    assert run_id


def test_tasks_that_had_nothing_to_do_are_not_told() -> None:
    tasks = [
        task("skipped"),
        task("success", "every_batch_taken_in", operator="EmptyOperator"),
        task("upstream_failed", "load"),
    ]
    _, lines = follow(airflow(intake_tasks=[{"task_instances": tasks}]))
    assert lines[:2] == ["Intake", "Portfolio"]


def test_a_long_name_is_cut() -> None:
    long = task("success", rendered_map_index="x" * 200) | {"task_display_name": "Read"}
    assert len(name(long)) == module.LONGEST_NAME
    assert name(long).endswith("…")


def test_log_lines_take_plain_text_too() -> None:
    assert log_lines(["one\n\ntwo", {"event": "three"}], last=2) == ["two", "three"]
