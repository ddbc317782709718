"""Rewrites delivered bytes without a person, and proves by reading again that all else stayed.

Files are gone through piece by piece, so that memory does not grow with them. Rows keep their
numbers: an erased one is left empty.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from zipfile import BadZipFile

import polars as pl

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns
from pipelines.intake.erase_members import write_archive
from pipelines.intake.erase_rows import (
    WRITABLE,
    Erasing,
    NotRewritable,
    is_a_number_too,
    write_rows,
)
from pipelines.intake.erase_target import Target
from pipelines.sources.checks import wanted
from pipelines.sources.readers import READERS, Unreadable
from pipelines.sources.readers.base import LINE, SOURCE_ROW, ReaderOptions, Reading, written_out
from pipelines.sources.readers.parts import PARTS
from pipelines.sources.readers.zipped import Zip, ZipOptions
from pipelines.sources.spec import SourceSpec

REWRITABLE = (*WRITABLE, Zip.name)
"""Readers whose files can be rewritten row by row."""


@contextmanager
def without_person(
    archived: Path, spec: SourceSpec, rows: set[int], target: Target
) -> Iterator[Path | None]:
    """Give delivered bytes without some rows as a file of their own, to be moved or left.

    It gives None where the format cannot be rewritten, or where the other rows would not be read
    as they were.

    Args:
        archived: the delivered bytes.
        spec: how they are read.
        rows: the rows that go.
        target: the person; who is named in other rows is replaced there.
    """
    made = archived.with_name(f".{archived.name}.proof")
    try:
        is_made = False
        if spec.reader.name in REWRITABLE:
            failures = (Unreadable, NotRewritable, BadZipFile, UnicodeError, LookupError, OSError)
            with suppress(*failures, pl.exceptions.PolarsError):
                is_made = _rewrite(archived, spec, rows, target, made)
        yield made if is_made else None
    finally:
        made.unlink(missing_ok=True)


def _rewrite(archived: Path, spec: SourceSpec, rows: set[int], target: Target, made: Path) -> bool:
    reading, options = _opened(archived, spec)
    names = _person_columns(spec)
    mentions: set[int] = set()
    for frame in _originals(reading, archived):
        mentions |= _mentions(frame, names, target)
    mentions -= rows
    if mentions and any(is_a_number_too(person_id) for _, person_id in target.ids):
        return False
    erasing = Erasing(frozenset(rows), frozenset(mentions), frozenset(names), target)
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if isinstance(options, ZipOptions):
            write_archive(archived, file, options, reading.facts[PARTS], erasing)
        else:
            write_rows(archived, file, spec.reader.name, options, erasing)
        file.flush()
        os.fsync(file.fileno())
    before, after = (_originals(_opened(path, spec)[0], path) for path in (archived, made))
    return _is_same_but(before, after, rows, mentions, target)


def _opened(path: Path, spec: SourceSpec) -> tuple[Reading, ReaderOptions]:
    reader = READERS[spec.reader.name]
    options = reader.options.model_validate(spec.reader.options)
    return reader.open(path, options, wanted(spec)), options


def _originals(reading: Reading, path: Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of a file as they were delivered, in order."""
    for chunk in reading.chunks:
        yield written_out(chunk.originals, path).sort(SOURCE_ROW)


def _person_columns(spec: SourceSpec) -> set[str]:
    names: set[str] = set()
    for block in spec.records:
        people = {c.name for c in columns(CONTRACTS[block.kind]) if c.is_personal}
        for name, mapping in block.field_maps():
            if name in people:
                names |= {*mapping.columns(), *(mapping.column or ())}
    return names


def _mentions(frame: pl.DataFrame, names: set[str], target: Target) -> set[int]:
    """Return the rows in which the person's id stands in a column of persons."""
    ids = sorted({person_id.casefold() for _, person_id in target.ids})
    present = [name for name in frame.columns if name in names]
    found: set[int] = set()
    if LINE in frame.columns and ids:
        line = pl.col(LINE).str.to_lowercase()
        is_in = [
            line.str.contains(rf'"{re.escape(i)}"|[:\[,]\s*{re.escape(i)}\s*[,\]}}]') for i in ids
        ]
        found = set(frame.filter(pl.any_horizontal(is_in))[SOURCE_ROW])
    if present:
        is_id = pl.any_horizontal(
            pl.col(name).cast(pl.String).str.strip_chars().str.to_lowercase().is_in(ids)
            for name in present
        )
        found |= set(frame.filter(is_id)[SOURCE_ROW])
    return found


def _is_same_but(
    before: Iterator[pl.DataFrame],
    after: Iterator[pl.DataFrame],
    rows: set[int],
    mentions: set[int],
    target: Target,
) -> bool:
    """Tell whether two readings agree on every row but those that were to change."""

    def told(frames: Iterator[pl.DataFrame], *, is_old: bool) -> bytes:
        digest = hashlib.sha256()
        for frame in frames:
            others = frame.filter(~pl.col(SOURCE_ROW).is_in(list(rows)))
            others = _scrubbed(others, target) if is_old else others
            digest.update(
                others.select(_row_hash(others, mentions)).to_series().to_numpy().tobytes()
            )
        return digest.digest()

    return told(before, is_old=True) == told(after, is_old=False)


def _row_hash(frame: pl.DataFrame, mentions: set[int]) -> pl.Expr:
    """Return a hash of each row; of a row that names the person it is one of its number only.

    A cell that is empty counts for nothing, nor does the column of a file in which all are.
    """
    is_named = pl.col(SOURCE_ROW).is_in(list(mentions))
    found = pl.col(SOURCE_ROW).hash(0)
    for name in frame.columns:
        if name != SOURCE_ROW:
            seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7])
            cell = pl.col(name).cast(pl.String)
            is_told = cell.is_not_null() & ~is_named
            found = found ^ pl.when(is_told).then(cell.hash(seed)).otherwise(pl.lit(0, pl.UInt64))
    return found.alias("hash")


def _scrubbed(frame: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Return a frame without the words, having looked for them by a cheaper way than by masking."""
    words = [word.lower() for word in target.words]
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    if not (words and texts):
        return frame
    has_word = pl.any_horizontal(pl.col(texts).str.to_lowercase().str.contains_any(words))
    marked = frame.with_columns(has_word.fill_null(value=False).alias("__has_word"))
    if not marked["__has_word"].any():
        return frame
    found = target.scrubbed(marked.filter("__has_word"))
    return (
        pl.concat([marked.filter(~pl.col("__has_word")), found]).sort(SOURCE_ROW).drop("__has_word")
    )


def replay_without(archived: Path, rows: set[int], target: Target) -> bytes:
    """Return the bytes of a replay, one line a record, without some rows."""
    lines = archived.read_bytes().decode("utf-8", "surrogatepass").split("\n")
    kept = []
    for number, line in enumerate(lines, 1):
        if number in rows and line:
            at = json.loads(line)["replays"]
            line = json.dumps(
                {"replays": at, "record": {}, "corrections": {}, "problems": [], "original": None}
            )
        kept.append(target.scrub(line))
    return "\n".join(kept).encode("utf-8", "surrogatepass")
