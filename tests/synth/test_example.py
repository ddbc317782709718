from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipelines.synth.cohort import LAST_DAY, stage_on
from pipelines.synth.example import fill


def digests(inbox: Path) -> dict[str, str]:
    return {
        str(path.relative_to(inbox)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(inbox.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    fill(tmp_path / "one")
    fill(tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_another_seed_gives_another_cohort(tmp_path: Path) -> None:
    fill(tmp_path / "one", seed=1)
    fill(tmp_path / "two", seed=2)
    assert digests(tmp_path / "one") != digests(tmp_path / "two")


def test_an_inbox_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "mine.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(FileExistsError, match="not empty"):
        fill(tmp_path)
    assert list(digests(tmp_path)) == ["source/mine.csv"]


def test_the_year_of_study_is_never_below_one_or_above_three() -> None:
    years = {stage_on(entry, LAST_DAY) for entry in range(2020, 2028)}
    assert years == {1, 2, 3}
