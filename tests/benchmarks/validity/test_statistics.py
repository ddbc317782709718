from __future__ import annotations

import numpy as np
import pytest

from benchmarks.validity.statistics import Share, agreement, over_seeds


def test_wilson_intervals_are_those_of_the_textbook() -> None:
    """Newcombe 1998, table I: 81 of 263 and 0 of 20 and 1 of 29."""
    assert Share(81, 263).interval == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert Share(0, 20).interval == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert Share(1, 29).interval == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_nothing_seen_says_nothing() -> None:
    assert Share(0, 0).as_json() == {"value": None, "low": 0.0, "high": 1.0, "n": 0}


def test_a_common_shift_is_no_error() -> None:
    true = np.array([1.0, 2.0, 3.0, 4.0])
    told = agreement(true + 0.5, true)
    assert told == {"n": 4, "correlation": 1.0, "rmse": 0.0, "shift": 0.5}


def test_two_learners_are_too_few_to_compare() -> None:
    assert agreement(np.ones(2), np.ones(2))["correlation"] is None


def test_values_of_seeds_get_students_interval_and_one_seed_gets_none() -> None:
    told = over_seeds([0.1, 0.2, 0.3])
    assert told["value"] == pytest.approx(0.2)
    assert told["low"] == pytest.approx(max(0.0, 0.2 - 4.302653 * 0.1 / 3**0.5), abs=1e-3)
    assert told["high"] == pytest.approx(0.2 + 4.302653 * 0.1 / 3**0.5, abs=1e-3)
    assert over_seeds([0.4]) == {"value": 0.4, "low": None, "high": None, "n": 1}
    assert over_seeds([])["value"] is None
