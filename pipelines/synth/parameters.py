"""The parameters of the generating model: one versioned file, each number with its source."""

from __future__ import annotations

import math
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FILE = "parameters.yaml"
SUM_TOLERANCE = 1e-6

T = TypeVar("T")
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]


class ParameterError(Exception):
    """The parameters cannot be used; the message says which, and why."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(_Part, Generic[T]):
    """A value with where it comes from: a publication, a set with its figure, or local choice."""

    value: T
    unit: str | None = None
    source: str = Field(min_length=8)


class School(_Part):
    """The people and the calendar."""

    programme_id: Sourced[str]
    last_day: Sourced[date]
    entry_month: Sourced[Annotated[int, Field(ge=1, le=12)]]
    entry_day: Sourced[Annotated[int, Field(ge=1, le=28)]]
    programme_years_min: Sourced[Annotated[int, Field(ge=1)]]
    rotation_weeks: Sourced[Annotated[int, Field(ge=1)]]
    assessors_per_learner: Sourced[Positive]
    assessors_per_rotation_min: Sourced[Annotated[int, Field(ge=1)]]
    busy_assessors: Sourced[Positive]
    trained_share: Sourced[Share]
    leave_share: Sourced[Share]
    leave_days: Sourced[tuple[int, int]]
    withdrawn_share: Sourced[Share]
    repeats_share: Sourced[Share]
    first_in_family_share: Sourced[Share]
    consent_withdrawn_share: Sourced[Share]
    planned_days: Sourced[int]


class Growth(_Part):
    """How ability grows, and falls back for a while."""

    entry_level: Sourced[float]
    levels_per_year: Sourced[Positive]
    learner_sd: Sourced[Positive]
    cap: Sourced[float]
    regressions_per_year: Sourced[float]
    regression_sd: Sourced[float]
    regression_days: Sourced[int]
    targets: Sourced[list[int]]


class Ability(_Part):
    """How abilities hang together, and how assessors see them."""

    common_share: Sourced[Share]
    halo_mean: Sourced[Annotated[float, Field(gt=0, lt=1)]]
    halo_concentration: Sourced[Positive]
    discrimination_sd: Sourced[Positive]


class VarianceShares(_Part):
    """Shares of the variance of one rating; they sum to one."""

    learner: Sourced[Share]
    stringency: Sourced[Share]
    subjectivity: Sourced[Share]
    case: Sourced[Share]

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = math.fsum(
            part.value for part in (self.learner, self.stringency, self.subjectivity, self.case)
        )
        if abs(total - 1) > SUM_TOLERANCE:
            raise ValueError(f"components of variance sum to {total:g}, not to 1")
        return self


class Instrument(_Part):
    """A form: how often, on which scale, with which components of variance."""

    id: str
    weight: Sourced[Share]
    scale: str
    components: VarianceShares


class Scale(_Part):
    """The latent levels at which each step of an ordinal scale begins."""

    id: str
    first_level: int
    thresholds: Sourced[list[float]]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        steps = self.thresholds.value
        if sorted(set(steps)) != steps:
            raise ValueError(f"the thresholds of {self.id} do not rise")
        return self


class Workplace(_Part):
    """Workplace-based assessments."""

    forms_per_month: Sourced[Positive]
    activity_sd: Sourced[Positive]
    spread: Sourced[Positive]
    high_complexity: Sourced[float]
    low_complexity: Sourced[float]
    complexity_weights: Sourced[list[Share]]
    case_type_sd: Sourced[float]
    favoured_weight: Sourced[Positive]
    concern_below: Sourced[float]
    concern_share: Sourced[Share]
    concern_base: Sourced[Share]
    setting_weights: Sourced[list[Share]]
    instruments: list[Instrument]
    scales: list[Scale]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name, weights in (
            ("instruments", [i.weight.value for i in self.instruments]),
            ("complexity_weights", self.complexity_weights.value),
            ("setting_weights", self.setting_weights.value),
        ):
            if abs(math.fsum(weights) - 1) > SUM_TOLERANCE:
                raise ValueError(f"{name} sum to {math.fsum(weights):g}, not to 1")
        known = {scale.id for scale in self.scales}
        for instrument in self.instruments:
            if instrument.scale not in known:
                raise ValueError(f"{instrument.id} uses the scale {instrument.scale}, not given")
        return self

    def scale(self, scale_id: str) -> Scale:
        """Return a scale by its id."""
        return next(scale for scale in self.scales if scale.id == scale_id)


class Delays(_Part):
    """How long after the encounter a form is handed in: a mixture of two log-normals."""

    median_hours: Sourced[Positive]
    sd_log: Sourced[Positive]
    late_share: Sourced[Share]
    late_median_days: Sourced[Positive]
    late_sd_log: Sourced[Positive]


class Comments(_Part):
    """How often people write, and what it is worth."""

    strengths_share: Sourced[Share]
    improvements_share: Sourced[Share]
    empty_share: Sourced[Share]
    second_sentence_share: Sourced[Share]
    concern_at_target: Sourced[Share]
    concern_below_target: Sourced[Share]


class Msf(_Part):
    """Multisource feedback: marks pile up at the top."""

    month: Sourced[int]
    day: Sourced[int]
    respondents: Sourced[tuple[int, int]]
    mean: Sourced[float]
    learner_sd: Sourced[float]
    residual_sd: Sourced[float]
    skew: Sourced[float]
    self_difference: Sourced[float]
    lowest: Sourced[int]
    blank_share: Sourced[Share]


class Exams(_Part):
    """Progress tests, open written tasks and the OSCE."""

    progress_sittings: Sourced[list[MonthDay]]
    progress_items: Sourced[int]
    progress_start: Sourced[Share]
    progress_growth: Sourced[Share]
    progress_learner_sd: Sourced[float]
    progress_noise_sd: Sourced[float]
    progress_guess: Sourced[tuple[float, float]]
    progress_absent_share: Sourced[Share]
    essay_days: Sourced[list[MonthDay]]
    essay_mean: Sourced[float]
    essay_learner_sd: Sourced[float]
    essay_noise_sd: Sourced[float]
    essay_cut: Sourced[int]
    essay_late_share: Sourced[Share]
    essay_late_days: Sourced[Annotated[int, Field(ge=1)]]
    essay_unmarked_share: Sourced[Share]
    osce_day: Sourced[MonthDay]
    osce_stations: Sourced[int]
    osce_mean: Sourced[float]
    osce_growth: Sourced[float]
    osce_learner_sd: Sourced[float]
    osce_examiner_sd: Sourced[float]
    osce_noise_sd: Sourced[float]
    osce_steps: Sourced[list[int]]
    osce_cut: Sourced[int]


class AiUse(_Part):
    """What learners declare."""

    missing_share: Sourced[Share]
    not_declared_share: Sourced[Share]
    used_share: Sourced[Share]
    beyond_policy_share: Sourced[Share]
    patient_data_share: Sourced[Share]
    exemption_share: Sourced[Share]
    verified_share: Sourced[Share]


class CommitteeWork(_Part):
    """The progress committee."""

    members: Sourced[int]
    quorum: Sourced[int]
    help_below: Sourced[float]
    done_share: Sourced[Share]
    action_days: Sourced[int]
    done_after_days: Sourced[int]


class Planting(_Part):
    """Where patterns have room to show."""

    seen_for_days: Sourced[int]
    practice_gap_days: Sourced[int]
    most_regressions: Sourced[Annotated[int, Field(ge=1)]]


class Pattern(_Part):
    """A pattern that is planted, so that finding it can be measured."""

    id: str
    words: str
    about: Literal["learner", "competency", "cohort"]
    effect: Sourced[float]
    curve: Sourced[list[float]]
    share: Sourced[Share]
    onset_days: Sourced[int]


class Faults(_Part):
    """What real exports have wrong, and how often."""

    levels: Sourced[dict[str, float]]
    default_level: Sourced[str]
    rates: dict[str, Sourced[float]]
    overlap_days: Sourced[int]
    late_form_days: Sourced[tuple[int, int]]
    reused_forms: Sourced[int]


class Oracle(_Part):
    """The best detector that could be had.

    Attributes:
        false_alarms: what it may raise for each pattern, as a share of learners without it.
        false_alarms_in_all: what it may raise for all patterns of a learner together, as the rules.
        discoverable_power: what it finds of a size that counts as discoverable.
        nodes: nodes of the quadrature over ability.
    """

    false_alarms: Sourced[Share]
    false_alarms_in_all: Sourced[Share]
    discoverable_power: Sourced[Share]
    nodes: Sourced[int]


class Volume(_Part):
    """How cohorts are cut, so that any size streams."""

    block_learners: Sourced[Annotated[int, Field(ge=1)]]


class Parameters(_Part):
    """Everything that the generating model needs to know."""

    version: str
    school: School
    growth: Growth
    ability: Ability
    workplace: Workplace
    delays: Delays
    narrative: Comments
    msf: Msf
    exams: Exams
    ai_use: AiUse
    committee: CommitteeWork
    planting: Planting
    patterns: list[Pattern]
    faults: Faults
    oracle: Oracle
    volume: Volume

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross to worker processes as plain values: parametrised classes have no name there."""
        return (Parameters.model_validate, (self.model_dump(),))

    def pattern(self, pattern_id: str) -> Pattern:
        """Return a planted pattern by its id."""
        return next(pattern for pattern in self.patterns if pattern.id == pattern_id)

    @property
    def price_of_a_pattern(self) -> float:
        """Return the false alarms a learner and review that each pattern may cost the oracle.

        The rules may raise `false_alarms_in_all`, whatever they are about. The oracle is at the
        same price only if its false alarms of all patterns of a learner sum to no more, and it
        shares them evenly. Patterns of a whole cohort raise nothing about a learner.
        """
        of_learners = [pattern for pattern in self.patterns if pattern.about != "cohort"]
        return self.oracle.false_alarms_in_all.value / len(of_learners)

    def target(self, year: int) -> int:
        """Return the target level of a year of study, on the entrustment scale."""
        targets = self.growth.targets.value
        return targets[min(year, len(targets)) - 1]


def parse(text: str) -> Parameters:
    """Return the parameters that a YAML text states.

    Raises:
        ParameterError: with every fault, by place.
    """
    try:
        return Parameters.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors()
        )
        raise ParameterError(faults) from None
    except yaml.YAMLError as error:
        raise ParameterError(str(error)) from None


def source_text() -> str:
    """Return the shipped file as it is written."""
    return files("pipelines.synth").joinpath(FILE).read_text(encoding="utf-8")


@cache
def shipped() -> Parameters:
    """Return the shipped parameters."""
    return parse(source_text())
