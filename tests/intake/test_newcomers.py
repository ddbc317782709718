"""What a glance at the inbox tells, before anything is received."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.intake.newcomers import largest_newcomer


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home")


def dropped(home: Home, name: str, size: int) -> Path:
    path = home.inbox / "school" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(size))
    return path


def noted(home: Home, delivery: str) -> None:
    """Note an arrival, at a later instant than any file has so far."""
    time.sleep(0.02)
    (home.receipts / delivery).mkdir()


def test_an_inbox_without_files_has_no_newcomer(home: Home) -> None:
    assert largest_newcomer(home) == 0


def test_before_the_first_arrival_every_file_is_new(home: Home) -> None:
    dropped(home, "small.csv", 3)
    dropped(home, "large.csv", 30_000)
    assert largest_newcomer(home) >= 30_000


def test_files_that_lay_there_when_the_last_arrival_was_noted_are_not_new(home: Home) -> None:
    dropped(home, "large.csv", 900_000)
    noted(home, "school-1")
    time.sleep(0.02)
    dropped(home, "small.csv", 5_000)
    assert 5_000 <= largest_newcomer(home) < 900_000


def test_a_file_that_was_moved_in_with_an_old_date_is_new(home: Home, tmp_path: Path) -> None:
    outside = tmp_path / "old.csv"
    outside.write_bytes(bytes(70_000))
    os.utime(outside, (1, 1))
    noted(home, "school-1")
    time.sleep(0.02)
    (home.inbox / "school").mkdir()
    outside.rename(home.inbox / "school" / "old.csv")
    assert largest_newcomer(home) >= 70_000


def test_another_inbox_may_be_looked_at(home: Home, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "file.csv").write_bytes(bytes(40_000))
    assert largest_newcomer(home, other) >= 40_000
