"""The binder of a year rests on snapshots, and the same ones give the same bytes."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.committee import binder
from pipelines.committee.freeze import freeze
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse.editions import editions
from tests.committee.edition import database_of, publish_edition, seal_again


def test_a_binder_lists_the_editions_and_packs_of_its_year_with_their_hashes(
    fresh: Home, tmp_path: Path
) -> None:
    publish_edition(fresh, 3)
    frozen = freeze(fresh, Settings(home=fresh.root, workers=1), "M-2026-11", "A. Muster")
    bound = binder.bind(fresh, 2026, tmp_path / "binder.zip")
    assert len(bound.snapshots) == 2
    with zipfile.ZipFile(tmp_path / "binder.zip") as archive:
        told = json.loads(archive.read("snapshots.json"))
        page = archive.read("index.html").decode()
        names = set(archive.namelist())
    assert [p["archive_sha256"] for p in told["packs"]] == [frozen.archive_sha256]
    assert told["editions"][1]["records"]["accepted"] == 1604
    assert "M-2026-11" in page
    assert "programmatic_assessment 1" in page
    assert {"programme.html", "tables/programme_rule.csv", "manifest.json"} <= names


def test_the_same_snapshots_give_the_same_bytes(fresh: Home, tmp_path: Path) -> None:
    binder.bind(fresh, 2026, tmp_path / "a.zip")
    binder.bind(fresh, 2026, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_year_without_editions_names_those_there_are(fresh: Home, tmp_path: Path) -> None:
    with pytest.raises(binder.BinderError, match="there are years: 2026"):
        binder.bind(fresh, 2019, tmp_path / "binder.zip")
    assert not (tmp_path / "binder.zip").exists()


def test_an_edition_that_was_changed_goes_into_no_binder(fresh: Home, tmp_path: Path) -> None:
    database = database_of(fresh)
    with duckdb.connect(str(database)) as con:
        con.execute("update fct_decision set outcome = 'Another.'")
    with pytest.raises(binder.BinderError, match="is not what was published"):
        binder.bind(fresh, 2026, tmp_path / "binder.zip")


def decided(home: Home, n: dict[str, int], on: str) -> None:
    """Let so many other learners be decided upon in a year, by outcome, on one day."""
    database = database_of(home)
    with duckdb.connect(str(database)) as con:
        for outcome, count in n.items():
            con.execute(
                "insert into fct_decision by name select * exclude (i) replace ("
                "'O-' || ? || i as record_key, 'L-' || ? || i as learner_key, ? as outcome, "
                "cast(? as date) as decided_on, cast(? as date)::timestamptz as decided_at, "
                "'stands' as standing, false as is_corrected) "
                "from (select * from fct_decision limit 1), range(?) as many(i)",
                [outcome, outcome, outcome, on, on, count],
            )
    seal_again(home)


def told_of(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("snapshots.json")), archive.read("index.html").decode()


def test_a_year_that_still_runs_is_counted_by_quarters_that_are_over_and_rounded_down(
    fresh: Home, tmp_path: Path
) -> None:
    decided(fresh, {"goes on": 23, "support": 7, "leaves": 1}, "2026-06-30")
    decided(fresh, {"too late": 50}, "2026-10-02")
    bound = binder.bind(fresh, 2026, tmp_path / "binder.zip")
    told, page = told_of(tmp_path / "binder.zip")
    assert bound.is_running
    (by_outcome, by_appeal) = told["decisions"]
    assert by_outcome["learners"] == {"goes on": 20, "other": 10}
    assert by_outcome["before"] == by_appeal["before"] == "2026-10-01"
    assert "the year still runs" in page
    assert "goes on at least 20; other at least 10" in page
    assert "too late" not in page


def test_one_more_decision_in_a_running_quarter_changes_no_count(
    fresh: Home, tmp_path: Path
) -> None:
    decided(fresh, {"goes on": 24, "support": 9}, "2026-06-30")
    binder.bind(fresh, 2026, tmp_path / "a.zip")
    decided(fresh, {"goes on again": 1}, "2026-11-20")
    binder.bind(fresh, 2026, tmp_path / "b.zip")
    before, after = (told_of(tmp_path / name)[0]["decisions"] for name in ("a.zip", "b.zip"))
    assert before == after


def test_a_year_that_is_over_is_counted_whole_by_the_first_edition_after_it(
    fresh: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided(fresh, {"goes on": 23, "support": 7}, "2026-12-20")
    of_2026 = editions(fresh)
    later = of_2026[-1].model_copy(update={"as_of": date(2027, 2, 1)})
    monkeypatch.setattr(binder, "editions", lambda _home: [*of_2026, later])
    bound = binder.bind(fresh, 2026, tmp_path / "binder.zip")
    told, page = told_of(tmp_path / "binder.zip")
    assert not bound.is_running
    assert told["decisions"][0]["learners"] == {"goes on": 23, "other": 9}
    assert told["decisions"][0]["before"] is None
    assert "still runs" not in page
