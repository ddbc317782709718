"""Where a file can be cut, so that its stretches are read apart and give the same rows.

Looking for the cuts costs a fraction of reading: it counts line ends and quotation marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.sources.readers.base import CHUNK_BYTES

NEWLINE, RETURN = 10, 13
SPACE = 32
"""No line of a record begins with this byte or a smaller one; one that does may be blank."""
LONGEST_RECORD = 4 * CHUNK_BYTES
STRETCH_BYTES = 2 * CHUNK_BYTES
"""What every stretch costs beside its rows is a sixteenth of reading and judging so much."""


@dataclass(frozen=True)
class Stretch:
    """Some consecutive bytes of a file that begin and end with a record.

    Attributes:
        offset: the first byte.
        length: how many bytes; None means up to the end of the file.
        before: how many rows stand above it.
        lines: how many lines stand above it.
    """

    offset: int
    length: int | None
    before: int
    lines: int = 0


@dataclass
class Blanks:
    """How many blank lines were met."""

    n: int = 0


def of_lines(
    path: Path, start: int, blanks: Blanks, size: int = STRETCH_BYTES
) -> Iterator[Stretch]:
    """Yield stretches that end with a line; blank lines are no rows, and are counted.

    Only line ends are looked for, in one buffer: the lines themselves are read by whoever gets the
    stretch.
    """
    before, offset, buffer = 0, start, memoryview(bytearray(size))
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        file.seek(start)
        while length := file.readinto(buffer[: _next(n_bytes - offset, size)]):
            tail = file.readline()  # the rest of the line that the buffer breaks off
            n, n_blank = _lines(buffer[:length], tail)
            blanks.n += n_blank
            if n:
                yield Stretch(offset, length + len(tail), before)
            before += n
            offset += length + len(tail)


def _next(left: int, size: int) -> int:
    """Return how many bytes come next: fewer towards the end, so that all workers end together."""
    return min(size, max(left // 2, size // 8, 1))


def _lines(data: memoryview, tail: bytes) -> tuple[int, int]:
    """Return how many lines of records there are, and how many blank ones."""
    text = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(text == NEWLINE)
    starts = ends[:-1] + 1 if len(ends) and ends[-1] + 1 == len(text) else ends + 1
    is_broken_off = not len(ends) or ends[-1] + 1 < len(text)
    n = len(ends) + (is_broken_off or bool(tail))
    firsts = (int(text[0]), *tail[: not is_broken_off])
    if min(firsts) > SPACE and (text[starts] > SPACE).all():
        return n, 0
    lines = (bytes(data) + tail).removesuffix(b"\n").split(b"\n")
    n_blank = sum(not line.strip(b" \t\r") for line in lines)
    return len(lines) - n_blank, n_blank


def of_delimited(
    path: Path, start: int, lines: int, delimiter: str, quote: str, size: int = STRETCH_BYTES
) -> Iterator[Stretch]:
    """Yield stretches of delimited text that end with a record.

    A line end within quotation marks ends no record. Whether the marks are in pairs, each at the
    edge of a cell or doubled, is looked at; where they are not, all that is left is one stretch.

    Args:
        path: UTF-8 text.
        start: the byte where the rows begin.
        lines: how many lines stand above the rows.
        delimiter: between cells.
        quote: around cells; `none` where there is no quoting.
        size: about how many bytes a stretch has.
    """
    before, offset, rest = 0, start, b""
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        file.seek(start)
        while True:
            data = file.read(_next(n_bytes - file.tell(), size))
            block = rest + data
            is_last = not data
            if is_last and not block:
                return
            found = cut(block, delimiter, quote, is_last=is_last)
            if found is None or (not found.end and len(block) > LONGEST_RECORD):
                yield Stretch(offset, None, before, lines)
                return
            if found.rows:
                yield Stretch(offset, found.end, before, lines)
            before += found.rows
            lines += block.count(b"\n", 0, found.end)
            offset += found.end
            rest = block[found.end :]
            if is_last:
                return


@dataclass(frozen=True)
class Cut:
    """Where the last whole record of a block ends, and how many rows it has up to there."""

    end: int
    rows: int


def cut(block: bytes, delimiter: str, quote: str, *, is_last: bool) -> Cut | None:
    """Return where the last whole record of a block ends; None where that cannot be told.

    The block begins with a record. It can be told where every quotation mark stands at the edge
    of its cell, or is doubled.
    """
    text = np.frombuffer(block, dtype=np.uint8)
    returns = np.flatnonzero(text == RETURN)
    if len(returns) and not _are_before_newlines(text, returns, is_last=is_last):
        return None
    ends = np.flatnonzero(text == NEWLINE)
    marks = np.flatnonzero(text == ord(quote)) if quote != "none" else ends[:0]
    ends = ends[np.searchsorted(marks, ends) % 2 == 0]
    if is_last and not block.endswith(b"\n"):
        if len(marks) % 2:
            return None
        ends = np.append(ends, len(block))
    elif is_last and len(marks) % 2:
        return None
    if not len(ends):
        return Cut(0, 0)
    end = min(int(ends[-1]) + 1, len(block))
    marks = marks[marks < end]
    if len(marks) and not _are_regular(text[:end], marks, ord(delimiter), ord(quote)):
        return None
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts
    last = text[np.maximum(ends - 1, 0)] if len(text) else text
    is_empty = (lengths == 0) | ((lengths == 1) & (last == RETURN))
    return Cut(end, int(len(ends) - is_empty.sum()))


def _are_before_newlines(
    text: NDArray[np.uint8], returns: NDArray[np.intp], *, is_last: bool
) -> bool:
    """Tell whether every carriage return is part of a line end; one at the very end may be."""
    if returns[-1] + 1 == len(text):
        if is_last:
            return False
        returns = returns[:-1]
    return bool((text[returns + 1] == NEWLINE).all())


def _are_regular(
    text: NDArray[np.uint8], marks: NDArray[np.intp], delimiter: int, quote: int
) -> bool:
    """Tell whether marks open and close in turn, each at the edge of a cell or beside another."""
    opening, closing = marks[0::2], marks[1::2]
    before = text[opening - 1]
    if opening[0] == 0:
        before[0] = NEWLINE
    after = np.full(len(closing), NEWLINE, dtype=np.uint8)
    is_inside = closing + 1 < len(text)
    after[is_inside] = text[closing[is_inside] + 1]
    return bool(
        np.isin(before, (delimiter, NEWLINE, quote)).all()
        and np.isin(after, (delimiter, NEWLINE, RETURN, quote)).all()
    )
