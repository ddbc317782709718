"""`python -m benchmarks.validity.intervals`: how often the interval of a share holds the truth.

Ratings of learners by assessors are simulated from known components: by assessors who have more or
less in common than the published components say, and with components that a small calibration
estimated. docs/measurement.md shows both tables.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from pipelines.measurement.components import estimate
from pipelines.measurement.dstudy import (
    WorkplaceComponents,
    dependability_of_clusters,
    drawn_towards,
)
from pipelines.measurement.refusal import UnmeasurableError
from pipelines.measurement.shares import share_interval
from pipelines.rules.loader import SHIPPED, load_catalogue

SEED = 52
LEARNERS = 4_000
"""Learners of each simulated cell: the error of a coverage of 90 % is then half a percent."""
TRUE_SHARES = (0.5, 0.7, 0.9)
TRUTHS = {
    "8 / 18 / 43": WorkplaceComponents(31, 8, 18, 43),
    "16 / 18 / 43": WorkplaceComponents(31, 16, 18, 43),
    "43 / 10 / 40": WorkplaceComponents(31, 43, 10, 40),
    "50 / 10 / 33": WorkplaceComponents(31, 50, 10, 33),
}
"""Stringency, taste and cases, as published first; then assessors have more and more in common
with themselves, and less with each other."""
DESIGNS = ((3, 3, 3), (5, 5, 5, 5, 5), (10, 5, 5), (20, 2, 2))
SIZES = ((5, 3, 6), (10, 5, 6), (20, 10, 10), (30, 20, 10))
"""Learners, assessors and ratings a learner of a calibration; the first is the smallest allowed."""
CELL = (5, 2, 1)
"""Ratings by assessor of the cell whose interval is asked for."""
UNEVEN = (15, 1, 1)
"""Ratings by assessor of the cell whose dependability is asked for."""
PUBLISHED_WITHIN = 0.3768
UNITS_A_LEVEL = 10
"""What one level of the scale is worth in the components' unit."""


@dataclass(frozen=True)
class Rules:
    """What the rule set `measurement` says of components.

    Attributes:
        published: the published components.
        pseudo_learners: learners that their share of learners is worth.
        pseudo_assessors: assessors that their share of assessors is worth.
    """

    published: WorkplaceComponents
    pseudo_learners: float
    pseudo_assessors: float


def rules() -> Rules:
    """Return the rules as shipped."""
    value = {
        (row["rule_id"], row["threshold_name"]): float(row["threshold_value"])
        for row in load_catalogue(shipped=SHIPPED).rule_rows()
        if row["rule_set_id"] == "measurement" and row["threshold_name"]
    }
    names = ("learner", "stringency", "subjectivity", "case")
    return Rules(
        WorkplaceComponents(*(value["components", name] for name in names)),
        value["shrinkage", "pseudo_learners"],
        value["shrinkage", "pseudo_assessors"],
    )


def within_share(components: WorkplaceComponents) -> float:
    """Return what ratings by one assessor have in common, of the variance within a learner."""
    return components.by_assessor / (components.by_assessor + components.case)


def reached(
    truth: WorkplaceComponents,
    design: Sequence[int],
    chances: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return how many of a cell's ratings reach the target, for learners with these chances."""
    noise = math.sqrt(truth.by_assessor + truth.case)
    level = norm.ppf(chances) * noise
    counts = np.zeros(len(chances), dtype=np.int64)
    for size in design:
        assessor = rng.normal(0, math.sqrt(truth.by_assessor), (len(chances), 1))
        cases = rng.normal(0, math.sqrt(truth.case), (len(chances), size))
        counts += (level[:, None] + assessor + cases > 0).sum(axis=1)
    return counts


def coverage(
    counts: NDArray[np.int64], chances: NDArray[np.float64], design: Sequence[int], rho: float
) -> float:
    """Return how often the interval under an assumed rho holds the learner's true chance."""
    ends = np.array([share_interval(k, design, rho) for k in range(sum(design) + 1)])[counts]
    return float(((ends[:, 0] <= chances) & (chances <= ends[:, 1])).mean())


@dataclass(frozen=True)
class Common:
    """Coverage of one design, the least over true shares, under two assumptions of rho."""

    name: str
    rho: float
    design: tuple[int, ...]
    by_published: float
    by_own: float


def by_what_raters_have_in_common() -> Iterator[Common]:
    """Yield the coverage of every design with raters of every kind."""
    rng = np.random.default_rng(SEED)
    for name, truth in TRUTHS.items():
        rho = within_share(truth)
        for design in DESIGNS:
            found = []
            for share in TRUE_SHARES:
                chances = np.full(LEARNERS, share)
                counts = reached(truth, design, chances, rng)
                found.append(
                    [coverage(counts, chances, design, used) for used in (PUBLISHED_WITHIN, rho)]
                )
            by_published, by_own = np.min(found, axis=0)
            yield Common(name, rho, design, float(by_published), float(by_own))


@dataclass(frozen=True)
class Calibrated:
    """What calibrations of one size give, as estimated and drawn towards the published components.

    Attributes:
        coverage: of the interval of `CELL`, mean over calibrations; as estimated, then drawn.
        dependability: its 90th percentile over calibrations for `UNEVEN`; likewise.
        clustered_not: part of the calibrations in which assessors have next to nothing in common.
    """

    n_learners: int
    n_assessors: int
    n_ratings: int
    coverage: tuple[float, float]
    dependability: tuple[float, float]
    clustered_not: tuple[float, float]


def calibrations(
    truth: WorkplaceComponents, size: tuple[int, int, int], n: int, rng: np.random.Generator
) -> Iterator[tuple[WorkplaceComponents, bool]]:
    """Yield what calibrations of one size estimate, and whether they told taste apart."""
    n_learners, n_assessors, each = size
    learner = np.repeat(np.arange(n_learners), each)
    for _ in range(n):
        assessor = rng.integers(0, n_assessors, len(learner))
        level = (
            rng.normal(0, math.sqrt(truth.learner), n_learners)[learner]
            + rng.normal(0, math.sqrt(truth.stringency), n_assessors)[assessor]
            + rng.normal(0, math.sqrt(truth.subjectivity), (n_learners, n_assessors))[
                learner, assessor
            ]
            + rng.normal(0, math.sqrt(truth.case), len(learner))
        )
        frame = pl.DataFrame(
            {
                "learner": learner,
                "assessor": assessor,
                "level": np.clip(np.rint(3 + level / UNITS_A_LEVEL), 1, 5),
            }
        )
        try:
            found = estimate(frame, with_pairs=True).variances
        except UnmeasurableError:
            continue
        own = WorkplaceComponents(
            found["learner"],
            found["assessor"],
            found.get("learner_assessor", 0.0),
            found["residual"],
        )
        yield own, "learner_assessor" in found


def by_size_of_calibration(
    truth: WorkplaceComponents, size: tuple[int, int, int], n: int = 200
) -> Calibrated:
    """Return the coverage and dependability that calibrations of one size give."""
    rng = np.random.default_rng(SEED)
    ruled = rules()
    spread = math.sqrt(truth.by_assessor + truth.case)
    chances = norm.cdf(rng.normal(0, math.sqrt(truth.learner), LEARNERS) / spread)
    counts = reached(truth, CELL, chances, rng)
    grid = np.linspace(0, 1, 41)
    curve = [coverage(counts, chances, CELL, rho) for rho in grid]
    rows = []
    for own, is_taste_known in calibrations(truth, size, n, rng):
        drawn = drawn_towards(
            ruled.published,
            own,
            n_learners=size[0],
            n_assessors=size[1],
            pseudo_learners=ruled.pseudo_learners,
            pseudo_assessors=ruled.pseudo_assessors,
            is_taste_known=is_taste_known,
        )
        for used in (own, drawn):
            rho = within_share(used)
            rows.append(
                (np.interp(rho, grid, curve), dependability_of_clusters(used, UNEVEN), rho < 0.02)
            )
    cover, phi, bare = np.array(rows).reshape(-1, 2, 3).transpose(2, 0, 1)
    high = np.quantile(phi, 0.9, axis=0)
    return Calibrated(
        size[0],
        size[1],
        size[0] * size[2],
        (float(cover[:, 0].mean()), float(cover[:, 1].mean())),
        (float(high[0]), float(high[1])),
        (float(bare[:, 0].mean()), float(bare[:, 1].mean())),
    )


def page() -> str:
    """Return both tables as Markdown."""
    lines = [
        "| stringency / taste / cases | rho | ratings by assessor | with published rho "
        "| with own rho |",
        "|---|---|---|---|---|",
    ]
    for one in by_what_raters_have_in_common():
        design = ", ".join(map(str, one.design))
        lines.append(
            f"| {one.name} | {one.rho:.2f} | {design} | {one.by_published:.0%} | {one.by_own:.0%} |"
        )
    lines += [
        "",
        "| learners, assessors, ratings | coverage | Φ of 15, 1, 1 ratings, 90th percentile "
        "| no clustering seen |",
        "|---|---|---|---|",
    ]
    truth = TRUTHS["8 / 18 / 43"]
    for size in SIZES:
        found = by_size_of_calibration(truth, size)
        lines.append(
            f"| {found.n_learners}, {found.n_assessors}, {found.n_ratings} "
            f"| {found.coverage[0]:.0%} → {found.coverage[1]:.0%} "
            f"| {found.dependability[0]:.2f} → {found.dependability[1]:.2f} "
            f"| {found.clustered_not[0]:.0%} → {found.clustered_not[1]:.0%} |"
        )
    true = dependability_of_clusters(truth, UNEVEN)
    lines += ["", f"True Φ: {true:.2f}. As estimated → drawn towards the published components."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
