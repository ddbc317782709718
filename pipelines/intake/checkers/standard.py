"""What the checkers of standards share: judgements become verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.intake.checkers.base import Check, UnreadableError, Verdict

if TYPE_CHECKING:
    from pipelines.contracts.problems import Problem
    from pipelines.sources.standards import Finding


def by_standard(name: str, file: Path) -> Check:
    """Begin to check a file of a standard."""
    return Check(_verdicts(name, file))


def _verdicts(name: str, file: Path) -> Iterator[Verdict]:
    from pipelines.sources.readers import Unreadable
    from pipelines.sources.standards import checker

    try:
        for judgement in checker(name)(file):
            yield Verdict(
                judgement.row,
                [_problem(error) for error in judgement.errors],
                place=judgement.place,
                warnings=[_problem(note) for note in judgement.notes],
            )
    except Unreadable as error:
        raise UnreadableError(f"{error.message} {error.suggestion} [{error.code}]") from None


def _problem(finding: Finding) -> Problem:
    from pipelines.contracts.problems import Problem

    return Problem(
        finding.code,
        finding.field,
        finding.message,
        finding.suggestion,
        requirement=finding.requirement,
    )
