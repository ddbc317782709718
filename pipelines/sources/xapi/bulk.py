"""Whole files of statements, checked by several processes where that pays."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from pipelines.sources.xapi.check import check
from pipelines.sources.xapi.report import Fault
from pipelines.sources.xapi.requirements import Version

CHUNK_BYTES = 1 << 20
ALONE_BYTES = 8 * CHUNK_BYTES
"""Up to here one process is faster than several."""
AHEAD = 4
"""Chunks that wait for each process, so that memory stays small."""
BOMS = (b"\xff\xfe", b"\xfe\xff")
UTF_8_BOM = b"\xef\xbb\xbf"
_GOOD = b'{"row": %d, "ok": true, "errors": []}\n'


class UnreadableFileError(Exception):
    """The file as a whole cannot be read; the message says why."""


class Judged(NamedTuple):
    """The verdicts on some consecutive rows."""

    n_rows: int
    n_refused: int
    refused: list[tuple[int, list[Fault]]]
    """Rows with what is wrong with them, numbered from 1 in the file."""
    machine: bytes
    """A line of JSON for every row, where asked for; `refused` is empty then."""


def judge(
    path: Path,
    version: Version = "1.0.3",
    *,
    for_machines: bool = False,
    processes: int | None = None,
) -> Iterator[Judged]:
    """Yield the verdicts on the statements of a file, chunk by chunk, in its order.

    Args:
        path: JSON Lines of statements and batches; or, where it ends in .json, one JSON text: a
            statement, an array of them, or a StatementResult with `statements`.
        version: the version of statements that name none.
        for_machines: write a line of JSON for each row, instead of returning what is wrong.
        processes: how many processes check; by default as many as there are processors.

    Raises:
        UnreadableFileError: the file as a whole cannot be read.
    """
    try:
        with path.open("rb") as file:
            judge_one = partial(judge_lines, version, for_machines)
            yield from _judge_all(_numbered(_chunks(file, path)), judge_one, _plan(path, processes))
    except OSError as error:
        raise UnreadableFileError(f"{path} cannot be opened: {error.strerror}") from None


def _plan(path: Path, processes: int | None) -> int:
    if processes is not None:
        return processes
    return 1 if path.stat().st_size <= ALONE_BYTES else len(os.sched_getaffinity(0))


def _chunks(file: BinaryIO, path: Path) -> Iterator[list[bytes]]:
    start = file.read(4)
    if start[:2] in BOMS or b"\0" in start:
        raise UnreadableFileError("the file is not UTF-8 text: export it again as UTF-8")
    file.seek(len(UTF_8_BOM) if start.startswith(UTF_8_BOM) else 0)
    is_empty = True
    for lines in _elements(path) if path.suffix.lower() == ".json" else _lines(file):
        is_empty = False
        yield lines
    if is_empty:
        raise UnreadableFileError(f"{path} is empty")


def _lines(file: BinaryIO) -> Iterator[list[bytes]]:
    rest = b""
    while data := file.read(CHUNK_BYTES):
        *lines, rest = (rest + data).split(b"\n")
        if kept := [line for line in lines if line.strip(b" \t\r")]:
            yield kept
    if rest.strip(b" \t\r"):
        yield [rest]


def _elements(path: Path) -> Iterator[list[bytes]]:
    """Yield the statements of one JSON text, each as a line of its own."""
    from pipelines.sources.readers.base import Unreadable
    from pipelines.sources.readers.xapi import statements

    try:
        yield from statements(path)
    except Unreadable as error:
        raise UnreadableFileError(f"{error.message} {error.suggestion}") from None


def _numbered(chunks: Iterable[list[bytes]]) -> Iterator[tuple[int, list[bytes]]]:
    first = 1
    for lines in chunks:
        yield first, lines
        first += len(lines)


def _judge_all(
    chunks: Iterator[tuple[int, list[bytes]]],
    judge_one: Callable[[tuple[int, list[bytes]]], Judged],
    processes: int,
) -> Iterator[Judged]:
    if processes <= 1:
        yield from map(judge_one, chunks)
        return
    way = "fork" if sys.platform == "linux" else "spawn"
    waiting: deque[Future[Judged]] = deque()
    with ProcessPoolExecutor(processes, multiprocessing.get_context(way)) as pool:
        for chunk in chunks:
            waiting.append(pool.submit(judge_one, chunk))
            if len(waiting) >= AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def judge_lines(version: Version, for_machines: bool, chunk: tuple[int, list[bytes]]) -> Judged:
    """Return the verdicts on some lines, given the number of the first."""
    first, lines = chunk
    refused: list[tuple[int, list[Fault]]] = []
    machine: list[bytes] = []
    n_refused = 0
    for number, line in enumerate(lines, start=first):
        faults = check(line, version)
        n_refused += bool(faults)
        if for_machines:
            machine.append(_machine(number, faults) if faults else _GOOD % number)
        elif faults:
            refused.append((number, faults))
    return Judged(len(lines), n_refused, refused, b"".join(machine))


def _machine(number: int, faults: list[Fault]) -> bytes:
    errors = [
        {
            "code": fault.code,
            "field": fault.field or None,
            "message": fault.message,
            "suggestion": fault.suggestion,
            "requirement": fault.requirement,
        }
        for fault in faults
    ]
    return msgspec.json.encode({"row": number, "ok": False, "errors": errors}) + b"\n"
