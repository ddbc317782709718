"""Cut-scores by borderline regression.

Each examinee at a station has a checklist score and a global grade. The line of score on grade is
read at the borderline grade. Source: Kramer et al. (2003), Med Educ 37:132; Hejri et al. (2013),
J Res Med Sci 18:887, for what to report with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.measurement.refusal import UnmeasurableError

MIN_EXAMINEES = 10
"""Fewest examinees to set a cut-score from. Source: local choice."""


@dataclass(frozen=True)
class BorderlineRegression:
    """A cut-score and how far it can be trusted; scores and errors in points of the station.

    Attributes:
        cut_score: the predicted score of a borderline examinee.
        standard_error: of that cut-score, from the regression.
        rmse: root of the mean squared residual, on n - 2 degrees of freedom.
        r_squared: share of the score's variance that the grade explains, 0 to 1.
        slope: points a grade (inter-grade discrimination).
        intercept: predicted score at grade 0.
        n: examinees.
    """

    cut_score: float
    standard_error: float
    rmse: float
    r_squared: float
    slope: float
    intercept: float
    n: int


def borderline_regression(
    scores: NDArray[np.float64], grades: NDArray[np.float64], borderline: float
) -> BorderlineRegression:
    """Set the cut-score of one station.

    Args:
        scores: checklist points, one an examinee.
        grades: positions of the global grades on their scale, in the same order. Equal steps are
            an assumption: try other positions and compare.
        borderline: the position of the borderline grade.

    Raises:
        UnmeasurableError: too few examinees, one grade only, or better grades for lower scores.
    """
    n = len(scores)
    if n != len(grades) or not (np.isfinite(scores).all() and np.isfinite(grades).all()):
        raise UnmeasurableError("Every examinee needs a score and a global grade.")
    if n < MIN_EXAMINEES:
        raise UnmeasurableError(f"{n} examinees are too few: at least {MIN_EXAMINEES} are needed.")
    spread = float(((grades - grades.mean()) ** 2).sum())
    if spread == 0:
        raise UnmeasurableError("All examinees have the same global grade: there is no line.")
    slope = float(((grades - grades.mean()) * (scores - scores.mean())).sum()) / spread
    if slope <= 0:
        raise UnmeasurableError(
            "Scores do not rise with the global grade, so a borderline score has no meaning: "
            "check checklist and grades of this station."
        )
    intercept = float(scores.mean()) - slope * float(grades.mean())
    unexplained = float(((scores - intercept - slope * grades) ** 2).sum())
    total = float(((scores - scores.mean()) ** 2).sum())
    rmse = float(np.sqrt(unexplained / (n - 2)))
    distance = (borderline - float(grades.mean())) ** 2 / spread
    return BorderlineRegression(
        cut_score=intercept + slope * borderline,
        standard_error=rmse * float(np.sqrt(1 / n + distance)),
        rmse=rmse,
        r_squared=1 - unexplained / total,
        slope=slope,
        intercept=intercept,
        n=n,
    )
