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
LEAST_RATINGS = 5
"""Fewest ratings of a learner to be compared."""


def compare(edition: Edition, truths: Iterable[Path], parameters: Parameters) -> dict[str, Any]:
    """Return how raw and adjusted ratings agree with the truth, and the coverage of intervals."""
    joined = pl.concat([_joined(edition, truth, parameters) for truth in truths])
    return {
        "raw": _raw(joined),
        "adjusted": _adjusted(edition, joined),
        "coverage": _coverage(edition, joined),
    }


def _joined(edition: Edition, truth: Path, parameters: Parameters) -> pl.DataFrame:
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


def _adjusted(edition: Edition, joined: pl.DataFrame) -> dict[str, Any] | str:
    """Compare adjusted ratings, where an edition publishes any."""
    found = edition.frame(
        "select table_name, column_name from duckdb_columns() "
        "where column_name in ('adjusted_level', 'level_adjusted') order by 1, 2"
    )
    for table, column in found.iter_rows():
        names = edition.columns(table)
        keys = [key for key in ("learner_key", "stage_id", "competency_id") if key in names]
        if "learner_key" not in keys:
            continue
        adjusted = edition.frame(
            f'select {", ".join(keys)}, cast("{column}" as double) as adjusted '
            f'from "{table}" where "{column}" is not null'
        ).unique(keys)
        true = (
            joined.group_by(keys)
            .agg(true=pl.col("expected").mean(), n=pl.len())
            .filter(pl.col("n") >= LEAST_RATINGS)
        )
        both = adjusted.join(true, on=keys)
        return {
            f"{table}.{column}": agreement(
                both["adjusted"].to_numpy(), both["true"].cast(pl.Float64).to_numpy()
            )
        }
    return NOT_YET


def _coverage(edition: Edition, joined: pl.DataFrame) -> dict[str, Any]:
    """Return how often a printed interval holds the share that the average assessor would give.

    The true share of a cell is the mean, over its ratings, of the chance that the average assessor
    and case give the target level or more to a learner of that true level.
    """
    latent = joined["expected"].cast(pl.Float64).to_numpy()
    target = joined["target_level"].cast(pl.Float64).to_numpy()
    chance = ndtr((latent - (target - 0.5)) / joined["noise"].to_numpy())
    cells = (
        joined.with_columns(chance=pl.Series(chance))
        .drop_nulls("target_level")
        .group_by("learner_key", "stage_id", "competency_id")
        .agg(true=pl.col("chance").mean())
    )
    printed = edition.frame(
        "select learner_key, stage_id, competency_id, n_rated, "
        "cast(share_low as double) as low, cast(share_high as double) as high, "
        "cast(share_at_target as double) as share from portfolio_competency_status "
        "where is_default and n_rated > 0 and share_low is not null"
    )
    both = printed.join(cells, on=["learner_key", "stage_id", "competency_id"])
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
