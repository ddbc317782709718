"""What a benchmark found: figures of several runs, and the ratios between them."""

from __future__ import annotations

from datetime import date
from statistics import median
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field


class _Found(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Figure(_Found):
    """One contestant in one case: the seconds of each run, or why there are none."""

    label: str
    version: str = ""
    work: int = Field(gt=0)
    """How many records, pages or other units one run went through."""
    seconds: tuple[float, ...] = ()
    peak_bytes: int | None = None
    """The most memory that the process and its children held at once, in any run."""
    why_not: str | None = None
    """Why it could not be measured."""
    details: dict[str, float] = {}
    """Medians of what the program told of itself, such as the seconds of its stages."""

    @property
    def is_measured(self) -> bool:
        """Whether there is at least one run, and none failed."""
        return bool(self.seconds) and self.why_not is None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def median_seconds(self) -> float | None:
        """The median of the runs."""
        return median(self.seconds) if self.is_measured else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def spread_seconds(self) -> tuple[float, float] | None:
        """The fastest and the slowest run."""
        return (min(self.seconds), max(self.seconds)) if self.is_measured else None

    @property
    def cost(self) -> float | None:
        """Median seconds for one unit of work."""
        return None if self.median_seconds is None else self.median_seconds / self.work

    @computed_field  # type: ignore[prop-decorator]
    @property
    def rate(self) -> float | None:
        """Units of work a second."""
        return None if not self.median_seconds else self.work / self.median_seconds


class Case(_Found):
    """One thing measured: our figure, a floor, a rival as it comes, and the same rival tuned."""

    name: str
    size: int
    unit: str
    """What work is counted in, such as `record`."""
    ours: Figure
    floor: Figure | None = None
    rival: Figure | None = None
    tuned: Figure | None = None
    """The rival with every way to go faster that its documentation names, where it has some."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def times_floor(self) -> float | None:
        """How many times the floor's cost a unit costs us; None where one was not measured."""
        return _ratio(self.ours, self.floor)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def times_rival(self) -> float | None:
        """How many times our cost a unit costs the rival; None where one was not measured."""
        return _ratio(self.rival, self.ours)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def times_tuned(self) -> float | None:
        """How many times our cost a unit costs the tuned rival; None where it was not measured."""
        return _ratio(self.tuned, self.ours)


class Machine(_Found):
    """What everything was measured on."""

    processor: str
    cores: int
    memory_bytes: int
    system: str
    python: str


class Outcome(_Found):
    """What became of one benchmark."""

    benchmark: str
    title: str
    status: Literal["done", "not yet", "failed"]
    reason: str | None = None
    """Why it was not run, or failed."""
    cases: tuple[Case, ...] = ()
    settings: dict[str, Any] = {}
    versions: dict[str, str] = {}
    machine: Machine
    measured_on: date


def _ratio(dearer: Figure | None, cheaper: Figure | None) -> float | None:
    if dearer is None or cheaper is None or dearer.cost is None or not cheaper.cost:
        return None
    return dearer.cost / cheaper.cost
