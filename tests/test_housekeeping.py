"""Old work in progress goes, fresh work stays, and an edition that was touched is found."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.housekeeping import KEPT_DAYS, Cleared, Verified, clear_leftovers, verify_editions
from pipelines.sources.readers.zipped import UNPACKED

DAY = 86_400


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home")


def leave(home: Home, delivery: str, days: float) -> Path:
    """Leave a file of work in progress that was last touched some days ago."""
    file = home.staging / delivery / "1f2e" / "read" / "records.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"rows")
    touched = time.time() - days * DAY
    for path in (file, *list(file.parents)[:3]):
        os.utime(path, (touched, touched))
    return home.staging / delivery


def test_work_that_nobody_touched_for_days_is_cleared_and_counted(home: Home) -> None:
    old = leave(home, "forms-1", KEPT_DAYS + 1)
    cleared = clear_leftovers(home)
    assert not old.exists()
    assert cleared.folders == ["forms-1"]
    assert cleared.n_bytes > 4


def test_work_that_goes_on_is_left_alone(home: Home) -> None:
    fresh = leave(home, "forms-1", KEPT_DAYS - 1)
    old_but_at_work = leave(home, "forms-2", KEPT_DAYS + 1)
    (old_but_at_work / "1f2e" / "validate.json").write_text("{}")
    assert clear_leftovers(home) == Cleared(KEPT_DAYS)
    assert fresh.exists()
    assert old_but_at_work.exists()


def test_members_of_zip_files_that_a_killed_process_had_unpacked_are_cleared(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, at_work, other = (
        tmp_path / name for name in (f"{UNPACKED}a", f"{UNPACKED}b", "somebody-else")
    )
    touched = time.time() - (KEPT_DAYS + 1) * DAY
    for folder in (left, at_work, other):
        folder.mkdir()
        (folder / "marks.csv").write_text("learner_id,score\n")
        for path in (folder / "marks.csv", folder):
            os.utime(path, (touched, touched))
    (at_work / "marks.csv").touch()
    assert clear_leftovers(home).folders == [left.name]
    assert [folder.exists() for folder in (left, at_work, other)] == [False, True, True]


def test_a_home_without_editions_has_none_that_is_wrong(home: Home) -> None:
    assert verify_editions(home) == Verified()


def test_every_edition_is_verified_and_its_problems_are_kept_by_its_id(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    from pipelines.warehouse import editions as module

    found = [SimpleNamespace(edition_id=name) for name in ("e1", "e2")]
    wrong = {"e1": [], "e2": ["fct_evidence: the rows are not those published"]}
    monkeypatch.setattr(module, "editions", lambda _home: found)
    monkeypatch.setattr(module, "verify", lambda folder: wrong[folder.name])
    assert verify_editions(home) == Verified(["e1", "e2"], {"e2": wrong["e2"]})
