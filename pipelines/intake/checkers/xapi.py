"""xAPI statements against the specification: one statement, or a batch of them, a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines.intake.checkers.base import (
    Check,
    CheckOptions,
    UnreadableError,
    Verdict,
    Written,
    register,
)
from pipelines.sources.xapi.bulk import Judged, UnreadableFileError, judge
from pipelines.sources.xapi.requirements import Version


@register("xapi", "xAPI statements of 1.0.3 and 2.0, one or a batch a line")
def check(path: Path, options: CheckOptions) -> Check:
    """Begin to check a file of statements."""
    version: Version = "2.0" if options.xapi_version == "2.0" else "1.0.3"
    return Check(_verdicts(path, version), written=_written(path, version))


def _judged(path: Path, version: Version, *, for_machines: bool = False) -> Iterator[Judged]:
    try:
        yield from judge(path, version, for_machines=for_machines)
    except UnreadableFileError as error:
        raise UnreadableError(str(error)) from None


def _written(path: Path, version: Version) -> Iterator[Written]:
    for part in _judged(path, version, for_machines=True):
        yield Written(part.n_rows - part.n_refused, part.n_refused, part.machine.decode())


def _verdicts(path: Path, version: Version) -> Iterator[Verdict]:
    from pipelines.contracts.problems import Problem

    row = 1
    for part in _judged(path, version):
        refused = dict(part.refused)
        for number in range(row, row + part.n_rows):
            yield Verdict(
                number,
                [
                    Problem(code, field, message, suggestion, requirement=requirement)
                    for code, field, message, suggestion, requirement in refused.get(number, ())
                ],
            )
        row += part.n_rows
