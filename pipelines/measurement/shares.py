"""Intervals of a share of ratings at or above target that respect clustering by assessor.

The marts compute the same in SQL (`measure_effective_n`, `measure_wilson`), and a test holds both
equal. Ratings by one assessor have part of their variance in common, rho, so `n` of them are worth
fewer independent ones: the design effect of Kish (1965, Survey Sampling, section 5.4), on what rho
leaves of itself in yes-or-no judgements (Sheppard 1899, Phil Trans R Soc A 192:101). On that
effective number stands the interval of Wilson (1927, J Am Stat Assoc 22:209), as Korn and Graubard
(1998, Survey Methodology 24:193) propose for shares from clustered samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipelines.measurement.refusal import UnmeasurableError

NOMINAL_90 = 1.644854
"""Standard normal quantile of a 90 % interval."""


def binary_rho(rho: float) -> float:
    """Return what judgements of yes or no by one assessor have in common.

    Args:
        rho: what the levels behind the judgements have in common, 0 to 1. The result is exact where
            half of them reach the target, and the most it can be elsewhere.
    """
    return 2 / math.pi * math.asin(min(1.0, max(0.0, rho)))


def effective_n(ratings_by_assessor: Sequence[int], rho: float) -> float:
    """Return how many independent judgements ratings are worth.

    Args:
        ratings_by_assessor: one number of ratings an assessor.
        rho: share of the variance within a learner that ratings by one assessor have in common.

    Raises:
        UnmeasurableError: there are no ratings.
    """
    n = sum(ratings_by_assessor)
    if n == 0:
        raise UnmeasurableError("There are no ratings, so there is no share of them.")
    mean_cluster = sum(size * size for size in ratings_by_assessor) / n
    return n / (1 + binary_rho(rho) * (mean_cluster - 1))


def wilson(share: float, n: float, z: float = NOMINAL_90) -> tuple[float, float]:
    """Return the Wilson interval of a share on a number of ratings, whole or not."""
    middle = share + z**2 / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    whole = 1 + z**2 / n
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def share_interval(
    n_at_target: int, ratings_by_assessor: Sequence[int], rho: float, z: float = NOMINAL_90
) -> tuple[float, float]:
    """Return the interval of a share at or above target, clustered by assessor.

    Args:
        n_at_target: ratings at or above target.
        ratings_by_assessor: one number of ratings an assessor.
        rho: share of the variance within a learner that ratings by one assessor have in common.
        z: standard normal quantile of the wanted coverage.
    """
    share = n_at_target / max(1, sum(ratings_by_assessor))
    return wilson(share, effective_n(ratings_by_assessor, rho), z)
