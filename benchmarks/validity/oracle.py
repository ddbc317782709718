"""The best detector that could be had: it knows the generating model and sees the same records.

For every learner it weighs two hypotheses by likelihood under the generating parameters: the
pattern of this size is there, or it is not. It knows assessors, instruments, scales and the size;
ability and growth of the learner are integrated out by quadrature. Its threshold is the one that
raises the wanted share of false alarms in cohorts where the same learners carry the pattern in size
zero, so its power is what can be had at that price and no signal can be blamed for missing more.

What it leaves out makes it weaker, never stronger than it should be: passing dips are noise to it,
and so is what one assessor thinks of one learner.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtr

from pipelines.synth import exams, model, workplace
from pipelines.synth.patterns import ESSAY_COMPETENCIES, competencies_of, place_of
from pipelines.synth.people import COMPETENCIES, Block, away, make_block
from pipelines.synth.request import Request

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOTHING = -1e30
LEAST_CHANCE = 1e-12
SPECIFIC_NODES, GROWTH_NODES = 7, 3
ASSESSOR_SHARE = 0.03
"""How often any one assessor gives a form, where nothing is planted; by the rotation calendar."""
ALMOST_ALL = 0.98
"""Stands for a planted share of one, so that one exception is unlikely and not impossible."""
FALLS = ("struggling_learner", "plateau", "open_secured_divergence", "decay_after_gap")
COHORTS = ("harsh_rater", "group_gap")
"""Patterns of a whole cohort; what is weighed is the cohort, not a learner."""
COUNTS = ("contradicting_narrative", "open_only", "evidence_gap", "single_assessor")


@dataclass(frozen=True)
class Seen:
    """What the oracle sees of a block: its records, and who carries which pattern."""

    block: Block
    forms: workplace.Forms
    essays: pl.DataFrame
    without: dict[bool, Floats] = field(default_factory=dict)
    """Likelihoods without any pattern, with and without essays, once they are known."""

    def carriers(self, pattern: str) -> Ints:
        """Return the learners that carry a pattern."""
        return np.flatnonzero(
            self.block.learners.planted.has(place_of(self.block.request, pattern))
        )


def see(request: Request) -> Seen:
    """Make a cohort of one block, records only."""
    block = make_block(request, 0)
    return Seen(block, workplace.observe(block), exams.essays(block)[1])


def evidence(seen: Seen, pattern: str, effect: float) -> Floats:
    """Return the log likelihood ratio of the pattern, in this size, for every learner."""
    if pattern in FALLS:
        return _falls(seen, pattern, effect)
    return {
        "contradicting_narrative": _contradictions,
        "open_only": _open_only,
        "evidence_gap": _gaps,
        "single_assessor": _single_assessors,
    }[pattern](seen, effect)


def cohort_evidence(seen: Seen, pattern: str, effect: float) -> float:
    """Return the log likelihood ratio of a pattern of a whole cohort."""
    if pattern == "harsh_rater":
        return _harsh_rater(seen, effect)
    block, forms = seen.block, seen.forms
    day = forms.observed_at // workplace.DAY_SECONDS
    years = (day - block.learners.entered_on[forms.who]) / model.DAYS_PER_YEAR
    slower = years * effect / model.GAP_YEARS * block.learners.first_in_family[forms.who]
    nothing = np.zeros(len(forms))
    ratio = _likelihood(seen, nothing, slower, None) - _likelihood(seen, nothing, nothing, None)
    return float(ratio.sum())


def _harsh_rater(seen: Seen, effect: float) -> float:
    """Weigh that any one assessor is stricter by so much, at each learner's likeliest ability."""
    block, forms = seen.block, seen.forms
    general, weight = _nodes(block.request.parameters.oracle.nodes.value)
    none, one = np.zeros(1), np.zeros(len(forms))
    usual = _log_chances(seen, one, one, 0.0, general, none, knows_harsh=False)[:, :, 0]
    strict = _log_chances(seen, one + effect, one, 0.0, general, none, knows_harsh=False)[:, :, 0]
    of_learner = np.zeros((len(block.learners), len(general)))
    np.add.at(of_learner, forms.who, usual)
    likeliest = (of_learner + np.log(weight)).argmax(axis=1)[forms.who]
    row = np.arange(len(forms))
    ratio = strict[row, likeliest] - usual[row, likeliest]
    by_assessor = np.bincount(forms.assessor, weights=ratio, minlength=len(block.assessors))
    return float(logsumexp(by_assessor) - np.log(len(block.assessors)))


def _falls(seen: Seen, pattern: str, effect: float) -> Floats:
    """Weigh a fall of performance: with the fall against without it."""
    block, forms = seen.block, seen.forms
    day = forms.observed_at // workplace.DAY_SECONDS
    onset = block.last_day - block.request.parameters.pattern(pattern).onset_days.value
    since = day - onset
    n = len(block.learners)
    known = np.full(n, -1, dtype=np.int64)
    if pattern == "decay_after_gap":
        known = block.learners.planted.competency
    fall = np.where(since >= 0, effect, 0.0)
    lost_years: Floats = np.zeros(len(forms))
    if pattern == "plateau":
        fall = np.zeros(len(forms))
        lost_years = np.asarray(effect * np.clip(since, 0, None) / model.DAYS_PER_YEAR, float)
    if pattern == "decay_after_gap":
        fall = np.where(known[forms.who] == forms.competency, fall, 0.0)
    has_essays = pattern in ("struggling_learner", "open_secured_divergence")
    essay_fall = effect if pattern == "struggling_learner" else 0.0
    with_it = _likelihood(seen, fall, lost_years, (essay_fall, onset) if has_essays else None)
    if has_essays not in seen.without:
        nothing = np.zeros(len(forms))
        essays = (0.0, onset) if has_essays else None
        seen.without[has_essays] = _likelihood(seen, nothing, nothing, essays)
    return with_it - seen.without[has_essays]


def _likelihood(
    seen: Seen, fall: Floats, lost_years: Floats, essays: tuple[float, int] | None
) -> Floats:
    """Return the log likelihood of each learner's records, ability and growth integrated out.

    Args:
        seen: the records.
        fall: by how many levels each form falls short under the hypothesis.
        lost_years: how many years of growth are lost by each form.
        essays: by how many levels essays fall short, and since when; None to leave them out.
    """
    block = seen.block
    parameters = block.request.parameters
    common = parameters.ability.common_share.value
    general, general_weight = _nodes(parameters.oracle.nodes.value)
    specific, specific_weight = _nodes(SPECIFIC_NODES)
    growth, growth_weight = _nodes(GROWTH_NODES)
    n, k = len(block.learners), len(COMPETENCIES)
    whole = np.full((n, len(general), len(growth)), 0.0)
    for place, rate in enumerate(growth):
        cell = np.zeros((n * k, len(general), len(specific)))
        chances = _log_chances(seen, fall, lost_years, rate, general, specific)
        np.add.at(cell, seen.forms.who * k + seen.forms.competency, chances)
        of_cell = logsumexp(cell + np.log(specific_weight), axis=2)
        whole[:, :, place] = of_cell.reshape(n, k, -1).sum(axis=1)
    if essays is not None:
        whole += _essay_chances(seen, *essays, general, common)[:, :, None]
    weights = np.log(general_weight)[:, None] + np.log(growth_weight)[None, :]
    total: Floats = logsumexp(whole + weights, axis=(1, 2))
    return total


def _log_chances(
    seen: Seen,
    fall: Floats,
    lost_years: Floats,
    rate: float,
    general: Floats,
    specific: Floats,
    *,
    knows_harsh: bool = True,
) -> Floats:
    """Return the log chance of every form's level at every node: forms x general x specific."""
    block, forms = seen.block, seen.forms
    learners, people = block.learners, block.assessors
    parameters = block.request.parameters
    work, growing = parameters.workplace, parameters.growth
    common = parameters.ability.common_share.value
    day = forms.observed_at // workplace.DAY_SECONDS
    gone = np.clip(day - learners.leave_from[forms.who], 0, None)
    gone = np.minimum(gone, learners.leave_to[forms.who] - learners.leave_from[forms.who])
    years = (day - learners.entered_on[forms.who] - gone) / model.DAYS_PER_YEAR - lost_years
    speed = growing.levels_per_year.value * (1 + growing.learner_sd.value * rate)
    base = np.minimum(growing.cap.value, growing.entry_level.value + speed * years) - fall
    ease = np.array([work.low_complexity.value, 0, work.high_complexity.value])
    base = base + ease[forms.complexity] + block.case_effects[forms.case]
    found = np.empty((len(forms), len(general), len(specific)))
    for place, form in enumerate(work.instruments):
        some = np.flatnonzero(forms.instrument == place)
        by = forms.assessor[some]
        sd = {
            part: model.component_sd(block, form, part)
            for part in ("learner", "stringency", "subjectivity", "case")
        }
        slope = sd["learner"] * people.discrimination[by]
        middle = base[some] - sd["stringency"] * people.stringency[by]
        if knows_harsh:
            middle = middle - people.harshness[by]
        middle = (
            middle[:, None, None]
            + (slope * np.sqrt(common))[:, None, None] * general[None, :, None]
            + (slope * (1 - people.halo[by]) * np.sqrt(1 - common))[:, None, None]
            * specific[None, None, :]
        )
        spread = np.hypot(sd["subjectivity"], sd["case"])
        scale = work.scale(form.scale)
        steps = np.array([-np.inf, *scale.thresholds.value, np.inf])
        level = forms.level[some] - scale.first_level
        high = ndtr((steps[level + 1][:, None, None] - middle) / spread)
        low = ndtr((steps[level][:, None, None] - middle) / spread)
        found[some] = np.log(np.maximum(high - low, LEAST_CHANCE))
    return found


def _essay_chances(
    seen: Seen, essay_fall: float, onset: int, general: Floats, common: float
) -> Floats:
    """Return the log likelihood of each learner's essays at every node of general ability."""
    block, work = seen.block, seen.block.request.parameters.exams
    place = {name: i for i, name in enumerate(block.learners.ids)}
    marked = seen.essays.filter(pl.col("is_marked"))
    who = marked["learner_id"].replace_strict(place, return_dtype=pl.Int64).to_numpy()
    day = marked["day"].cast(pl.Int32).to_numpy().astype(np.int64)
    per_level = work.essay_learner_sd.value / model.component_sd(
        block, model.reference(block), "learner"
    )
    lost = np.where(day >= onset, essay_fall * per_level, 0.0)
    variance = work.essay_noise_sd.value**2 + work.essay_learner_sd.value**2 * (
        (1 - common) / len(ESSAY_COMPETENCIES)
    )
    mean = (
        work.essay_mean.value
        - lost[:, None]
        + work.essay_learner_sd.value * np.sqrt(common) * general[None, :]
    )
    off = marked["mark"].cast(pl.Float64).to_numpy()[:, None] - mean
    found = np.zeros((len(block.learners), len(general)))
    np.add.at(found, who, -(off**2) / (2 * variance))
    return found


def _contradictions(seen: Seen, effect: float) -> Floats:
    """Weigh words of concern beside ratings at target, on any one competency."""
    block, forms = seen.block, seen.forms
    pattern = block.request.parameters.pattern("contradicting_narrative")
    day = forms.observed_at // workplace.DAY_SECONDS
    below = workplace.levels_below_target(block, forms.who, day, forms.latent)
    some = (below <= workplace.AT_TARGET) & (block.last_day - day <= pattern.onset_days.value)
    with_words = _per_cell(block, forms, some & (forms.concern >= 0))
    n = _per_cell(block, forms, some)
    usual = block.request.parameters.narrative.concern_at_target.value
    return _any_cell(_binomial(with_words, n, min(effect, ALMOST_ALL), usual))


def _open_only(seen: Seen, effect: float) -> Floats:
    """Weigh how few forms there are on what the open tasks are about."""
    block, forms = seen.block, seen.forms
    every = _per_cell(block, forms, np.ones(len(forms), dtype=bool))
    usual = np.maximum(every.sum(axis=1, keepdims=True), 1) / len(COMPETENCIES)
    left = usual * max(1 - effect, 1 - ALMOST_ALL)
    ratio = every * np.log(left / usual) - (left - usual)
    return _any_cell(ratio[:, competencies_of("open_only")])


def _gaps(seen: Seen, effect: float) -> Floats:
    """Weigh so many days without a form, on any one competency."""
    block, forms = seen.block, seen.forms
    day = forms.observed_at // workplace.DAY_SECONDS
    about = competencies_of("evidence_gap")
    every = _per_cell(block, forms, np.ones(len(forms), dtype=bool))
    late = _per_cell(block, forms, block.last_day - day < effect)[:, about]
    in_window = _days_present(block, block.last_day - int(effect) + 1)
    in_all = np.maximum(_days_present(block, block.first_day), 1)
    usual = np.maximum(every.sum(axis=1), 1) / len(COMPETENCIES)
    wanted = np.broadcast_to((usual * in_window / in_all)[:, None], late.shape)
    return _any_cell(np.where(late == 0, wanted, NOTHING))


def _days_present(block: Block, first: int) -> Floats:
    """Return how many days from the first to the last each learner could be observed."""
    days = np.arange(first, block.last_day + 1)
    who = np.repeat(np.arange(len(block.learners)), len(days))
    here = ~away(block.learners, who, np.tile(days, len(block.learners)))
    found: Floats = here.reshape(len(block.learners), -1).sum(axis=1).astype(np.float64)
    return found


def _single_assessors(seen: Seen, effect: float) -> Floats:
    """Weigh forms by the learner's mentor, on any one competency."""
    block, forms = seen.block, seen.forms
    by_mentor = forms.assessor == block.learners.mentor[forms.who]
    n = _per_cell(block, forms, np.ones(len(forms), dtype=bool))
    own = _per_cell(block, forms, by_mentor)
    return _any_cell(_binomial(own, n, min(effect, ALMOST_ALL), ASSESSOR_SHARE))


def _binomial(hits: Floats, n: Floats, planted: float, usual: float) -> Floats:
    ratio: Floats = hits * np.log(planted / usual) + (n - hits) * np.log(
        (1 - planted) / (1 - usual)
    )
    return ratio


def _any_cell(ratio: Floats) -> Floats:
    """Return the log likelihood ratio of a pattern that may be on any of the competencies."""
    total: Floats = logsumexp(ratio, axis=1) - np.log(ratio.shape[1])
    return total


def _per_cell(block: Block, forms: workplace.Forms, some: NDArray[np.bool_]) -> Floats:
    n, k = len(block.learners), len(COMPETENCIES)
    place = forms.who[some] * k + forms.competency[some]
    return np.bincount(place, minlength=n * k).reshape(n, k).astype(np.float64)


@cache
def _nodes(n: int) -> tuple[Floats, Floats]:
    """Return nodes and weights of a standard normal distribution."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    return nodes, weights / weights.sum()
