from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipelines.synth import exams, model, workplace
from pipelines.synth.parameters import shipped
from pipelines.synth.patterns import place_of
from pipelines.synth.people import COMPETENCIES, Block, away, make_block, rotation_on
from pipelines.synth.request import Request
from pipelines.synth.words import ROTATIONS

NO_PATTERNS = {pattern.id: 0.0 for pattern in shipped().patterns}


@pytest.fixture(scope="module")
def block() -> Block:
    return make_block(Request(learners=400, seed=3), 0)


@pytest.fixture(scope="module")
def forms(block: Block) -> workplace.Forms:
    return workplace.observe(block)


def planted(block: Block, pattern: str) -> np.ndarray:
    return np.flatnonzero(block.learners.planted.has(place_of(block.request, pattern)))


def test_nobody_is_observed_on_leave_before_entry_or_after_leaving(
    block: Block, forms: workplace.Forms
) -> None:
    days = forms.observed_at // 86_400
    assert not away(block.learners, forms.who, days).any()
    assert (days <= block.last_day).all()


def test_assessors_see_learners_of_their_own_rotation_only() -> None:
    request = Request(learners=80, seed=4, shares={"single_assessor": 0})
    block = make_block(request, 0)
    forms = workplace.observe(block)
    rotation = rotation_on(block.learners, forms.who, forms.observed_at // 86_400, request)
    assert (block.assessors.rotation[forms.assessor] == rotation).all()
    assert set(rotation) == set(range(len(ROTATIONS)))


def test_ratings_vary_by_learner_assessor_and_case_as_published() -> None:
    """The components of DOPS come back from the latent values of a cohort without patterns."""
    request = Request(learners=500, seed=9, shares=NO_PATTERNS)
    block = make_block(request, 0)
    forms = workplace.observe(block)
    dops = next(
        place
        for place, form in enumerate(request.parameters.workplace.instruments)
        if form.id == "DOPS"
    )
    some = forms.instrument == dops
    who, by = forms.who[some], forms.assessor[some]
    day = forms.observed_at[some] // 86_400
    base = model.expected_level(block, who, forms.competency[some], day)
    spread = request.parameters.workplace.spread.value
    ease = np.array([0.15, 0, -0.3])[forms.complexity[some]] + block.case_effects[forms.case[some]]
    rest = (forms.latent[some] - base - ease) / spread
    stringency = -np.cov(rest, block.assessors.stringency[by])[0, 1]
    seen = forms.expected[some] - base
    slope = np.cov(rest, seen)[0, 1] / seen.var() * spread
    assert stringency == pytest.approx(np.sqrt(0.08), abs=0.05)
    assert slope == pytest.approx(1, abs=0.2)
    assert rest.var() == pytest.approx(1, abs=0.12)


def test_levels_stay_on_their_scales(block: Block, forms: workplace.Forms) -> None:
    for place, form in enumerate(block.request.parameters.workplace.instruments):
        scale = block.request.parameters.workplace.scale(form.scale)
        some = forms.level[forms.instrument == place]
        highest = scale.first_level + len(scale.thresholds.value)
        assert some.min() >= scale.first_level
        assert some.max() <= highest
        assert len(workplace.LABELS[scale.id]) == highest - scale.first_level + 1


def test_marks_of_multisource_feedback_pile_up_at_the_top(block: Block) -> None:
    marks = exams.multisource(block)["Communication"]
    given = marks.filter(marks != "").cast(pl.Int64)
    assert given.median() >= 5
    assert given.skew() < -0.3
    assert set(given) <= {2, 3, 4, 5, 6}


def test_delays_are_mostly_hours_and_sometimes_weeks(forms: workplace.Forms) -> None:
    days = (forms.submitted_at - forms.observed_at) / 86_400
    assert days.min() > 0
    assert np.median(days) < 2
    assert 0.04 < (days > 14).mean() < 0.12


def test_half_of_the_comments_hold_no_evidence_of_performance(forms: workplace.Forms) -> None:
    written = forms.strengths > 0
    plain = forms.strengths[written] <= len(workplace.PRAISE)
    assert written.mean() == pytest.approx(0.689, abs=0.01)
    assert plain.mean() == pytest.approx(0.526, abs=0.02)


@pytest.mark.parametrize(
    ("pattern", "effect"), [("struggling_learner", 1.0), ("decay_after_gap", 1.5)]
)
def test_a_planted_fall_is_as_deep_as_it_was_asked_to_be(pattern: str, effect: float) -> None:
    def level(size: float) -> np.ndarray:
        request = Request(learners=60, effects={pattern: size}, shares={"plateau": 0})
        block = make_block(request, 0)
        who = planted(block, pattern)
        about = np.maximum(block.learners.planted.competency[who], 0)
        return model.expected_level(block, who, about, np.full(len(who), block.last_day))

    fall = level(0) - level(effect)
    assert len(fall) >= 1
    assert fall == pytest.approx(effect)


def test_a_plateau_takes_the_growth_since_it_began() -> None:
    request = Request(learners=60, effects={"plateau": 1.0})
    block = make_block(request, 0)
    who = planted(block, "plateau")
    competency = np.zeros(len(who), dtype=np.int64)
    began = block.last_day - request.parameters.pattern("plateau").onset_days.value
    then = model.expected_level(block, who, competency, np.full(len(who), began))
    now = model.expected_level(block, who, competency, np.full(len(who), block.last_day))
    assert now == pytest.approx(then)


def test_a_competency_that_rests_on_open_tasks_has_no_forms(
    block: Block, forms: workplace.Forms
) -> None:
    for learner in planted(block, "open_only"):
        about = block.learners.planted.competency[learner]
        assert COMPETENCIES[about] in ("EPA02", "EPA05")
        assert not ((forms.who == learner) & (forms.competency == about)).any()


def test_a_single_assessor_gives_every_form_on_the_competency(
    block: Block, forms: workplace.Forms
) -> None:
    for learner in planted(block, "single_assessor"):
        about = block.learners.planted.competency[learner]
        seen = forms.assessor[(forms.who == learner) & (forms.competency == about)]
        assert len(set(seen)) == 1


def test_an_evidence_gap_leaves_no_forms_for_so_many_days(
    block: Block, forms: workplace.Forms
) -> None:
    since = (block.last_day - 240) * 86_400
    for learner in planted(block, "evidence_gap"):
        about = block.learners.planted.competency[learner]
        some = (forms.who == learner) & (forms.competency == about)
        assert (forms.observed_at[some] < since + 86_400).all()


def test_contradicting_words_stand_beside_ratings_at_target() -> None:
    request = Request(learners=400, effects={"contradicting_narrative": 0.9}, seed=3)
    block = make_block(request, 0)
    forms = workplace.observe(block)
    shares = []
    for learner in planted(block, "contradicting_narrative"):
        about = block.learners.planted.competency[learner]
        some = (forms.who == learner) & (forms.competency == about)
        some &= forms.observed_at >= (block.last_day - 180) * 86_400
        shares += list(forms.concern[some] >= 0)
    assert np.mean(shares) > 0.5
    assert (forms.concern >= 0).mean() < 0.1


def test_the_harsh_rater_is_strict_and_sees_weak_learners() -> None:
    request = Request(learners=120, seed=8)
    block = make_block(request, 0)
    forms = workplace.observe(block)
    (harsh,) = np.flatnonzero(block.assessors.harshness)
    mine = forms.assessor == harsh
    assert mine.sum() > 30
    assert (forms.latent - forms.expected)[mine].mean() < -0.5
    general = block.learners.general
    weak = general[forms.who[mine]] < np.median(general)
    of_patterns = block.learners.planted.has(place_of(request, "single_assessor"))
    assert weak[~of_patterns[forms.who[mine]]].all()


def test_learners_of_the_group_fall_behind_by_the_planted_time() -> None:
    request = Request(learners=60, effects={"group_gap": 0.5}, shares={"plateau": 0})
    wide = make_block(request, 0)
    none = make_block(Request(learners=60, effects={"group_gap": 0.0}, shares={"plateau": 0}), 0)
    who = np.arange(60)
    days = wide.learners.entered_on + round(2 * model.DAYS_PER_YEAR)
    args = (who, np.zeros(60, dtype=np.int64), days)
    gap = model.expected_level(none, *args) - model.expected_level(wide, *args)
    group = wide.learners.first_in_family
    expected = 0.9 * wide.learners.growth * 2 * 0.5 / 3
    at_cap = model.expected_level(none, *args) >= 4.6
    assert gap[group & ~at_cap] == pytest.approx(expected[group & ~at_cap], abs=0.35)
    assert (gap[group] > 0).all()
    assert not gap[~group].any()
