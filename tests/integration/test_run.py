"""`tessera run` calls the stages in order, goes on where it was, and says what came of it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines import run as run_module
from pipelines import runs
from pipelines.cli import app
from pipelines.commands.run import summary
from pipelines.home import Home
from pipelines.intake.ledger import tally
from pipelines.run import NOTHING_NEW, ConfigurationError, Run, StageFailedError, Wanted
from pipelines.settings import Settings
from pipelines.warehouse import build as build_module
from pipelines.warehouse import editions


@dataclass
class Received:
    pending: list[str]


@dataclass
class Audited:
    verdict: str
    broken: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Loaded:
    is_present: bool = True
    statuses: dict[str, int] = field(default_factory=lambda: {"committed": 2})
    records: dict[str, int] = field(default_factory=lambda: {"accepted": 5})


@dataclass
class Stages:
    """Stands in for the stages, and remembers how they were called."""

    pending: list[str] = field(default_factory=lambda: ["d1", "d2"])
    failing: dict[str, Exception] = field(default_factory=dict)
    verdict: str = "pass"
    called: list[str] = field(default_factory=list)
    given: dict[str, dict[str, Any]] = field(default_factory=dict)

    def work(self, name: str) -> Any:
        def stage(_home: Home, _settings: Settings, *ids: str, **given: Any) -> Any:
            called = "-".join((name, *ids))
            self.called.append(called)
            self.given[name] = given
            if called in self.failing:
                raise self.failing[called]
            if name == "receive":
                return Received(self.pending)
            if name == "load":
                return Loaded()
            if name == "audit":
                return Audited(self.verdict)
            return "an edition" if name == "publish" else None

        return stage


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home")


@pytest.fixture
def settings(home: Home) -> Settings:
    return Settings(home=home.root, site=None)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Stages:
    found = Stages()
    monkeypatch.setattr(run_module, "_function", found.work)
    monkeypatch.setattr(run_module, "_parse_ahead", lambda *_: None)
    return found


INTAKE = ["read", "validate", "check", "segment"]
ENDING = ["load", "calibrate", "build", "audit", "publish", "pack"]


def test_every_stage_runs_once_in_order(home: Home, settings: Settings, stages: Stages) -> None:
    run = Run(home, settings)
    run.go()
    assert stages.called == [
        "receive",
        *(f"{stage}-d1" for stage in INTAKE),
        *(f"{stage}-d2" for stage in INTAKE),
        *ENDING,
    ]
    assert [record.stage for record in runs.records(home, run.run_id)] == list(runs.STAGES)
    assert {record.status for record in runs.records(home, run.run_id)} == {"done"}


def test_what_was_asked_for_reaches_the_stages(
    home: Home, settings: Settings, stages: Stages, tmp_path: Path
) -> None:
    known_at = datetime(2026, 2, 21, tzinfo=UTC)
    wanted = Wanted(tmp_path, known_at.date(), known_at, full_refresh=True, rules="now")
    Run(home, settings, wanted).go()
    asked = {
        stage: {name: value for name, value in given.items() if name != "progress"}
        for stage, given in stages.given.items()
    }
    assert asked["receive"]["inbox"] == tmp_path
    assert asked["load"] == {"known_at": known_at}
    assert asked["calibrate"] == {"only_if_missing": True}
    assert asked["build"] == {
        "as_of": known_at.date(),
        "rules": "now",
        "full_refresh": True,
    }


def test_a_delivery_that_fails_is_told_and_the_others_go_on(
    home: Home, settings: Settings, stages: Stages
) -> None:
    stages.failing["validate-d1"] = StageFailedError(SimpleNamespace(message="no such column"))  # type: ignore[arg-type]
    run = Run(home, settings)
    run.go()
    assert "check-d1" not in stages.called
    assert "segment-d2" in stages.called
    assert stages.called[-6:] == ENDING
    (told,) = [r for r in runs.records(home, run.run_id) if r.stage == "validate"]
    assert told.message == "d1: no such column"
    assert runs.exit_code(home, run.run_id, runs.tally_of(home, run.run_id)) == runs.ATTENTION


def test_an_error_that_may_quote_a_record_is_kept_in_the_restricted_folder(
    home: Home, settings: Settings, stages: Stages
) -> None:
    stages.failing["read-d1"] = ValueError("Jane Example, 1990-01-01")
    run = Run(home, settings)
    run.go()
    (told,) = [r for r in runs.records(home, run.run_id) if r.stage == "read"]
    assert told.message is not None
    assert "ValueError" in told.message
    assert "Jane" not in told.message
    (kept,) = (home.restricted / "failures").rglob("*.txt")
    assert "Jane Example" in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("stage", ENDING)
def test_nothing_goes_on_after_a_stage_that_fails(
    home: Home, settings: Settings, stages: Stages, stage: str
) -> None:
    stages.failing[stage] = build_module.BuildError("this is why")
    run = Run(home, settings)
    with pytest.raises(StageFailedError, match="this is why"):
        run.go()
    assert stages.called[-1] == stage
    assert runs.exit_code(home, run.run_id, runs.tally_of(home, run.run_id)) == runs.FAILED


def test_a_failed_audit_stops_the_run_before_publication(
    home: Home, settings: Settings, stages: Stages
) -> None:
    stages.verdict = "fail"
    run = Run(home, settings)
    with pytest.raises(StageFailedError, match="failed its audit"):
        run.go()
    assert "publish" not in stages.called
    assert runs.exit_code(home, run.run_id, runs.tally_of(home, run.run_id)) == runs.FAILED


def test_a_current_edition_of_the_same_inputs_is_not_made_again(
    home: Home, settings: Settings, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages.pending = []
    monkeypatch.setattr(editions, "current_id", lambda _: "e1")
    monkeypatch.setattr(build_module, "present_inputs", lambda *_: SimpleNamespace(build_id="e1"))
    (home.editions / "e1").mkdir(parents=True)
    manifest = home.editions / "e1" / editions.MANIFEST
    manifest.touch()
    run = Run(home, settings)
    run.go()
    assert stages.called == ["receive", "load", "calibrate", "pack"]
    told = {record.stage: record for record in runs.records(home, run.run_id)}
    assert told["publish"].status == "skipped"
    assert told["publish"].message == NOTHING_NEW
    assert runs.exit_code(home, run.run_id, runs.tally_of(home, run.run_id)) == runs.DONE
    Run(home, settings, Wanted(full_refresh=True)).go()
    assert "build" in stages.called
    stages.called.clear()
    manifest.unlink()
    Run(home, settings).go()
    assert "build" in stages.called, "an edition without its manifest is made again"


def test_faults_of_the_site_end_the_run_before_it_begins(
    home: Home, stages: Stages, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    (site / "rules").mkdir(parents=True)
    (site / "rules" / "mine.yaml").write_text("rule_set: mine\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"mine\.yaml:1: version is missing"):
        Run(home, Settings(home=home.root, site=site)).go()
    assert stages.called == []


def test_records_of_batches_stand_beside_each_other(home: Home) -> None:
    run_id = "manual__2026-02-21T06:00:00+00:00"
    runs.record(home, run_id, "read", {"d1": 1}, part=0, seconds=1.23456)
    runs.record(home, run_id, "read", {"d2": 1}, part=1)
    runs.record(home, run_id, "receive", ["d1", "d2"])
    told = runs.records(home, run_id)
    assert [(record.stage, record.report) for record in told] == [
        ("receive", ["d1", "d2"]),
        ("read", {"d1": 1}),
        ("read", {"d2": 1}),
    ]
    assert told[1].seconds == 1.235
    assert ":" not in runs.folder(home, run_id).name


def invoke(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stdout, result.stderr


def test_the_command_ends_with_the_short_table(home: Home, stages: Stages) -> None:
    code, out, _ = invoke("run", "--home", str(home.root))
    assert code == runs.DONE
    for word in ("deliveries", "records", "checks", "run", "edition", "pack"):
        assert word in out


def test_the_pack_of_another_edition_is_not_told_as_that_of_this_one(
    home: Home, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("e1", "e2"):
        (home.packs / name).mkdir(parents=True)
    (home.packs / "current").symlink_to("e1")
    (home.packs / "e1" / "index.html").touch()
    monkeypatch.setattr(editions, "current_id", lambda _: "e1")
    assert "e1/index.html" in summary(home, "no-run", tally([]))["pack"]
    monkeypatch.setattr(editions, "current_id", lambda _: "e2")
    assert summary(home, "no-run", tally([]))["pack"] is None


def test_the_command_prints_json_lines(home: Home, stages: Stages) -> None:
    code, out, _ = invoke("run", "--home", str(home.root), "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["stage"] for line in lines[:-1]] == list(runs.STAGES)
    assert lines[-1]["run"]["edition_is_new"] is True
    assert code == runs.DONE


def test_a_gate_that_stops_the_run_is_exit_code_3(home: Home, stages: Stages) -> None:
    stages.verdict = "fail"
    code, _, err = invoke("run", "--home", str(home.root))
    assert code == runs.FAILED
    assert "failed its audit; there is no edition yet" in err


@pytest.mark.parametrize("text", ["yesterday", "2026-02-21T06:00"])
def test_a_time_without_zone_or_sense_is_wrong_use(home: Home, stages: Stages, text: str) -> None:
    code, _, err = invoke("run", "--home", str(home.root), "--known-at", text)
    assert code == 2
    assert "2026-02-21T06:00Z" in err
    assert stages.called == []


def test_the_command_line_starts_without_heavy_libraries() -> None:
    import subprocess

    heavy = "{'polars', 'duckdb', 'dbt', 'great_expectations', 'pydantic', 'airflow'}"
    script = f"import sys, pipelines.cli; print({heavy} & set(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == "set()"
