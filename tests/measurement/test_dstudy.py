from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.measurement.dstudy import (
    WorkplaceComponents,
    dependability,
    dependability_of_clusters,
    design_for,
    drawn_towards,
    need,
    sem,
)
from pipelines.measurement.refusal import UnmeasurableError

GASTROSCOPY = WorkplaceComponents(learner=31, stringency=8, subjectivity=18, case=43)
variance = st.floats(0.01, 100)


def test_three_assessors_with_three_cases_reach_the_published_dependability() -> None:
    assert dependability(GASTROSCOPY, 3, 3) == pytest.approx(0.6975, abs=5e-5)


def test_the_wanted_dependability_takes_the_published_number_of_assessors() -> None:
    found = design_for(GASTROSCOPY, 0.6975, cases_each=3)
    assert (found.n_assessors, found.n_observations) == (3, 9)


def test_what_is_reached_asks_for_nothing_more() -> None:
    found = need(GASTROSCOPY, 0.5, [3] * 30)
    assert (found.n_more, found.n_ratings, found.n_assessors) == (0, 90, 30)
    assert found.sentence == "A dependability of 0.50 is reached with 90 ratings by 30 assessors."


@pytest.mark.parametrize(
    ("sizes", "more"),
    [((10, 1, 1), 5), ((9, 1), 5), ((8, 1, 1, 1), 3), ((15, 1, 1), 7), ((7, 1), 5), ((3, 3, 3), 1)],
)
def test_what_one_assessor_gave_too_often_is_made_good_by_others(
    sizes: tuple[int, ...], more: int
) -> None:
    found = need(GASTROSCOPY, 0.7, sizes)
    assert found.n_more == more
    assert dependability_of_clusters(GASTROSCOPY, [*sizes, *[1] * more]) >= 0.7
    told = "1 more rating by 1 more assessor." if more == 1 else f"{more} more assessors, one each."
    assert found.sentence.endswith(told)


def spreads(n: int, most: int) -> Iterator[list[int]]:
    """Yield every way to give n ratings to new assessors."""
    if n == 0:
        yield []
    for first in range(min(n, most), 0, -1):
        for rest in spreads(n - first, first):
            yield [first, *rest]


@pytest.mark.parametrize("sizes", [(10, 1, 1), (2, 2), (6, 2, 1), (8, 1, 1, 1), (1,)])
def test_no_other_way_of_adding_takes_fewer_ratings(sizes: tuple[int, ...]) -> None:
    fewer = need(GASTROSCOPY, 0.7, sizes).n_more - 1
    for old in range(fewer + 1):
        for extra in itertools.combinations_with_replacement(range(len(sizes)), old):
            topped = [size + extra.count(i) for i, size in enumerate(sizes)]
            for new in spreads(fewer - old, fewer):
                assert dependability_of_clusters(GASTROSCOPY, [*topped, *new]) < 0.7


@given(
    variance,
    st.floats(0, 100),
    variance,
    st.floats(0.05, 0.95),
    st.lists(st.integers(1, 30), min_size=1, max_size=8),
)
def test_following_the_advice_reaches_the_wanted_level_and_one_rating_less_does_not(
    learner: float, by_assessor: float, case: float, wanted: float, sizes: list[int]
) -> None:
    components = WorkplaceComponents(learner, by_assessor, 0, case)
    more = need(components, wanted, sizes).n_more
    assert dependability_of_clusters(components, [*sizes, *[1] * more]) >= wanted - 1e-7
    if more:
        assert dependability_of_clusters(components, [*sizes, *[1] * (more - 1)]) < wanted


def test_the_standard_error_is_in_the_unit_of_the_ratings() -> None:
    assert sem(WorkplaceComponents(1, 0, 0, 4), 2, 2) == 1


def test_learners_that_do_not_differ_cannot_be_told_apart_by_any_number() -> None:
    with pytest.raises(UnmeasurableError, match="no difference"):
        need(WorkplaceComponents(0, 1, 0, 1), 0.7, [3])
    with pytest.raises(UnmeasurableError, match="no difference"):
        design_for(WorkplaceComponents(0, 1, 0, 1), 0.7)


@pytest.mark.parametrize("wanted", [0, 1, 1.5, -0.1])
def test_a_wanted_level_outside_zero_and_one_is_refused(wanted: float) -> None:
    with pytest.raises(UnmeasurableError, match="between 0 and 1"):
        need(GASTROSCOPY, wanted)


def test_a_negative_component_is_refused() -> None:
    with pytest.raises(UnmeasurableError, match="below 0"):
        WorkplaceComponents(1, -1, 0, 1)


@given(variance, variance, variance, variance, st.floats(0.05, 0.95), st.integers(1, 10))
def test_the_balanced_design_is_the_smallest_that_suffices(
    learner: float, stringency: float, subjectivity: float, case: float, wanted: float, each: int
) -> None:
    components = WorkplaceComponents(learner, stringency, subjectivity, case)
    n = design_for(components, wanted, cases_each=each).n_assessors
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


def test_small_calibrations_are_drawn_towards_the_published_components() -> None:
    found = drawn_towards(
        GASTROSCOPY,
        WorkplaceComponents(0.9, 0, 0, 0.1),
        n_learners=5,
        n_assessors=3,
        pseudo_learners=10,
        pseudo_assessors=10,
    )
    assert found.learner == pytest.approx(0.506667, abs=1e-6)
    assert found.by_assessor == pytest.approx(0.142995, abs=1e-6)
    assert found.case == pytest.approx(0.350338, abs=1e-6)


def test_taste_that_was_not_told_apart_is_split_from_the_residual_as_published() -> None:
    found = drawn_towards(
        GASTROSCOPY,
        WorkplaceComponents(0.31, 0.08, 0, 0.61),
        n_learners=30,
        n_assessors=30,
        pseudo_learners=10,
        pseudo_assessors=10,
        is_taste_known=False,
    )
    assert (found.learner, found.by_assessor, found.case) == pytest.approx((0.31, 0.26, 0.43))


@given(variance, variance, variance, variance, st.integers(1, 10**6))
def test_the_more_a_calibration_rests_on_the_less_it_is_drawn(
    learner: float, stringency: float, subjectivity: float, case: float, n: int
) -> None:
    own = WorkplaceComponents(learner, stringency, subjectivity, case)
    sizes = {"n_learners": n, "n_assessors": n}
    by_none = drawn_towards(GASTROSCOPY, own, **sizes, pseudo_learners=0, pseudo_assessors=0)
    found = drawn_towards(GASTROSCOPY, own, **sizes, pseudo_learners=10, pseudo_assessors=10)
    assert by_none.by_assessor == pytest.approx(own.by_assessor)
    total = learner + own.by_assessor + case
    assert found.learner + found.by_assessor + found.case == pytest.approx(total)
    assert abs(found.learner - learner) <= total * 10 / (n + 10) + 1e-9
