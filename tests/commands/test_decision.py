"""`tessera decision record`: one decision becomes a delivery of the ordinary road, or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.home import Home
from pipelines.intake import read, receive, validate
from pipelines.intake.feeds import load_feeds
from pipelines.intake.staging import Staging
from pipelines.settings import Settings

MEETING: dict[str, Any] = {
    "programme": "MED",
    "learner": "s17",
    "committee": "PC",
    "meeting": "PC-2026-11",
    "decided-by": ["a1", "a2"],
    "present": ["a1", "a2", "a3"],
    "vocabulary": "local_1",
    "outcome": "targeted support",
    "rationale": "Handover needs practice.",
    "at": "2026-11-28T15:00:00+01:00",
    "by": "A. Muster",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TESSERA_SITE", raising=False)
    monkeypatch.setenv("COLUMNS", "300")
    return Home.open(tmp_path / "home").root


def run(home: Path, *more: str, **changes: Any) -> Result:
    arguments = ["decision", "record", "--home", str(home), *more]
    given = MEETING | {name.replace("_", "-"): value for name, value in changes.items()}
    for name, value in given.items():
        for each in value if isinstance(value, list) else [value]:
            arguments += [] if each is None else [f"--{name}", each]
    return CliRunner().invoke(app, arguments)


def files(home: Path) -> list[Path]:
    return sorted((home / "inbox").rglob("*.jsonl*"))


def test_a_decision_and_its_actions_come_through_intake_as_records(home: Path) -> None:
    result = run(home, "--json", action=["Three observed handovers | mentor | 2027-02-01"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    opened, settings = Home.open(home), Settings(home=home)
    report = receive.receive(opened, settings, settle=0)
    (delivery_id,) = report.pending
    read.read(opened, settings, delivery_id)
    judged = validate.validate(opened, settings, delivery_id)
    assert judged.accepted == {"action": 1, "decision": 1}
    assert judged.refused == 0
    feed = load_feeds(settings)["committee_decisions"]
    accepted = Staging.of(opened, delivery_id, feed.interpretation_id).accepted
    (decision,) = pl.read_parquet(accepted / "decision.parquet").to_dicts()
    (action,) = pl.read_parquet(accepted / "action.parquet").to_dicts()
    assert decision["record_id"] == action["decision_record_id"] == told["record_id"]
    assert len(decision["present_pseudonyms"]) == 3
    assert decision["outcome"] == "targeted support"
    assert str(action["due_on"]) == "2027-02-01"


def test_a_decision_without_actions_comes_through_intake_too(home: Path) -> None:
    assert run(home, meeting=None, present=None, decided_by=["chair"]).exit_code == 0
    opened, settings = Home.open(home), Settings(home=home)
    (delivery_id,) = receive.receive(opened, settings, settle=0).pending
    read.read(opened, settings, delivery_id)
    judged = validate.validate(opened, settings, delivery_id)
    assert (judged.readable, judged.accepted, judged.refused) == (True, {"decision": 1}, 0)


def test_the_same_decision_again_is_the_same_file_and_a_correction_another(home: Path) -> None:
    first = json.loads(run(home, "--json").stdout)
    assert json.loads(run(home, "--json").stdout) == first
    assert len(files(home)) == 2
    corrected = json.loads(run(home, "--json", corrects=first["record_id"]).stdout)
    assert corrected["record_id"] != first["record_id"]
    lines = Path(corrected["path"]).read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["corrects_record_id"] == first["record_id"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"recused": ["a2"]}, "who is recused does not decide"),
        ({"outcome": "targeted suport"}, "Did you mean targeted support?"),
        ({"quorum": "4"}, "present names fewer people than quorum asks for"),
        ({"meeting": None, "present": None}, "must name exactly one person"),
        ({"dissent_by": ["a3"]}, "dissent must be given"),
        ({"present": ["a1"]}, "decided_by names somebody who is not in present"),
        ({"at": "yesterday"}, "decided_at holds"),
        ({"by": "admin"}, "names nobody"),
        ({"list": "consent", "pulled-by": "a2"}, "pulled_by_id must be empty"),
        ({"list": "silence"}, "agenda_list holds"),
        ({"addendum": ["89abcdef"]}, "freeze_id must be given"),
        ({"action": ["Three handovers"]}, "what | owner role | due day"),
        ({"action": ["Three handovers | mentor | soon"]}, "action 1: due_on holds"),
    ],
)
def test_a_decision_that_may_not_be_is_refused_in_words_and_nothing_is_written(
    home: Path, changes: dict[str, Any], said: str
) -> None:
    result = run(home, **changes)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert files(home) == []


def test_the_record_says_which_pack_and_addenda_were_seen(home: Path) -> None:
    seen = {"freeze": "0123456789abcdef", "addendum": ["89abcdef01234567"], "list": "discussion"}
    result = run(home, "--json", **seen)
    assert result.exit_code == 0, result.output
    (line,) = Path(json.loads(result.stdout)["path"]).read_text(encoding="utf-8").splitlines()
    told = json.loads(line)
    assert (told["freeze_id"], told["addendum_ids"]) == (seen["freeze"], seen["addendum"])


def test_without_a_meeting_it_is_an_action_of_one_person(home: Path) -> None:
    result = run(home, "--json", meeting=None, present=None, decided_by=["chair"])
    assert result.exit_code == 0, result.output
    (line,) = Path(json.loads(result.stdout)["path"]).read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["decision_kind"] == "chairs_action"
