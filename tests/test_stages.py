"""Stages are called by ids, put what they did on record, and say when trying again is no use."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines import runs, stages
from pipelines.home import Home

RUN = "run-1"
BATCH = {"run_id": RUN, "number": 2, "name": "a and 1 more", "deliveries": ["a", "b"]}


@dataclass
class Verdict:
    verdict: str
    broken: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("TESSERA_HOME", str(tmp_path / "home"))
    return Home.open(tmp_path / "home")


@pytest.fixture
def replace(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a function in the place of that of a stage."""

    def put(path: str, work: Any) -> None:
        module, name = path.rsplit(".", 1)
        monkeypatch.setattr(importlib.import_module(module), name, work)

    return put


def only(home: Home) -> runs.StageRecord:
    (record,) = runs.records(home, RUN)
    return record


def event(**extra: str) -> Any:
    return SimpleNamespace(extra=extra)


def test_a_run_is_called_as_the_newest_announcement_says_else_as_airflow_does() -> None:
    assert stages.run_name("manual__1") == "manual__1"
    announced = [event(run_id="run-1"), event(run_id="run-2"), event(other="x")]
    assert stages.run_name("asset__1", announced) == "run-2"
    assert stages.run_name("asset__1", [event(other="x")]) == "asset__1"


def test_receiving_gives_the_run_and_what_is_to_be_read(home: Home, replace: Any) -> None:
    report = SimpleNamespace(pending=["a", "b"])
    replace("pipelines.intake.receive.receive", lambda _home, _settings: report)
    assert stages.receive(RUN) == {"run_id": RUN, "pending": ["a", "b"]}
    assert only(home).stage == "receive"


def test_batches_carry_their_run_their_number_and_a_name(home: Home, replace: Any) -> None:
    replace("pipelines.intake.batches.plan", lambda _home, _pending: [["a"], ["b", "c", "d"]])
    first, second = stages.batches({"run_id": RUN, "pending": ["a", "b", "c", "d"]})
    assert first == {"run_id": RUN, "number": 0, "name": "a", "deliveries": ["a"]}
    assert second["number"] == 1
    assert second["name"] == "b and 2 more"


@pytest.mark.parametrize(
    ("stage", "path"),
    [
        ("read", "pipelines.intake.read.read"),
        ("validate", "pipelines.intake.validate.validate"),
        ("check", "pipelines.intake.check.check"),
        ("segment", "pipelines.intake.segment.commit"),
    ],
)
def test_a_stage_of_intake_goes_through_its_batch_and_reports_by_delivery(
    home: Home, replace: Any, stage: str, path: str
) -> None:
    replace(path, lambda _home, _settings, delivery: f"{stage} {delivery}")
    getattr(stages, stage)(BATCH)
    assert (home.runs / RUN / f"{stage}-2.json").exists()
    assert only(home).report == {"a": f"{stage} a", "b": f"{stage} b"}
    assert only(home).status == "done"


def test_what_failed_is_on_record_by_its_kind_only_since_its_words_may_quote_a_record(
    home: Home, replace: Any
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("could not convert 'Erika Mustermann'")

    replace("pipelines.warehouse.load.load", fail)
    with pytest.raises(ValueError, match="could not convert"):
        stages.load(RUN)
    assert only(home).status == "failed"
    assert only(home).message == "ValueError"


def test_our_own_errors_are_on_record_in_their_words(home: Home, replace: Any) -> None:
    from pipelines.home import HomeError

    def fail(*_: Any) -> None:
        raise HomeError("another process is writing")

    replace("pipelines.warehouse.load.load", fail)
    with pytest.raises(HomeError):
        stages.load(RUN)
    assert only(home).message == "another process is writing"


def test_a_stage_that_is_tried_again_and_succeeds_leaves_no_failure_on_record(
    home: Home, replace: Any
) -> None:
    turns = iter([OSError("killed"), None])

    def load(*_: Any) -> None:
        if (error := next(turns)) is not None:
            raise error

    replace("pipelines.warehouse.load.load", load)
    with pytest.raises(OSError, match="killed"):
        stages.load(RUN)
    assert stages.load(RUN) == RUN
    assert only(home).status == "done"


def test_a_refit_names_its_meeting_and_an_unknown_one_stops_for_good(
    home: Home, replace: Any
) -> None:
    from pipelines.warehouse.calibration import UnknownMeetingError

    def calibrate(_home: Any, _settings: Any, only_if_missing: bool, meeting_id: str) -> str:
        if meeting_id == "PC-13":
            raise UnknownMeetingError("no committee has a meeting 'PC-13'")
        return f"{meeting_id} {only_if_missing}"

    replace("pipelines.warehouse.calibration.calibrate", calibrate)
    stages.calibrate(RUN, meeting_id="PC-1")
    assert only(home).report == "PC-1 False"
    with pytest.raises(stages.StoppedError, match="PC-13"):
        stages.calibrate(RUN, meeting_id="PC-13")


def test_a_failed_audit_stops_for_good_and_its_findings_are_kept(home: Home, replace: Any) -> None:
    replace("pipelines.warehouse.audit.audit", lambda _home, _settings: Verdict("fail"))
    with pytest.raises(stages.StoppedError, match="failed its audit; there is no edition yet"):
        stages.audit(RUN)
    assert only(home).status == "failed"
    assert only(home).report == {"verdict": "fail", "broken": []}


def test_an_audit_that_warns_goes_on(home: Home, replace: Any) -> None:
    replace("pipelines.warehouse.audit.audit", lambda _home, _settings: Verdict("warn"))
    stages.audit(RUN)
    assert only(home).status == "done"


@pytest.mark.parametrize(
    ("stage", "path", "error"),
    [
        ("build", "pipelines.warehouse.build.build", "BuildError"),
        ("publish", "pipelines.warehouse.publish.publish", "PublishError"),
    ],
)
def test_a_broken_model_and_an_unaudited_candidate_stop_for_good(
    home: Home, replace: Any, stage: str, path: str, error: str
) -> None:
    kind = getattr(importlib.import_module(path.rsplit(".", 1)[0]), error)

    def fail(*_: Any) -> None:
        raise kind("assert_every_record_has_one_outcome failed")

    replace(path, fail)
    with pytest.raises(stages.StoppedError, match="one_outcome"):
        getattr(stages, stage)(RUN)


def test_publishing_what_is_current_already_gives_the_current_edition(
    home: Home, replace: Any
) -> None:
    replace("pipelines.warehouse.publish.publish", lambda _home, _settings: None)
    replace("pipelines.warehouse.editions.current_id", lambda _home: "e1")
    assert stages.publish(RUN) == "e1"


@pytest.mark.parametrize(
    ("current", "has_pack", "news"),
    [(None, False, True), ("e0", True, True), ("e1", False, True), ("e1", True, False)],
)
def test_there_is_news_unless_the_current_edition_and_its_pack_are_what_would_be_made(
    home: Home, replace: Any, current: str | None, has_pack: bool, news: bool
) -> None:
    inputs = SimpleNamespace(build_id="e1")
    replace("pipelines.warehouse.build.present_inputs", lambda _home, _settings: inputs)
    replace("pipelines.warehouse.editions.current_id", lambda _home: current)
    if has_pack:
        (home.packs / "e1").mkdir()
    assert stages.has_news() is news


def test_an_edition_that_was_touched_makes_housekeeping_stop(home: Home, replace: Any) -> None:
    from pipelines.housekeeping import Verified

    found = Verified(["e1"], {"e1": ["fct_evidence: the rows are not those published"]})
    replace("pipelines.housekeeping.verify_editions", lambda _home: found)
    with pytest.raises(stages.StoppedError, match="e1: fct_evidence"):
        stages.verify_editions(RUN)
    assert only(home).report["problems"]
