"""The tables of a calibration, estimated from ratings, peers and marks alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.measurement import standings
from pipelines.measurement.connectivity import Connectivity, connect
from pipelines.measurement.refusal import UnmeasurableError

if TYPE_CHECKING:
    from pipelines.measurement.components import Components

MODEL_VERSION = 8
"""Raised whenever the same ratings would give other estimates."""
MIN_MAIN_BLOCK_SHARE = 0.9
"""Fewest ratings in one connected block to estimate from that block. Source: local choice."""
PLACES = 6
KEYS: dict[str, pl.DataType] = {
    "programme_id": pl.String(),
    "scale_id": pl.String(),
    "scale_version": pl.String(),
    "direction": pl.String(),
}
"""What is estimated by itself: ratings in two directions answer two questions, and levels of two
versions of a scale are not the same ones."""
TABLES: dict[str, dict[str, pl.DataType]] = {
    "calibration_connectivity": KEYS
    | {
        "n_ratings": pl.Int64(),
        "n_learners": pl.Int64(),
        "n_assessors": pl.Int64(),
        "n_blocks": pl.Int64(),
        "main_block_share": pl.Float64(),
        "is_connected": pl.Boolean(),
        "is_estimated": pl.Boolean(),
        "sentence": pl.String(),
        "label": pl.String(),
        "mean_level": pl.Float64(),
        "assessors_per_learner": pl.Float64(),
        "ratings_per_assessor": pl.Float64(),
    },
    "calibration_component": KEYS
    | {
        "block": pl.Int64(),
        "component": pl.String(),
        "n_levels": pl.Int64(),
        "variance": pl.Float64(),
        "sd": pl.Float64(),
        "variance_share": pl.Float64(),
    },
    "calibration_assessor": KEYS
    | {
        "block": pl.Int64(),
        "assessor_key": pl.String(),
        "n_ratings": pl.Int64(),
        "n_learners": pl.Int64(),
        "raw_mean": pl.Float64(),
        "effect": pl.Float64(),
        "standard_error": pl.Float64(),
    },
    "calibration_target_effect": KEYS
    | {
        "target_level": pl.Int64(),
        "block": pl.Int64(),
        "component": pl.String(),
        "effect_id": pl.String(),
        "n_ratings": pl.Int64(),
        "component_variance": pl.Float64(),
        "effect": pl.Float64(),
        "standard_error": pl.Float64(),
        "label": pl.String(),
    },
}
"""What is estimated of each of `KEYS`, as in `raw`, which adds the version in front."""
NORM_TABLES: dict[str, dict[str, pl.DataType]] = {
    "calibration_level_norm": standings.LEVEL_NORM,
    "calibration_score_norm": standings.SCORE_NORM,
    "calibration_offer": standings.OFFER,
    "calibration_spread": standings.SPREAD,
}
"""Where levels and marks stand among peers, and what rotations offer; frozen too."""


def norms(peers: pl.DataFrame, open_work: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the frames of `NORM_TABLES`, sorted by key, numbers rounded."""
    found = {
        "calibration_level_norm": standings.level_norms(peers),
        "calibration_score_norm": standings.score_norms(open_work),
        "calibration_offer": standings.offers(peers),
        "calibration_spread": standings.spreads(peers, open_work),
    }
    return {
        table: frame.with_columns(pl.col(pl.Float64).round(PLACES))
        for table, frame in found.items()
    }


def estimates(
    ratings: pl.DataFrame, targets: pl.DataFrame | None = None
) -> dict[str, pl.DataFrame]:
    """Return the tables of a calibration.

    Args:
        ratings: the columns of `KEYS`, learner, assessor, context and level; neither scales nor
            their versions nor directions are ever pooled.
        targets: columns programme_id (null: every one), scale_id, scale_version (null: every one)
            and target_level: the levels to ask of each rating whether it reached them.

    Returns:
        The frames of `TABLES`, sorted by key, numbers rounded.
    """
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    for key, design in sorted(ratings.group_by(list(KEYS))):
        names = dict(zip(KEYS, key, strict=True))
        levels = _levels_asked(targets, names)
        for table, found in _of_design(design, levels).items():
            rows[table] += [names | row for row in found]
    return {
        table: pl.DataFrame(rows[table], schema=schema).with_columns(
            pl.col(pl.Float64).round(PLACES)
        )
        for table, schema in TABLES.items()
    }


def _levels_asked(targets: pl.DataFrame | None, names: dict[str, Any]) -> list[int]:
    if targets is None:
        return []
    mine = targets.filter(
        pl.col("scale_id").eq(names["scale_id"]),
        *(
            pl.col(name).is_null() | pl.col(name).eq(names[name])
            for name in ("programme_id", "scale_version")
        ),
    )
    return sorted(set(mine["target_level"].to_list()))


def _of_design(design: pl.DataFrame, target_levels: list[int]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of one design: numbers where a connected block carries them."""
    connectivity = connect(design["learner"], design["assessor"])
    summary = _summary(design, connectivity)
    if connectivity.main_block_share < MIN_MAIN_BLOCK_SHARE:
        summary |= {"is_estimated": False}
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    for block in _blocks_to_estimate(connectivity):
        part = design.filter(connectivity.rating_block == block)
        try:
            found = _components(part)
        except UnmeasurableError as refusal:
            if block == 0 and summary["is_estimated"]:
                summary |= {"is_estimated": False, "sentence": str(refusal)}
            continue
        if block == 0 and summary["is_estimated"]:
            summary |= _typical(part, found)
            if not connectivity.is_connected:
                summary["sentence"] += " What is estimated is about that group."
        rows["calibration_component"] += _component_rows(block, found)
        rows["calibration_assessor"] += _assessor_rows(block, part, found)
        for level in target_levels:
            rows["calibration_target_effect"] += _target_rows(block, part, level)
    return rows | {"calibration_connectivity": [summary]}


def _blocks_to_estimate(connectivity: Connectivity) -> list[int]:
    """Return the largest block, and every other one that may be large enough by itself."""
    from pipelines.measurement.components import MIN_ASSESSORS, MIN_LEARNERS, MIN_RATINGS

    large = connectivity.blocks.filter(
        (pl.col("block") == 0)
        | (
            (pl.col("n_ratings") >= MIN_RATINGS)
            & (pl.col("n_learners") >= MIN_LEARNERS)
            & (pl.col("n_assessors") >= MIN_ASSESSORS)
        )
    )
    return large["block"].to_list()


def _components(block: pl.DataFrame) -> Components:
    from pipelines.measurement.components import estimate

    return estimate(block, with_pairs=True)


def _target_rows(block: int, part: pl.DataFrame, target_level: int) -> list[dict[str, Any]]:
    """Return who and what shifts the odds of reaching a level; none where that cannot be told."""
    from pipelines.measurement.components import estimate_binary

    asked = part.with_columns(is_at_target=pl.col("level") >= target_level)
    try:
        found = estimate_binary(asked)
    except UnmeasurableError:
        return []
    shared = {"target_level": target_level, "block": block, "label": found.label}
    mean = shared | {
        "component": "mean",
        "effect_id": "mean",
        "n_ratings": found.n_ratings,
        "effect": found.mean,
    }
    return [mean] + [
        shared
        | {"component": component, "component_variance": found.variances[component]}
        | {
            "effect_id": row["id"],
            "n_ratings": row["n_ratings"],
            "effect": row["effect"],
            "standard_error": row["standard_error"],
        }
        for component, effects in sorted(found.effects.items())
        for row in effects.iter_rows(named=True)
    ]


def _summary(design: pl.DataFrame, connectivity: Connectivity) -> dict[str, Any]:
    """Return how the ratings of one programme, scale, version and direction hang together."""
    return {
        "n_ratings": design.height,
        "n_learners": design["learner"].n_unique(),
        "n_assessors": design["assessor"].n_unique(),
        "n_blocks": connectivity.n_blocks,
        "main_block_share": connectivity.main_block_share,
        "is_connected": connectivity.is_connected,
        "is_estimated": True,
        "sentence": connectivity.sentence,
    }


def _typical(main: pl.DataFrame, found: Components) -> dict[str, Any]:
    """Return how many ratings by how many assessors the typical learner has."""
    per_learner = main.group_by("learner").agg(
        n=pl.len(), n_assessors=pl.col("assessor").n_unique()
    )
    return {
        "label": found.label,
        "mean_level": found.mean,
        "assessors_per_learner": per_learner["n_assessors"].median(),
        "ratings_per_assessor": (per_learner["n"] / per_learner["n_assessors"]).median(),
    }


def _component_rows(block: int, found: Components) -> list[dict[str, Any]]:
    shares = found.shares
    return [
        {
            "block": block,
            "component": name,
            "n_levels": found.effects[name].height if name in found.effects else found.n_ratings,
            "variance": variance,
            "sd": variance**0.5,
            "variance_share": shares[name],
        }
        for name, variance in sorted(found.variances.items())
    ]


def _assessor_rows(block: int, part: pl.DataFrame, found: Components) -> list[dict[str, Any]]:
    raw = part.group_by("assessor").agg(
        n_learners=pl.col("learner").n_unique(), raw_mean=pl.col("level").mean()
    )
    joined = found.effects["assessor"].join(raw, left_on="id", right_on="assessor")
    joined = joined.with_columns(block=pl.lit(block, pl.Int64))
    return joined.rename({"id": "assessor_key"}).sort("assessor_key").to_dicts()
