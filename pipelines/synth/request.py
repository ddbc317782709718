"""What a cohort is asked to be, and what cannot be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, get_args

from pipelines.synth.parameters import Parameters, shipped

Format = Literal["mixed", "csv", "jsonl", "xlsx", "parquet", "xapi", "oneroster"]
FORMATS: tuple[str, ...] = get_args(Format)
DEFAULT_SEED = 20261120
DEFAULT_LEARNERS = 60
DEFAULT_YEARS = 3
MOST_LEARNERS = 2_000_000
MOST_YEARS = 10
MOST_SEED = 2**63 - 1
INBOX = "inbox"
MEETING_DAYS = ((6, 28), (11, 28))
"""When the committee meets: twice a year, as rule sets take it to."""
EXPORTED_BEFORE = timedelta(days=8)
"""How long before a meeting sources export what it will see."""


class RequestError(ValueError):
    """Something impossible was asked for; the message says what, and what is possible."""


@dataclass(frozen=True)
class Request:
    """One cohort.

    Attributes:
        learners: how many learners.
        years: how many years of evidence up to the last day.
        seed: the same seed, the same bytes.
        mess: how much is wrong on purpose.
        format: how the evidence is written.
        effects: sizes of planted patterns, where not those of the parameters.
        shares: shares of learners with a pattern, where not those of the parameters.
        programme: the programme's code; ids of other programmes start with it.
        number: tells programmes of one home apart.
        parameters: the generating model.
    """

    learners: int = DEFAULT_LEARNERS
    years: int = DEFAULT_YEARS
    seed: int = DEFAULT_SEED
    mess: str = ""
    format: str = "mixed"
    effects: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    programme: str = ""
    number: int = 0
    parameters: Parameters = field(default_factory=shipped)

    def __post_init__(self) -> None:
        faults = self.parameters.faults
        if not self.mess:
            object.__setattr__(self, "mess", faults.default_level.value)
        if not self.programme:
            object.__setattr__(self, "programme", self.parameters.school.programme_id.value)
        _between("learners", self.learners, 1, MOST_LEARNERS)
        _between("years", self.years, 1, MOST_YEARS)
        _between("seed", self.seed, 0, MOST_SEED)
        _one_of("mess", self.mess, tuple(faults.levels.value))
        _one_of("format", self.format, FORMATS)
        known = {pattern.id for pattern in self.parameters.patterns}
        for pattern in (*self.effects, *self.shares):
            _one_of("pattern", pattern, tuple(sorted(known)))
        if self.format == "oneroster" and len(self.blocks) > 1:
            most = self.parameters.volume.block_learners.value
            raise RequestError(
                f"learners is {self.learners}: a OneRoster set holds everybody, and here at most "
                f"{most}; choose another format for more"
            )
        for pattern, share in self.shares.items():
            if not 0 <= share <= 1:
                raise RequestError(f"the share of {pattern} is {share}: it lies between 0 and 1")

    @property
    def prefix(self) -> str:
        """Return what ids of this programme start with; nothing for the school's own."""
        own = self.parameters.school.programme_id.value
        return "" if self.programme == own else f"{self.programme}-"

    @property
    def meeting_days(self) -> list[date]:
        """Return the days of the committee's meetings, the last of them still to come."""
        last = self.parameters.school.last_day.value
        years = range(last.year - self.years + 1, last.year + 1)
        return [date(year, *day) for year in years for day in MEETING_DAYS]

    @property
    def blocks(self) -> list[range]:
        """Return the learners block by block, by number."""
        size = self.parameters.volume.block_learners.value
        return [
            range(first, min(first + size, self.learners))
            for first in range(0, self.learners, size)
        ]

    def effect(self, pattern: str) -> float:
        """Return the size of a planted pattern."""
        return self.effects.get(pattern, self.parameters.pattern(pattern).effect.value)

    def share(self, pattern: str) -> float:
        """Return the share of learners that get a pattern."""
        return self.shares.get(pattern, self.parameters.pattern(pattern).share.value)


def truth_beside(out: Path, truth: Path | None = None) -> Path:
    """Return the folder of the truth, which no intake can read.

    Args:
        out: the folder that deliveries go into.
        truth: another place than beside it.

    Raises:
        RequestError: the folder lies in an inbox, or an inbox in it, or it is not empty.
    """
    out = out.absolute()
    truth = out.with_name(f"{out.name}-truth") if truth is None else truth.absolute()
    if truth == out or out in truth.parents:
        raise RequestError(
            f"{truth} lies in the folder of the deliveries, where intake would read the truth: "
            "name a folder elsewhere with --truth"
        )
    if truth in out.parents:
        raise RequestError(f"{truth} holds the deliveries: name another folder with --truth")
    if INBOX in truth.parent.parts:
        raise RequestError(
            f"{truth} lies in an inbox, where intake would read the truth: name a folder "
            "elsewhere with --truth"
        )
    for folder, what in ((out, "the cohort"), (truth, "its truth")):
        if folder.exists() and not folder.is_dir():
            raise RequestError(f"{folder} is a file: {what} goes into a folder")
        if folder.exists() and any(path.is_file() for path in folder.rglob("*")):
            raise RequestError(f"{folder} is not empty: {what} goes into an empty folder only")
    return truth


def _between(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise RequestError(f"{name} is {value}: it lies between {least:,} and {most:,}")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise RequestError(f"no {name} {value!r}; known: {', '.join(known)}")
