from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from benchmarks.validity import published, ratings
from pipelines.synth.cohort import make
from pipelines.synth.parameters import shipped
from pipelines.synth.request import Request

ADJUSTED = """
    create table portfolio_adjusted_share as
    select learner_key, stage_id, competency_id, n_rated, share_at_target,
        share_at_target as adjusted_share, 0.0 as adjusted_low, 1.0 as adjusted_high,
        false as is_sensitive
    from portfolio_competency_status
"""


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cohort") / "inbox"
    return make(Request(learners=40, years=2, mess="none"), out).truth


def compared(
    truth: Path, folder: Path, *, low: float, high: float, more: str | None = None
) -> dict[str, Any]:
    """Compare an edition that holds the ratings of the truth and intervals of one width."""
    on_scale = [
        place
        for place, form in enumerate(shipped().workplace.instruments)
        if form.scale == ratings.TARGET_SCALE
    ]
    facts = (
        pl.read_parquet(truth / "ratings/*.parquet")
        .filter(pl.col("instrument").is_in(on_scale))
        .select(
            "competency_id",
            form_record_id="record_id",
            learner_key=pl.col("learner_id"),
            stage_id=pl.lit("Year 1"),
            scale_id=pl.lit(ratings.TARGET_SCALE),
            level=pl.col("level").cast(pl.Int64),
            target_level=pl.lit(3, dtype=pl.Int64),
            kind=pl.lit("workplace_assessment"),
        )
    )
    cells = (
        facts.group_by("learner_key", "stage_id", "competency_id")
        .agg(n_rated=pl.len(), share_at_target=(pl.col("level") >= 3).mean())
        .with_columns(is_default=pl.lit(value=True), share_low=pl.lit(low), share_high=pl.lit(high))
    )
    with duckdb.connect(str(folder / published.DATABASE)) as con:
        for name, table in (("fct_evidence", facts), ("portfolio_competency_status", cells)):
            con.register("given", table.to_arrow())
            con.execute(f"create table {name} as select * from given")
            con.unregister("given")
        if more is not None:
            con.execute(more)
    with published.opened(folder) as edition:
        return ratings.compare(edition, [truth], shipped())


def test_raw_means_follow_true_levels_and_not_perfectly(truth: Path, tmp_path: Path) -> None:
    told = compared(truth, tmp_path, low=0, high=1)["raw"]
    assert 0.5 < told["cell"]["correlation"] < told["learner and stage"]["correlation"] < 1
    assert told["cell"]["rmse"] > told["learner and stage"]["rmse"] > 0


def test_an_interval_that_holds_everything_always_holds_the_truth(
    truth: Path, tmp_path: Path
) -> None:
    told = compared(truth, tmp_path, low=0, high=1)["coverage"]
    assert told["all"]["value"] == 1
    assert sum(band["n"] for band in told["by_ratings"].values()) == told["all"]["n"]


def test_an_interval_that_holds_nothing_never_holds_the_truth(truth: Path, tmp_path: Path) -> None:
    assert compared(truth, tmp_path, low=2, high=3)["coverage"]["all"]["value"] == 0


def test_adjusted_ratings_are_not_yet_there(truth: Path, tmp_path: Path) -> None:
    assert compared(truth, tmp_path, low=0, high=1)["adjusted"] == "not yet"


def test_adjusted_ratings_are_compared_where_an_edition_has_them(
    truth: Path, tmp_path: Path
) -> None:
    told = compared(truth, tmp_path, low=0, high=1, more=ADJUSTED)
    found = told["adjusted"]
    assert found["adjusted"] == found["raw"]
    assert found["raw"]["n"] > 0
    assert found["coverage"]["value"] == 1
    assert found["sensitive"]["value"] == 0


def test_the_share_that_is_true_is_the_chance_of_the_average_assessor(
    truth: Path, tmp_path: Path
) -> None:
    told = compared(truth, tmp_path, low=0, high=1)["coverage"]["share"]
    assert abs(told["shift"]) < 0.06
    assert np.isfinite(told["rmse"])
