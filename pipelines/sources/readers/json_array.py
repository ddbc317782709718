"""The elements of a JSON array, cut out of a file of any size without parsing it as a whole.

Cutting looks only at quotes, brackets and commas, set-wise over large blocks. It need not be
trusted: the file is JSON if, and only if, every element is, and what lies around the array is JSON
with an empty array in its place; readers check both to the letter.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from pipelines.sources.readers import strict_json
from pipelines.sources.readers.base import CHUNK_BYTES, Unreadable

MAX_ELEMENT = 256 << 20
MAX_AROUND = 64 << 20
"""How much may stand before the array, and behind it."""
SPACE = b" \t\n\r"

_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+|"', re.DOTALL)
_QUOTE, _OPEN, _CLOSE, _COMMA, _LINE_END = range(1, 6)
_KINDS = np.zeros(256, dtype=np.uint8)
for _kind, _bytes in enumerate((b'"', b"[{", b"]}", b",", b"\n\r"), start=1):
    _KINDS[list(_bytes)] = _kind


def elements(path: Path, at: str | None) -> Iterator[list[bytes]]:
    """Yield the elements of the array at a dotted path, or of the file itself, block by block.

    Line ends between values become spaces. A file that is no array, where no path is given, is
    one element. That the elements are JSON is for the caller to see.

    Raises:
        Unreadable: what lies around the elements is not JSON, or holds no such array.
    """
    with path.open("rb") as file:
        head, begin, is_array = _beginning(file, at)
        cutter = _Cutter()
        for block in chain([head[begin:]], iter(lambda: file.read(CHUNK_BYTES), b"")):
            yield cutter.cut(block)
            if cutter.is_at_end:
                break
        if is_array != cutter.is_at_end or (cutter.n_found and not is_array):
            raise not_json("an array is not closed" if is_array else "it holds more than one value")
        if is_array:
            _check_around(head[:begin] + b"]" + cutter.behind + file.read(MAX_AROUND))
        last = cutter.last()
        if cutter.n_found or last.strip(SPACE):
            yield [last]


def _beginning(file: BinaryIO, at: str | None) -> tuple[bytes, int, bool]:
    """Return the head of a file, where the elements begin, and whether an array holds them."""
    head = file.read(CHUNK_BYTES)
    _refuse_other_text(head)
    head = head.removeprefix(codecs.BOM_UTF8)
    while not head.strip(SPACE):
        head = file.read(CHUNK_BYTES)
        if not head:
            raise Unreadable(
                "empty_file",
                "The file is empty.",
                "Check whether the export ended early, and send the file again.",
            )
    if at is None:
        is_array = head.lstrip(SPACE).startswith(b"[")
        return head, head.index(b"[") + 1 if is_array else 0, is_array
    while (begin := _array_at(head, at)) is None:
        more = file.read(CHUNK_BYTES) if len(head) < MAX_AROUND else b""
        if not more:
            raise _no_array(head, at)
        head += more
    return head, begin, True


def not_json(what: str) -> Unreadable:
    """Return what to say of a file that is not one JSON text."""
    return Unreadable(
        "not_json",
        f"The file is not JSON: {what}.",
        "Check whether the upload ended early, and export the file again; one object a line is "
        "read by the reader jsonl.",
    )


class _Cutter:
    """Cuts at the commas of the outermost level, from block to block."""

    def __init__(self) -> None:
        self.is_at_end = False
        self.n_found = 0
        self.behind = b""
        """What follows the array in the last block."""
        self._depth = 0
        self._in_string = False
        self._held: list[bytes] = []
        self._n_held = 0
        self._escape = b""

    def cut(self, block: bytes) -> list[bytes]:
        """Return the elements that end in a block."""
        data = self._whole_escapes(block)
        text = np.frombuffer(_ESCAPE.sub(b"..", data) if b"\\" in data else data, dtype=np.uint8)
        places = np.flatnonzero(_KINDS[text])
        kinds = _KINDS[text[places]]
        is_quote = kinds == _QUOTE
        parity = np.cumsum(is_quote, dtype=np.int64) + self._in_string
        outside = (parity & 1 == 0) & ~is_quote
        self._in_string = bool(parity[-1] & 1) if len(parity) else self._in_string
        places, kinds = places[outside], kinds[outside]
        steps = (kinds == _OPEN).astype(np.int64) - (kinds == _CLOSE)
        depths = self._depth + np.cumsum(steps)
        ends = np.flatnonzero(depths < 0)
        stop = len(data)
        if len(ends):
            first = ends[0]
            stop = int(places[first])
            self.is_at_end, self.behind = True, data[stop + 1 :] + self._escape
            self._escape = b""
            places, kinds, depths = places[:first], kinds[:first], depths[:first]
        elif len(depths):
            self._depth = int(depths[-1])
        commas = places[(kinds == _COMMA) & (depths == 0)]
        return self._slices(_one_line(data, places[kinds == _LINE_END]), commas, stop)

    def last(self) -> bytes:
        """Return what follows the last comma."""
        return b"".join((*self._held, self._escape))

    def _whole_escapes(self, block: bytes) -> bytes:
        """Return the block without a backslash at its end, which belongs to the next one."""
        data = self._escape + block
        n_slashes = len(data) - len(data.rstrip(b"\\"))
        self._escape = data[len(data) - 1 :] if n_slashes % 2 else b""
        return data[:-1] if n_slashes % 2 else data

    def _slices(self, data: bytes, commas: npt.NDArray[np.int64], stop: int) -> list[bytes]:
        found: list[bytes] = []
        begin = 0
        for comma in commas.tolist():
            found.append(data[begin:comma])
            begin = comma + 1
        if found and self._held:
            found[0] = b"".join((*self._held, found[0]))
        if found:
            self._held, self._n_held = [], 0
        self.n_found += len(found)
        self._held.append(data[begin:stop])
        self._n_held += stop - begin
        if self._n_held > MAX_ELEMENT:
            raise Unreadable(
                "not_json",
                f"One record is longer than {MAX_ELEMENT >> 20} MiB.",
                "A quotation mark or a bracket may not be closed; or `records_at:` names the "
                "wrong array.",
            )
        return found


def _one_line(data: bytes, line_ends: npt.NDArray[np.int64]) -> bytes:
    if not len(line_ends):
        return data
    text = np.frombuffer(data, dtype=np.uint8).copy()
    text[line_ends] = ord(" ")
    return text.tobytes()


def _refuse_other_text(head: bytes) -> None:
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in head[:4]:
        raise Unreadable(
            "wrong_encoding", "The file is UTF-16 text; JSON is UTF-8.", "Export the file as UTF-8."
        )


def _array_at(head: bytes, at: str) -> int | None:
    """Return where the first element begins, or None where these bytes hold no such array."""
    return next((end for path, end in _arrays(head) if path == at), None)


def _text_of(token: bytes) -> str:
    try:
        return str(json.loads(token))
    except ValueError:
        return ""


def _no_array(head: bytes, at: str) -> Unreadable:
    return Unreadable(
        "records_not_found",
        f"The file has no array at {at!r}.",
        f"Arrays are at: {', '.join(arrays(head)[:20]) or 'no place'}. Correct `records_at:` of "
        "the spec, or leave it out where the file itself is the array.",
    )


def arrays(head: bytes) -> list[str]:
    """Return the dotted paths of the arrays that a JSON text begins with."""
    return list(dict.fromkeys(path for path, _ in _arrays(head) if path))


def _arrays(head: bytes) -> Iterator[tuple[str, int]]:
    """Yield arrays that lie in objects only: their dotted path, and where they begin."""
    path: list[str] = []
    is_object: list[bool] = []
    is_key = False
    for token in _TOKEN.finditer(head):
        text = token[0]
        if text in (b"{", b"["):
            if text == b"[" and all(is_object):
                yield ".".join(path), token.end()
            path.append("")
            is_object.append(text == b"{")
            is_key = text == b"{"
        elif text in (b"}", b"]"):
            if not path:
                return
            path.pop()
            is_object.pop()
            is_key = False
        elif text == b",":
            is_key = bool(is_object) and is_object[-1]
        elif text == b'"':
            return
        elif is_key and text.startswith(b'"'):
            path[-1] = _text_of(text)
            is_key = False


def _check_around(document: bytes) -> None:
    """See that the file is JSON when the array is taken out.

    Raises:
        Unreadable: it is not.
    """
    if len(document) > 2 * MAX_AROUND:
        raise not_json("more stands around the records than can be read")
    try:
        strict_json.parse(document)
    except strict_json.NotJson as error:
        code = error.code if error.code == "duplicate_key" else "not_json"
        said = not_json("what stands around the records is not")
        raise Unreadable(code, said.message, said.suggestion) from None
