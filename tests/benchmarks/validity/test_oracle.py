from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.validity import oracle
from benchmarks.validity.cohorts import shares
from pipelines.synth.request import Request

BASE = Request(learners=100, mess="none", seed=31, shares=shares())
LEARNERS = (*oracle.FALLS, *oracle.COUNTS)


def test_every_pattern_can_be_weighed() -> None:
    assert {*LEARNERS, *oracle.COHORTS} == {each.id for each in BASE.parameters.patterns}


@pytest.mark.parametrize("pattern", oracle.FALLS)
def test_a_fall_of_no_size_weighs_nothing(pattern: str) -> None:
    assert oracle.evidence(oracle.see(BASE), pattern, 0.0) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("pattern", LEARNERS)
def test_learners_with_a_pattern_weigh_more_than_those_without(pattern: str) -> None:
    effect = BASE.parameters.pattern(pattern).curve.value[-1]
    seen = oracle.see(replace(BASE, effects={pattern: effect}))
    ratio = oracle.evidence(seen, pattern, effect)
    carriers = seen.carriers(pattern)
    others = np.setdiff1d(np.flatnonzero(seen.block.learners.planted.pattern < 0), carriers)
    assert len(carriers) >= 2
    assert ratio[carriers].mean() > ratio[others].mean()
    assert ratio[carriers].max() > 0


@pytest.mark.parametrize("pattern", oracle.COHORTS)
def test_a_pattern_of_a_cohort_weighs_more_where_it_is(pattern: str) -> None:
    nobody = {each.id: 0.0 for each in BASE.parameters.patterns}
    about = BASE.parameters.pattern(pattern)
    alone = replace(BASE, shares=nobody | {pattern: about.share.value})
    effect = about.curve.value[-1]
    there = oracle.cohort_evidence(
        oracle.see(replace(alone, effects={pattern: effect})), pattern, effect
    )
    nothing = oracle.cohort_evidence(
        oracle.see(replace(alone, effects={pattern: 0.0})), pattern, effect
    )
    assert there > nothing


def test_the_likelihood_of_a_level_sums_to_one_over_the_scale() -> None:
    seen = oracle.see(replace(BASE, learners=3))
    forms = seen.forms
    total = np.zeros(len(forms))
    zeros, node = np.zeros(len(forms)), np.zeros(1)
    work = BASE.parameters.workplace
    most = np.array([len(work.scale(form.scale).thresholds.value) + 1 for form in work.instruments])
    for level in range(1, most.max() + 1):
        possible = level <= most[forms.instrument]
        tried = replace(forms, level=np.where(possible, level, 1))
        log_chance = oracle._log_chances(replace(seen, forms=tried), zeros, zeros, 0.0, node, node)[
            :, 0, 0
        ]
        total += np.where(possible, np.exp(log_chance), 0)
    assert total == pytest.approx(1, abs=1e-6)
