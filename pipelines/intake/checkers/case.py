"""CASE packages against the standard: one verdict for each entry of the package."""

from __future__ import annotations

from pathlib import Path

from pipelines.intake.checkers.base import Check, CheckOptions, register
from pipelines.intake.checkers.standard import by_standard


@register("case", "CASE 1.0 and 1.1 packages: a competency framework as JSON")
def check(path: Path, options: CheckOptions) -> Check:
    """Begin to check a file."""
    del options
    return by_standard("case", path)
