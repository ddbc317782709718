"""Item analysis of an exam: difficulty, discrimination, reliability.

Sources: Kuder and Richardson (1937), formula 20; Cronbach (1951), alpha.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.measurement.refusal import UnmeasurableError

MIN_EXAMINEES = 10
"""Fewest examinees to describe items from. Source: local choice."""
_SAME = 1e-9


def alpha(scores: NDArray[np.float64]) -> float:
    """Return Cronbach's alpha.

    Args:
        scores: points, shaped (examinees, items); an item left blank has earned 0, not nothing.

    Raises:
        UnmeasurableError: too few examinees or items, a gap, or totals that do not vary.
    """
    _refuse_unmeasurable(scores)
    n_items = scores.shape[1]
    total = float(scores.sum(axis=1).var(ddof=1))
    if total == 0:
        raise UnmeasurableError("All examinees have the same total, so nothing can be told apart.")
    return float(n_items / (n_items - 1) * (1 - scores.var(axis=0, ddof=1).sum() / total))


def kr20(scores: NDArray[np.float64]) -> float:
    """Return the Kuder-Richardson coefficient 20: alpha where every item is 0 or 1.

    Raises:
        UnmeasurableError: as for alpha, or an item earned something other than 0 or 1.
    """
    if not np.isin(scores, (0, 1)).all():
        raise UnmeasurableError("KR-20 is for items that are right or wrong; use alpha instead.")
    return alpha(scores)


def standard_error_of_measurement(scores: NDArray[np.float64]) -> float:
    """Return the standard error of a total, in points.

    Raises:
        UnmeasurableError: as for alpha, or alpha lies below 0, so that the error would exceed the
            spread of the totals, or is 1, so that no error shows.
    """
    reliability = alpha(scores)
    if reliability < 0:
        raise UnmeasurableError("An alpha below 0 is no reliability: no standard error follows.")
    if np.isclose(reliability, 1, rtol=0, atol=_SAME):
        raise UnmeasurableError(
            "All items say the same of everybody, so they show no error: no standard error follows."
        )
    return float(scores.sum(axis=1).std(ddof=1) * np.sqrt(1 - reliability))


def analyse(
    scores: NDArray[np.float64], item_ids: list[str], max_scores: NDArray[np.float64] | None = None
) -> pl.DataFrame:
    """Describe each item of a sitting.

    Args:
        scores: points, shaped (examinees, items).
        item_ids: names of the items, in that order.
        max_scores: the most that each item gives; default 1.

    Returns:
        One row an item: `item_id`, `n`, `difficulty` (mean share of the points, 0 to 1; high is
        easy), `discrimination` (correlation with the total of the other items; null where either
        does not vary), `alpha_without` (of the other items; null where it cannot be had).

    Raises:
        UnmeasurableError: too few examinees or items, or a gap.
    """
    _refuse_unmeasurable(scores)
    most = np.ones(scores.shape[1]) if max_scores is None else max_scores
    rest = scores.sum(axis=1, keepdims=True) - scores
    item_sd, rest_sd = scores.std(axis=0, ddof=1), rest.std(axis=0, ddof=1)
    centred = (scores - scores.mean(axis=0)) * (rest - rest.mean(axis=0))
    covariance = centred.sum(axis=0) / (len(scores) - 1)
    product = item_sd * rest_sd
    varies = product > 0
    discrimination = np.divide(covariance, product, out=np.full(len(most), np.nan), where=varies)
    n_rest = scores.shape[1] - 1
    has_alpha = (rest_sd > 0) & (n_rest > 1)
    left = (item_sd**2).sum() - item_sd**2
    unexplained = np.divide(left, rest_sd**2, out=np.full(len(most), np.nan), where=has_alpha)
    alpha_without = n_rest / max(n_rest - 1, 1) * (1 - unexplained)
    return pl.DataFrame(
        {
            "item_id": item_ids,
            "n": len(scores),
            "difficulty": scores.mean(axis=0) / most,
            "discrimination": discrimination,
            "alpha_without": alpha_without,
        }
    ).with_columns(pl.col("discrimination", "alpha_without").fill_nan(None))


def _refuse_unmeasurable(scores: NDArray[np.float64]) -> None:
    if scores.ndim != 2 or scores.shape[0] < MIN_EXAMINEES or scores.shape[1] < 2:
        raise UnmeasurableError(
            f"At least {MIN_EXAMINEES} examinees and two items are needed to describe items."
        )
    if not np.isfinite(scores).all():
        raise UnmeasurableError(
            "Some examinees were not given some items: a blank answer counts 0, but an item that "
            "was not given must be left out for all."
        )
