from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.registry import ENTRIES, Entry, NotYetError, Options

PLANNED = [
    "intake",
    "large",
    "xapi",
    "stringency",
    "build",
    "whole",
    "vast",
    "pack",
    "latency",
    "validity",
]


def test_every_planned_benchmark_is_registered() -> None:
    assert list(ENTRIES) == PLANNED


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=str)
def test_each_says_what_floor_and_rival_are(entry: Entry) -> None:
    assert entry.floor
    assert entry.rival
    assert entry.title


def test_one_without_a_module_is_not_there_yet(tmp_path: Path) -> None:
    entry = Entry("x", "X", "benchmarks.cases.of_a_later_version", "floor", "rival")
    with pytest.raises(NotYetError, match="of_a_later_version"):
        entry.measure(Options(cache=tmp_path))


def test_long_sizes_are_measured_when_asked_for(tmp_path: Path) -> None:
    assert Options(tmp_path).chosen((1, 2), (3,)) == (1, 2)
    assert Options(tmp_path, full=True).chosen((1, 2), (3,)) == (1, 2, 3)
    assert Options(tmp_path, sizes=(9,), full=True).chosen((1, 2), (3,)) == (9,)


def test_sizes_that_take_many_minutes_run_once(tmp_path: Path) -> None:
    options = Options(tmp_path, runs=3)
    assert [options.runs_at(size, (9,)) for size in (1, 9)] == [3, 1]
