"""What a person writes into a field of a refused record, read as the source's spec reads it."""

from __future__ import annotations

from dataclasses import replace

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


class Corrections:
    """Reads corrections for one source: labels of its scales, its dates and marks are understood.

    What the spec cannot read stays as it was written, for the contract to judge; so a level, or a
    day as YYYY-MM-DD, may always be written too.
    """

    def __init__(self, spec: SourceSpec, catalogue: Catalogue) -> None:
        blocks = Mapping(spec, catalogue, has_header=True).blocks
        self._readers: dict[tuple[str, str], FieldReader] = {}
        for block in blocks:
            for name, reader in block.readers.items():
                self._readers.setdefault((block.record.kind, name), _of_one_cell(reader))

    def read(self, kind: str, field: str, text: str) -> str | None:
        """Return the value of a field as the read stage would write it."""
        reader = self._readers.get((kind, field))
        if reader is None:
            return text.strip() or None
        rows = Rows(pl.DataFrame({"source_row": [1], _CELL: [text]}))
        value: str | None = reader.read(rows, Log()).item()
        return value


def _of_one_cell(reader: FieldReader) -> FieldReader:
    """Return the reader of a field that finds its text in the cell of the correction."""
    mapping = reader.mapping
    formats = [*mapping.format, "iso"] if mapping.format else None
    changes = {
        **dict.fromkeys(("first_of", "template", "row_number", "value", "cases", "days_after")),
        **dict.fromkeys(("default", "split")),
        "column": [_CELL],
        "missing": [""],
        "repair": [],
        "format": formats,
    }
    return replace(reader, mapping=mapping.model_copy(update=changes), starts={})
