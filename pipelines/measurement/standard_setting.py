"""Standard setting: where a cut-score comes from, and how far it can be trusted.

Panels judge items (Angoff, Ebel), set bounds (Hofstee), or the cohort is the yardstick (Cohen); at
stations with a global grade the line of score on grade is read at the borderline (borderline
regression). Every function names its source; what it returns is what a record of the standard
keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from pipelines.measurement.refusal import UnmeasurableError

MIN_EXAMINEES = 10
"""Fewest examinees to set a cut-score from. Source: local choice."""
WIDER_STEP = 1.5
"""How much longer a step between grades may be than the others. Source: McGown et al. (2022),
doi:10.1186/s12909-022-03753-5: examiners placed five grades at 0, 0.33, 0.55, 0.77 and 1."""


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
        errors: what each examinee's residual adds to the error of the cut-score, in their order.
    """

    cut_score: float
    standard_error: float
    rmse: float
    r_squared: float
    slope: float
    intercept: float
    n: int
    errors: tuple[float, ...] = field(repr=False)


def borderline_regression(
    scores: NDArray[np.float64], grades: NDArray[np.float64], borderline: float
) -> BorderlineRegression:
    """Set the cut-score of one station.

    Sources: Kramer et al. (2003), Med Educ 37:132; Hejri et al. (2013), J Res Med Sci 18:887, for
    what to report with it.

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
        _refuse(n)
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
    residuals = scores - intercept - slope * grades
    unexplained = float((residuals**2).sum())
    total = float(((scores - scores.mean()) ** 2).sum())
    rmse = float(np.sqrt(unexplained / (n - 2)))
    weights = 1 / n + (borderline - grades.mean()) * (grades - grades.mean()) / spread
    return BorderlineRegression(
        cut_score=intercept + slope * borderline,
        standard_error=rmse * float(np.sqrt((weights**2).sum())),
        rmse=rmse,
        r_squared=1 - unexplained / total,
        slope=slope,
        intercept=intercept,
        n=n,
        errors=tuple((np.sqrt(n / (n - 2)) * weights * residuals).tolist()),
    )


def standard_error_of_sum(
    lines: Sequence[BorderlineRegression], examinees: Sequence[Sequence[str]]
) -> float:
    """Return the standard error of the sum of cut-scores of stations that the same people sat.

    Whoever does better than the grade says at one station may do so at others, so what each
    examinee adds to the errors is summed over stations first: a sandwich estimate with examinees as
    clusters. Source: Liang and Zeger (1986), Biometrika 73:13; n / (n - 2) as in MacKinnon and
    White (1985), J Econometrics 29:305.

    Args:
        lines: one a station.
        examinees: who sat each station, in the order of its scores.
    """
    added: dict[str, float] = {}
    for line, names in zip(lines, examinees, strict=True):
        for name, error in zip(names, line.errors, strict=True):
            added[name] = added.get(name, 0.0) + error
    return float(np.sqrt(sum(error**2 for error in added.values())))


@dataclass(frozen=True)
class PanelCut:
    """A cut-score that judges set, in points of the exam.

    Attributes:
        cut_score: the expected score of a just acceptable examinee.
        standard_error: of that cut-score over judges; None where it cannot be had from the panel.
        n_judges: judges.
        by_judge: the cut-score of each judge alone, in their order.
    """

    cut_score: float
    standard_error: float | None
    n_judges: int
    by_judge: tuple[float, ...]


def angoff(
    judgements: NDArray[np.float64],
    max_points: NDArray[np.float64] | None = None,
    points_wrong: NDArray[np.float64] | None = None,
) -> PanelCut:
    """Add up what judges expect of a just acceptable examinee.

    Who does not get an item right is taken to answer it wrongly. The standard error is that of a
    mean over judges: the spread of their sums over the root of their number; one item has none.
    Sources: Angoff (1971), in Thorndike (ed.), Educational Measurement; Brennan and Lockwood
    (1980), Appl Psychol Meas 4:219; for points taken off, Frary (1988), Educ Meas Issues Pract
    7(2):33.

    Args:
        judgements: chance, 0 to 1, that the examinee gets the item right, shaped (items, judges).
        max_points: what each item gives; default 1.
        points_wrong: what a wrong answer to each item gives, below 0 where points are taken off;
            default 0.

    Raises:
        UnmeasurableError: fewer than two judges, a gap, or a judgement outside 0 to 1.
    """
    if judgements.ndim != 2 or judgements.shape[0] < 1 or judgements.shape[1] < 2:
        raise UnmeasurableError("At least one item and two judges are needed.")
    if not np.isfinite(judgements).all():
        raise UnmeasurableError("Every judge must have judged every item.")
    if judgements.min() < 0 or judgements.max() > 1:
        raise UnmeasurableError("A judgement is a chance from 0 to 1: divide percentages by 100.")
    most = np.ones(len(judgements)) if max_points is None else max_points
    least = np.zeros(len(judgements)) if points_wrong is None else points_wrong
    sums = (judgements * most[:, None] + (1 - judgements) * least[:, None]).sum(axis=0)
    return PanelCut(
        cut_score=float(sums.mean()),
        standard_error=(
            float(sums.std(ddof=1) / np.sqrt(len(sums))) if len(judgements) > 1 else None
        ),
        n_judges=len(sums),
        by_judge=tuple(float(value) for value in sums),
    )


def ebel(
    items: Mapping[str, float], expected: Mapping[str, float], *, wrong_share: float = 0
) -> float:
    """Add up the points that a just acceptable examinee earns in each class of items.

    Who does not get an item right is taken to answer it wrongly. Sources: Ebel (1972), Essentials
    of Educational Measurement; for points taken off, Frary (1988), Educ Meas Issues Pract 7(2):33.

    Args:
        items: points on offer by class of relevance and difficulty, such as `essential easy`.
        expected: the share of the items, 0 to 1, that the examinee is expected to get right.
        wrong_share: what a wrong answer gives for each point of a right one, below 0 where points
            are taken off.

    Raises:
        UnmeasurableError: a class without an expectation or without points, or an expectation that
            lies outside 0 to 1 or belongs to no class.
    """
    missing = sorted(items.keys() - expected.keys())
    if missing:
        raise UnmeasurableError(f"No expectation was given for: {', '.join(missing)}.")
    surplus = sorted(expected.keys() - items.keys())
    if surplus:
        raise UnmeasurableError(f"No points on offer were given for: {', '.join(surplus)}.")
    if any(points <= 0 for points in items.values()):
        raise UnmeasurableError("The points on offer in a class are more than 0.")
    if any(not 0 <= expected[name] <= 1 for name in items):
        raise UnmeasurableError("An expectation is a share from 0 to 1.")
    return float(
        sum(n * (expected[name] + (1 - expected[name]) * wrong_share) for name, n in items.items())
    )


def hofstee(
    scores: NDArray[np.float64],
    *,
    min_cut: float,
    max_cut: float,
    min_fail: float,
    max_fail: float,
) -> float:
    """Compromise between what a panel finds acceptable and what the cohort did.

    The line from (lowest cut, highest share that fails) to (highest cut, lowest share) is met with
    the share that would fail at each cut. Source: Hofstee (1983), in Anderson and Helmick (eds.),
    On Educational Testing.

    Args:
        scores: points of the cohort.
        min_cut: lowest acceptable cut-score.
        max_cut: highest acceptable cut-score.
        min_fail: lowest acceptable share that fails, 0 to 1.
        max_fail: highest acceptable share that fails, 0 to 1.

    Raises:
        UnmeasurableError: too few examinees, bounds the wrong way round, or a cohort that lies
            outside what the panel finds acceptable.
    """
    _refuse_few(scores)
    if not (0 <= min_cut < max_cut and 0 <= min_fail < max_fail <= 1):
        raise UnmeasurableError(
            "The lower bound must be below the upper one, cut-scores 0 or more, shares from 0 to 1."
        )
    ordered = np.sort(scores)

    def surplus(cut: float) -> float:
        fails = np.searchsorted(ordered, cut, side="left") / len(ordered)
        line = max_fail + (min_fail - max_fail) * (cut - min_cut) / (max_cut - min_cut)
        return float(fails - line)

    if surplus(min_cut) > 0 or surplus(max_cut) < 0:
        raise UnmeasurableError(
            "At no cut-score between the bounds would an acceptable share fail: the panel has to "
            "set other bounds, or say which one it gives up."
        )
    low, high = min_cut, max_cut
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if surplus(middle) < 0 else (low, middle)
    return high


def cohen(
    scores: NDArray[np.float64],
    *,
    share: float = 0.6,
    percentile: float = 95,
    guess_score: float = 0,
) -> float:
    """Set the cut-score at a share of what the best of the cohort reached.

    Source: Cohen-Schotanus and van der Vleuten (2010), Med Teach 32:154; the share is of the points
    above those that guessing gives.

    Args:
        scores: points of the cohort.
        share: part of the best score, 0 to 1.
        percentile: which score is the best, above 0 to 100; the 95th is less subject to chance
            than the maximum.
        guess_score: points that guessing gives, 0 or more.

    Raises:
        UnmeasurableError: too few examinees, a parameter outside its bounds, or a cohort that did
            no better than guessing.
    """
    _refuse_few(scores)
    if not 0 <= share <= 1:
        raise UnmeasurableError(f"share is a part from 0 to 1, not {share:g}.")
    if not 0 < percentile <= 100:
        raise UnmeasurableError(f"percentile lies above 0 and up to 100, not at {percentile:g}.")
    if guess_score < 0:
        raise UnmeasurableError(f"guess_score is 0 points or more, not {guess_score:g}.")
    best = float(np.percentile(scores, percentile))
    if best <= guess_score:
        raise UnmeasurableError("The best of the cohort did no better than guessing.")
    return guess_score + share * (best - guess_score)


def alternative_positions(codes: Sequence[int], borderline: int) -> dict[str, dict[int, float]]:
    """Return other positions of ordered grades, by the name of the assumption.

    `wider_below`: a step below the borderline grade is half as long again as one above, as
    examiners placed them; `wider_above`: the reverse. Source: doi:10.1186/s12909-022-03753-5.

    Args:
        codes: the codes of all grades of the scale.
        borderline: the code of the borderline grade.
    """
    return {
        name: {
            code: (code - borderline) * (below if code < borderline else above) for code in codes
        }
        for name, below, above in (
            ("wider_below", WIDER_STEP, 1.0),
            ("wider_above", 1.0, WIDER_STEP),
        )
    }


def positions_of(
    grades: Sequence[Sequence[int]], positions: Mapping[int, float]
) -> NDArray[np.float64]:
    """Return where examinees stand on the scale of grades: at the mean, where examiners differ.

    Args:
        grades: codes of the global grades that examiners gave, one list an examinee.
        positions: the position of each grade.
    """
    return np.array(
        [np.mean([positions[code] for code in codes]) for codes in grades], dtype=np.float64
    )


def equal_interval_sensitivity(
    scores: NDArray[np.float64],
    grades: Sequence[Sequence[int]],
    borderline: int,
    positions: Mapping[str, Mapping[int, float]],
) -> dict[str, BorderlineRegression]:
    """Set a station's cut-score again with global grades at other distances.

    Equal steps between grades are an assumption that stations have been found not to bear out.
    Source: doi:10.1186/s12909-022-03753-5.

    Args:
        scores: checklist points, one an examinee.
        grades: codes of the global grades that examiners gave, one list an examinee.
        borderline: the code of the borderline grade.
        positions: by name of the assumption, the position of each grade.

    Returns:
        The regression under each assumption.
    """
    codes = sorted({code for given in grades for code in given} | {borderline})
    found = {}
    for name, placed in positions.items():
        missing = [str(code) for code in codes if code not in placed]
        if missing:
            raise UnmeasurableError(f"{name} gives no position for grade {', '.join(missing)}.")
        moved = positions_of(grades, placed)
        found[name] = borderline_regression(scores, moved, placed[borderline])
    return found


@dataclass(frozen=True)
class MinimumStations:
    """How many stations a borderline examinee passes.

    Attributes:
        expected: stations that an examinee at the cut-score of the exam passes on average.
        minimum: the same, rounded down: what can be asked of everybody.
        n_failing_by_it_alone: examinees who reach the cut-score and not this number.
    """

    expected: float
    minimum: int
    n_failing_by_it_alone: int


def minimum_stations(
    station_scores: NDArray[np.float64], station_cuts: NDArray[np.float64], exam_cut: float
) -> MinimumStations:
    """Set the number of stations to pass after the exam, at the borderline examinee.

    The line of stations passed on total score is read at the exam's cut-score: a fixed number is
    harder or easier from sitting to sitting. Source: Homer (2023), PMID 37029957.

    Args:
        station_scores: points, shaped (examinees, stations).
        station_cuts: the cut-score of each station.
        exam_cut: the cut-score of the total.
    """
    totals = station_scores.sum(axis=1)
    _refuse_few(totals)
    passed = (station_scores >= station_cuts).sum(axis=1).astype(np.float64)
    spread = float(((totals - totals.mean()) ** 2).sum())
    if spread == 0:
        raise UnmeasurableError("All examinees have the same total: there is no line.")
    slope = float(((totals - totals.mean()) * (passed - passed.mean())).sum()) / spread
    expected = float(passed.mean()) + slope * (exam_cut - float(totals.mean()))
    expected = min(float(station_scores.shape[1]), max(0.0, expected))
    minimum = int(np.floor(expected + 1e-9))
    return MinimumStations(
        expected=expected,
        minimum=minimum,
        n_failing_by_it_alone=int(((totals >= exam_cut) & (passed < minimum)).sum()),
    )


def _refuse_few(scores: NDArray[np.float64]) -> None:
    if not np.isfinite(scores).all():
        raise UnmeasurableError("Every examinee needs a score.")
    if len(scores) < MIN_EXAMINEES:
        _refuse(len(scores))


def _refuse(n: int) -> NoReturn:
    are = "examinee is" if n == 1 else "examinees are"
    raise UnmeasurableError(f"{n} {are} too few: at least {MIN_EXAMINEES} are needed.")
