"""Intervals hold what docs/measurement.md says they hold, by simulation with fixed seeds."""

from __future__ import annotations

import pytest

from benchmarks.validity.intervals import (
    SIZES,
    TRUTHS,
    by_size_of_calibration,
    by_what_raters_have_in_common,
    rules,
    within_share,
)
from pipelines.measurement.components import MIN_ASSESSORS, MIN_LEARNERS, MIN_RATINGS

PUBLISHED = TRUTHS["8 / 18 / 43"]


def test_the_published_components_are_those_of_the_rule_set() -> None:
    assert rules().published == PUBLISHED


def test_the_smallest_calibration_simulated_is_the_smallest_allowed() -> None:
    learners, assessors, each = SIZES[0]
    assert (learners, assessors, learners * each) == (MIN_LEARNERS, MIN_ASSESSORS, MIN_RATINGS)


def test_the_smallest_calibration_keeps_coverage_and_promises_no_dependability() -> None:
    found = by_size_of_calibration(PUBLISHED, SIZES[0])
    as_estimated, drawn = found.coverage
    assert as_estimated < 0.9 <= drawn <= 0.94
    assert found.dependability[0] > 0.9
    assert found.dependability[1] < 0.7
    assert found.clustered_not[0] > 0.15
    assert found.clustered_not[1] == 0


def test_a_larger_calibration_loses_nothing_by_being_drawn() -> None:
    found = by_size_of_calibration(PUBLISHED, (20, 10, 10), n=60)
    assert min(found.coverage) >= 0.9


def test_an_interval_covers_where_what_raters_have_in_common_is_known() -> None:
    for one in by_what_raters_have_in_common():
        assert one.by_own >= 0.84
        if one.rho == pytest.approx(within_share(PUBLISHED)):
            assert one.by_published == one.by_own


def test_raters_who_are_further_apart_than_published_take_coverage_from_uneven_cells() -> None:
    least = {(one.name, one.design): one.by_published for one in by_what_raters_have_in_common()}
    assert least["50 / 10 / 33", (20, 2, 2)] < 0.75
    assert least["50 / 10 / 33", (10, 5, 5)] < 0.8
