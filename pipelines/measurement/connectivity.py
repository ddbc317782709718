"""Connected blocks of a rating design.

Assessors can be compared only where a chain of shared learners leads from one to the other. The
graph has one node a learner and one an assessor, and an edge wherever one rated the other; its
connected components are the blocks within which effects mean the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class Connectivity:
    """How a design of ratings hangs together.

    Attributes:
        n_ratings: ratings in the design.
        blocks: one row a block, largest first: `block` (0 is the main one), `n_ratings`,
            `n_learners`, `n_assessors`.
        rating_block: the block of each rating, in the order of the ratings given.
    """

    n_ratings: int
    blocks: pl.DataFrame
    rating_block: pl.Series

    @property
    def n_blocks(self) -> int:
        """Return the number of blocks."""
        return self.blocks.height

    @property
    def is_connected(self) -> bool:
        """Return whether every assessor can be compared with every other."""
        return self.n_blocks == 1

    @property
    def main_block_share(self) -> float:
        """Return the share of ratings that lie in the largest block, 0 to 1."""
        if self.n_ratings == 0:
            return 0.0
        return float(self.blocks["n_ratings"][0]) / self.n_ratings

    @property
    def sentence(self) -> str:
        """Return what the design allows, in words for people."""
        if self.n_ratings == 0:
            return "There are no ratings to compare."
        learners, assessors = self.blocks["n_learners"].sum(), self.blocks["n_assessors"].sum()
        if self.is_connected:
            return (
                f"All {assessors:,} assessors are linked through the {learners:,} learners they "
                "share, so their stringency can be compared."
            )
        return (
            f"The {assessors:,} assessors and {learners:,} learners fall into {self.n_blocks:,} "
            "groups that share nobody: between groups, a strict assessor cannot be told from a "
            "weak learner. The largest group holds "
            f"{_percent(self.main_block_share)} of the ratings."
        )


def _percent(share: float) -> str:
    """Return a share below 1 in per cent, rounded down: a part is never told as the whole."""
    return f"{math.floor(share * 1000) / 10:g}%"


def connect(learners: pl.Series, assessors: pl.Series) -> Connectivity:
    """Find the connected blocks of a design.

    Args:
        learners: who was rated, one value a rating; no nulls.
        assessors: who rated, one value a rating; no nulls.

    Returns:
        The blocks, numbered by falling number of ratings; equal ones by their first learner.
    """
    pairs = pl.DataFrame({"learner": learners, "assessor": assessors})
    codes = pairs.select(pl.all().rank("dense").cast(pl.Int64) - 1)
    learner, assessor = codes["learner"].to_numpy(), codes["assessor"].to_numpy()
    n_learners = int(learner.max(initial=-1)) + 1
    n_assessors = int(assessor.max(initial=-1)) + 1
    n_nodes = n_learners + n_assessors
    if n_nodes == 0:
        labels = np.empty(0, dtype=np.int32)
    else:
        edges = coo_array(
            (np.ones(len(learner), dtype=np.int8), (learner, assessor + n_learners)),
            shape=(n_nodes, n_nodes),
        )
        _, labels = connected_components(edges.tocsr(), directed=False)
    found = pairs.with_columns(label=pl.Series(labels[learner]))
    blocks = (
        found.group_by("label")
        .agg(
            n_ratings=pl.len(),
            n_learners=pl.col("learner").n_unique(),
            n_assessors=pl.col("assessor").n_unique(),
            first_learner=pl.col("learner").min(),
        )
        .sort(["n_ratings", "first_learner"], descending=[True, False])
        .with_row_index("block")
    )
    numbered = found.join(blocks.select("label", "block"), on="label", maintain_order="left")
    return Connectivity(
        n_ratings=pairs.height,
        blocks=blocks.select("block", "n_ratings", "n_learners", "n_assessors"),
        rating_block=numbered["block"],
    )
