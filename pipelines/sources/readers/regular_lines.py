"""JSON Lines written by one program: flat records, the same keys in the same order in every line.

The bytes of many lines are looked at together. In a line without a backslash a quotation mark
stands only where a string begins or ends, so the marks come in pairs, and a pair with a colon
behind it is a key. A line is *regular* if its keys are the expected ones in the expected order, if
every byte between them belongs to one value, and if each value is a string or one bare word. Such a
line is one JSON object without a key that stands twice, and its values are cut out as they stand.
All other lines are left to others.

Arrow is given buffers and no scalars or arrays of NumPy: it would import pandas to look at those,
which takes a worker as long as a stretch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipelines.sources.readers import strict_json
from pipelines.sources.readers.base import LINE, SOURCE_ROW, Wanted

QUOTE, BACKSLASH, NEWLINE, COLON, COMMA, OPEN, CLOSE, SPACE = b'"\\\n:,{} '
FIRST_PRINTABLE = 32
BARE = r"^(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$"
"""A value that is not a string."""
NULL = ord("n")
"""How the one bare word begins that says that there is no value."""

WORD = 8
BLOCK = 2 * 1024 * 1024
MAX_BLOCK = 2**31 - 1
MAX_KEYS = 500
SAMPLED = 8

Positions = NDArray[np.int32]
"""Places within a block; half as wide as places in a file, and as many again fit into a cache."""
Flags = NDArray[np.bool_]
_NOTHING = np.zeros(1, dtype=np.int32)


@dataclass(frozen=True)
class Pattern:
    """The keys of regular lines in their order, and the spaces that their writer puts."""

    keys: tuple[str, ...]
    colon: bytes
    comma: bytes


@dataclass(frozen=True)
class Lines:
    """The bytes of some lines, and where each of them begins and ends."""

    data: bytes
    starts: Positions
    ends: Positions

    def text_of(self, number: int) -> bytes:
        """Return one line."""
        return self.data[self.starts[number] : self.ends[number]]

    def texts(self, chosen: Flags) -> pa.StringArray:
        """Return the chosen lines as text; the bytes must be UTF-8."""
        return _cells(self.data, self.starts[chosen], self.ends[chosen])


def lines_of(data: bytes) -> Lines:
    """Return the lines of some bytes that are not blank."""
    text = np.frombuffer(data, dtype=np.uint8)
    ends = _where(text == NEWLINE)
    if data and not data.endswith(b"\n"):
        ends = np.append(ends, ends.dtype.type(len(data)))
    starts = np.concatenate((_NOTHING, ends[:-1] + 1)) if len(ends) else ends
    maybe_blank = np.ones(len(ends), dtype=np.bool_)
    maybe_blank[starts < ends] = text[starts[starts < ends]] <= SPACE
    if not maybe_blank.any():
        return Lines(data, starts, ends)
    blank = [
        n for n in np.flatnonzero(maybe_blank) if not data[starts[n] : ends[n]].strip(b" \t\r")
    ]
    return Lines(data, np.delete(starts, blank), np.delete(ends, blank))


def blocks_of(data: bytes) -> Iterator[bytes]:
    """Cut bytes at line ends into blocks that a processor's cache holds."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + BLOCK) + 1 or len(data)
        yield data[start:end]
        start = end


def pattern_of(lines: Lines) -> Pattern | None:
    """Return what most of some sampled lines look like.

    None where they are not flat objects, where the bytes are not UTF-8, or where a line is longer
    than a place within a block can tell.
    """
    if len(lines.data) > MAX_BLOCK or not is_text(lines.data):
        return None
    step = max(1, len(lines.starts) // SAMPLED)
    found = [_pattern_of_line(lines.text_of(n)) for n in range(0, len(lines.starts), step)]
    return max(set(found), key=lambda pattern: (found.count(pattern), str(pattern)), default=None)


def _pattern_of_line(line: bytes) -> Pattern | None:
    try:
        record = strict_json.parse_record(line)
    except strict_json.NotJson:
        return None
    keys = tuple(record)
    if not 1 < len(keys) <= MAX_KEYS or {SOURCE_ROW, LINE, ""} & record.keys():
        return None
    if any(isinstance(value, dict | list) for value in record.values()):
        return None
    if any(json.dumps(key, ensure_ascii=False) != f'"{key}"' for key in keys):
        return None
    colon = b": " if f'"{keys[0]}": '.encode() in line else b":"
    comma = b", " if f', "{keys[1]}"'.encode() in line else b","
    return Pattern(keys, colon, comma)


def read_regular(
    lines: Lines, pattern: Pattern, wanted: Wanted, first: int
) -> tuple[Flags, pa.RecordBatch]:
    """Return which lines are regular, and of these the numbers and the wanted cells as text.

    The bytes must be UTF-8. `first` is the number of the first line. The columns are in the order
    of their names.
    """
    found = _values(lines, pattern)
    text = np.frombuffer(lines.data, dtype=np.uint8)
    regular = found.regular
    n = len(found.starts)
    good = _flags(np.ones(n, dtype=np.bool_))
    columns = {}
    n_bare = np.count_nonzero(~found.is_string, axis=0)
    read = [at for at, key in enumerate(pattern.keys) if n_bare[at] or wanted.has(key)]
    every = _cells(lines.data, *(of[:, read].T.ravel() for of in (found.starts, found.ends)))
    for number, at in enumerate(read):
        cells = every.slice(number * n, n)
        if n_bare[at]:
            is_bare = ~found.is_string[:, at]
            bare = _flags(is_bare)
            good = pc.and_not(good, pc.and_not(bare, pc.match_substring_regex(cells, BARE)))
            is_null = _flags(is_bare & (text[found.starts[:, at]] == NULL))
            cells = pc.if_else(is_null, pa.nulls(n, cells.type), cells)
        columns[pattern.keys[at]] = cells
    names = sorted(key for key in columns if wanted.has(key))
    numbers = _numbers(np.flatnonzero(regular) + first, pa.int64())
    batch = pa.record_batch(
        [numbers, *(columns[name] for name in names)], names=[SOURCE_ROW, *names]
    )
    if not pc.all(good).as_py():
        regular[np.flatnonzero(regular)[~good.to_numpy(zero_copy_only=False)]] = False
        batch = batch.filter(good)
    return regular, batch


@dataclass(frozen=True)
class _Values:
    """Where the values of regular lines stand: a row for each line, a column for each key."""

    regular: Flags
    starts: Positions
    ends: Positions
    is_string: Flags


def _values(lines: Lines, pattern: Pattern) -> _Values:
    n_keys = len(pattern.keys)
    text = np.frombuffer(lines.data, dtype=np.uint8)
    regular = _are_plain(text, lines)
    marks, bounds = _marks(text, lines, regular)
    opening, closing = marks[0::2], marks[1::2]
    is_key = text[closing + 1] == COLON
    keys_before = _sums(is_key)[bounds]
    has_keys = np.diff(keys_before) == n_keys
    if not has_keys.all():
        regular[np.flatnonzero(regular)[~has_keys]] = False
        kept = np.repeat(has_keys, np.diff(bounds))
        opening, closing, is_key = opening[kept], closing[kept], is_key[kept]
        bounds = _sums(np.diff(bounds)[has_keys])
    pairs = _where(is_key).reshape(-1, n_keys)
    key_starts, key_ends = opening[pairs] + 1, closing[pairs]
    begins, ends = lines.starts[regular], lines.ends[regular]
    starts = key_ends + 1 + len(pattern.colon)
    stops = np.empty_like(starts)
    stops[:, :-1] = key_starts[:, 1:] - 1 - len(pattern.comma)
    stops[:, -1] = ends - 1
    n_between = np.diff(np.column_stack([pairs, bounds[1:]]), axis=1) - 1
    is_string = n_between == 1
    good = (n_between <= 1).all(axis=1) & (starts < stops).all(axis=1)
    good &= key_starts[:, 0] == begins + 2
    good &= (text[stops[:, :-1]] == COMMA).all(axis=1)
    if len(pattern.colon) > 1:
        good &= (text[starts - 1] == SPACE).all(axis=1)
    if len(pattern.comma) > 1:
        good &= (text[stops[:, :-1] + 1] == SPACE).all(axis=1)
    value = np.minimum(pairs + 1, len(opening) - 1)
    fits = (opening[value] == starts) & (closing[value] == stops - 1)
    good &= (fits | ~is_string).all(axis=1)
    good &= (key_ends - key_starts == [len(key.encode()) for key in pattern.keys]).all(axis=1)
    good &= _are_keys(lines.data, key_starts, pattern.keys)
    if not good.all():
        regular[np.flatnonzero(regular)[~good]] = False
        starts, stops, is_string = starts[good], stops[good], is_string[good]
    return _Values(regular, starts + is_string, stops - is_string, is_string)


def _are_plain(text: NDArray[np.uint8], lines: Lines) -> Flags:
    """Tell which lines are in braces and hold neither backslashes nor control characters."""
    starts, ends = lines.starts, lines.ends
    plain: Flags = (text[starts] == OPEN) & (text[ends - 1] == CLOSE)
    odd = []
    if lines.data.find(BACKSLASH) >= 0:
        odd.append(np.flatnonzero(text == BACKSLASH))
    n_line_ends = len(starts) - (not lines.data.endswith(b"\n"))
    if np.count_nonzero(text < FIRST_PRINTABLE) > n_line_ends:
        odd.append(np.flatnonzero((text < FIRST_PRINTABLE) & (text != NEWLINE)))
    for positions in odd:
        number = np.searchsorted(starts, positions, side="right") - 1
        plain[number[number >= 0]] = False
    return plain


def _marks(text: NDArray[np.uint8], lines: Lines, regular: Flags) -> tuple[Positions, Positions]:
    """Return the quotation marks of plain lines, and where those of each line begin, in pairs.

    Lines with an odd number of marks are no longer regular.
    """
    marks = _where(text == QUOTE)
    first = np.searchsorted(marks, lines.starts)
    counts = np.searchsorted(marks, lines.ends) - first
    regular &= counts % 2 == 0
    if not regular.all():
        marks = marks[np.repeat(regular, counts)]
    return marks, _sums(counts[regular] // 2)


def _where(flags: Flags) -> Positions:
    return np.flatnonzero(flags).astype(np.int32 if len(flags) <= MAX_BLOCK else np.int64)


def _sums(counts: NDArray[Any]) -> Positions:
    """Return how many there are before each, and in all."""
    return np.concatenate((_NOTHING, np.cumsum(counts, dtype=np.int32)))


def _are_keys(data: bytes, starts: Positions, keys: Sequence[str]) -> Flags:
    """Tell in which lines all keys are written where they should begin.

    Of each key eight bytes at a time are looked at in all lines, so that all that is at hand fits
    into the nearest cache.
    """
    padded = data + bytes(max(len(key.encode()) for key in keys) + WORD)
    words = np.ndarray(len(padded) - WORD + 1, dtype="<u8", buffer=padded, strides=(1,))
    same: Flags = np.ones(len(starts), dtype=np.bool_)
    for at, key in zip(np.ascontiguousarray(starts.T), keys, strict=True):
        written = key.encode()
        for offset in range(0, len(written), WORD):
            part = written[offset : offset + WORD]
            found = words[at + offset]
            if len(part) < WORD:
                found &= np.uint64((1 << 8 * len(part)) - 1)
            same &= found == np.uint64(int.from_bytes(part, "little"))
    return same


def _cells(data: bytes, starts: Positions, ends: Positions) -> pa.StringArray:
    """Return the texts from each start to its end, side by side in memory of their own."""
    bounds = np.empty(2 * len(starts) + 1, dtype=np.int32)
    bounds[0:-1:2], bounds[1::2], bounds[-1] = starts, ends, len(data)
    buffers = pa.py_buffer(bounds), pa.py_buffer(data)
    cut = pa.StringArray.from_buffers(2 * len(starts), *buffers)
    return cut.take(_numbers(np.arange(0, 2 * len(starts), 2, dtype=np.int32), pa.int32()))


def _numbers(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Return numbers where they lie."""
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def _flags(values: Flags) -> pa.BooleanArray:
    packed = np.packbits(values, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(packed)])


def is_text(data: bytes) -> bool:
    """Tell whether bytes are UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
