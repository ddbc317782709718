"""What a person writes into a field of a refused record, read as the source's spec reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import polars as pl

from pipelines.sources.catalogue import Catalogue
from pipelines.sources.mapping.fields import FieldReader, Rows
from pipelines.sources.mapping.frames import Log
from pipelines.sources.mapping.records import Mapping
from pipelines.sources.spec import SourceSpec

MAPPING_CODES = frozenset(
    {
        "ambiguous_time",
        "bad_date",
        "bad_number",
        "nonexistent_time",
        "unknown_key",
        "unknown_label",
    }
)
"""Problems that reading a field found: they stay until the field is corrected."""

_CELL = "correction"
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@dataclass(frozen=True)
class Corrected:
    """A correction as the read stage would write it, and what is still wrong with it."""

    value: str | None
    problem: dict[str, str | None] | None = None


class Corrections:
    """Reads corrections for one source: labels of its scales, its dates and marks are understood.

    What Tessera itself would write may be written too: the number of a level, a day as YYYY-MM-DD,
    what a label of the spec means, a number with a decimal point.
    """

    def __init__(self, spec: SourceSpec, catalogue: Catalogue) -> None:
        blocks = Mapping(spec, catalogue, has_header=True).blocks
        self._readers: dict[tuple[str, str], FieldReader] = {}
        for block in blocks:
            for name, reader in block.readers.items():
                self._readers.setdefault((block.record.kind, name), _of_one_cell(reader))

    def read(self, kind: str, field: str, text: str) -> Corrected:
        """Return the value that a correction gives a field."""
        reader = self._readers.get((kind, field))
        if reader is None:
            return Corrected(text.strip() or None)
        log = Log()
        value = reader.read(Rows(pl.DataFrame({"source_row": [1], _CELL: [text]})), log).item()
        if not log.problems:
            return Corrected(value)
        problem = log.problems[0]["entry"].item()
        written = text.strip()
        meanings = reader.labels.values() if reader.mapping.scale is None else ()
        is_canonical = {
            "unknown_label": written in meanings,
            "unknown_key": written in meanings,
            "bad_number": _PLAIN_NUMBER.fullmatch(written) is not None,
        }
        if is_canonical.get(problem["code"], False):
            return Corrected(written)
        return Corrected(value, {name: problem[name] for name in ("code", "field", "suggestion")})


def _of_one_cell(reader: FieldReader) -> FieldReader:
    """Return the reader of a field that finds its text in the cell of the correction."""
    mapping = reader.mapping
    formats = [*mapping.format, "iso"] if mapping.format else None
    changes = {
        **dict.fromkeys(
            ("first_of", "template", "identity", "row_number", "value", "cases", "days_after")
        ),
        **dict.fromkeys(("default", "split")),
        "column": [_CELL],
        "missing": [""],
        "repair": [],
        "format": formats,
    }
    return replace(reader, mapping=mapping.model_copy(update=changes), starts={})
