"""Which kind of record a table holds, and which column is which field."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import Column, columns
from pipelines.sources.checks import SCALE_COMPANIONS
from pipelines.sources.codes import crosswalk, reason_never_taken, versions_of
from pipelines.sources.guess.sample import Table
from pipelines.sources.guess.values import Profile, profile
from pipelines.sources.guess.words import fit, meant
from pipelines.sources.mapping.fields import BOOLEANS
from pipelines.sources.text import folded

_IDS = ("id", "whole", "label")
LIKELY = 0.5
"""How well header and values together must fit."""
MIN_WIDE = 4
"""So many columns that differ in a number only are rows in truth."""
GIVEN_ELSEWHERE = ("programme_id", "record_id")
IMPLIED: dict[str, dict[str, Any]] = {
    "exam_result": {"result_status": {"value": "scored"}},
    "exam_response": {"response_status": {"value": "answered"}},
    "reflection": {"reflection_type": {"value": "reflection"}},
}
"""What most often is true of every row of a kind, where no column says it."""


@dataclass
class Block:
    """The draft of one block of `records`."""

    kind: str
    part: str | None
    record_id: str
    fields: dict[str, dict[str, Any]]
    remarks: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What a person should look at, by field."""
    missing: list[str] = field(default_factory=list)
    """Required fields that no column was found for."""
    wide: dict[str, Any] | None = None
    not_taken: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Columns that are never taken, with the reason."""
    markers: tuple[str, ...] = ()
    """Cells that mean nothing."""


def draft(
    table: Table, codes: dict[str, pl.DataFrame], kind: str | None = None, *, named: bool = False
) -> Block | None:
    """Return the likeliest reading of a table, or None where it looks like no kind of record.

    Args:
        table: its first rows.
        codes: the code lists of the installation.
        kind: the kind, where it is known.
        named: whether the file has several parts, so that the block must name its own.
    """
    refused = {
        name: reason
        for name in table.columns.columns
        if (reason := reason_never_taken(codes, name)) is not None
    }
    profiles = [profile(column) for column in table.columns if column.name not in refused]
    wide, rest = _wide(profiles)
    kinds = [kind] if kind else [k for k in CONTRACTS if k != "void"]
    if wide is not None and kind is None:
        kinds = ["exam_response"]
    scored = [(_score(k, rest, wide), -n, k) for n, k in enumerate(kinds)]
    score, _, best = max(scored)
    if score <= 0 and kind is None:
        return None
    made = _block(best, table, rest, codes, wide)
    made.part = table.part if named else None
    made.refused = refused
    return made


def _fields(kind: str) -> list[Column]:
    companions = {name for group in SCALE_COMPANIONS.values() for name in group if name}
    skipped = {*GIVEN_ELSEWHERE, "source_version", "site_id", *companions}
    return [column for column in columns(CONTRACTS[kind]) if column.name not in skipped]


def _score(kind: str, profiles: list[Profile], wide: _Wide | None) -> float:
    """Return how well the columns fit a kind: what it needs weighs double."""
    found = _assigned(kind, profiles)
    made = set(wide.made) if wide is not None else set()
    score = 0.0
    for column in _fields(kind):
        if column.name in made or column.name in IMPLIED.get(kind, {}):
            continue
        if column.name in found:
            score += found[column.name][1] * (2 if column.required else 1)
        elif column.required:
            score -= 1
    return score - 0.3 * (len(profiles) - len(found))


def _assigned(kind: str, profiles: Iterable[Profile]) -> dict[str, tuple[Profile, float]]:
    """Return the column of each field, every column at most once, the best fits first.

    A column of ids of the records themselves is left to `record_id`.
    """
    profiles = [shape for shape in profiles if not _is_own_id(kind, shape)]
    fits = sorted(
        (
            (-score, not column.required, n, column.name, shape)
            for column in _fields(kind)
            for n, shape in enumerate(profiles)
            if (score := fit(shape.name, column.name) * _suits(column, shape)) >= LIKELY
        ),
        key=lambda item: item[:4],
    )
    found: dict[str, tuple[Profile, float]] = {}
    used: set[str] = set()
    for score, _, _, name, shape in fits:
        if name not in found and shape.name not in used:
            found[name] = (shape, -score)
            used.add(shape.name)
    return found


def _is_own_id(kind: str, shape: Profile) -> bool:
    own = fit(shape.name, "record_id") if shape.is_unique and shape.kind in _IDS else 0.0
    needed = [column.name for column in _fields(kind) if column.required]
    return own >= LIKELY and own > max(fit(shape.name, name) for name in needed)


def _suits(column: Column, shape: Profile) -> float:
    """Return from 0 to 1 how well values suit the type of a field."""
    is_time = isinstance(column.dtype, pl.Date | pl.Datetime)
    if shape.kind == "blank":
        return 0.6
    if is_time:
        return 1.0 if shape.kind in ("day", "time") else 0.0
    if shape.kind in ("day", "time"):
        return 0.0
    if column.dtype == pl.Boolean():
        return 1.0 if shape.kind == "boolean" or 0 < len(shape.labels) <= 3 else 0.0
    if column.name in SCALE_COMPANIONS:
        return 1.0 if shape.kind in ("whole", "label") else 0.0
    if column.dtype.is_numeric():
        return 1.0 if shape.kind in ("whole", "number", "boolean") else 0.0
    if column.is_verbatim:
        return 1.0 if shape.kind in ("prose", "label", "id") else 0.3
    if column.choices is not None:
        return 1.0 if shape.kind in ("label", "boolean") else 0.5
    return 0.4 if shape.kind == "prose" else 0.9 if shape.kind == "number" else 1.0


@dataclass(frozen=True)
class _Wide:
    mapping: dict[str, Any]
    made: tuple[str, ...]
    columns: tuple[str, ...]


def _wide(profiles: list[Profile]) -> tuple[_Wide | None, list[Profile]]:
    """Return columns that differ in a number only, and the others."""
    stems: dict[str, list[Profile]] = defaultdict(list)
    for shape in profiles:
        found = re.fullmatch(r"(.*?)[ _.-]?\d+", shape.name)
        if found:
            stems[found[1]].append(shape)
    stem, members = max(stems.items(), key=lambda item: len(item[1]), default=("", []))
    if len(members) < MIN_WIDE:
        return None, profiles
    taken = {shape.name for shape in members}
    kinds = {shape.kind for shape in members if shape.kind != "blank"}
    value = "score" if kinds <= {"whole", "number", "boolean"} else "response"
    pattern = f"^{re.escape(stem)}[ _.-]?\\d+$"
    mapping = {"columns": pattern, "name_to": "item_id", "value_to": value}
    rest = [shape for shape in profiles if shape.name not in taken]
    return _Wide(mapping, ("item_id", value), tuple(taken)), rest


def _block(
    kind: str,
    table: Table,
    profiles: list[Profile],
    codes: dict[str, pl.DataFrame],
    wide: _Wide | None,
) -> Block:
    found = _assigned(kind, profiles)
    by_name = {column.name: column for column in columns(CONTRACTS[kind])}
    block = Block(kind, None, "", {})
    for column in _fields(kind):
        if column.name in found:
            shape = found[column.name][0]
            block.fields[column.name] = _mapping(column, shape, codes, block)
        elif column.name in IMPLIED.get(kind, {}):
            block.fields[column.name] = dict(IMPLIED[kind][column.name])
            block.remarks[column.name].append("true of every row?")
    made = wide.made if wide is not None else ()
    block.wide = wide.mapping if wide is not None else None
    needed = [c.name for c in by_name.values() if c.required and c.name not in GIVEN_ELSEWHERE]
    block.missing = [name for name in needed if name not in block.fields and name not in made]
    block.record_id = _record_id(kind, table, profiles, found) + (
        "-{item_id}" if wide is not None else ""
    )
    if "{source_row}" in block.record_id:
        block.remarks["record_id"].append(
            "no column holds an id of its own: row numbers serve only for files that are sent once"
        )
    ids = set(re.findall(r"\{([^}]+)\}", block.record_id))
    taken = {shape.name for shape, _ in found.values()} | ids
    block.not_taken = [shape.name for shape in profiles if shape.name not in taken]
    block.markers = tuple(sorted({mark for shape in profiles for mark in shape.blanks}))
    return block


def _record_id(
    kind: str, table: Table, profiles: list[Profile], found: dict[str, tuple[Profile, float]]
) -> str:
    """Return a template whose values are all different."""
    own = next((shape.name for shape in profiles if _is_own_id(kind, shape)), None)
    if own is not None:
        return _braced(own)
    named = [
        found[column.name][0].name
        for column in _fields(kind)
        if column.required and column.choices is None and column.name in found
    ]
    if not named or table.columns.select(named).is_duplicated().any():
        return "{source_row}"
    return "-".join(map(_braced, named))


def _braced(name: str) -> str:
    return "{" + name + "}"


def _mapping(
    column: Column, shape: Profile, codes: dict[str, pl.DataFrame], block: Block
) -> dict[str, Any]:
    made: dict[str, Any] = {"column": shape.name}
    if shape.kind == "blank":
        block.remarks[column.name].append("empty in the first rows")
    elif isinstance(column.dtype, pl.Date | pl.Datetime):
        _map_time(made, column, shape, block)
    elif column.name in SCALE_COMPANIONS:
        _map_scale(made, column, shape, codes, block)
    elif column.dtype == pl.Boolean():
        _map_boolean(made, column, shape, block)
    elif column.dtype.is_numeric():
        made |= {"decimal": shape.decimal} if shape.decimal == "," else {}
        made |= {"thousands": shape.thousands} if shape.thousands else {}
    elif known := _values_of(column, codes):
        _map_labels(made, column, shape, known, block)
    return made


def _map_time(made: dict[str, Any], column: Column, shape: Profile, block: Block) -> None:
    if shape.formats[0] != "iso":
        made["format"] = shape.formats[0]
    if len(shape.formats) > 1:
        others = ", ".join(shape.formats[1:])
        block.remarks[column.name].append(f"day or month first? {others} fits these rows too")
    if shape.kind == "day" and isinstance(column.dtype, pl.Datetime):
        made["at"] = "noon"
        block.remarks[column.name].append("days without an hour are taken as noon")


def _map_scale(
    made: dict[str, Any],
    column: Column,
    shape: Profile,
    codes: dict[str, pl.DataFrame],
    block: Block,
) -> None:
    labels = set(folded(shape.labels))
    scales = sorted(codes["scales"]["scale_id"].unique())
    share = {
        scale: len(labels & crosswalk(codes, scale, None).keys()) / len(labels) for scale in scales
    }
    levels = dict(codes["scales"].group_by("scale_id").len().iter_rows())
    is_ai = column.name.startswith("ai_")

    def fits(scale: str) -> tuple[float, bool, int, int]:
        """Rank by labels, then by purpose, then by how many levels there are."""
        is_for_ai = is_ai_scale(codes, scale)
        distance = abs(levels[scale] - len(labels))
        return share[scale], is_for_ai == is_ai, -distance, -scales.index(scale)

    best = max(scales, key=fits, default=None)
    if best is None or share[best] == 0:
        block.remarks[column.name].append(
            "no scale has these labels: add one to codes/scales.csv, and name it as `scale:`"
        )
        return
    made["scale"] = best
    versions = versions_of(codes, best)
    if len(versions) > 1:
        made["scale_version"] = versions[-1]
        told = " or ".join(versions)
        block.remarks[column.name].append(f"which version of the scale? {told}")
    same = [scale for scale in scales if fits(scale)[:2] == fits(best)[:2]]
    if len(same) > 1:
        block.remarks[column.name].append(f"which scale? {', '.join(same)} fit alike")
    unknown = sorted(labels - crosswalk(codes, best, None).keys())
    if unknown:
        block.remarks[column.name].append(f"labels that the scale lacks: {', '.join(unknown[:8])}")


def is_ai_scale(codes: dict[str, pl.DataFrame], scale: str) -> bool:
    """Tell whether a scale is about the use of AI, and not about performance."""
    rows = codes["scales"].filter(pl.col("scale_id") == scale)
    return bool(rows["direction"].is_null().all())


def _map_boolean(made: dict[str, Any], column: Column, shape: Profile, block: Block) -> None:
    if set(folded(shape.labels)) <= BOOLEANS.keys():
        return
    known = {"true": "yes", "false": "no"}
    made["map"] = {}
    for label in shape.labels:
        said = BOOLEANS.get(folded([label])[0]) or meant(column.name, label, known)
        if said is None:
            block.remarks[column.name].append(f"yes or no? {label}")
        else:
            made["map"][label] = said == "true"


def _values_of(column: Column, codes: dict[str, pl.DataFrame]) -> dict[str, str]:
    """Return the values that a field may have, with their titles; none where it is free."""
    if column.choices is not None:
        return {choice: choice for choice in column.choices}
    lists = {"instrument_id": "instruments", "assessor_role": "assessor_roles"}
    if column.name not in lists:
        return {}
    table = codes[lists[column.name]]
    return dict(zip(table[column.name], table["title"], strict=True))


def _map_labels(
    made: dict[str, Any], column: Column, shape: Profile, known: dict[str, str], block: Block
) -> None:
    if set(shape.labels) <= known.keys():
        return
    meanings = {label: meant(column.name, label, known) for label in shape.labels[:40]}
    made["map"] = {label: value for label, value in meanings.items() if value is not None}
    unknown = [label for label, value in meanings.items() if value is None]
    if unknown:
        block.remarks[column.name].append(
            f"labels without a meaning yet: {', '.join(unknown[:8])}; known: {', '.join(known)}"
        )
    if not made["map"] and column.choices is None:
        del made["map"]
