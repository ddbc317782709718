from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.measurement.dstudy import (
    WorkplaceComponents,
    dependability,
    dependability_of_clusters,
    need,
    sem,
)
from pipelines.measurement.refusal import UnmeasurableError

GASTROSCOPY = WorkplaceComponents(learner=31, stringency=8, subjectivity=18, case=43)
variance = st.floats(0.01, 100)


def test_three_assessors_with_three_cases_reach_the_published_dependability() -> None:
    assert dependability(GASTROSCOPY, 3, 3) == pytest.approx(0.6975, abs=5e-5)


def test_the_wanted_dependability_takes_the_published_number_of_assessors() -> None:
    found = need(GASTROSCOPY, 0.6975, cases_each=3, have_assessors=2, have_observations=5)
    assert (found.n_assessors, found.n_observations) == (3, 9)
    assert (found.more_assessors, found.more_observations) == (1, 4)
    assert "4 more observations, 1 more assessor." in found.sentence


def test_what_is_reached_asks_for_nothing_more() -> None:
    found = need(GASTROSCOPY, 0.5, have_assessors=30, have_observations=90)
    assert (found.more_assessors, found.more_observations) == (0, 0)
    assert found.sentence.endswith("that is reached.")


def test_the_standard_error_is_in_the_unit_of_the_ratings() -> None:
    assert sem(WorkplaceComponents(1, 0, 0, 4), 2, 2) == 1


def test_learners_that_do_not_differ_cannot_be_told_apart_by_any_number() -> None:
    with pytest.raises(UnmeasurableError, match="no difference"):
        need(WorkplaceComponents(0, 1, 0, 1), 0.7)


@pytest.mark.parametrize("wanted", [0, 1, 1.5, -0.1])
def test_a_wanted_level_outside_zero_and_one_is_refused(wanted: float) -> None:
    with pytest.raises(UnmeasurableError, match="between 0 and 1"):
        need(GASTROSCOPY, wanted)


def test_a_negative_component_is_refused() -> None:
    with pytest.raises(UnmeasurableError, match="below 0"):
        WorkplaceComponents(1, -1, 0, 1)


@given(variance, variance, variance, variance, st.floats(0.05, 0.95), st.integers(1, 10))
def test_the_number_needed_is_the_smallest_that_suffices(
    learner: float, stringency: float, subjectivity: float, case: float, wanted: float, each: int
) -> None:
    components = WorkplaceComponents(learner, stringency, subjectivity, case)
    n = need(components, wanted, cases_each=each).n_assessors
    assert dependability(components, n, each) >= wanted - 1e-6
    assert n == 1 or dependability(components, n - 1, each) < wanted


@given(st.integers(1, 8), st.integers(1, 8))
def test_equal_numbers_of_cases_are_the_balanced_design(assessors: int, cases: int) -> None:
    found = dependability_of_clusters(GASTROSCOPY, [cases] * assessors)
    assert found == pytest.approx(dependability(GASTROSCOPY, assessors, cases))


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6))
def test_unequal_numbers_of_cases_are_worth_no_more_than_equal_ones(sizes: list[int]) -> None:
    even = dependability(GASTROSCOPY, len(sizes), sum(sizes) / len(sizes))
    assert dependability_of_clusters(GASTROSCOPY, sizes) <= even + 1e-12


def test_no_ratings_have_no_dependability() -> None:
    with pytest.raises(UnmeasurableError, match="one rating"):
        dependability_of_clusters(GASTROSCOPY, [])
