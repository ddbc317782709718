"""What contradicts itself in the current edition waits for a person until it is mended."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines import runs
from pipelines.home import Home
from pipelines.intake.ledger import tally
from pipelines.warehouse.editions import CURRENT
from pipelines.warehouse.findings import TABLE, open_findings
from pipelines.warehouse.tables import parquet_of

FOUND = pl.DataFrame(
    {
        "sentence": ["Refused.", "A circle.", "Late."],
        "suggestion": ["Mend.", "Take out a link.", None],
        "needs_a_person": [True, True, False],
        "is_quarantined": [True, False, False],
    }
)


def edition(home: Home, rows: pl.DataFrame) -> None:
    path = home.editions / "e1" / parquet_of(TABLE)
    path.parent.mkdir(parents=True)
    rows.write_parquet(path)
    (home.editions / CURRENT).symlink_to("e1")


def test_a_contradiction_is_told_with_its_remedy_and_ends_a_run_with_1(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    assert open_findings(home) == []
    assert runs.exit_code(home, "r", tally([])) == runs.DONE
    edition(home, FOUND)
    assert [str(found) for found in open_findings(home)] == ["A circle. Take out a link."]
    assert runs.exit_code(home, "r", tally([])) == runs.ATTENTION


def test_an_edition_from_before_there_were_findings_has_none(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    edition(home, FOUND.drop("needs_a_person"))
    assert open_findings(home) == []
