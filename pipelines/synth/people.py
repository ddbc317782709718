"""Learners and assessors of one block, their calendar, and what only the generator knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from pipelines.synth.patterns import Planted, plant
from pipelines.synth.request import Request
from pipelines.synth.streams import stream
from pipelines.synth.words import EPAS, FAMILY_NAMES, FAVOURED, GIVEN_NAMES, ROLES, ROTATIONS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NEVER = np.int64(10**7)
"""A day, counted from 1970, on which nothing happens any more."""
FIRST_STUDENT = 100_200
STUDENT_STEP = 7
FIRST_STAFF = 2_000
COMPETENCIES = tuple(code for code, _, _ in EPAS)


def day_number(day: date) -> int:
    """Return a day as days since 1970."""
    return (day - date(1970, 1, 1)).days


def as_date(number: int) -> date:
    """Return days since 1970 as a day."""
    return date(1970, 1, 1) + timedelta(days=int(number))


@dataclass(frozen=True)
class Learners:
    """The learners of a block, one array element each; days are counted from 1970."""

    number: Ints
    ids: list[str]
    given_name: list[str]
    family_name: list[str]
    entry_year: Ints
    entered_on: Ints
    leaves_on: Ints
    """The last day in the programme."""
    is_withdrawn: Bools
    repeats_year: Ints
    """The year of study that is done twice; 0 for none."""
    leave_from: Ints
    leave_to: Ints
    mentor: Ints
    first_in_family: Bools
    general: Floats
    """Ability that all competencies have in common, in standard deviations."""
    specific: Floats
    """Learners x competencies, in standard deviations."""
    growth: Floats
    activity: Floats
    regression_competency: Ints
    """Learners x dips: the competency, or -1."""
    regression_from: Ints
    rotations: Ints
    """Learners x slots of the rotation calendar."""
    planted: Planted

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Assessors:
    """The assessors of a block; rotations hold stretches of them."""

    ids: list[str]
    given_name: list[str]
    family_name: list[str]
    role: Ints
    rotation: Ints
    per_rotation: int
    is_trained: Bools
    stringency: Floats
    """In standard deviations; positive is strict."""
    halo: Floats
    discrimination: Floats
    harshness: Floats
    """In levels, on top of stringency: the planted harsh rater."""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Block:
    """One block of a cohort: its people, made from their own random numbers."""

    request: Request
    number: int
    learners: Learners
    assessors: Assessors
    last_day: int
    first_day: int
    case_effects: Floats = field(default_factory=lambda: np.zeros(0))

    def generator(self, purpose: str) -> np.random.Generator:
        """Return the random numbers of this block for one purpose."""
        return stream(self.request.seed, self.request.programme, purpose, self.number)


def make_block(request: Request, number: int) -> Block:
    """Make the people of a block."""
    from pipelines.synth.words import CASE_TYPES

    members = request.blocks[number]
    assessors = _assessors(request, number, len(members))
    learners = _learners(request, number, members, len(assessors))
    last_day = day_number(request.parameters.school.last_day.value)
    cases = stream(request.seed, request.programme, "cases")
    sd = request.parameters.workplace.case_type_sd.value
    return Block(
        request,
        number,
        learners,
        assessors,
        last_day,
        first_day=int(learners.entered_on.min()),
        case_effects=cases.normal(0, sd, len(CASE_TYPES)),
    )


def study_year(learners: Learners, who: Ints, day: Ints, request: Request) -> Ints:
    """Return the year of study (stage) of learners on days; a repeated year counts once."""
    school = request.parameters.school
    shifted = (day - (school.entry_day.value - 1)).astype("datetime64[D]")
    calendar_year = shifted.astype("datetime64[Y]").astype(np.int64) + 1970
    year = calendar_year - learners.entry_year[who] + 1
    repeats = learners.repeats_year[who]
    year = year - ((repeats > 0) & (year > repeats))
    stage: Ints = np.clip(year, 1, programme_years(request))
    return stage


def programme_years(request: Request) -> int:
    """Return how many years the programme takes."""
    return max(request.years, request.parameters.school.programme_years_min.value)


def away(learners: Learners, who: Ints, day: Ints) -> Bools:
    """Tell who is on leave on the day, not yet there, or gone."""
    on_leave = (learners.leave_from[who] <= day) & (day <= learners.leave_to[who])
    return on_leave | (day < learners.entered_on[who]) | (day > learners.leaves_on[who])


def rotation_on(learners: Learners, who: Ints, day: Ints, request: Request) -> Ints:
    """Return the rotation of learners on days."""
    weeks = request.parameters.school.rotation_weeks.value
    slot = (day - learners.entered_on[who]) // (7 * weeks)
    last = learners.rotations.shape[1] - 1
    found: Ints = learners.rotations[who, np.clip(slot, 0, last)]
    return found


def competency_weights(request: Request) -> Floats:
    """Return how often each competency is seen in each rotation: rotations x competencies."""
    weight = request.parameters.workplace.favoured_weight.value
    table = np.ones((len(ROTATIONS), len(COMPETENCIES)))
    for row, rotation in enumerate(ROTATIONS):
        for code in FAVOURED[rotation]:
            table[row, COMPETENCIES.index(code)] = weight
    shares: Floats = table / table.sum(axis=1, keepdims=True)
    return shares


def _assessors(request: Request, number: int, n_learners: int) -> Assessors:
    parameters = request.parameters
    school, ability = parameters.school, parameters.ability
    rng = stream(request.seed, request.programme, "assessors", number)
    per_rotation = max(
        school.assessors_per_rotation_min.value,
        round(school.assessors_per_learner.value * n_learners / len(ROTATIONS)),
    )
    n = per_rotation * len(ROTATIONS)
    first = FIRST_STAFF + number * 10_000
    mean, concentration = ability.halo_mean.value, ability.halo_concentration.value
    harshness = np.zeros(n)
    if request.share("harsh_rater") > 0:
        harshness[harsh_rater(request, number, per_rotation)] = request.effect("harsh_rater")
    return Assessors(
        ids=[f"{request.prefix}T{first + place}" for place in range(n)],
        given_name=_names(rng, GIVEN_NAMES, n),
        family_name=_names(rng, FAMILY_NAMES, n),
        role=np.arange(n) % len(ROLES),
        rotation=np.arange(n) // per_rotation,
        per_rotation=per_rotation,
        is_trained=rng.random(n) < school.trained_share.value,
        stringency=rng.normal(0, 1, n),
        halo=rng.beta(mean * concentration, (1 - mean) * concentration, n),
        discrimination=np.exp(rng.normal(0, ability.discrimination_sd.value, n)),
        harshness=harshness,
    )


def harsh_rater(request: Request, number: int, per_rotation: int) -> int:
    """Return the place of the block's harsh rater among its assessors."""
    rng = stream(request.seed, request.programme, "harsh_rater", number)
    return int(rng.integers(per_rotation * len(ROTATIONS)))


def _learners(request: Request, number: int, members: range, n_assessors: int) -> Learners:
    parameters = request.parameters
    school, growth = parameters.school, parameters.growth
    rng = stream(request.seed, request.programme, "learners", number)
    n = len(members)
    numbers = np.arange(members.start, members.stop)
    last = day_number(school.last_day.value)
    last_year = school.last_day.value.year
    entry_year = last_year - request.years + 1 + numbers % request.years
    entered = _days(entry_year, school.entry_month.value, school.entry_day.value)
    length = programme_years(request)
    repeats = np.where(
        rng.random(n) < school.repeats_share.value, rng.integers(1, length, n), np.int64(0)
    )
    ends = _days(
        entry_year + length + (repeats > 0), school.entry_month.value, school.entry_day.value
    )
    withdrawn = rng.random(n) < school.withdrawn_share.value
    withdraws_on = entered + rng.integers(120, 900, n)
    withdrawn &= withdraws_on < last
    has_leave = rng.random(n) < school.leave_share.value
    leave_from = np.where(has_leave, entered + rng.integers(90, 700, n), NEVER)
    leave_to = leave_from + rng.integers(*school.leave_days.value, size=n)
    n_slots = (length + 1) * 366 // (7 * school.rotation_weeks.value) + 2
    cycles = -(-n_slots // len(ROTATIONS))
    order = np.argsort(rng.random((n, cycles, len(ROTATIONS))), axis=2).reshape(n, -1)
    most = request.parameters.planting.most_regressions.value
    dips = np.minimum(rng.poisson(growth.regressions_per_year.value * length, n), most)
    dip_competency = rng.integers(0, len(COMPETENCIES), (n, most))
    dip_competency[np.arange(most) >= dips[:, None]] = -1
    dip_from = entered[:, None] + rng.integers(30, 365 * length, (n, most))
    first_in_family = rng.random(n) < school.first_in_family_share.value
    return Learners(
        number=numbers,
        ids=[f"{request.prefix}s{FIRST_STUDENT + STUDENT_STEP * int(i)}" for i in numbers],
        given_name=_names(rng, GIVEN_NAMES, n),
        family_name=_names(rng, FAMILY_NAMES, n),
        entry_year=entry_year,
        entered_on=entered,
        leaves_on=np.where(withdrawn, withdraws_on, ends - 1),
        is_withdrawn=withdrawn,
        repeats_year=repeats,
        leave_from=leave_from,
        leave_to=leave_to,
        mentor=rng.integers(0, n_assessors, n),
        first_in_family=first_in_family,
        general=rng.normal(0, 1, n),
        specific=rng.normal(0, 1, (n, len(COMPETENCIES))),
        growth=rng.normal(1, growth.learner_sd.value, n),
        activity=np.exp(rng.normal(0, parameters.workplace.activity_sd.value, n)),
        regression_competency=dip_competency,
        regression_from=dip_from,
        rotations=order,
        planted=plant(request, number, n, entered, ~withdrawn & ~has_leave),
    )


def _names(rng: np.random.Generator, names: tuple[str, ...], n: int) -> list[str]:
    return [names[i] for i in rng.integers(0, len(names), n)]


def _days(years: Ints, month: int, day: int) -> Ints:
    first = (years - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    return first.astype("datetime64[D]").astype(np.int64) + day - 1
