from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from pipelines.measurement.refusal import UnmeasurableError
from pipelines.measurement.shares import binary_rho, effective_n, share_interval, wilson

sizes = st.lists(st.integers(1, 12), min_size=1, max_size=8)
PUBLISHED = [(0.31, 0.08), (0.31, 0.12), (0.31, 0.16)]
"""Learners' and assessors' share of the variance. Stringency of 8 % in gastroscopy (Siau et al.
2019), 12 % among examiners of PACES (McManus et al. 2006), 16 % of domain scores and 8 % of grades
in PLAB2 (Homer 2022); learners as in gastroscopy."""
DESIGNS = [(3, 3, 3), (5, 3, 1), (4, 4), (6, 3, 2, 1), (8, 4), (5, 5, 5, 5)]


def coverage(learner: float, assessor: float, design: tuple[int, ...], *, is_clustered: bool):
    """How often the interval holds the learner's own chance to be rated at or above target.

    Each learner has a level, each assessor a stringency, each case its chance; a rating reaches the
    target where their sum does. Variances are shares of the whole.
    """
    n_learners, case = 20_000, 1 - learner - assessor
    rng = np.random.default_rng(20)
    level = rng.normal(0, math.sqrt(learner), n_learners)
    truth = norm.sf(-level / math.sqrt(assessor + case))
    reached = np.zeros(n_learners, dtype=np.int64)
    for size in design:
        strict = rng.normal(0, math.sqrt(assessor), n_learners)
        chance = rng.normal(0, math.sqrt(case), (size, n_learners))
        reached += (level + strict + chance > 0).sum(axis=0)
    rho = assessor / (assessor + case)
    ends = np.array(
        [
            share_interval(k, design, rho) if is_clustered else wilson(k / sum(design), sum(design))
            for k in range(sum(design) + 1)
        ]
    )[reached]
    return float(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean())


@pytest.mark.parametrize("design", DESIGNS, ids=str)
@pytest.mark.parametrize("variances", PUBLISHED, ids=str)
def test_a_nominal_90_percent_interval_covers_88_to_93_percent(variances, design) -> None:
    assert 0.88 <= coverage(*variances, design, is_clustered=True) <= 0.93


def test_a_plain_wilson_interval_fails_that() -> None:
    plain = {
        (variances, design): coverage(*variances, design, is_clustered=False)
        for variances in PUBLISHED
        for design in DESIGNS
    }
    assert all(
        covered < 0.88 for (variances, _), covered in plain.items() if variances[1] >= 0.12
    ), plain
    assert min(plain.values()) < 0.81


def test_what_the_rule_set_assumes_covers_where_stringency_and_taste_are_as_published() -> None:
    assert 0.88 <= coverage(0.31, 0.26, (4, 3, 2), is_clustered=True) <= 0.93
    assert coverage(0.31, 0.26, (4, 3, 2), is_clustered=False) < 0.85


def test_signs_of_normal_variables_correlate_by_sheppards_theorem() -> None:
    rng = np.random.default_rng(2)
    common, rho = rng.normal(0, 1, 400_000), 0.3768
    one, two = (
        math.sqrt(rho) * common + math.sqrt(1 - rho) * rng.normal(0, 1, 400_000) > 0
        for _ in range(2)
    )
    assert np.corrcoef(one, two)[0, 1] == pytest.approx(binary_rho(rho), abs=0.006)


@given(sizes, st.floats(0, 1))
def test_ratings_are_worth_no_more_than_their_number_and_no_less_than_one(design, rho) -> None:
    worth = effective_n(design, rho)
    assert 1 - 1e-9 <= worth <= sum(design) + 1e-9


@given(sizes)
def test_ratings_that_have_nothing_in_common_count_whole(design) -> None:
    assert effective_n(design, 0) == pytest.approx(sum(design))


@given(sizes, st.floats(0.01, 1), st.data())
def test_clustering_never_narrows_an_interval(design, rho, data) -> None:
    k = data.draw(st.integers(0, sum(design)))
    low, high = share_interval(k, design, rho)
    plain_low, plain_high = share_interval(k, design, 0)
    assert high - low >= plain_high - plain_low - 1e-9
    assert low <= k / sum(design) + 1e-9
    assert high >= k / sum(design) - 1e-9


def test_no_ratings_have_no_share() -> None:
    with pytest.raises(UnmeasurableError, match="no ratings"):
        share_interval(0, [], 0.3)
