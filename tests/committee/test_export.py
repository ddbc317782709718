"""Decisions go out to the student record after the embargo, with ids, and nothing else of them."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.committee import export as module
from pipelines.committee.export import COLUMNS, ExportError, export
from pipelines.committee.people import People
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import FULL, HOSTILE, publish_edition

IDS = {FULL: "s1", HOSTILE: "=s2"}


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TESSERA_SITE", raising=False)
    monkeypatch.setattr(module, "people_of", lambda _h, _s, space: People(space, IDS, {}))


def settings(home: Home) -> Settings:
    return Settings(home=home.root)


def test_only_what_is_out_of_its_embargo_goes_out_with_the_learners_id(
    fresh: Home, tmp_path: Path
) -> None:
    done = export(fresh, settings(fresh), tmp_path / "out.parquet")
    assert (done.n_decisions, done.n_waiting, done.without_id) == (2, 2, ())
    table = pl.read_parquet(tmp_path / "out.parquet")
    assert tuple(table.columns) == COLUMNS
    assert set(table["learner_id"]) == {"s1", "=s2"}
    assert set(table["record_id"]) == {f"DEC-{FULL}-1", f"DEC-{HOSTILE}-1"}
    assert set(table["outcome_title"]) == {"Progressing with targeted support"}
    assert not {"rationale", "dissent", "decided_by_keys", "learner_key"} & set(table.columns)


def test_a_table_for_spreadsheets_is_inert_and_its_owners_alone(
    fresh: Home, tmp_path: Path
) -> None:
    path = tmp_path / "out.csv"
    export(fresh, settings(fresh), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(encoding="utf-8-sig", newline="") as file:
        ids = [row["learner_id"] for row in csv.DictReader(file)]
    assert sorted(ids) == ["'=s2", "s1"]
    with pytest.raises(ExportError, match="is there already"):
        export(fresh, settings(fresh), path)
    with pytest.raises(ExportError, match=r"name the file \.csv or \.parquet"):
        export(fresh, settings(fresh), tmp_path / "out.pdf")


def test_a_learner_without_an_id_is_named_by_key_and_does_not_go_out(
    fresh: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "people_of", lambda _h, _s, space: People(space, {FULL: "s1"}, {}))
    done = export(fresh, settings(fresh), tmp_path / "out.csv")
    assert (done.n_decisions, done.without_id) == (1, (HOSTILE,))


def test_an_edition_without_an_embargo_lets_nothing_out(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    columns = ("is_out", "out_on")
    publish_edition(home, 2, lacking=[("committee_student_record", name) for name in columns])
    with pytest.raises(ExportError, match="knows no embargo"):
        export(home, settings(home), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_the_command_says_what_went_out_and_what_waits(fresh: Home, tmp_path: Path) -> None:
    given = ["decision", "export", "--home", str(fresh.root), "--out", str(tmp_path / "o.csv")]
    done = CliRunner().invoke(app, [*given, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["n_decisions"], told["n_waiting"]) == (2, 2)
    assert CliRunner().invoke(app, given).exit_code == 2
    other = [*given[:-1], str(tmp_path / "p.csv"), "--programme", "NUR", "--json"]
    assert json.loads(CliRunner().invoke(app, other).stdout)["n_decisions"] == 0
