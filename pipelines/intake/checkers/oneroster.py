"""OneRoster sets against the standard: one verdict for each row of every table."""

from __future__ import annotations

from pathlib import Path

from pipelines.intake.checkers.base import Check, CheckOptions, register
from pipelines.intake.checkers.standard import by_standard


@register("oneroster", "OneRoster CSV 1.1 and 1.2: a set of tables in an archive")
def check(path: Path, options: CheckOptions) -> Check:
    """Begin to check a file."""
    del options
    return by_standard("oneroster", path)
