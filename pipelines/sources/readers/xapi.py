"""xAPI statements: JSON Lines, an array of them, or what an LRS answers.

Every statement is checked against the specification; one that breaks it is refused alone, with the
requirement. Columns are places in a statement (`pipelines.sources.xapi.paths`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import polars as pl
from pydantic import Field

from pipelines.sources.readers import json_array, strict_json
from pipelines.sources.readers.base import (
    CHUNK_BYTES,
    LINE,
    ROW_PROBLEMS,
    SOURCE_ROW,
    Chunk,
    ReaderOptions,
    Reading,
    Unreadable,
    Wanted,
    register,
)
from pipelines.sources.xapi import paths
from pipelines.sources.xapi.check import JSON_CODES, check
from pipelines.sources.xapi.report import Fault
from pipelines.sources.xapi.requirements import Version

STATEMENTS = "statements"
CODE = "xapi_"
"""What the codes of broken rules begin with."""
MOST_FAULTS = 3
CHUNK_STATEMENTS = 20_000
_EXTENDED = (
    ("result", "extensions"),
    ("context", "extensions"),
    ("object", "definition", "extensions"),
)
"""Where extensions stand, whose keys are reported if nothing takes them."""

_RESULT = re.compile(rb'\{\s*"(?:statements|more)"\s*:')
_decode = msgspec.json.Decoder(float_hook=strict_json.Number).decode


class XapiOptions(ReaderOptions):
    """By which version, and how keys and people are named."""

    version: Version = "1.0.3"
    """The version of statements that name none."""
    prefixes: dict[str, str] = Field(default={})
    """What IRIs in brackets may begin with instead."""
    home_pages: tuple[str, ...] = ()
    """Home pages whose account names are the ids of people, as rosters have them."""


@register("xapi")
class XapiStatements:
    """Reads statements, whatever file holds them."""

    name: ClassVar[str] = "xapi"
    version: ClassVar[int] = 2
    options: ClassVar[type[ReaderOptions]] = XapiOptions
    suffixes: ClassVar[tuple[str, ...]] = ()
    has_parts: ClassVar[bool] = False

    @staticmethod
    def open(path: Path, options: XapiOptions, wanted: Wanted) -> Reading:
        """Begin to read a file of statements."""
        facts: dict[str, Any] = {"reader": XapiStatements.name, "xapi_version": options.version}
        reading = Reading(facts=facts, chunks=iter(()), seen=set(wanted.columns))
        reading.chunks = _Work(options, wanted, reading).chunks(path)
        return reading


class _Work:
    def __init__(self, options: XapiOptions, wanted: Wanted, reading: Reading) -> None:
        self.options, self.reading = options, reading
        home_pages = frozenset(options.home_pages)
        self.getters = {
            name: paths.getter(name, options.prefixes, home_pages)
            for name in sorted(wanted.columns)
        }
        self.shapes: set[tuple[str, ...]] = set()

    def chunks(self, path: Path) -> Iterator[Chunk]:
        number = 0
        for block in statements(path):
            for start in range(0, len(block), CHUNK_STATEMENTS):
                lines = block[start : start + CHUNK_STATEMENTS]
                yield self.read(lines, number)
                number += len(lines)
        if not number:
            raise Unreadable(
                "no_records",
                "The file holds no statement.",
                "Check the filter of the export; if nothing happened, nothing needs to be sent.",
            )

    def read(self, lines: list[bytes], before: int) -> Chunk:
        columns: dict[str, list[str | None]] = {name: [] for name in self.getters}
        numbers: list[int] = []
        problems: list[tuple[int, str, str]] = []
        for number, line in enumerate(lines, start=before + 1):
            if faults := check(line, self.options.version):
                problems.append((number, _code(faults[0]), _said(faults)))
                continue
            statement = _as_written(line)
            numbers.append(number)
            self.note_properties(statement)
            for name, getter in self.getters.items():
                columns[name].append(_as_text(getter(statement)))
        rows = pl.DataFrame(
            {SOURCE_ROW: numbers, **columns},
            schema={SOURCE_ROW: pl.Int64(), **dict.fromkeys(columns, pl.String())},
        )
        first = before + 1
        originals = pl.DataFrame(
            {
                SOURCE_ROW: pl.int_range(first, first + len(lines), dtype=pl.Int64, eager=True),
                LINE: [line.decode(errors="backslashreplace") for line in lines],
            }
        )
        return Chunk(rows, originals, pl.DataFrame(problems, schema=ROW_PROBLEMS, orient="row"))

    def note_properties(self, statement: dict[str, Any]) -> None:
        """Note the properties of a statement, and the keys of its extensions."""
        extended = [(place, _keys(statement, place)) for place in _EXTENDED]
        shape = (*statement, *(key for _, keys in extended for key in ("", *keys)))
        if shape in self.shapes:
            return
        self.shapes.add(shape)
        self.reading.seen.update(statement)
        for place, keys in extended:
            where = ".".join(place)
            for key in keys:
                short = paths.shortened(key, self.options.prefixes)
                self.reading.seen.add(f"{where}[{short}]")


def _keys(value: Any, place: tuple[str, ...]) -> tuple[str, ...]:
    for name in place:
        value = value.get(name)
        if not isinstance(value, dict):
            return ()
    return tuple(value)


def _as_written(line: bytes) -> dict[str, Any]:
    """Return a statement that was checked, its numbers as they were written."""
    try:
        statement: dict[str, Any] = _decode(line)
    except (msgspec.MsgspecError, RecursionError):
        statement = strict_json.parse(line)
    return statement


def _as_text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return strict_json.as_text(value)


def _code(fault: Fault) -> str:
    return fault.code if fault.code in JSON_CODES else CODE + fault.code


def _said(faults: list[Fault]) -> str:
    said = [f"{fault.message}: {fault.suggestion} [{fault.requirement}]" for fault in faults]
    more = [f"and {len(said) - MOST_FAULTS} more"] if len(said) > MOST_FAULTS else []
    return "; ".join((*said[:MOST_FAULTS], *more))


def statements(path: Path) -> Iterator[list[bytes]]:
    """Yield the statements of a file, block by block.

    Raises:
        Unreadable: the file is neither JSON Lines nor JSON.
    """
    with path.open("rb") as file:
        head = file.read(CHUNK_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    lines = head.split(b"\n")
    if len(head) >= CHUNK_BYTES:
        lines.pop()
    if _says_something(lines[:1]) or (head[:1] == b"{" and _says_something(lines)):
        yield from _of_lines(path)
    elif head[:1] in (b"[", b"{"):
        yield from _of_one_text(path, STATEMENTS if _RESULT.match(head) else None)
    else:
        yield from _of_lines(path)


def _says_something(lines: list[bytes]) -> bool:
    """Tell whether one of some lines is an array, or an object with properties, by itself."""
    for line in lines:
        if line.lstrip()[:1] in (b"[", b"{"):
            try:
                if strict_json.parse(line):
                    return True
            except strict_json.NotJson:
                continue
    return False


def _of_one_text(path: Path, at: str | None) -> Iterator[list[bytes]]:
    """Yield the statements of one JSON text: if one is no JSON, the whole is none."""
    number = 0
    for block in json_array.elements(path, at):
        for element in block:
            number += 1
            if not (_is_plain_json(element) or strict_json.is_json(element)):
                raise json_array.not_json(f"statement {number} is not")
        yield block


def _is_plain_json(data: bytes) -> bool:
    try:
        _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _of_lines(path: Path) -> Iterator[list[bytes]]:
    with path.open("rb") as file:
        start = file.read(3)
        file.seek(3 if start == b"\xef\xbb\xbf" else 0)
        rest = b""
        while data := file.read(CHUNK_BYTES):
            *lines, rest = (rest + data).split(b"\n")
            yield [statement for line in lines for statement in _in_line(line)]
        yield list(_in_line(rest))


def _in_line(line: bytes) -> Iterator[bytes]:
    """Yield the statements of a line: itself, those of a batch, or those that an LRS answered."""
    bare = line.strip(b" \t\r")
    if not bare:
        return
    if bare[:1] == b"[" or _RESULT.match(bare):
        try:
            content = strict_json.parse(bare)
        except strict_json.NotJson:
            yield bare
            return
        held = content.get(STATEMENTS) if isinstance(content, dict) else content
        if isinstance(held, list):
            yield from (strict_json.as_json(item).encode() for item in held)
            return
    yield bare
