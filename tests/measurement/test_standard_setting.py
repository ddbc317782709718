from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pipelines.measurement.refusal import UnmeasurableError
from pipelines.measurement.standard_setting import borderline_regression


def station(n: int = 60, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    grades = rng.integers(0, 5, n).astype(np.float64)
    return 8 + 3 * grades + rng.normal(0, 2, n), grades


def test_points_on_a_line_give_the_line_at_the_borderline() -> None:
    grades = np.tile([0.0, 1, 2, 3], 5)
    found = borderline_regression(10 + 5 * grades, grades, borderline=1)
    assert found.cut_score == pytest.approx(15)
    assert found.rmse == pytest.approx(0, abs=1e-9)
    assert found.r_squared == pytest.approx(1)


def test_the_regression_equals_an_independent_one() -> None:
    scores, grades = station()
    found = borderline_regression(scores, grades, borderline=1)
    line = stats.linregress(grades, scores)
    assert found.slope == pytest.approx(line.slope)
    assert found.intercept == pytest.approx(line.intercept)
    assert found.r_squared == pytest.approx(line.rvalue**2)
    assert found.rmse == pytest.approx(line.stderr * np.sqrt(((grades - grades.mean()) ** 2).sum()))
    at_zero = borderline_regression(scores, grades, borderline=0)
    assert at_zero.standard_error == pytest.approx(line.intercept_stderr)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s, g: (s[:5], g[:5]), "too few"),
        (lambda s, g: (s, np.ones_like(g)), "same global grade"),
        (lambda s, g: (-s, g), "do not rise"),
        (lambda s, g: (s, g[:-1]), "needs a score"),
        (lambda s, g: (np.full_like(s, np.nan), g), "needs a score"),
    ],
)
def test_stations_without_a_borderline_are_refused_in_words(change, words: str) -> None:
    scores, grades = change(*station())
    with pytest.raises(UnmeasurableError, match=words):
        borderline_regression(scores, grades, borderline=1)
