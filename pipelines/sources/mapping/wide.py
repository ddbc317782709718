"""Columns that are really rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.sources.readers.base import Unreadable
from pipelines.sources.spec import Wide

SOURCE_CELL = "source_cell"
CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Melted:
    """Long rows, with `source_cell`; and a column that is true where the cell is blank."""

    rows: pl.DataFrame
    is_blank: pl.Series


def matching(wide: Wide, columns: Sequence[str]) -> list[str]:
    """Return the columns that are really rows, in the order of the file."""
    pattern = re.compile(wide.columns)
    return [column for column in columns if pattern.search(column)]


def melt(
    wide: Wide, rows: pl.DataFrame, keep: Sequence[str], missing: Sequence[str]
) -> Iterator[Melted]:
    """Return the long rows of wide ones, in the order of rows and, within one, of columns."""
    columns = matching(wide, rows.columns)
    keep = [name for name in keep if name in rows.columns and name not in columns]
    if not columns:
        return
    at_once = max(1, CELLS_AT_ONCE // len(columns))
    for part in rows.iter_slices(at_once):
        yield _long(wide, part.select("source_row", *keep), part, columns, missing)


@dataclass(frozen=True)
class _Place:
    """What the name of a wide column says."""

    column: str
    made: dict[str, str | None]
    part: str | None


def _places(wide: Wide, columns: Sequence[str]) -> list[_Place]:
    pattern = re.compile(wide.columns)
    places = []
    for column in columns:
        match = pattern.search(column)
        if match is None:
            continue
        made: dict[str, str | None] = dict(match.groupdict())
        part = made.pop(wide.spread.group) if wide.spread else None
        if wide.name_to is not None and wide.name_to not in made:
            is_plain_group = pattern.groups and not pattern.groupindex
            made[wide.name_to] = match.group(1) if is_plain_group else column
        places.append(_Place(column, made, part))
    return places


def _long(
    wide: Wide,
    kept: pl.DataFrame,
    rows: pl.DataFrame,
    columns: list[str],
    missing: Sequence[str],
) -> Melted:
    places = _places(wide, columns)
    if wide.spread is None:
        groups = [{str(wide.value_to): place} for place in places]
    else:
        by_name: dict[tuple[str | None, ...], dict[str, _Place]] = {}
        for place in places:
            if place.part not in wide.spread.columns:
                raise Unreadable(
                    "unexpected_column",
                    f"The column {place.column!r} matches the spec's pattern as {place.part!r}, "
                    "which is none of its columns.",
                    "Add it to `spread: columns:` of the spec, or make the pattern stricter.",
                )
            group = by_name.setdefault(tuple(place.made.values()), {})
            if str(place.part) in group:
                raise Unreadable(
                    "duplicate_header",
                    f"The columns {group[str(place.part)].column!r} and {place.column!r} "
                    "mean the same.",
                    "Rename one of the two, or make the pattern of the spec stricter.",
                )
            group[str(place.part)] = place
        groups = list(by_name.values())
    values = wide.spread.columns if wide.spread is not None else [str(wide.value_to)]
    long = _gathered(kept, rows, groups, values)
    trimmed = pl.col(values).str.strip_chars()
    is_blank = long.select(
        pl.all_horizontal(trimmed.is_null() | trimmed.is_in(list(missing))).alias("blank")
    )["blank"]
    return Melted(long, is_blank)


def _gathered(
    kept: pl.DataFrame, rows: pl.DataFrame, groups: list[dict[str, _Place]], values: list[str]
) -> pl.DataFrame:
    """Repeat each row once for every group of columns that make one long row."""
    n_rows, n_groups = rows.height, len(groups)
    row_of = np.repeat(np.arange(n_rows), n_groups)
    group_of = np.tile(np.arange(n_groups), n_rows)
    firsts = [next(iter(group.values())) for group in groups]
    made = {
        name: pl.Series(name, [place.made[name] for place in firsts], dtype=pl.String)
        for name in firsts[0].made
    }
    made[SOURCE_CELL] = pl.Series(SOURCE_CELL, [place.column for place in firsts])
    blank = pl.repeat(None, n_rows, dtype=pl.String, eager=True)
    cells = {
        name: pl.concat([rows[group[name].column] if name in group else blank for group in groups])
        for name in values
    }
    at = group_of * n_rows + row_of
    return pl.DataFrame(
        [
            *(kept[name].gather(row_of) for name in kept.columns if name not in {*made, *cells}),
            *(series.gather(group_of) for series in made.values()),
            *(series.gather(at).alias(name) for name, series in cells.items()),
        ]
    )
