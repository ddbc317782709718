"""Effects of crossed factors where the variances are known: Henderson's mixed-model equations.

With the mean as a fixed effect, the solution is the best linear unbiased prediction of every
effect, and the diagonal of the inverse is the variance of its error. Source: Henderson (1975),
Biometrics 31:423.

The equations of crossed factors are sparse, and those of the largest factor diagonal. Eliminating
it leaves a small dense system, so that tens of thousands of learners cost no more than the
assessors who saw them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array, hstack

Array = NDArray[np.float64]

BLOCK = 4096
"""Levels of the largest factor whose errors are worked out at a time, which bounds the memory."""


@dataclass(frozen=True)
class Solution:
    """What the equations give.

    Attributes:
        mean: the estimate of the mean.
        effects: by factor, the effect of each level.
        error_variances: by factor, the variance of each effect's error, that of the mean included.
    """

    mean: float
    effects: list[Array]
    error_variances: list[Array]


def solve(
    values: Array, groups: NDArray[np.int64], residual: float, variances: list[float]
) -> Solution:
    """Solve for the mean and the effects of every level.

    Args:
        values: one a rating.
        groups: the level of each factor that each rating has, 0 to n - 1, shaped (ratings,
            factors).
        residual: the variance of the residual, above 0.
        variances: the variance of each factor; one that is 0 has no effects.
    """
    n, k = groups.shape
    sizes = [int(groups[:, i].max()) + 1 for i in range(k)]
    largest = int(np.argmax(sizes))
    others = [i for i in range(k) if i != largest]
    ridge = [residual / max(variance, residual * 1e-12) for variance in variances]

    big = _indicators(groups[:, largest], sizes[largest])
    fixed = csr_array(np.ones((n, 1)))
    rest = hstack([fixed, *(_indicators(groups[:, i], sizes[i]) for i in others)], format="csr")

    diagonal = np.bincount(groups[:, largest], minlength=sizes[largest]) + ridge[largest]
    link = csr_array(big.T @ rest)
    penalty = np.concatenate([[0.0], *(np.full(sizes[i], ridge[i]) for i in others)])
    reduced = (rest.T @ rest).toarray() - (link.T @ link.multiply(1 / diagonal[:, None])).toarray()
    reduced[np.diag_indices_from(reduced)] += penalty
    right_big, right_rest = big.T @ values, rest.T @ values
    factor = cho_factor(reduced, lower=True, overwrite_a=True)
    of_rest = cho_solve(factor, right_rest - link.T @ (right_big / diagonal))
    of_big = (right_big - link @ of_rest) / diagonal

    inverse = cho_solve(factor, np.eye(len(penalty)))
    spread = np.concatenate(
        [
            _row_forms(link[start : start + BLOCK], inverse)
            for start in range(0, len(diagonal), BLOCK)
        ]
    )
    error_big = residual * (1 / diagonal + spread / diagonal**2)
    error_rest = residual * np.diag(inverse)

    ends = np.cumsum([1, *(sizes[i] for i in others)])
    effects: list[Array] = [of_big] * k
    errors: list[Array] = [error_big] * k
    for position, i in enumerate(others):
        part = slice(int(ends[position]), int(ends[position + 1]))
        effects[i], errors[i] = of_rest[part], error_rest[part]
    return Solution(mean=float(of_rest[0]), effects=effects, error_variances=errors)


def _row_forms(rows: csr_array, inverse: Array) -> Array:
    """Return r M r' of each sparse row r."""
    return np.asarray(rows.multiply(rows @ inverse).sum(axis=1)).ravel()


def _indicators(levels: NDArray[np.int64], n_levels: int) -> csr_array:
    n = len(levels)
    return csr_array((np.ones(n), (np.arange(n), levels)), shape=(n, n_levels))
