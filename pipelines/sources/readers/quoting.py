"""Cells of delimited text and the quotation marks around them.

A cell is quoted where its first character is a quotation mark; blanks around the marks, as in
`"a" , "b"`, are no part of it. A mark that is not closed, or is followed by anything but blanks, is
ambiguous: it costs its own line, and what follows is read on.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pipelines.sources.readers.base import CHUNK_BYTES
from pipelines.sources.readers.stretches import cut

UNCLOSED, STRAY = "unclosed_quote", "stray_quote"
BLOCK_BYTES = 1 << 22
NUL = b"\0"


class Source(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes; none at the end."""


@dataclass(frozen=True)
class Record:
    """Some bytes that are one row, or a line that is none.

    Attributes:
        start: where it begins.
        end: where the next one begins.
        code: what is wrong with its quotation marks.
        swallowed: up to where the last ambiguous mark would reach.
    """

    start: int
    end: int
    code: str | None = None
    swallowed: int = 0


class Quoting:
    """How cells are told apart: by a delimiter, marks around cells, and an escape character."""

    def __init__(self, delimiter: str, quote: str, escape: str | None = None) -> None:
        """Take single ASCII characters; `none` for a quote means that marks are plain text."""
        self.delimiter, self.quote = delimiter.encode(), b"" if quote == "none" else quote.encode()
        self._escape = b"" if escape in (None, quote) else str(escape).encode()
        cut_by, mark, escaped = map(re.escape, (self.delimiter, self.quote, self._escape))
        ends = rb"\r\n"
        if self._escape:
            any_escaped = rb"(?:%b[\s\S]?+[^%b%b%b]*+)*+" % (escaped, cut_by, ends, escaped)
            bare = rb"[^%b%b%b]*+%b" % (cut_by, ends, escaped, any_escaped)
        else:
            bare = rb"[^%b%b]*+" % (cut_by, ends)
        line_end = rb"(\r\n?|\n|\Z)"
        run = rb"(?:(?:%b%b)*+%b(?:\r\n?|\n))*+"
        escapes = rb"%b[\s\S]|" % escaped if escaped else b""
        self._line = re.compile(rb"(?:%b[^%b])*+%b" % (escapes, ends, line_end))
        if not self.quote:
            self._record = re.compile(rb"(?:%b%b)*+%b%b" % (bare, cut_by, bare, line_end))
            self._run = re.compile(run % (bare, cut_by, bare))
            self._cell = re.compile(rb"()(%b)" % bare)
            return
        self._blanks = b" \t".replace(self.delimiter, b"")
        blanks = rb"[%b]*+" % self._blanks
        if self._escape:
            inner = rb"[^%b%b]*+(?:(?:%b%b|%b[\s\S])[^%b%b]*+)*+" % (
                mark, escaped, mark, mark, escaped, mark, escaped,
            )  # fmt: skip
        else:
            inner = rb"[^%b]*+(?:%b%b[^%b]*+)*+" % (mark, mark, mark, mark)
        quoted = rb"%b%b%b" % (mark, inner, mark)
        bare = rb"(?!%b%b)%b" % (blanks, mark, bare)
        cell = rb"(?:%b%b%b|%b)" % (blanks, quoted, blanks, bare)
        self._record = re.compile(rb"(?:%b%b)*+%b%b" % (cell, cut_by, cell, line_end))
        self._run = re.compile(run % (cell, cut_by, cell))
        self._good_cells = re.compile(rb"(?:%b%b)*+" % (cell, cut_by))
        self._quoted = re.compile(rb"%b%b%b" % (blanks, quoted, blanks))
        self._cell = re.compile(rb"%b(%b)%b(?=[%b%b]|\Z)|(%b)" % (
            blanks, quoted, blanks, cut_by, ends, bare,
        ))  # fmt: skip
        # An escape is taken with the rest of its cell, so that no cell begins at what it escapes.
        left = rb"(%b[\s\S][^%b%b%b]*+)|" % (escaped, cut_by, ends, escaped) if escaped else b"()"
        self._padded = re.compile(
            rb"%b([%b%b])%b(%b)%b(?=[%b%b]|\Z)"
            % (left, cut_by, ends, blanks, quoted, blanks, cut_by, ends)
        )
        self._has_padding = re.compile(rb"[%b]%b|%b[%b]" % (
            self._blanks, mark, mark, self._blanks,
        ))  # fmt: skip

    def has_escapes(self, text: bytes) -> bool:
        """Return whether something is escaped in a text: the end of a line, say, or a mark."""
        return bool(self._escape) and self._escape in text

    def records(
        self, text: bytes, *, is_whole: bool = True, in_runs: bool = False, swallowed: int = 0
    ) -> Iterator[Record]:
        """Yield the records of a text; what may go on beyond its end only where it is whole.

        A record of more than `CHUNK_BYTES` is judged by what is there of it, unless that ends with
        a mark, which may be the first of two.

        Args:
            text: begins with a record.
            is_whole: whether nothing follows it.
            in_runs: whether good records that follow each other may be yielded as one.
            swallowed: up to where an ambiguous mark above the text would reach into it.
        """
        at = 0
        while at < len(text):
            run = self._run.match(text, at) if in_runs and at >= swallowed else None
            if run and run.end() > at:
                yield Record(at, run.end(), None, swallowed)
                at = run.end()
                continue
            found = self._record.match(text, at)
            is_too_long = len(text) - at > CHUNK_BYTES and text[-1:] != self.quote
            is_judged = is_whole or is_too_long
            if found and not (is_judged or found.end() < len(text) or found[1]):
                return
            if found:
                is_rest = at < swallowed < found.end() and self._is_odd(text, at, found.end())
                record = Record(at, found.end(), STRAY if is_rest else None, swallowed)
            else:
                faulty = self._faulty(text, at, is_judged=is_judged)
                if faulty is None:
                    return
                record, swallowed = faulty, faulty.swallowed
            yield record
            at = record.end

    def _faulty(self, text: bytes, start: int, *, is_judged: bool) -> Record | None:
        """Return the line that a mark makes ambiguous.

        None where what follows the text must be known.
        """
        before = self._good_cells.match(text, start)
        at = before.end() if before else start
        quoted = self._quoted.match(text, at)
        closed = quoted.end() if quoted else len(text)
        end, last = _line_end(text, at), self._line.match(text, closed)
        if not (is_judged or (last and last[1])):
            return None
        code = STRAY if end > closed else UNCLOSED
        return Record(start, end, code, closed if quoted else end)

    def _is_odd(self, text: bytes, start: int, end: int) -> bool:
        return text.count(self.quote, start, end) % 2 == 1

    def cells(self, text: bytes, record: Record) -> list[str]:
        """Return the cells of a record; what is ambiguous is cut at every delimiter."""
        line = text[record.start : record.end].removesuffix(b"\n").removesuffix(b"\r")
        if record.code is not None:
            return [self._bare(cell) for cell in line.split(self.delimiter)]
        found, at = [], 0
        while at <= len(line) and (cell := self._cell.match(line, at)):
            quoted, bare = cell.groups()
            found.append(self._inner(quoted) if quoted else self._bare(bare or b""))
            at = cell.end() + 1
        return found

    def _inner(self, quoted: bytes) -> str:
        text = quoted[1:-1]
        if self._escape:
            either = re.escape(self.quote) * 2 + rb"|" + re.escape(self._escape) + rb"[\s\S]"
            text = re.sub(either, lambda two: two[0][1:], text)
        else:
            text = text.replace(self.quote * 2, self.quote)
        return text.decode(errors="replace")

    def _bare(self, text: bytes) -> str:
        if self._escape:
            text = re.sub(re.escape(self._escape) + rb"([\s\S])", rb"\1", text)
        return text.decode(errors="replace")

    def without_padding(self, text: bytes) -> bytes:
        """Return whole good records without the blanks around quotation marks."""
        if not self._has_padding.search(text):
            return text
        return self._padded.sub(rb"\1\2\3", b"\n" + text)[1:]


def _line_end(text: bytes, start: int) -> int:
    ends = [at for end in (b"\n", b"\r") if (at := text.find(end, start)) >= 0]
    if not ends:
        return len(text)
    at = min(ends)
    return at + 2 if text.startswith(b"\r\n", at) else at + 1


class Tidied:
    """The bytes of a text with every quoted cell as parsers expect it.

    In place of a line whose marks are ambiguous stands `mark`, a row of too many cells, and the
    line waits in `refused`, in the order of the file.
    """

    def __init__(self, source: Source, quoting: Quoting, width: int) -> None:
        """Begin to read rows of so many cells."""
        self._source, self._quoting = source, quoting
        self._ready = self._rest = b""
        self._swallowed = 0
        """Up to where an ambiguous mark that was read before would reach into `_rest`."""
        self._is_done = False
        self.closed = False
        self.refused: deque[tuple[str, str]] = deque()
        """(code, line) of each refused line."""
        mark = quoting.delimiter.join([NUL] * (width + 1))
        self.mark = mark.decode()
        self._marked = mark + b"\n"

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, or all that are left."""
        wanted = size if size >= 0 else 1 << 62
        parts, length = [self._ready], len(self._ready)
        while length < wanted and not self._is_done:
            parts.append(self._next())
            length += len(parts[-1])
        text = b"".join(parts)
        self._ready = text[wanted:]
        return text[:wanted]

    def push_back(self, data: bytes) -> None:
        """Return bytes to the front."""
        self._ready = data + self._ready

    def _next(self) -> bytes:
        data = self._source.read(BLOCK_BYTES)
        block = self._rest + data
        self._is_done = not data
        end = self._regular_end(block)
        is_too_long = len(block) > CHUNK_BYTES
        if end is None or (not end and is_too_long and self._quoting.quote in block):
            tidy, end = self._tidied(block)
        elif not end and is_too_long:  # no line ends here: whoever parses the text will say so
            tidy, end = block, len(block)
        else:
            tidy = block[:end]
        self._rest, self._swallowed = block[end:], max(0, self._swallowed - end)
        return tidy

    def _regular_end(self, block: bytes) -> int | None:
        """Return where the last whole record ends, or None where the marks must be looked at."""
        if self._is_done and not block:
            return 0
        if self._quoting.has_escapes(block):
            return None
        if self._quoting.quote not in block:
            return len(block) if self._is_done else max(block.rfind(b"\n"), block.rfind(b"\r")) + 1
        delimiter, quote = self._quoting.delimiter.decode(), self._quoting.quote.decode()
        found = cut(block, delimiter, quote, is_last=self._is_done)
        return found.end if found else None

    def _tidied(self, block: bytes) -> tuple[bytes, int]:
        parts: list[bytes] = []
        good = end = 0
        for record in self._quoting.records(
            block, is_whole=self._is_done, in_runs=True, swallowed=self._swallowed
        ):
            end, self._swallowed = record.end, record.swallowed
            if record.code is None:
                continue
            parts += [self._quoting.without_padding(block[good : record.start]), self._marked]
            line = block[record.start : end].rstrip(b"\r\n")
            self.refused.append((record.code, line.decode(errors="replace")))
            good = end
        parts.append(self._quoting.without_padding(block[good:end]))
        return b"".join(parts), end
