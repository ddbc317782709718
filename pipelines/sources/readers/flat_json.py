"""JSON Lines whose records are flat, as most exports are: proven with literal searches.

A line without a backslash has a quotation mark only where a string begins or ends. So if each key
that is known stands in it once with the kind of value it is known to have, and there are no more
keys than that, then all its keys are known, no two are equal, and every value is what polars reads
(strings) or what stands behind the key (numbers and words). All other lines are left to others.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.sources.readers import strict_json
from pipelines.sources.readers.base import LINE, SOURCE_ROW, Wanted

MAX_KEYS = 500
BARE = r"(true|false|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)\s*[,}]"
"""A value that is not a string, and what ends it."""

ELSEWHERE = ("\\", "[", "\t", "\r", "\n", '" :', '"  ')
"""What sends a line elsewhere: escapes, arrays, space before a colon (it would hide a key)."""

FEW_LINES = 64


@dataclass(frozen=True)
class Layout:
    """The keys of flat records, and how they are written."""

    strings: tuple[str, ...]
    """Keys of values that are strings or null."""
    bare: tuple[str, ...]
    """Keys of numbers, true and false, or null."""
    colon: str
    """What stands between a key and its value."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Return all keys."""
        return self.strings + self.bare


def layout_of(lines: Sequence[bytes]) -> Layout | None:
    """Return the layout of some lines; None where none of them is flat."""
    is_string: dict[str, bool | None] = {}
    colon = None
    for line in lines:
        if b"\\" in line:
            continue
        try:
            record = strict_json.parse_record(line)
        except strict_json.NotJson:
            continue
        if any(isinstance(value, dict | list) for value in record.values()):
            continue
        for key, value in record.items():
            kind = None if value is None else _is_string(value)
            if is_string.get(key) is None:
                is_string[key] = kind
        if colon is None and record:
            first = next(iter(record))
            spaced = f'"{first}": '.encode() in line
            colon = ": " if spaced else ":"
    if colon is None or len(is_string) > MAX_KEYS or any(map(_is_odd, is_string)):
        return None
    strings = tuple(key for key, kind in is_string.items() if kind is not False)
    return Layout(strings, tuple(key for key in is_string if key not in strings), colon)


def _is_string(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, strict_json.Number)


def _is_odd(key: str) -> bool:
    return key in ("", SOURCE_ROW) or any(
        character in '"\\' or ord(character) < 32 for character in key
    )


def read_flat(frame: pl.DataFrame, layout: Layout, wanted: Wanted) -> pl.DataFrame:
    """Return the wanted cells of the lines that have the layout, and their `source_row`."""
    proven = _proven(frame, layout)
    bare = {f"__bare_{n}": key for n, key in enumerate(layout.bare) if wanted.has(key)}
    cells = proven.select(SOURCE_ROW, *(pl.col(name).alias(key) for name, key in bare.items()))
    strings = [key for key in layout.strings if wanted.has(key)] or [""]
    parts = list(parse(proven.select(SOURCE_ROW, LINE), dict.fromkeys(strings, pl.String())))
    if not parts:
        return cells.head(0)
    texts = pl.concat(parts).drop("", strict=False)
    if texts.height < cells.height:
        cells = cells.join(texts.select(SOURCE_ROW), on=SOURCE_ROW, how="semi")
    found = cells.hstack(texts.drop(SOURCE_ROW))
    return found.select(SOURCE_ROW, *sorted(found.columns[1:]))


def parse(lines: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    """Read lines with polars, leaving out by halving those that it refuses."""
    if lines.is_empty():
        return
    data = lines[LINE].str.join("\n").item().encode()
    try:
        cells = pl.read_ndjson(io.BytesIO(data), schema=dict(schema))
    except pl.exceptions.PolarsError:
        cells = None
    if cells is not None and cells.height == lines.height:
        yield cells.insert_column(0, lines[SOURCE_ROW])
    elif lines.height > FEW_LINES:
        half = lines.height // 2
        yield from parse(lines.head(half), schema)
        yield from parse(lines.tail(lines.height - half), schema)


def _proven(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Return the lines that have the layout, with their bare values."""
    line = pl.col(LINE).str.strip_chars(" \t\r")
    stripped = pl.col(LINE)
    is_flat = (
        stripped.str.starts_with("{")
        & stripped.str.ends_with("}")
        & ~stripped.str.slice(1).str.contains("{", literal=True)
        & ~pl.any_horizontal(stripped.str.contains(text, literal=True) for text in ELSEWHERE)
    )
    has_string = _has(layout.strings, f'{layout.colon}"')
    flat = (
        frame.lazy()
        .with_columns(line.alias(LINE))
        .filter(is_flat)
        .with_columns(
            stripped.str.extract(f'"{re.escape(key)}": *{BARE}').alias(f"__bare_{number}")
            for number, key in enumerate(layout.bare)
        )
        .with_columns(n_keys=stripped.str.count_matches('":', literal=True))
        .collect()
    )
    has_bare = [pl.col(f"__bare_{number}").is_not_null() for number in range(len(layout.bare))]
    is_full = flat.select(pl.col("n_keys") == _count([*has_string, *has_bare]))[:, 0]
    if is_full.all():
        return flat
    has_null = _has(layout.keys, f"{layout.colon}null")
    with_null = [
        value | null for value, null in zip([*has_string, *has_bare], has_null, strict=True)
    ]
    partial = flat.filter(~is_full).filter(pl.col("n_keys") == _count(with_null))
    return pl.concat([flat.filter(is_full), partial]).sort(SOURCE_ROW)


def _has(keys: Sequence[str], value: str) -> list[pl.Expr]:
    return [pl.col(LINE).str.contains(f'"{key}"{value}', literal=True) for key in keys]


def _count(conditions: Sequence[pl.Expr]) -> pl.Expr:
    return pl.sum_horizontal([condition.cast(pl.UInt32) for condition in conditions])
