"""The generating model: true levels, and what an assessor sees of them."""

from __future__ import annotations

import numpy as np

from pipelines.synth.parameters import Instrument
from pipelines.synth.patterns import place_of
from pipelines.synth.people import Block, Bools, Floats, Ints

DAYS_PER_YEAR = 365.25
GAP_YEARS = 3
"""The group gap is stated for so many years."""


def component_sd(block: Block, instrument: Instrument, component: str) -> float:
    """Return the standard deviation of a component of one rating, in levels."""
    share: float = getattr(instrument.components, component).value
    return float(block.request.parameters.workplace.spread.value * np.sqrt(share))


def reference(block: Block) -> Instrument:
    """Return the commonest instrument, by which abilities are stated in levels."""
    return max(block.request.parameters.workplace.instruments, key=lambda form: form.weight.value)


def expected_level(block: Block, who: Ints, competency: Ints, day: Ints) -> Floats:
    """Return the level that training alone would give: growth, its patterns, no ability.

    Planted patterns that move performance itself are in it: what is planted is true.
    """
    request, learners = block.request, block.learners
    growth = request.parameters.growth
    on_leave = np.clip(day - learners.leave_from[who], 0, None)
    on_leave = np.minimum(on_leave, learners.leave_to[who] - learners.leave_from[who])
    years = (day - learners.entered_on[who] - on_leave) / DAYS_PER_YEAR
    since, has = _onset(block, who, "plateau", day)
    lost = np.clip(since, 0, None) / DAYS_PER_YEAR
    years = years - np.where(has, request.effect("plateau") * lost, 0)
    if request.share("group_gap") > 0:
        slower = 1 - request.effect("group_gap") / GAP_YEARS
        years = np.where(learners.first_in_family[who], years * slower, years)
    level: Floats = np.minimum(
        growth.cap.value,
        growth.entry_level.value + growth.levels_per_year.value * learners.growth[who] * years,
    )
    since, has = _onset(block, who, "struggling_learner", day)
    level = level - np.where(has & (since >= 0), request.effect("struggling_learner"), 0)
    since, has = _onset(block, who, "decay_after_gap", day)
    about = learners.planted.competency[who] == competency
    return level - np.where(has & about & (since >= 0), request.effect("decay_after_gap"), 0)


def ability(block: Block, who: Ints, competency: Ints, day: Ints, unseen: Floats | float) -> Floats:
    """Return ability in standard deviations, as somebody sees it who misses a part of it.

    Args:
        block: the people.
        who: learners.
        competency: competencies.
        day: days since 1970.
        unseen: share of the specific part that is not seen: an assessor's halo, 0 for the truth.
    """
    learners, parameters = block.learners, block.request.parameters
    common = parameters.ability.common_share.value
    seen = 1 - unseen
    value: Floats = (
        np.sqrt(common) * learners.general[who]
        + seen * np.sqrt(1 - common) * (learners.specific[who, competency])
    )
    days, depth = parameters.growth.regression_days.value, parameters.growth.regression_sd.value
    for dip in range(learners.regression_competency.shape[1]):
        begins = learners.regression_from[who, dip]
        is_dip = learners.regression_competency[who, dip] == competency
        is_dip &= (begins <= day) & (day < begins + days)
        value = value - seen * depth * is_dip
    return value


def secured_shortfall(block: Block, who: Ints, day: Ints) -> Floats:
    """Return by how many levels observed and secured work falls short of open work, as planted."""
    since, has = _onset(block, who, "open_secured_divergence", day)
    effect = block.request.effect("open_secured_divergence")
    return np.where(has & (since >= 0), effect, 0.0)


def true_level(
    block: Block, instrument: Instrument, who: Ints, competency: Ints, day: Ints
) -> Floats:
    """Return what the average of all assessors and cases would be, in levels."""
    sd = component_sd(block, instrument, "learner")
    return (
        expected_level(block, who, competency, day)
        - secured_shortfall(block, who, day)
        + sd * ability(block, who, competency, day, 0)
    )


def is_in_practice_gap(block: Block, who: Ints, competency: Ints, day: Ints) -> Bools:
    """Tell where a planted pattern leaves no forms on a competency."""
    learners, request = block.learners, block.request
    about = learners.planted.competency[who] == competency
    since, has = _onset(block, who, "decay_after_gap", day)
    paused_days = request.parameters.planting.practice_gap_days.value
    pause = has & about & (since < 0) & (since >= -paused_days)
    has = learners.planted.has(place_of(request, "evidence_gap"))[who]
    recent = block.last_day - day < request.effect("evidence_gap")
    gap: Bools = pause | (has & about & recent)
    return gap


def ordinal(values: Floats, thresholds: list[float], first_level: int) -> Ints:
    """Return the level of a scale that a latent value falls on."""
    return np.searchsorted(np.asarray(thresholds), values, side="right") + first_level


def _onset(block: Block, who: Ints, pattern: str, day: Ints) -> tuple[Ints, Bools]:
    """Return days since a pattern began, and who has it."""
    before = block.request.parameters.pattern(pattern).onset_days.value
    has = block.learners.planted.has(place_of(block.request, pattern))[who]
    return day - (block.last_day - before), has
