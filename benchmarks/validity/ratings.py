"""Ratings against true ability, and how often printed intervals hold the truth."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.special import ndtr

from benchmarks.validity.published import Edition
from benchmarks.validity.statistics import Share, agreement
from pipelines.synth.parameters import Parameters

TARGET_SCALE = "entrustment_5"
NOT_YET = "not yet"
NOMINAL = 0.9
"""What the intervals of `share_at_target` are printed as."""
BANDS = ((1, 4), (5, 9), (10, 10_000))
CELL = ["learner_key", "stage_id", "competency_id"]
LEAST_RATINGS = 5
"""Fewest ratings of a learner to be compared."""


def compare(edition: Edition, truths: Iterable[Path], parameters: Parameters) -> dict[str, Any]:
    """Return how raw and adjusted ratings agree with the truth, and the coverage of intervals."""
    joined = pl.concat([joined_with_truth(edition, truth, parameters) for truth in truths])
    cells = true_shares(joined)
    return {
        "raw": _raw(joined),
        "adjusted": _adjusted(edition, cells),
        "coverage": _coverage(edition, cells),
    }


def joined_with_truth(edition: Edition, truth: Path, parameters: Parameters) -> pl.DataFrame:
    """Return the published ratings on the target's scale, each with what is true of it."""
    workplace = parameters.workplace
    places = {
        place: workplace.spread.value * np.sqrt(1 - form.components.learner.value)
        for place, form in enumerate(workplace.instruments)
        if form.scale == TARGET_SCALE
    }
    ratings = pl.read_parquet(truth / "ratings" / "*.parquet").with_columns(
        noise=pl.col("instrument").cast(pl.Int64).replace_strict(places, default=None)
    )
    facts = edition.frame(
        "select form_record_id as record_id, learner_key, competency_id, stage_id, "
        "level as seen, target_level "
        f"from fct_evidence where scale_id = '{TARGET_SCALE}' and level is not null"
    )
    return facts.join(ratings.select("record_id", "expected", "noise"), on="record_id").drop_nulls(
        "noise"
    )


def _raw(joined: pl.DataFrame) -> dict[str, Any]:
    learners = (
        joined.group_by("learner_key", "stage_id")
        .agg(seen=pl.col("seen").mean(), true=pl.col("expected").mean(), n=pl.len())
        .filter(pl.col("n") >= LEAST_RATINGS)
    )
    cells = (
        joined.group_by("learner_key", "stage_id", "competency_id")
        .agg(seen=pl.col("seen").mean(), true=pl.col("expected").mean(), n=pl.len())
        .filter(pl.col("n") >= LEAST_RATINGS)
    )
    return {
        name: agreement(
            frame["seen"].cast(pl.Float64).to_numpy(), frame["true"].cast(pl.Float64).to_numpy()
        )
        for name, frame in (("learner and stage", learners), ("cell", cells))
    }


def _adjusted(edition: Edition, cells: pl.DataFrame) -> dict[str, Any] | str:
    """Hold adjusted shares, and raw ones of the same cells, against the truth."""
    if "adjusted_share" not in edition.columns("portfolio_adjusted_share"):
        return NOT_YET
    told = edition.frame(
        f"select {', '.join(CELL)}, n_rated, cast(share_at_target as double) as raw, "
        "cast(adjusted_share as double) as adjusted, cast(adjusted_low as double) as low, "
        "cast(adjusted_high as double) as high, is_sensitive "
        f"from portfolio_adjusted_share where n_rated >= {LEAST_RATINGS}"
    )
    both = told.join(cells, on=CELL)
    if both.is_empty():
        return NOT_YET
    holds = (both["low"] <= both["true"]) & (both["true"] <= both["high"])
    return {
        "raw": agreement(both["raw"].to_numpy(), both["true"].to_numpy()),
        "adjusted": agreement(both["adjusted"].to_numpy(), both["true"].to_numpy()),
        "coverage": Share(int(holds.sum()), both.height).as_json(),
        "sensitive": Share(int(both["is_sensitive"].sum()), both.height).as_json(),
    }


def true_shares(joined: pl.DataFrame) -> pl.DataFrame:
    """Return the true share of every cell.

    It is the mean, over its ratings, of the chance that the average assessor and case give the
    target level or more to a learner of that true level.
    """
    return (
        joined.with_columns(chance=chances(joined))
        .drop_nulls("target_level")
        .group_by(CELL)
        .agg(true=pl.col("chance").mean())
    )


def chances(joined: pl.DataFrame) -> pl.Series:
    """Return for every rating the chance that the average assessor and case give the target."""
    latent = joined["expected"].cast(pl.Float64).to_numpy()
    target = joined["target_level"].cast(pl.Float64).to_numpy()
    return pl.Series(ndtr((latent - (target - 0.5)) / joined["noise"].to_numpy()))


def _coverage(edition: Edition, cells: pl.DataFrame) -> dict[str, Any]:
    """Return how often a printed interval holds the share that the average assessor would give."""
    printed = edition.frame(
        "select learner_key, stage_id, competency_id, n_rated, "
        "cast(share_low as double) as low, cast(share_high as double) as high, "
        "cast(share_at_target as double) as share from portfolio_competency_status "
        "where is_default and n_rated > 0 and share_low is not null"
    )
    both = printed.join(cells, on=CELL)
    holds = (both["low"] <= both["true"]) & (both["true"] <= both["high"])
    both = both.with_columns(holds=holds)
    bands = {}
    for least, most in BANDS:
        some = both.filter(pl.col("n_rated").is_between(least, most))
        name = f"{least} to {most}" if most < BANDS[-1][1] else f"{least} or more"
        bands[name] = Share(int(some["holds"].sum()), some.height).as_json()
    return {
        "nominal": NOMINAL,
        "all": Share(int(both["holds"].sum()), both.height).as_json(),
        "by_ratings": bands,
        "share": agreement(both["share"].to_numpy(), both["true"].to_numpy()),
    }
