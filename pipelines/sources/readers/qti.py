"""QTI Results Reporting: an `assessmentResult`, or an archive of many.

`pipelines.sources.standards.qti_rows` says which columns there are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from pipelines.sources.readers.base import ReaderOptions, Reading, Wanted, register


class QtiOptions(ReaderOptions):
    """How the values of a variable become the text of a cell."""

    join: Annotated[str, Field(min_length=1, max_length=3)] = ";"
    """What stands between the values of a variable that has several."""


@register("qti")
class Qti:
    """Reads results of QTI 2.1, 2.2 and 3.0: tests and attempts at items are rows."""

    name: ClassVar[str] = "qti"
    version: ClassVar[int] = 2
    options: ClassVar[type[ReaderOptions]] = QtiOptions
    suffixes: ClassVar[tuple[str, ...]] = ()
    has_parts: ClassVar[bool] = False

    @staticmethod
    def open(path: Path, options: QtiOptions, wanted: Wanted) -> Reading:
        """Begin to read results."""
        from pipelines.sources.standards import qti_check, qti_rows

        reading = Reading({"reader": Qti.name}, iter(()))
        results = qti_check.read(path)
        reading.chunks = qti_rows.chunks(results, options.join, wanted, reading.seen)
        return reading
