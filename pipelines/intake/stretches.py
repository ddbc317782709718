"""One stretch of a delivered file becomes records and originals. Worker processes run this."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.sources.catalogue import Catalogue
from pipelines.sources.checks import wanted
from pipelines.sources.mapping.records import Counts, Mapping
from pipelines.sources.readers import READERS, Chunk, Unreadable
from pipelines.sources.readers.base import SOURCE_ROW, written_out
from pipelines.sources.spec import SourceSpec

PARTS_OF_A_STRETCH = 10_000


@dataclass
class Part:
    """What reading a stretch gave, as numbers."""

    rows: int = 0
    seen: set[str] = field(default_factory=set)
    counts: Counts = field(default_factory=Counts)
    error: tuple[str, str, str] | None = None
    """Code, sentence and suggestion, where the file turned out to be unreadable."""


def read(path: Path, means: bytes, stretch: Any, number: int, into: Path) -> Part:
    """Read a stretch and write its parts, numbered so that they follow those of earlier ones.

    Args:
        path: the delivered file.
        means: spec, catalogue, and whether the file has a header; pickled once for all stretches.
        stretch: what the reader cut.
        number: the place of the stretch in the file.
        into: the folder to write to.
    """
    spec, catalogue, has_header = _unpacked(means)
    reader: Any = READERS[spec.reader.name]
    options = reader.options.model_validate(spec.reader.options)
    mapping = Mapping(spec, catalogue, has_header=has_header)
    part = Part(counts=mapping.counts)
    files: Counter[str] = _Numbers(number * PARTS_OF_A_STRETCH)
    try:
        reading = reader.open_stretch(path, options, wanted(spec), stretch)
        for chunk in reading.chunks:
            part.rows += chunk.originals.height
            write_chunk(mapping, catalogue, path, chunk, into, files)
        part.seen = reading.seen
    except Unreadable as error:
        part.error = (error.code, error.message, error.suggestion)
    return part


def write_chunk(
    mapping: Mapping,
    catalogue: Catalogue,
    path: Path,
    chunk: Chunk,
    into: Path,
    files: Counter[str],
) -> None:
    """Write the records of a chunk of a file and its originals."""
    for kind, frame in mapping.apply(chunk):
        _write(f"records-{kind}", frame, into, files)
    _write("source", _without_refused(chunk, path, mapping, catalogue), into, files)


def _without_refused(
    chunk: Chunk, path: Path, mapping: Mapping, catalogue: Catalogue
) -> pl.DataFrame:
    """Leave out of the rows as delivered what must never be taken; the archive has it."""
    originals = chunk.originals
    refused = [
        name
        for name in originals.columns
        if name != SOURCE_ROW and catalogue.reason_to_refuse(mapping.spec, name)
    ]
    kept = originals.drop(refused)
    if mapping.has_header:
        return kept
    pattern = catalogue.refused_in_json(mapping.spec)
    regular, keys = chunk.regular, chunk.regular_keys
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
def _unpacked(means: bytes) -> tuple[SourceSpec, Catalogue, bool]:
    unpacked: tuple[SourceSpec, Catalogue, bool] = pickle.loads(means)  # noqa: S301 - our own
    return unpacked
