"""What every reader offers, and the registry of readers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict

CHUNK_BYTES = 16 * 1024 * 1024
SOURCE_ROW = "source_row"
LINE = "line"
OFFSET, LENGTH = "__offset", "__length"
"""Where a line stands in the file, in bytes, where it is not written out as text."""

ROW_PROBLEMS = {
    SOURCE_ROW: pl.Int64(),
    "code": pl.String(),
    "suggestion": pl.String(),
}
"""Columns of the problems of rows that could not be read."""


class Unreadable(Exception):  # noqa: N818  (says what the file is)
    """The file as a whole cannot be read: a stable code, a sentence, and what to do."""

    def __init__(self, code: str, message: str, suggestion: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.suggestion = suggestion


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows of a file.

    `rows` has `source_row` and text columns. `originals` has a row for every row of the file,
    read or not: `source_row`, the columns, and `line` where a row could not be read. `problems`
    names the rows that could not be read. `part` is the sheet or member that the rows come from,
    where a file has several. `regular` tells of which originals all keys are known: they are
    `regular_keys`, with nothing within them; such lines may be given by where they stand.
    """

    rows: pl.DataFrame
    originals: pl.DataFrame
    problems: pl.DataFrame
    part: str | None = None
    regular: pl.Series | None = None
    regular_keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Wanted:
    """What the mapping will ask for: names of columns, and patterns over names."""

    columns: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    by_part: tuple[tuple[str | None, Wanted], ...] = ()
    """What is asked of which parts, by a pattern over their names; None means every part."""

    def has(self, column: str) -> bool:
        """Tell whether the mapping wants the column; the number of the row is no column."""
        is_wanted = column in self.columns or any(re.search(p, column) for p in self.patterns)
        return is_wanted and column != SOURCE_ROW

    def reads(self, part: str) -> bool:
        """Tell whether the mapping asks for anything of a part."""
        return not self.by_part or any(is_part(part, glob) for glob, _ in self.by_part)

    def of_part(self, part: str) -> Wanted:
        """Return what the mapping asks of one part."""
        if not self.by_part:
            return self
        return union(wanted for glob, wanted in self.by_part if is_part(part, glob))


def union(asked: Iterable[Wanted]) -> Wanted:
    """Return everything that is asked."""
    listed = list(asked)
    return Wanted(
        frozenset(column for wanted in listed for column in wanted.columns),
        tuple(dict.fromkeys(pattern for wanted in listed for pattern in wanted.patterns)),
    )


def is_part(name: str, glob: str | None) -> bool:
    """Tell whether a part is meant by the pattern of a block; case does not count.

    The pattern is held against the whole name, such as `2026/marks.xlsx/Sheet 1`, against what
    follows the last slash, and against the folder or workbook that the part lies in.
    """
    if glob is None:
        return True
    name, glob = name.casefold(), glob.casefold()
    return any(
        fnmatchcase(text, pattern)
        for text, pattern in ((name, glob), (name.rpartition("/")[2], glob), (name, f"{glob}/*"))
    )


@dataclass
class Reading:
    """One file being read: what is known of it, and its chunks, to be taken once.

    A file of several tables has `parts`, each with a header of its own; its `source_row` runs
    through the whole file.
    """

    facts: dict[str, Any]
    chunks: Iterator[Chunk]
    header: list[str] | None = None
    """The columns, where the file names them before its rows."""
    seen: set[str] = field(default_factory=set)
    """The columns met so far, where rows name their own."""
    stretches: Iterator[Any] | None = None
    """To be taken instead of the chunks: parts of the file that the reader's `open_stretch` reads
    apart, with the same rows. None where the format or the file cannot be cut."""
    parts: dict[str, Reading | None] | None = None
    """The parts of the file by name, in its order; None for one that is not read, or not yet."""


class ReaderOptions(BaseModel):
    """Options of a reader: unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reader(Protocol):
    """A format. `version` is raised whenever the same bytes would give other rows."""

    name: ClassVar[str]
    version: ClassVar[int]
    options: ClassVar[type[ReaderOptions]]
    suffixes: ClassVar[tuple[str, ...]]
    """How names of such files end, for guessing where no spec says how to read one."""
    has_parts: ClassVar[bool]
    """Whether a file may hold several tables."""

    @staticmethod
    def open(path: Path, options: Any, wanted: Wanted) -> Reading:
        """Begin to read a file.

        Raises:
            Unreadable: the file as a whole cannot be read; chunks may raise it too.
        """


Opener = Callable[[Wanted], Reading]
"""Begins to read one part of a file."""


class ReaderOfParts(Reader, Protocol):
    """A format whose files may hold several tables."""

    @staticmethod
    def parts(path: Path, options: Any) -> dict[str, Opener]:
        """Return how each part of a file is opened, by name, in its order.

        Raises:
            Unreadable: the file as a whole cannot be read.
        """


READERS: dict[str, type[Reader]] = {}
"""Every reader by its name."""

R = TypeVar("R", bound=type[Reader])


def register(name: str) -> Callable[[R], R]:
    """Enter a reader under its name."""

    def enter(reader: R) -> R:
        READERS[name] = reader
        return reader

    return enter


def reader_for(path: Path) -> type[Reader] | None:
    """Return the reader of files whose names end like this one's, if there is one."""
    suffix = path.suffix.lower()
    return next((reader for reader in READERS.values() if suffix in reader.suffixes), None)


def written_out(originals: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Return originals with the lines as text that are given by where they stand in the file."""
    if OFFSET not in originals.columns:
        return originals
    lines = originals[LINE].to_list()
    places = originals.select(OFFSET, LENGTH).iter_rows()
    with path.open("rb") as file:
        for number, (offset, length) in enumerate(places):
            if offset is not None:
                file.seek(offset)
                lines[number] = file.read(length).decode()
    written = pl.Series(LINE, lines, dtype=pl.String)
    return originals.with_columns(written).drop(OFFSET, LENGTH)


def no_problems() -> pl.DataFrame:
    """Return the problems of rows that were all read."""
    return pl.DataFrame(schema=ROW_PROBLEMS)
