"""JSON: a file that is one array of records, or an object that holds the array at a known place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from pipelines.sources.readers import json_array, strict_json
from pipelines.sources.readers.base import (
    SOURCE_ROW,
    Chunk,
    ReaderOptions,
    Reading,
    Unreadable,
    Wanted,
    register,
)
from pipelines.sources.readers.jsonl import read_lines

OF_THE_FILE = frozenset({"not_json", "not_finite", "not_utf8"})
"""What makes the file no JSON; everything else is about one record alone."""


class JsonOptions(ReaderOptions):
    """Where the records lie."""

    records_at: str | None = Field(default=None, min_length=1)
    """The dotted path of the array; without it, the file is the array, or is one record."""


@register("json")
class JsonFile:
    """Cuts the array into its elements and reads them as JSON Lines are read."""

    name: ClassVar[str] = "json"
    version: ClassVar[int] = 1
    options: ClassVar[type[ReaderOptions]] = JsonOptions
    suffixes: ClassVar[tuple[str, ...]] = (".json",)
    has_parts: ClassVar[bool] = False

    @staticmethod
    def open(path: Path, options: JsonOptions, wanted: Wanted) -> Reading:
        """Begin to read a JSON file."""
        facts: dict[str, Any] = {"reader": JsonFile.name, "encoding": "utf-8"}
        reading = Reading(facts=facts, chunks=iter(()))
        reading.chunks = _chunks(path, options, wanted, reading)
        return reading


def _chunks(path: Path, options: JsonOptions, wanted: Wanted, reading: Reading) -> Iterator[Chunk]:
    number = 0
    for block in json_array.elements(path, options.records_at):
        if block:
            chunk = read_lines(block, number, wanted, reading.seen)
            for row, code in chunk.problems.select(SOURCE_ROW, "code").iter_rows():
                refuse_file(code, row, block[row - number - 1])
            yield chunk
            number += len(block)
    if not number:
        raise Unreadable(
            "no_records",
            "The file holds an empty list of records.",
            "Check the filter of the export; if nothing happened, nothing needs to be sent.",
        )


def records(path: Path, options: JsonOptions) -> Iterator[Any]:
    """Yield each element of the array as a value, or as the reason why it is refused alone.

    Raises:
        Unreadable: the file is not JSON.
    """
    number = 0
    for block in json_array.elements(path, options.records_at):
        for element in block:
            number += 1
            try:
                yield strict_json.parse(element)
            except strict_json.NotJson as error:
                refuse_file(error.code, number, element)
                yield error


def refuse_file(code: str, row: int, element: bytes) -> None:
    """See that an element with a problem is JSON all the same.

    Raises:
        Unreadable: it is not, and so the file is not.
    """
    if code in OF_THE_FILE or (code == "duplicate_key" and not strict_json.is_json(element)):
        raise json_array.not_json(f"record {row} is not")
