from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipelines.measurement.refusal import UnmeasurableError
from pipelines.measurement.standard_setting import (
    alternative_positions,
    angoff,
    borderline_regression,
    cohen,
    ebel,
    equal_interval_sensitivity,
    hofstee,
    minimum_stations,
    positions_of,
    standard_error_of_sum,
)


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


def osce(rng: np.random.Generator, halo: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores and grades of 60 examinees at six stations, shaped (examinees, stations).

    `halo` is how much of what a score holds beyond the grade goes with the examinee.
    """
    grades = np.clip(np.rint(1.5 + rng.normal(0, 1, (60, 1)) + rng.normal(0, 0.7, (60, 6))), 0, 3)
    beyond = math.sqrt(halo) * rng.normal(0, 2, (60, 1))
    return 8 + 3 * grades + beyond + math.sqrt(1 - halo) * rng.normal(0, 2, (60, 6)), grades


@pytest.mark.parametrize("halo", [0.0, 0.3])
def test_the_error_of_an_exams_cut_score_is_how_far_it_varies_over_cohorts(halo: float) -> None:
    rng = np.random.default_rng(11)
    names = [str(i) for i in range(60)]
    cuts, robust, independent = [], [], []
    for _ in range(400):
        scores, grades = osce(rng, halo)
        lines = [borderline_regression(scores[:, i], grades[:, i], 1) for i in range(6)]
        cuts.append(sum(line.cut_score for line in lines))
        robust.append(standard_error_of_sum(lines, [names] * 6))
        independent.append(math.sqrt(sum(line.standard_error**2 for line in lines)))
    assert np.mean(robust) == pytest.approx(np.std(cuts), rel=0.08)
    if halo:
        assert np.mean(independent) < 0.75 * np.std(cuts)


def test_the_error_of_one_station_is_nearly_that_of_its_regression() -> None:
    scores, grades = station(400)
    line = borderline_regression(scores, grades, borderline=1)
    names = [str(i) for i in range(400)]
    assert standard_error_of_sum([line], [names]) == pytest.approx(line.standard_error, rel=0.1)


def cohort(n: int = 200, seed: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(60, 10, n)


def test_angoff_adds_up_what_judges_expect_with_the_error_of_their_mean() -> None:
    judgements = np.array([[0.6, 0.8, 0.7], [0.4, 0.6, 0.5], [0.9, 0.7, 0.8]])
    found = angoff(judgements)
    assert found.cut_score == pytest.approx(2.0)
    assert found.by_judge == pytest.approx((1.9, 2.1, 2.0))
    assert found.standard_error == pytest.approx(0.1 / np.sqrt(3))
    assert angoff(judgements, np.array([2.0, 2, 2])).cut_score == pytest.approx(4.0)


def test_points_taken_off_for_wrong_answers_lower_what_judges_expect() -> None:
    judgements = np.array([[0.5, 0.7], [0.8, 0.8]])
    found = angoff(judgements, np.array([1.0, 2]), np.array([-0.25, -0.5]))
    assert found.by_judge == pytest.approx(
        (0.5 - 0.5 * 0.25 + 1.6 - 0.2 * 0.5, 0.7 - 0.3 * 0.25 + 1.6 - 0.2 * 0.5)
    )
    assert ebel({"easy": 8, "hard": 2}, {"easy": 0.75, "hard": 0.5}, wrong_share=-0.25) == (
        pytest.approx(8 * 0.75 - 2 * 0.25 + 2 * 0.5 - 1 * 0.25)
    )


def test_one_item_has_no_standard_error() -> None:
    assert angoff(np.array([[0.6, 0.6]])).standard_error is None


@pytest.mark.parametrize(
    ("judgements", "words"),
    [
        (np.ones((5, 1)), "two judges"),
        (np.array([[0.5, np.nan]]), "every item"),
        (np.array([[60.0, 70.0]]), "divide percentages"),
    ],
)
def test_a_panel_that_cannot_carry_a_cut_score_is_refused_in_words(judgements, words) -> None:
    with pytest.raises(UnmeasurableError, match=words):
        angoff(judgements)


def test_ebel_adds_up_the_classes_and_asks_for_the_missing_one() -> None:
    items = {"essential easy": 20, "important hard": 10}
    assert ebel(items, {"essential easy": 0.9, "important hard": 0.4}) == pytest.approx(22)
    with pytest.raises(UnmeasurableError, match="important hard"):
        ebel(items, {"essential easy": 0.9})
    with pytest.raises(UnmeasurableError, match="0 to 1"):
        ebel({"a": 1}, {"a": 90})
    with pytest.raises(UnmeasurableError, match="No points on offer were given for: b"):
        ebel({"a": 1}, {"a": 0.9, "b": 0.9})
    with pytest.raises(UnmeasurableError, match="more than 0"):
        ebel({"a": -1}, {"a": 0.9})


def test_hofstee_lies_where_the_panels_line_meets_what_the_cohort_would_fail() -> None:
    scores = cohort()
    cut = hofstee(scores, min_cut=45, max_cut=65, min_fail=0.05, max_fail=0.4)
    line = 0.4 + (0.05 - 0.4) * (cut - 45) / 20
    assert 45 < cut < 65
    assert (scores < cut - 1e-6).mean() <= line + 0.006
    assert (scores <= cut + 1e-6).mean() >= line - 0.006
    with pytest.raises(UnmeasurableError, match="other bounds"):
        hofstee(scores, min_cut=70, max_cut=80, min_fail=0.05, max_fail=0.4)
    with pytest.raises(UnmeasurableError, match="below the upper"):
        hofstee(scores, min_cut=65, max_cut=45, min_fail=0.05, max_fail=0.4)


def test_cohen_is_a_share_of_the_best_above_guessing() -> None:
    scores = np.arange(1.0, 101)
    best = np.percentile(scores, 95)
    assert cohen(scores) == pytest.approx(0.6 * best)
    assert cohen(scores, guess_score=20) == pytest.approx(20 + 0.6 * (best - 20))
    with pytest.raises(UnmeasurableError, match="guessing"):
        cohen(scores, guess_score=99)
    with pytest.raises(UnmeasurableError, match="too few"):
        cohen(scores[:4])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"share": 60}, "share is a part from 0 to 1, not 60"),
        ({"share": -1}, "share is a part"),
        ({"percentile": 0}, "percentile"),
        ({"percentile": 101}, "percentile"),
        ({"guess_score": -3}, "guess_score is 0 points or more"),
    ],
)
def test_cohen_takes_no_parameter_outside_its_bounds(given: dict[str, float], words: str) -> None:
    with pytest.raises(UnmeasurableError, match=words):
        cohen(cohort(), **given)


def test_a_lower_bound_of_hofstee_is_not_below_zero() -> None:
    with pytest.raises(UnmeasurableError, match="0 or more"):
        hofstee(cohort(), min_cut=-5, max_cut=65, min_fail=0.05, max_fail=0.4)


def test_alternative_positions_have_the_steps_that_examiners_gave_and_the_reverse() -> None:
    found = alternative_positions([0, 1, 2, 3, 4], 1)
    assert found["wider_below"] == {0: -1.5, 1: 0, 2: 1, 3: 2, 4: 3}
    assert found["wider_above"] == {0: -1, 1: 0, 2: 1.5, 3: 3, 4: 4.5}
    published = np.array([0, 0.33, 0.55, 0.77, 1])
    steps = np.diff(published)
    assert steps[0] / steps[1:].mean() == pytest.approx(1.5, abs=0.03)


def test_unequal_distances_between_grades_move_the_cut_score_and_equal_ones_do_not() -> None:
    scores, grades = station()
    given = [[int(grade)] for grade in grades]
    found = equal_interval_sensitivity(
        scores,
        given,
        1,
        {
            "equal": {0: 0, 1: 1, 2: 2, 3: 3, 4: 4},
            "stretched": {0: 0, 1: 10, 2: 20, 3: 30, 4: 40},
            "published": {0: 0, 1: 0.33, 2: 0.55, 3: 0.77, 4: 1},
        },
    )
    assert found["stretched"].cut_score == pytest.approx(found["equal"].cut_score)
    assert found["stretched"].slope == pytest.approx(found["equal"].slope / 10)
    assert abs(found["published"].cut_score - found["equal"].cut_score) > 0.1
    with pytest.raises(UnmeasurableError, match="position for grade 4"):
        equal_interval_sensitivity(scores, given, 1, {"short": {0: 0, 1: 1, 2: 2, 3: 3}})


def test_where_examiners_differ_an_examinee_stands_between_their_grades() -> None:
    assert positions_of([[0], [0, 1], [2, 2, 1]], {0: 0, 1: 3, 2: 6}).tolist() == [0, 1.5, 5]


def test_stations_to_pass_are_those_of_a_borderline_examinee() -> None:
    rng = np.random.default_rng(6)
    ability = rng.normal(0, 1, (300, 1))
    scores = 10 + 2 * ability + rng.normal(0, 1, (300, 12))
    found = minimum_stations(scores, np.full(12, 10.0), 120.0)
    assert found.expected == pytest.approx(6, abs=0.4)
    assert found.minimum == int(found.expected)
    totals, passed = scores.sum(axis=1), (scores >= 10).sum(axis=1)
    assert found.n_failing_by_it_alone == ((totals >= 120) & (passed < found.minimum)).sum()


@pytest.mark.real
def test_thirteen_judges_of_61_items_give_a_cut_score_with_its_error(real_data) -> None:
    """Judges placed items on three levels: yes or no, would a level-2 examinee get them right?"""
    table = pl.read_csv(real_data / "raters" / "immer_data.immer10.csv")
    levels = table.select(pl.col("^R\\d\\d$")).to_numpy()
    assert levels.shape == (61, 13)
    found = angoff((levels <= 2).astype(np.float64))
    sums = [int((table[judge] <= 2).sum()) for judge in table.columns[2:]]
    assert found.by_judge == tuple(sums)
    assert found.cut_score == pytest.approx(sum(sums) / 13)
    assert found.standard_error == pytest.approx(float(pl.Series(sums).std()) / 13**0.5)
    assert found.n_judges == 13
