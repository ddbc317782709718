"""One stretch of a delivered file becomes records and originals. Worker processes run this.

Records that will be judged anyway are judged while they are in memory, and are not written down; of
the rows as delivered, those are whose records are refused.
"""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.intake import chunk
from pipelines.intake.context import Context
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.checks import wanted
from pipelines.sources.mapping.records import Counts, Mapping
from pipelines.sources.readers import READERS, Chunk, Unreadable
from pipelines.sources.readers.base import SOURCE_ROW, written_out
from pipelines.sources.spec import SourceSpec

PARTS_OF_A_STRETCH = 10_000
JUDGED = "judged.json"


@dataclass
class Part:
    """What reading a stretch gave, as numbers."""

    rows: int = 0
    seen: set[str] = field(default_factory=set)
    counts: Counts = field(default_factory=Counts)
    judged: chunk.Counts = field(default_factory=chunk.Counts)
    error: tuple[str, str, str] | None = None
    """Code, sentence and suggestion, where the file turned out to be unreadable."""


@dataclass(frozen=True)
class Judging:
    """By what, and into which folder, the records of a stretch are judged."""

    context: Context
    folder: Path


class Judged(BaseModel):
    """What judging all stretches gave; the content of `judged.json`."""

    model_config = ConfigDict(frozen=True)

    known_at: AwareDatetime
    """What the segments carry."""
    counts: chunk.Counts


Means = tuple[SourceSpec, Catalogue, bool, Judging | None]


def read(
    path: Path,
    means: bytes,
    stretch: Any,
    number: int,
    into: Path,
) -> Part:
    """Read a stretch and write its parts, numbered so that they follow those of earlier ones.

    Args:
        path: the delivered file.
        means: spec, catalogue, whether the file has a header, and how records are judged if they
            are; pickled once for all stretches.
        stretch: what the reader cut.
        number: the place of the stretch in the file.
        into: the folder to write to.
    """
    spec, catalogue, has_header, judging = _unpacked(means)
    reader: Any = READERS[spec.reader.name]
    options = reader.options.model_validate(spec.reader.options)
    mapping = Mapping(spec, catalogue, has_header=has_header)
    part = Part(counts=mapping.counts)
    files: Counter[str] = _Numbers(number * PARTS_OF_A_STRETCH)
    try:
        reading = reader.open_stretch(path, options, wanted(spec), stretch)
        for rows in reading.chunks:
            part.rows += rows.originals.height
            refused = [pl.Series(dtype=pl.Int64)]
            for kind, frame in mapping.apply(rows):
                if judging is None:
                    write_records(kind, frame, into, files)
                else:
                    files[JUDGED] += 1
                    counts, of_rows = chunk.judge_into(
                        judging.folder, files[JUDGED], kind, frame, judging.context
                    )
                    part.judged.add(counts)
                    refused.append(of_rows)
            if judging is not None:
                rows = _only(rows, pl.concat(refused))
            write_source(mapping, catalogue, path, rows, into, files)
        part.seen = reading.seen
    except Unreadable as error:
        part.error = (error.code, error.message, error.suggestion)
    return part


def write_records(kind: str, frame: pl.DataFrame, into: Path, files: Counter[str]) -> None:
    """Write records of one kind."""
    _write(f"records-{kind}", frame, into, files)


def write_source(
    mapping: Mapping,
    catalogue: Catalogue,
    path: Path,
    rows: Chunk,
    into: Path,
    files: Counter[str],
) -> None:
    """Write the rows of a file as they were delivered."""
    _write("source", _without_refused(rows, path, mapping, catalogue), into, files)


def _only(rows: Chunk, wanted: pl.Series) -> Chunk:
    """Leave out of the rows as delivered those that nobody will ask for."""
    is_wanted = rows.originals[SOURCE_ROW].is_in(wanted.implode())
    regular = None if rows.regular is None else rows.regular.filter(is_wanted)
    return replace(rows, originals=rows.originals.filter(is_wanted), regular=regular)


def _without_refused(
    rows: Chunk, path: Path, mapping: Mapping, catalogue: Catalogue
) -> pl.DataFrame:
    """Leave out of the rows as delivered what must never be taken; the archive has it."""
    originals = rows.originals
    refused = [
        name
        for name in originals.columns
        if name != SOURCE_ROW and catalogue.reason_to_refuse(mapping.spec, name)
    ]
    kept = originals.drop(refused)
    if mapping.has_header:
        return kept
    pattern = catalogue.refused_in_json(mapping.spec)
    regular, keys = rows.regular, rows.regular_keys
    if regular is None or any(pl.Series([f'"{key}":0' for key in keys]).str.contains(pattern)):
        kept, regular = written_out(kept, path), pl.repeat(False, kept.height, eager=True)
    texts = [name for name, kind in kept.schema.items() if kind == pl.String]
    cleaned = pl.col(texts).str.replace_all(pattern, '${key}"•"')
    if regular.all():
        return kept
    others = kept.filter(~regular).with_columns(cleaned)
    return pl.concat([kept.filter(regular), others]).sort(SOURCE_ROW)


class _Numbers(Counter[str]):
    """Counts on from a number."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self._start = start

    def __missing__(self, key: str) -> int:
        return self._start


def _write(name: str, frame: pl.DataFrame, into: Path, files: Counter[str]) -> None:
    files[name] += 1
    path = into / f"{name}-{files[name]:09d}.parquet"
    frame.write_parquet(path, compression="lz4", statistics=False)


@lru_cache(maxsize=4)
def _unpacked(means: bytes) -> Means:
    unpacked: Means = pickle.loads(means)  # noqa: S301 - our own
    return unpacked
