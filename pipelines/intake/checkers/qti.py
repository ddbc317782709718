"""QTI results against the standard: one verdict for each `assessmentResult`."""

from __future__ import annotations

from pathlib import Path

from pipelines.intake.checkers.base import Check, CheckOptions, register
from pipelines.intake.checkers.standard import by_standard


@register("qti", "QTI Results Reporting 2.1, 2.2 and 3.0: a result, or an archive of them")
def check(path: Path, options: CheckOptions) -> Check:
    """Begin to check a file."""
    del options
    return by_standard("qti", path)
