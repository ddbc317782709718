from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from benchmarks.validity import published, ratings, whole
from benchmarks.validity.cohorts import Planned
from benchmarks.validity.schools import school
from pipelines.synth.cohort import make
from pipelines.synth.parameters import shipped

Made = tuple[Planned, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One cohort with a harsh rater and a slower group of the largest sizes."""
    chosen = whole.plan(1, 60, 7_500, None, 700)[-1]
    folder = tmp_path_factory.mktemp("whole")
    return chosen, make(chosen.request, folder / chosen.request.programme).truth


def facts_of(truth: Path) -> pl.DataFrame:
    """What an edition would hold of the forms: every learner in one stage, with target 3."""
    given = pl.read_parquet(truth / "ratings/*.parquet").filter(pl.col("instrument") > 1)
    return given.select(
        form_record_id="record_id",
        kind=pl.lit("workplace_assessment"),
        learner_key="learner_id",
        assessor_key="assessor_id",
        competency_id="competency_id",
        stage_id=pl.lit("Y1"),
        scale_id=pl.lit(ratings.TARGET_SCALE),
        level=pl.col("level").cast(pl.Int64),
        target_level=pl.lit(3, pl.Int64),
    )


def compared(made: Made, folder: Path, strictest: str, low: float, high: float) -> dict[str, Any]:
    """Compare with an edition and a warehouse that say this."""
    chosen, truth = made
    facts = facts_of(truth)
    cells = facts.group_by(ratings.CELL).agg(raw=(pl.col("level") >= 3).mean())
    with duckdb.connect(str(folder / published.DATABASE)) as con:
        con.register("facts", facts.to_arrow())
        con.register("cells", cells.to_arrow())
        con.execute("create table fct_evidence as select * from facts")
        con.execute(
            "create table portfolio_adjusted_share as select *, raw as share_at_target, "
            "least(1, raw + 0.2) as adjusted_share, true as is_sensitive, 'on_track' as status, "
            "'..., and the status would be on track.' as sentence from cells"
        )
        con.execute(
            "create table programme_trajectory_fairness as select "
            f"'{chosen.request.programme}' as programme_id, 'first_in_family' as attribute, "
            f"'yes' as value, date '2100-01-01' as period_end_on, "
            f"{(low + high) / 2} as difference, {low} as difference_low, "
            f"{high} as difference_high, false as is_suppressed"
        )
    warehouse = folder / "build.duckdb"
    with duckdb.connect(str(warehouse)) as con:
        con.execute("create schema restricted_marts")
        con.execute(
            "create table restricted_marts.programme_assessor_stringency as select "
            f"'{chosen.request.programme}' as programme_id, assessor_key, 40 as n_ratings, "
            f"'{ratings.TARGET_SCALE}' as scale_id, "
            f"case when assessor_key = '{strictest}' then -1.5 else 0 end as effect "
            "from (select unnest(?) as assessor_key)",
            [facts["assessor_key"].unique().sort().to_list()],
        )
    power = {("harsh_rater", chosen.step): {"value": 1.0, "low": 0.9, "high": 1.0, "n": 10}}
    with published.opened(folder) as edition:
        return whole.compare(edition, warehouse, [chosen], {chosen.request.programme: truth}, power)


def planted(truth: Path) -> str:
    assessors = pl.read_parquet(truth / "assessors/*.parquet")
    return str(assessors.filter(pl.col("harshness") > 0)["assessor_id"].item())


def test_cohorts_have_both_patterns_of_a_whole_cohort_and_no_other() -> None:
    cohorts = whole.plan(2, 40, 7_500, None, 700)
    assert [each.step for each in cohorts] == [0, 1, 2, 3] * 2
    assert len({each.request.number for each in cohorts}) == 8
    for pattern in shipped().patterns:
        there = {each.request.share(pattern.id) > 0 for each in cohorts}
        assert there == {pattern.id in whole.PATTERNS}


def test_the_planted_rater_is_found_where_estimated_as_the_strictest(
    made: Made, tmp_path: Path
) -> None:
    (row,) = compared(made, tmp_path, planted(made[1]), -1, 1)["harsh_rater"]
    assert (row["found"]["value"], row["effect_found"]) == (1, -1.5)
    assert row["oracle"]["value"] == 1
    assert row["n_cells"] > 20
    assert row["raw_error"] > 0
    assert 0 < row["told"]["n"] < row["n_cells"]
    assert row["mendable"]["n"] == row["told"]["n"]
    assert row["mendable"]["value"] < 1


def test_true_stringency_moves_the_cells_of_the_planted_rater_down(
    made: Made, tmp_path: Path
) -> None:
    chosen, truth = made
    compared(made, tmp_path, planted(truth), -1, 1)
    with published.opened(tmp_path) as edition:
        joined = ratings.joined_with_truth(edition, truth, chosen.request.parameters)
        by = edition.frame("select * from fct_evidence")
    moved = whole._excess(joined, truth, chosen.request.parameters)
    theirs = by.filter(pl.col("assessor_key") == planted(truth))[ratings.CELL].unique()
    seen = moved.join(theirs, on=ratings.CELL)["excess"].mean()
    unseen = moved.join(theirs, on=ratings.CELL, how="anti")["excess"].mean()
    assert seen < min(0, unseen - 0.02)


@pytest.mark.parametrize(
    ("low", "high", "holds", "found"),
    [(-1.0, 1.0, 1, 0), (-1.0, -0.0001, 1, 1), (0.5, 1.0, 0, 0)],
)
def test_an_interval_holds_the_true_gap_and_finds_it_where_it_leaves_out_none(
    made: Made, tmp_path: Path, low: float, high: float, holds: int, found: int
) -> None:
    (row,) = compared(made, tmp_path, planted(made[1]), low, high)["group_gap"]
    assert row["true"] < 0
    assert (row["holds"]["value"], row["found"]["value"]) == (holds, found)
    assert row["shown"] == 1


def test_schools_to_tune_on_are_the_same_for_a_seed_and_others_for_another() -> None:
    assert school(1_000) == school(1_000)
    assert school(1_000) != school(1_001)
    for instrument in school(1_002).workplace.instruments:
        parts = instrument.components
        total = parts.learner.value + parts.stringency.value + parts.subjectivity.value
        assert total + parts.case.value == pytest.approx(1)
