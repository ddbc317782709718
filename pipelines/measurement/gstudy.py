"""Variance components of a balanced design by analysis of variance.

Source: Brennan, Generalizability Theory (2001), chapter 3; the test data are its table 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.measurement.refusal import UnmeasurableError


@dataclass(frozen=True)
class NestedRaters:
    """Estimates of the design persons x (raters nested in tasks), in squared score points.

    An estimate below 0 is kept as it came out; the coefficients count it as 0.
    """

    person: float
    task: float
    rater_in_task: float
    person_task: float
    residual: float

    def relative_error(self, n_tasks: int, n_raters: int) -> float:
        """Return the error variance of comparing persons, in squared points."""
        return max(self.person_task, 0) / n_tasks + max(self.residual, 0) / (n_tasks * n_raters)

    def absolute_error(self, n_tasks: int, n_raters: int) -> float:
        """Return the error variance of a person's own mean, in squared points."""
        of_conditions = max(self.task, 0) / n_tasks + max(self.rater_in_task, 0) / (
            n_tasks * n_raters
        )
        return self.relative_error(n_tasks, n_raters) + of_conditions

    def generalizability(self, n_tasks: int, n_raters: int) -> float:
        """Return the coefficient for comparing persons, 0 to 1."""
        return _coefficient(self.person, self.relative_error(n_tasks, n_raters))

    def dependability(self, n_tasks: int, n_raters: int) -> float:
        """Return the coefficient for absolute decisions, 0 to 1."""
        return _coefficient(self.person, self.absolute_error(n_tasks, n_raters))


def persons_by_raters_in_tasks(scores: NDArray[np.float64]) -> NestedRaters:
    """Estimate the components of a complete, balanced p x (r:t) design.

    Args:
        scores: points, shaped (persons, tasks, raters within a task); no gaps.

    Raises:
        UnmeasurableError: fewer than two of something, or a gap.
    """
    if scores.ndim != 3 or min(scores.shape) < 2:
        raise UnmeasurableError(
            "At least two persons, two tasks and two raters in each task are needed."
        )
    if not np.isfinite(scores).all():
        raise UnmeasurableError("The design has gaps: every rater must have scored every person.")
    n_p, n_t, n_r = scores.shape
    grand = scores.mean()
    of_p, of_t = scores.mean(axis=(1, 2)), scores.mean(axis=(0, 2))
    of_rt, of_pt = scores.mean(axis=0), scores.mean(axis=2)
    ms_p = n_t * n_r * np.sum((of_p - grand) ** 2) / (n_p - 1)
    ms_t = n_p * n_r * np.sum((of_t - grand) ** 2) / (n_t - 1)
    ms_rt = n_p * np.sum((of_rt - of_t[:, None]) ** 2) / (n_t * (n_r - 1))
    interaction = of_pt - of_p[:, None] - of_t[None, :] + grand
    ms_pt = n_r * np.sum(interaction**2) / ((n_p - 1) * (n_t - 1))
    left = scores - of_pt[:, :, None] - of_rt[None, :, :] + of_t[None, :, None]
    ms_prt = np.sum(left**2) / ((n_p - 1) * n_t * (n_r - 1))
    return NestedRaters(
        person=float((ms_p - ms_pt) / (n_t * n_r)),
        task=float((ms_t - ms_rt - ms_pt + ms_prt) / (n_p * n_r)),
        rater_in_task=float((ms_rt - ms_prt) / n_p),
        person_task=float((ms_pt - ms_prt) / n_r),
        residual=float(ms_prt),
    )


def _coefficient(signal: float, error: float) -> float:
    if signal <= 0:
        return 0.0
    return signal / (signal + error)
