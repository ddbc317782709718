"""Patterns of a whole cohort: one harsh rater, and a group that grows more slowly.

No signal about a learner rests on either. A harsh rater is the calibration's to find: whether the
planted assessor comes out as the strictest, and whether it is told where a share stands on the
other side of one half only for that. Assessors' effects are not in editions, so they are read from
the warehouse. A gap is the fairness mart's: whether its interval holds the true difference, and
leaves out none where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
from scipy.special import ndtr

from benchmarks.validity import cohorts, ratings
from benchmarks.validity.cohorts import Planned, effects_of
from benchmarks.validity.published import Edition
from benchmarks.validity.statistics import Share
from pipelines.synth.parameters import Parameters, shipped

PATTERNS = ("harsh_rater", "group_gap")
ATTRIBUTE, VALUE = "first_in_family", "yes"
TOGETHER = 0.5
"""On which side of it a share lies decides between on track and developing, as the rules ship."""
LEAST_RATINGS, LEAST_DAYS = 6, 180
"""As the rule set `programme` asks of a trajectory."""
Power = Mapping[tuple[str, int], dict[str, Any]]


def plan(
    seeds: int,
    learners: int,
    first_seed: int,
    parameters: Parameters | None = None,
    numbered_from: int = 1,
) -> list[Planned]:
    """Return cohorts that have both patterns of a whole cohort and no other, in every size."""
    carried = {
        pattern.id: pattern.share.value if pattern.id in PATTERNS else 0.0
        for pattern in (parameters or shipped()).patterns
    }
    return cohorts.plan(seeds, learners, first_seed, parameters, numbered_from, carried)


def compare(
    edition: Edition,
    warehouse: Path,
    planned: Sequence[Planned],
    truths: Mapping[str, Path],
    power: Power,
) -> dict[str, list[dict[str, Any]]]:
    """Return what was found of both patterns at each size, beside what the oracle finds."""
    stringency = _stringency(warehouse)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in PATTERNS}
    for step in sorted({each.step for each in planned}):
        some = [each for each in planned if each.step == step]
        told = [
            (
                _harsh(edition, stringency, each, truths[each.request.programme]),
                _gap(edition, each, truths[each.request.programme]),
            )
            for each in some
        ]
        for name, summary in (
            ("harsh_rater", _harsh_summary([harsh for harsh, _ in told])),
            ("group_gap", _gap_summary([gap for _, gap in told])),
        ):
            point = power.get((name, step))
            found[name].append(
                {"effect": effects_of(step)[name], "oracle": point, "cohorts": len(some)} | summary
            )
    return found


def _stringency(warehouse: Path) -> pl.DataFrame:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        found: pl.DataFrame = con.sql(
            "select programme_id, assessor_key, cast(effect as double) as effect, n_ratings "
            "from restricted_marts.programme_assessor_stringency "
            f"where scale_id = '{ratings.TARGET_SCALE}'"
        ).pl()
        return found


def _harsh(
    edition: Edition, stringency: pl.DataFrame, each: Planned, truth: Path
) -> dict[str, float | int | bool]:
    """Tell whether the planted rater is the strictest, and what is said of whom that rater saw."""
    assessors = pl.read_parquet(truth / "assessors" / "*.parquet")
    planted = assessors.filter(pl.col("harshness") > 0)["assessor_id"].item()
    given = pl.read_parquet(truth / "ratings" / "*.parquet").select("record_id", "assessor_id")
    facts = edition.frame(
        "select form_record_id as record_id, assessor_key, learner_key, stage_id, competency_id "
        f"from fct_evidence where scale_id = '{ratings.TARGET_SCALE}' and level is not null"
    ).join(given, on="record_id")
    by_planted = facts.filter(pl.col("assessor_id") == planted)
    keys = by_planted["assessor_key"].unique().to_list()
    mine = stringency.filter(pl.col("programme_id") == each.request.programme).sort("effect")
    place = mine.with_row_index("place").filter(pl.col("assessor_key").is_in(keys))
    joined = ratings.joined_with_truth(edition, truth, each.request.parameters)
    cells = (
        ratings.true_shares(joined)
        .join(_excess(joined, truth, each.request.parameters), on=ratings.CELL)
        .join(by_planted.select(ratings.CELL).unique(), on=ratings.CELL)
    )
    printed = edition.frame(
        f"select {', '.join(ratings.CELL)}, cast(share_at_target as double) as raw, "
        "cast(adjusted_share as double) as adjusted, is_sensitive, sentence "
        "from portfolio_adjusted_share where status <> 'not_enough_evidence'"
    ).join(cells, on=ratings.CELL)
    wrong = (pl.col("raw") >= TOGETHER) != (pl.col("true") >= TOGETHER)
    mended = (pl.col("adjusted") >= TOGETHER) == (pl.col("true") >= TOGETHER)
    mendable = (pl.col("raw") - pl.col("excess") >= TOGETHER) == (pl.col("true") >= TOGETHER)
    says = pl.col("sentence").str.contains("the status would be", literal=True)
    return {
        "is_strictest": bool(place.height and place["place"].min() == 0),
        "effect": float(place["effect"][0]) if place.height else float("nan"),
        "n": printed.height,
        "raw_error": _rmse(printed["raw"], printed["true"]),
        "adjusted_error": _rmse(printed["adjusted"], printed["true"]),
        "n_wrong": printed.filter(wrong).height,
        "n_mendable": printed.filter(wrong & mendable).height,
        "n_told": printed.filter(wrong & mended & pl.col("is_sensitive") & says).height,
    }


def _excess(joined: pl.DataFrame, truth: Path, parameters: Parameters) -> pl.DataFrame:
    """Return by how much the true stringency of all its raters moves the share of every cell.

    A share less this is what the best adjustment for stringency could make of it: what is left is
    the luck of cases, and what one rater thinks of one learner.
    """
    workplace = parameters.workplace
    sd = {
        part: {
            place: workplace.spread.value
            * float(np.sqrt(sum(getattr(form.components, name).value for name in names)))
            for place, form in enumerate(workplace.instruments)
        }
        for part, names in (("strict", ("stringency",)), ("luck", ("subjectivity", "case")))
    }
    given = pl.read_parquet(truth / "ratings" / "*.parquet").select(
        "record_id", "assessor_id", place=pl.col("instrument").cast(pl.Int64)
    )
    raters = pl.read_parquet(truth / "assessors" / "*.parquet").select(
        "assessor_id", "stringency", "harshness"
    )
    rated = joined.join(given.join(raters, on="assessor_id"), on="record_id").with_columns(
        **{part: pl.col("place").replace_strict(values) for part, values in sd.items()}
    )
    distance = rated.select(
        (
            pl.col("expected")
            - pl.col("strict") * pl.col("stringency")
            - pl.col("harshness")
            - (pl.col("target_level") - 0.5)
        )
        / pl.col("luck")
    ).to_series()
    by_rater = pl.Series(ndtr(distance.cast(pl.Float64).to_numpy()))
    return (
        rated.with_columns(excess=by_rater - ratings.chances(rated))
        .drop_nulls("target_level")
        .group_by(ratings.CELL)
        .agg(pl.col("excess").mean())
    )


def _rmse(seen: pl.Series, true: pl.Series) -> float:
    return float(np.sqrt(np.mean((seen - true).to_numpy() ** 2))) if len(seen) else float("nan")


def _harsh_summary(told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    hits = sum(bool(each["is_strictest"]) for each in told)
    return {
        "found": Share(hits, len(told)).as_json(),
        "effect_found": _mean(told, "effect"),
        "n_cells": sum(each["n"] for each in told),
        "raw_error": _mean(told, "raw_error"),
        "adjusted_error": _mean(told, "adjusted_error"),
        "mendable": Share(
            sum(each["n_mendable"] for each in told), sum(each["n_wrong"] for each in told)
        ).as_json(),
        "told": Share(
            sum(each["n_told"] for each in told), sum(each["n_wrong"] for each in told)
        ).as_json(),
    }


def _gap(edition: Edition, each: Planned, truth: Path) -> dict[str, float | bool] | None:
    """Hold the printed difference of a group against the true one; None where none is shown."""
    shown = edition.frame(
        "select cast(difference as double) as difference, cast(difference_low as double) as low, "
        "cast(difference_high as double) as high, period_end_on "
        "from programme_trajectory_fairness "
        f"where programme_id = '{each.request.programme}' and attribute = '{ATTRIBUTE}' "
        f"and value = '{VALUE}' and not is_suppressed"
    )
    if shown.is_empty() or shown["difference"].item() is None:
        return None
    row = shown.row(0, named=True)
    true = _true_gap(edition, each, truth, row["period_end_on"])
    return {
        "true": true,
        "difference": row["difference"],
        "holds": row["low"] <= true <= row["high"],
        "found": row["high"] < 0,
    }


def _true_gap(edition: Edition, each: Planned, truth: Path, until: date) -> float:
    """Return by how much less the group's chance of reaching the target grows a year."""
    joined = ratings.joined_with_truth(edition, truth, each.request.parameters).drop_nulls(
        "target_level"
    )
    with_days = joined.with_columns(chance=ratings.chances(joined)).join(
        pl.read_parquet(truth / "ratings" / "*.parquet").select("record_id", "day", "learner_id"),
        on="record_id",
    )
    x = pl.col("day").cast(pl.Int32).cast(pl.Float64) / 365.25
    y = pl.col("chance")
    slopes = (
        with_days.filter(pl.col("day") <= until)
        .sort("learner_id", "record_id")
        .group_by("learner_id", maintain_order=True)
        .agg(
            n=pl.len(),
            days=(pl.col("day").max() - pl.col("day").min()).dt.total_days(),
            slope=((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum(),
        )
        .filter((pl.col("n") >= LEAST_RATINGS) & (pl.col("days") >= LEAST_DAYS))
    )
    learners = pl.read_parquet(truth / "learners" / "*.parquet")
    both = slopes.join(learners.select("learner_id", "first_in_family"), on="learner_id")
    means = dict(both.group_by("first_in_family").agg(pl.col("slope").mean()).iter_rows())
    return float(means[True] - means[False])


def _gap_summary(told: Sequence[Mapping[str, Any] | None]) -> dict[str, Any]:
    shown = [each for each in told if each is not None]
    return {
        "shown": len(shown),
        "true": _mean(shown, "true"),
        "difference": _mean(shown, "difference"),
        "holds": Share(sum(bool(each["holds"]) for each in shown), len(shown)).as_json(),
        "found": Share(sum(bool(each["found"]) for each in shown), len(shown)).as_json(),
    }


def _mean(told: Sequence[Mapping[str, Any]], name: str) -> float | None:
    values = [each[name] for each in told if not np.isnan(each[name])]
    return round(float(np.mean(values)), 4) if values else None
