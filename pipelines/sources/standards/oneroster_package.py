"""A OneRoster set as it was delivered: its manifest, its version, and its tables as text."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

import polars as pl

from pipelines.sources.readers import zipped
from pipelines.sources.readers.base import LINE, ROW_PROBLEMS, SOURCE_ROW, Unreadable, Wanted
from pipelines.sources.readers.delimited import Delimited, DelimitedOptions
from pipelines.sources.readers.parts import EMPTY, in_part
from pipelines.sources.standards.oneroster_tables import SECRET, TABLES, Table, Version

MANIFEST = "manifest"
Mode = Literal["bulk", "delta", "absent"]
MODES: tuple[Mode, ...] = ("bulk", "delta", "absent")
NAMES = {name.lower(): name for tables in TABLES.values() for name in tables}
NEWER = frozenset(TABLES["1.2"]) - frozenset(TABLES["1.1"])
HIDDEN = "(not shown: the table has a column of passwords)"


@dataclass
class Delivered:
    """One table of the set: its rows as text, and the rows that could not be read."""

    member: str
    """The name of the file as it was delivered."""
    name: str
    header: list[str]
    rows: pl.DataFrame
    problems: pl.DataFrame
    lines: pl.DataFrame
    encoding: str = "utf-8"
    had_secret: bool = False


@dataclass
class Package:
    """A set of files."""

    version: Version
    tables: dict[str, Delivered]
    manifest: Delivered | None = None
    properties: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    """Files that are of no table of the standard."""
    said_twice: list[str] = field(default_factory=list)
    """Properties of which the manifest says two things."""
    is_single: bool = False
    """Whether one table was delivered without the set that it belongs to."""

    def mode(self, table: str) -> Mode | None:
        """Return how a table is sent, as the manifest says; None where it does not."""
        stated = self.properties.get(f"file.{table}")
        return next((mode for mode in MODES if mode == stated), None)

    def is_delta(self, table: str) -> bool:
        """Tell whether a table holds changes only."""
        return self.mode(table) == "delta"

    def table(self, name: str) -> Table:
        """Return what the standard says of a table."""
        return TABLES[self.version][name]


def read(path: Path) -> Package:
    """Read a set: a ZIP archive, a folder, or one table alone.

    Raises:
        Unreadable: it is none of these, or a table cannot be read.
    """
    with _members(path) as members:
        found: dict[str, Delivered] = {}
        unknown: list[str] = []
        manifest: Delivered | None = None
        for member, file in members:
            name = _table_name(member)
            if name is None:
                unknown.append(member)
            elif name == MANIFEST:
                manifest = _read(file, member, MANIFEST)
            elif name in found:
                raise Unreadable(
                    "duplicate_file",
                    f"The set holds the table {name} twice: {found[name].member} and {member}.",
                    "Send each table once.",
                )
            else:
                found[name] = _read(file, member, name)
        is_single = manifest is None and len(members) == 1
    if manifest is None and not found:
        raise Unreadable(
            "not_oneroster",
            "The file holds no table of OneRoster.",
            "Send a ZIP archive with manifest.csv and the tables, such as users.csv.",
        )
    properties = _properties(manifest)
    version = _version(properties, found)
    tables = {name: found[name] for name in TABLES[version] if name in found}
    unknown += [found[name].member for name in found if name not in tables]
    twice = _said_twice(manifest)
    return Package(version, tables, manifest, properties, sorted(unknown), twice, is_single)


@contextmanager
def _members(path: Path) -> Iterator[list[tuple[str, Path]]]:
    """Give the files of a set, each with its name, unpacked for as long as they are read."""
    try:
        if path.is_dir():
            yield [(p.name, p) for p in sorted(path.iterdir()) if p.is_file()]
            return
        with path.open("rb") as stream:
            is_archive = stream.read(2) == b"PK"
    except OSError as error:
        raise Unreadable(
            "unreadable_file", f"The file cannot be read: {error.strerror}.", "Send it again."
        ) from None
    if not is_archive:
        yield [(path.name if _table_name(path.name) else _guessed(path), path)]
        return
    with tempfile.TemporaryDirectory(prefix="tessera-") as folder:
        yield list(_unpacked(path, Path(folder)))


def _unpacked(path: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    for n, (name, info) in enumerate(zipped.list_members(path).items()):
        inner = folder / str(n)
        inner.mkdir()
        is_table = _table_name(name) is not None
        yield name, zipped.unpack(path, name, info, inner) if is_table else inner


def _table_name(member: str) -> str | None:
    file = PurePosixPath(member.replace("\\", "/"))
    if file.suffix.lower() != ".csv":
        return None
    stem = file.stem.lower()
    return MANIFEST if stem == MANIFEST else NAMES.get(stem)


def _guessed(path: Path) -> str:
    """Return the name of the table whose columns a file has, where its own name does not tell."""
    try:
        header = set(Delimited.open(path, DelimitedOptions(), Wanted()).header or ())
    except Unreadable:
        header = set()
    if {"propertyName", "value"} <= header:
        return "manifest.csv"
    fits = {
        table.name: len(header & set(table.names))
        for tables in TABLES.values()
        for table in tables.values()
        if "sourcedId" in header
    }
    best = max(fits, key=lambda name: fits[name], default=None)
    return f"{best}.csv" if best is not None and fits[best] > 3 else path.name


def _read(file: Path, member: str, name: str) -> Delivered:
    """Read one table; the column of passwords is left where it is."""
    try:
        reading = Delimited.open(file, DelimitedOptions(delimiter=","), Wanted())
    except Unreadable as error:
        if error.code not in EMPTY:
            raise in_part(error, member) from None
        return _no_rows(member, name, [])
    header = list(reading.header or ())
    secret = [column for column in header if column.strip().lower() == SECRET]
    rows, problems, lines = [], [], []
    try:
        for chunk in reading.chunks:
            rows.append(chunk.rows.drop(secret))
            problems.append(chunk.problems)
            if LINE in chunk.originals.columns:
                unread = chunk.originals.select(SOURCE_ROW, LINE).filter(pl.col(LINE).is_not_null())
                lines.append(unread.with_columns(pl.lit(HIDDEN).alias(LINE)) if secret else unread)
    except Unreadable as error:
        if error.code not in EMPTY or rows:
            raise in_part(error, member) from None
        return _no_rows(member, name, header)
    kept = [column for column in header if column not in secret]
    return Delivered(
        member=member,
        name=name,
        header=header,
        rows=pl.concat(rows).select(SOURCE_ROW, *kept),
        problems=pl.concat(problems),
        lines=pl.concat([_no_lines(), *lines]),
        encoding=str(reading.facts["encoding"]),
        had_secret=bool(secret),
    )


def _no_lines() -> pl.DataFrame:
    return pl.DataFrame(schema={SOURCE_ROW: pl.Int64(), LINE: pl.String()})


def _no_rows(member: str, name: str, header: list[str]) -> Delivered:
    schema = {SOURCE_ROW: pl.Int64(), **dict.fromkeys(header, pl.String())}
    return Delivered(
        member, name, header, pl.DataFrame(schema=schema), pl.DataFrame(schema=ROW_PROBLEMS),
        _no_lines(),
    )  # fmt: skip


def _properties(manifest: Delivered | None) -> dict[str, str]:
    if manifest is None or not {"propertyName", "value"} <= set(manifest.rows.columns):
        return {}
    pairs = manifest.rows.select("propertyName", "value").rows()
    return {str(name).strip(): str(value).strip() for name, value in reversed(pairs)}


def _said_twice(manifest: Delivered | None) -> list[str]:
    """Return the properties to which a manifest gives several values."""
    if manifest is None or not {"propertyName", "value"} <= set(manifest.rows.columns):
        return []
    pairs = manifest.rows.select(pl.col("propertyName", "value").str.strip_chars()).unique()
    counted = pairs.group_by("propertyName").len().filter(pl.col("len") > 1)
    return sorted(str(name) for name in counted["propertyName"])


def _version(properties: dict[str, str], tables: dict[str, Delivered]) -> Version:
    """Return the version that the manifest states, or else that the tables have."""
    stated = properties.get("oneroster.version", "")
    for version in TABLES:
        if stated == version or stated.startswith(f"{version}."):
            return version
    users = set(tables["users"].header) if "users" in tables else set()
    items = set(tables["lineItems"].header) if "lineItems" in tables else set()
    results = set(tables["results"].header) if "results" in tables else set()
    is_newer = (
        bool(NEWER & tables.keys())
        or bool(users & {"userMasterIdentifier", "primaryOrgSourcedId"})
        or "academicSessionSourcedId" in items
        or "textScore" in results
    )
    return "1.2" if is_newer else "1.1"
