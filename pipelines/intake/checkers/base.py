"""What a checker takes and gives, and the registry of checkers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pipelines.contracts.problems import Problem
    from pipelines.settings import Settings


class UnreadableError(Exception):
    """The file as a whole cannot be read; the message says why."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with one record, or nothing."""

    row: int
    problems: list[Problem] = field(default_factory=list)
    cell: str | None = None
    kind: str | None = None
    place: str | None = None
    """Where a person finds the row, where that is not its number: `Marks, row 17`."""
    warnings: list[Problem] = field(default_factory=list)
    """What is odd and refuses nothing."""

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as machines read it."""
        more = {"cell": self.cell, "kind": self.kind, "place": self.place}
        return {
            "row": self.row,
            **{name: value for name, value in more.items() if value},
            "ok": not self.problems,
            "errors": [_as_json(problem) for problem in self.problems],
            **({"warnings": [_as_json(item) for item in self.warnings]} if self.warnings else {}),
        }


def _as_json(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "field": problem.field or None,
        "message": problem.message,
        "suggestion": problem.suggestion,
        "requirement": problem.requirement,
    }


@dataclass(frozen=True)
class CheckOptions:
    """What the command line says beside kind and file."""

    xapi_version: str = "1.0.3"
    """The version of statements that name none."""

    @cached_property
    def settings(self) -> Settings:
        """Return the settings of the environment, read when a checker asks for them."""
        from pipelines.settings import Settings

        return Settings()


class Written(NamedTuple):
    """The verdicts on some consecutive rows as machines read them: a line of JSON each."""

    n_ok: int
    n_refused: int
    text: str


@dataclass
class Check:
    """One file being checked.

    Taking the verdicts, or the written ones in their stead, may raise `UnreadableError`: the file
    as a whole cannot be read.
    """

    verdicts: Iterator[Verdict]
    facts: dict[str, Any] = field(default_factory=dict)
    """More for the summary; complete when the verdicts are taken."""
    written: Iterator[Written] | None = None
    """The same for machines, from checkers that write many rows at once."""


@dataclass(frozen=True)
class Checker:
    """A checker under its name."""

    name: str
    about: str
    check: Callable[[Path, CheckOptions], Check]


CHECKERS: dict[str, Checker] = {}


def register(
    name: str, about: str
) -> Callable[[Callable[[Path, CheckOptions], Check]], Callable[[Path, CheckOptions], Check]]:
    """Enter a checker under the name that `--kind` takes."""

    def enter(
        check: Callable[[Path, CheckOptions], Check],
    ) -> Callable[[Path, CheckOptions], Check]:
        CHECKERS[name] = Checker(name, about, check)
        return check

    return enter
