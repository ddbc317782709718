"""CASE packages: a competency framework with its items and the links between them.

`pipelines.sources.standards.case_rows` says which columns there are.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pipelines.sources.readers.base import ReaderOptions, Reading, Wanted, register


class CaseOptions(ReaderOptions):
    """There are none: a package says everything itself."""


@register("case")
class Case:
    """Reads CASE 1.0 and 1.1 packages: every entry is a row."""

    name: ClassVar[str] = "case"
    version: ClassVar[int] = 2
    options: ClassVar[type[ReaderOptions]] = CaseOptions
    suffixes: ClassVar[tuple[str, ...]] = ()
    has_parts: ClassVar[bool] = False

    @staticmethod
    def open(path: Path, options: CaseOptions, wanted: Wanted) -> Reading:
        """Read and judge a package."""
        from pipelines.sources.standards import case_check, case_rows

        del options, wanted
        framework = case_check.read(path)
        facts = {
            "reader": Case.name,
            "case_version": framework.version,
            "framework": framework.document.text("identifier"),
            "items": len(framework.items),
            "associations": len(framework.associations),
        }
        header = list(case_rows.COLUMNS)
        return Reading(facts, case_rows.chunks(framework), header=header, seen=set(header))
