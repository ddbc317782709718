"""The binder of a year rests on snapshots, and the same ones give the same bytes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import duckdb
import pytest

from pipelines.committee import binder
from pipelines.committee.freeze import freeze
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import database_of, publish_edition


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
    assert told["editions"][1]["records"]["accepted"] == 1590
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
