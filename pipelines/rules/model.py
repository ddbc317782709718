"""What a rule set and an AI policy are.

One file holds one version. A file with the key `rule_set` is a rule set, one with the key
`ai_policy_scale` is an AI policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

GIVEN_TWICE = "given_twice"
"""The type of the error about a name that stands twice; `ctx` holds the `place` of the second."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,79}$")]
"""Lower case letters, digits and underscores."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]

Citation = Annotated[str, StringConstraints(min_length=3, max_length=500, strip_whitespace=True)]
"""A publication, or `local choice` with its reason."""

Version = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,39}$")]


class Entry(BaseModel):
    """A part of a rule file: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Threshold(Entry):
    """One number that a rule compares with, and where it comes from."""

    name: Name
    value: Annotated[Decimal, Field(max_digits=18, decimal_places=6, allow_inf_nan=False)]
    unit: Text
    source: Citation
    is_optional: bool = False
    """Whether a site's version may leave it out, as one made before there was such a threshold."""


class Rule(Entry):
    """One rule: its id, what it says in words, and its thresholds."""

    id: Name
    words: Text
    stage_id: Text | None = None
    """Where set, the rule holds for this stage only, instead of the rule of the same id."""
    thresholds: tuple[Threshold, ...] = ()

    @property
    def title(self) -> str:
        """Return what names the rule within its rule set."""
        return self.id if self.stage_id is None else f"{self.id} of stage {self.stage_id}"

    @model_validator(mode="after")
    def _name_thresholds_once(self) -> Self:
        _only_once("threshold", "thresholds", (threshold.name for threshold in self.thresholds))
        return self


class Dated(Entry):
    """What has versions, each in force for a stretch of time."""

    version: Version
    title: Text
    effective_from: date
    effective_to: date | None = None
    """The last day; without it, until a later version takes over."""
    known_from: date
    """The day from which this version was known: before it, nothing was judged by it."""

    @model_validator(mode="after")
    def _end_after_start(self) -> Self:
        if self.effective_to is not None and self.effective_to < self.effective_from:
            raise ValueError("effective_to is before effective_from")
        return self

    @property
    def begins_on(self) -> date:
        """Return the first day on which the version is known and says something."""
        return max(self.known_from, self.effective_from)

    def is_in_force(self, day: date) -> bool:
        """Tell whether the version is known on a day and says something about it."""
        return self.begins_on <= day <= (self.effective_to or date.max)


class RuleSet(Dated):
    """One version of the thresholds of sufficiency, status and signals."""

    rule_set: Name
    is_default: bool = False
    programme_id: Text | None = None
    """Where set, the rule set is for this programme only."""
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _name_rules_once(self) -> Self:
        _only_once("rule", "rules", (rule.title for rule in self.rules))
        return self

    @property
    def name(self) -> str:
        """Return what versions of the rule set have in common."""
        return self.rule_set

    def threshold(self, rule_id: str, name: str) -> Decimal:
        """Return the value of a threshold that holds for every stage.

        Raises:
            KeyError: the rule set has no such rule or threshold.
        """
        for rule in self.rules:
            if rule.id == rule_id and rule.stage_id is None:
                for threshold in rule.thresholds:
                    if threshold.name == name:
                        return threshold.value
        raise KeyError(f"{self.rule_set} {self.version} has no threshold {rule_id}.{name}")


class AiPolicyLevel(Entry):
    """What one level of a policy scale allows."""

    level: Annotated[int, Field(ge=0, le=100)]
    label: Text
    words: Text
    allows_use: bool
    requires_declaration: bool
    max_extent: Literal["minor", "moderate", "substantial"] | None = None
    """The furthest extent of use that is within the policy; None where it is not limited."""
    allowed_stages: tuple[Name, ...] | None = None
    """The stages of work at which use is within the policy; None where they are not limited."""


class AiPolicy(Dated):
    """One version of a scale of AI policies; a task names the scale and a level."""

    ai_policy_scale: Name
    source: Citation
    levels: Annotated[tuple[AiPolicyLevel, ...], Field(min_length=1)]

    @property
    def name(self) -> str:
        """Return what versions of the policy have in common."""
        return self.ai_policy_scale

    @model_validator(mode="after")
    def _name_levels_once(self) -> Self:
        _only_once("level", "levels", (str(level.level) for level in self.levels))
        return self


def _only_once(what: str, key: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for n, name in enumerate(names):
        if name in seen:
            raise PydanticCustomError(
                GIVEN_TWICE,
                "{what} {name} is given twice",
                {"what": what, "name": name, "place": (key, n)},
            )
        seen.add(name)
