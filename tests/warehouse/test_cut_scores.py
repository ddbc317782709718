from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.home import Home
from pipelines.warehouse.cut_scores import CutScore, keep, kept, rows

FIRST, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


def standard(cut_score: float = 38.5, **fields: object) -> CutScore:
    return CutScore(
        programme_id="MED",
        task_id="MCQ",
        sitting_id="S1",
        method="angoff",
        cut_score=cut_score,
        panel={"judge 1": 38.0, "judge 2": 39.0},
        decided_by="exam board",
        source="Angoff 1971",
        **fields,  # type: ignore[arg-type]
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home")


def test_a_cut_score_on_record_is_never_changed(home: Home) -> None:
    (first,) = keep(home, [standard()], FIRST)
    assert keep(home, [standard()], LATER) == [first]
    (found,) = kept(home)
    assert found.known_at == FIRST
    assert found.cut_score_id == first


def test_another_cut_score_is_another_record_beside_the_first(home: Home) -> None:
    keep(home, [standard()], FIRST)
    keep(home, [standard(40.0)], LATER)
    assert {one.cut_score for one in kept(home)} == {38.5, 40.0}


def test_what_was_not_known_by_then_is_left_out(home: Home) -> None:
    keep(home, [standard()], FIRST)
    keep(home, [standard(40.0)], LATER)
    assert [one["cut_score"] for one in rows(home, FIRST)] == [pytest.approx(38.5)]


@pytest.mark.parametrize("fields", [{"standard_error": -1.0}, {"unknown": 1}])
def test_what_is_no_cut_score_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        standard(**fields)
