"""What every reader offers, and the registry of readers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict

CHUNK_BYTES = 16 * 1024 * 1024
SOURCE_ROW = "source_row"
LINE = "line"

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
    names the rows that could not be read.
    """

    rows: pl.DataFrame
    originals: pl.DataFrame
    problems: pl.DataFrame


@dataclass(frozen=True)
class Wanted:
    """What the mapping will ask for: names of columns, and patterns over names."""

    columns: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()

    def has(self, column: str) -> bool:
        """Tell whether the mapping wants the column."""
        return column in self.columns or any(re.search(p, column) for p in self.patterns)


@dataclass
class Reading:
    """One file being read: what is known of it, and its chunks, to be taken once."""

    facts: dict[str, Any]
    chunks: Iterator[Chunk]
    header: list[str] | None = None
    """The columns, where the file names them before its rows."""
    seen: set[str] = field(default_factory=set)
    """The columns met so far, where rows name their own."""
    stretches: Iterator[Any] | None = None
    """To be taken instead of the chunks: parts of the file that the reader's `open_stretch` reads
    apart, with the same rows. None where the format or the file cannot be cut."""


class ReaderOptions(BaseModel):
    """Options of a reader: unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reader(Protocol):
    """A format. `version` is raised whenever the same bytes would give other rows."""

    name: ClassVar[str]
    version: ClassVar[int]
    options: ClassVar[type[ReaderOptions]]

    @staticmethod
    def open(path: Path, options: Any, wanted: Wanted) -> Reading:
        """Begin to read a file.

        Raises:
            Unreadable: the file as a whole cannot be read; chunks may raise it too.
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


def no_problems() -> pl.DataFrame:
    """Return the problems of rows that were all read."""
    return pl.DataFrame(schema=ROW_PROBLEMS)
