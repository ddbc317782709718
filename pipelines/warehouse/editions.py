"""Published editions: what they are, whether they are whole, and how two of them differ."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from pipelines.home import Home
from pipelines.warehouse.connection import WarehouseError, attach
from pipelines.warehouse.dbt_project import ProgrammePage, printed_id_length
from pipelines.warehouse.inputs import BuildInputs
from pipelines.warehouse.tables import (
    TABLES,
    Layout,
    Parts,
    Written,
    columns_of,
    count_rows,
    file_hash,
    files_of,
    hashes_of,
    relation_of,
    table_hash,
)

CURRENT = "current"
DATABASE = "portfolio.duckdb"
MANIFEST = "edition.json"
DATA_DOCS = "data_docs"
PRESENT_NAMES = {CURRENT, ""}
REMEDY = (
    "restore it from a backup; the current edition is also written again by "
    "`tessera run --full-refresh`"
)
"""What to do about an edition that is not what was published."""
PRINTED = (
    "E- for a data point, U- for a declaration of AI use, R- for what a learner wrote, M- for a "
    "meeting note, D- for a decision, A- for an action, Q- for a mandatory requirement, K- for a "
    "circumstance, P- for a report on conduct"
)
"""What the letters of printed ids mean."""


class EditionError(WarehouseError):
    """There is no such edition, or it cannot be read."""


class Edition(BaseModel):
    """What `edition.json` says."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    edition_id: str
    created_at: AwareDatetime
    as_of: date
    known_at: AwareDatetime | None
    inputs: BuildInputs
    counts: dict[str, int]
    table_hashes: dict[str, str]
    """SHA-256 of every table as Parquet: equal rows, written by one version of Arrow, have equal
    hashes. Older editions have hashes of rows here; what compares editions reads `files`."""
    keys: dict[str, tuple[str, ...]]
    parts_by: dict[str, str] = {}
    """The day by whose month a table lies in parts when it is long; older editions have none."""
    fingerprints: dict[str, str] = {}
    """What the rows of every part come to, by its path in the edition."""
    mart_versions: dict[str, int] = {}
    """Version of the contract of each mart; editions made before there were versions have none."""
    programme_page: dict[str, ProgrammePage] = {}
    """The marts that go to the programme; of older editions none does."""
    files: dict[str, str]
    """SHA-256 of every Parquet file, by its path in the edition."""
    versions: dict[str, str]
    audit: dict[str, Any]
    erasures: tuple[dict[str, Any], ...] = ()
    """Erasures under law that changed the edition, with the table hashes before and after."""
    earlier_manifests: tuple[str, ...] = ()
    """SHA-256 of the manifests from before it was damaged and written again with the same rows."""

    def layout(self, table: str) -> Layout:
        """Return how the rows of a table lie."""
        return Layout(self.keys.get(table, ()), self.parts_by.get(table))

    def parts(self, folder: Path) -> Parts:
        """Return the parts of its tables, which lie in `folder`."""
        return Parts(folder, self.files, self.fingerprints)


@dataclass(frozen=True)
class TableDifference:
    """How one table of an edition differs from the same table of another."""

    table: str
    added: int
    removed: int
    changed: int
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether the tables are equal."""
        return self == TableDifference(self.table, 0, 0, 0)


@dataclass(frozen=True)
class Difference:
    """How one edition differs from another."""

    inputs: dict[str, Any]
    tables: tuple[TableDifference, ...]


@dataclass(frozen=True)
class Lineage:
    """Where one record comes from, and what rests on it."""

    evidence: tuple[dict[str, Any], ...]
    used_by: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def told_of_tables(tables: Mapping[str, Written], others: Mapping[str, str]) -> dict[str, Any]:
    """Return what a manifest says of tables as they were written, by its fields.

    Args:
        tables: the tables of the edition, by name.
        others: SHA-256 of its files that are no tables, by their path in it.
    """
    written = tables.values()
    files = dict(chain(others.items(), *(table.files.items() for table in written)))
    return {
        "counts": {name: table.rows for name, table in tables.items()},
        "table_hashes": {name: table_hash(name, files) for name in tables},
        "files": files,
        "fingerprints": dict(chain(*(table.fingerprints.items() for table in written))),
    }


def current_id(home: Home) -> str | None:
    """Return the id of the current edition."""
    link = home.editions / CURRENT
    return link.readlink().name if link.is_symlink() else None


def folder_of(home: Home, edition_id: str | None = None) -> Path:
    """Return the folder of an edition; the current one's where none is named.

    The link is resolved once, so that what is opened from there stays one edition.

    Raises:
        EditionError: there is no such edition.
    """
    if edition_id in PRESENT_NAMES or edition_id is None:
        edition_id = current_id(home)
        if edition_id is None:
            raise EditionError(f"no edition in {home.editions} yet: run `tessera run` first")
    folder = home.editions / edition_id
    if folder.parent != home.editions or not (folder / MANIFEST).exists():
        known = ", ".join(edition.edition_id for edition in editions(home)) or "none"
        raise EditionError(f"no edition {edition_id!r}; there are: {known}")
    return folder


def read_edition(folder: Path) -> Edition:
    """Return what an edition says of itself.

    Raises:
        EditionError: its manifest cannot be read.
    """
    try:
        return Edition.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise EditionError(f"{folder / MANIFEST} cannot be read: {error}") from None


def editions(home: Home) -> list[Edition]:
    """Return every edition, the oldest first."""
    found = [read_edition(path.parent) for path in home.editions.glob(f"[!.]*/{MANIFEST}")]
    unique = {edition.edition_id: edition for edition in found}
    return sorted(unique.values(), key=lambda edition: (edition.created_at, edition.edition_id))


def verify(folder: Path) -> list[str]:
    """Return what is wrong with an edition; nothing when it is as it was published.

    A database whose bytes are those published holds the tables published; of another one, the
    tables that differ are named.
    """
    edition = read_edition(folder)
    problems = []
    if folder.name != edition.edition_id:
        problems.append(f"the folder is {folder.name}, edition.json says {edition.edition_id}")
    if edition.inputs.build_id != edition.edition_id:
        problems.append("the inputs in edition.json are not those that the edition is named by")
    problems += _wrong_files(folder, edition)
    database = folder / DATABASE
    if not database.exists() or file_hash(database) == edition.files.get(DATABASE):
        return problems
    try:
        problems += _wrong_tables(folder, edition)
    except duckdb.Error:
        problems.append(f"{DATABASE} is damaged and cannot be read")
    return problems


def _wrong_tables(folder: Path, edition: Edition) -> list[str]:
    """Hold the tables against their Parquet files; one whose file is not whole is told by that."""
    problems: list[str] = []
    with _reading(folder / DATABASE) as con:
        standing = set(_tables(con))
        problems += [
            f"{table}: the edition does not name this table"
            for table in sorted(standing - edition.counts.keys())
        ]
        for table in edition.counts:
            if table not in standing:
                problems.append(f"{table}: the table is missing in {DATABASE}")
            elif _parquet_is_whole(folder, edition, table) and not have_same_rows(
                con, f'"{table}"', relation_of(folder, table)
            ):
                problems.append(f"{table}: the rows in {DATABASE} are not those published")
    return problems


def _parquet_is_whole(folder: Path, edition: Edition, table: str) -> bool:
    return hashes_of(folder, table) == files_of(table, edition.files)


def differing_tables(folder: Path, other: Path, tables: Collection[str]) -> list[str]:
    """Return the tables of which an edition has other rows than those that lie elsewhere.

    Equal Parquet files hold equal rows. Unequal ones may too, as another version of Arrow writes
    other bytes, so that their rows are compared; one that is damaged in the edition differs.

    Args:
        folder: the edition.
        other: a folder with tables as an edition has them; it needs no manifest.
        tables: the tables that lie there; a table that only one of the two has differs.
    """
    edition = read_edition(folder)

    def differs(table: str) -> bool:
        if table not in tables:
            return True
        if hashes_of(other, table) == files_of(table, edition.files):
            return False
        return not _parquet_is_whole(folder, edition, table) or not have_same_rows(
            con, relation_of(folder, table), relation_of(other, table)
        )

    with duckdb.connect() as con:
        return [table for table in sorted(edition.counts.keys() | set(tables)) if differs(table)]


def diff(old: Path, new: Path) -> Difference:
    """Return how the edition in `new` differs from the one in `old`."""
    before, after = read_edition(old), read_edition(new)
    with _reading(new / DATABASE) as con:
        attach(con, old / DATABASE, "old", read_only=True)
        names = sorted(before.counts.keys() | after.counts.keys())
        tables = tuple(_table_difference(con, name, before, after) for name in names)
    return Difference(
        inputs=input_difference(before.inputs, after.inputs),
        tables=tuple(table for table in tables if not table.is_empty),
    )


def lineage(folder: Path, name: str) -> Lineage:
    """Return where a record comes from, and who uses it.

    Args:
        folder: the edition.
        name: an id as a pack prints it (`E-0123456789AB`; declarations of AI use begin with `U-`,
            decisions with `D-` and so on), or a record key.

    Raises:
        EditionError: the edition has no such record.
    """
    with _reading(folder / DATABASE) as con:
        tables = {table: set(columns_of(con, table)) for table in _tables(con)}
        evidence = [
            {"table": table} | row
            for table, columns in tables.items()
            if {"delivery_id", "source_row"} <= columns
            for row in _find(con, table, name, columns)
        ]
        if not evidence:
            raise EditionError(
                f"no record {name!r} in edition {folder.name}. Give an id as a pack prints it "
                f"({PRINTED}), or a record key; of a signal or a conflict, one of the ids that it "
                "names; of another edition, add --edition"
            )
        # The key of a data point that stations tell of is that of their sitting.
        evidence += [
            {"table": table} | row
            for table, columns in tables.items()
            if {"delivery_id", "source_row", "sitting_key"} <= columns
            for key in sorted({str(row["record_key"]) for row in evidence if _is_circuit(row)})
            for row in _rows(
                con, f'select * from "{table}" where sitting_key = $1 order by all', [key]
            )
        ]
        keys = sorted({str(row["record_key"]) for row in evidence if row.get("record_key")})
        ids = sorted(
            {str(row["evidence_id"]) for row in evidence if row.get("evidence_id")}
            | {f"E-{key[: printed_id_length()].upper()}" for key in keys}
        )
        used_by = {
            table: rows
            for table, columns in tables.items()
            if (rows := _rows_that_name(con, table, columns, ids, keys))
        }
    return Lineage(tuple(evidence), used_by)


def _rows_that_name(
    con: duckdb.DuckDBPyConnection, table: str, columns: set[str], ids: list[str], keys: list[str]
) -> list[dict[str, Any]]:
    """Return the rows of a table that rest on records, which they name by id or by key."""
    named = {
        **{f"list_has_any({c}, ?)": ids for c in sorted(columns) if c.endswith("evidence_ids")},
        **{f"list_contains(?, {c})": keys for c in sorted(columns) if c.endswith("_record_key")},
    }
    if not named:
        return []
    query = f'select * from "{table}" where {" or ".join(named)} order by all'
    return _rows(con, query, list(named.values()))


def have_same_rows(con: duckdb.DuckDBPyConnection, one: str, other: str) -> bool:
    """Return whether two relations hold equal rows under equal names, each row as often.

    Args:
        con: a connection that reads both.
        one: what follows `from`.
        other: what follows `from`.
    """
    columns = columns_of(con, one)
    if columns != columns_of(con, other) or count_rows(con, one) != count_rows(con, other):
        return False
    return not con.execute(f"select 1 from (from {one} except all from {other}) limit 1").fetchall()


@contextmanager
def _reading(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(database), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        yield con


def _wrong_files(folder: Path, edition: Edition) -> Iterator[str]:
    for name, expected in ({DATABASE: None} | edition.files).items():
        path = folder / name
        if not path.exists():
            yield f"{name} is missing"
        elif file_hash(path) != expected:
            yield f"{name}: the bytes are not those published"
    for path in sorted((folder / TABLES).rglob("*.parquet")):
        name = path.relative_to(folder).as_posix()
        if name not in edition.files:
            yield f"{name}: the edition does not name this file"


def _tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    rows = con.execute(
        "select table_name from duckdb_tables() where database_name = current_database() "
        "order by table_name"
    ).fetchall()
    return [row[0] for row in rows]


def _rows(
    con: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any]
) -> list[dict[str, Any]]:
    cursor = con.execute(query, parameters)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _find(
    con: duckdb.DuckDBPyConnection, table: str, name: str, columns: set[str]
) -> list[dict[str, Any]]:
    """Return the rows of a table that are the record of a key, or that an id is printed for."""
    printed = re.fullmatch(rf"[EUDRAMQKP]-([0-9A-F]{{{printed_id_length()}}})", name)
    conditions = [f"{c} = $1" for c in ("evidence_id", "record_key") if c in columns]
    if printed and "record_key" in columns:
        conditions.append(f"starts_with(record_key, lower('{printed[1]}'))")
    if not conditions:
        return []
    return _rows(
        con, f'select * from "{table}" where {" or ".join(conditions)} order by all', [name]
    )


def _is_circuit(row: dict[str, Any]) -> bool:
    return row.get("kind") == "exam_response" and "record_key" in row


def _table_difference(
    con: duckdb.DuckDBPyConnection, table: str, before: Edition, after: Edition
) -> TableDifference:
    if table not in after.counts:
        return TableDifference(table, 0, before.counts[table], 0)
    if table not in before.counts:
        return TableDifference(table, after.counts[table], 0, 0)
    if files_of(table, before.files) == files_of(table, after.files):
        return TableDifference(table, 0, 0, 0)
    return compare_tables(con, f'old.main."{table}"', f'"{table}"', after.keys.get(table, ()))


def compare_tables(
    con: duckdb.DuckDBPyConnection, before: str, after: str, key: Sequence[str]
) -> TableDifference:
    """Return how the rows of one relation differ from those of another.

    Args:
        con: a connection that reads both.
        before: the earlier relation, quoted.
        after: the later relation, quoted; the difference bears its name.
        key: the columns that name a row; where there are none, whole rows are compared.
    """
    old, new = columns_of(con, before), columns_of(con, after)
    shared = [column for column in new if column in old]
    key = [column for column in key if column in shared] or shared
    picked = ", ".join(f'"{column}"' for column in key)
    content = "to_json({" + ", ".join(f"'{c}': \"{c}\"" for c in shared) + "})"
    joined = " and ".join(f'a."{c}" is not distinct from b."{c}"' for c in key)
    added, removed, changed = con.execute(
        f"""
        with
        b as (select {picked}, cast({content} as varchar) as content from {before}),
        a as (select {picked}, cast({content} as varchar) as content from {after})
        select
            count(*) filter (where b.content is null),
            count(*) filter (where a.content is null),
            count(*) filter (where a.content <> b.content)
        from a full join b on {joined}
        """
    ).fetchall()[0]
    return TableDifference(
        after.split(".")[-1].strip('"'),
        added,
        removed,
        changed,
        tuple(column for column in new if column not in old),
        tuple(column for column in old if column not in new),
    )


def input_difference(before: BuildInputs, after: BuildInputs) -> dict[str, Any]:
    """Return what changed: both values, or for long lists what came and what went."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    changes: dict[str, Any] = {}
    for name, value in new.items():
        if value == old[name]:
            continue
        if isinstance(value, Mapping):
            names = sorted(value.keys() | old[name].keys())
            changes[name] = [n for n in names if value.get(n) != old[name].get(n)]
        elif isinstance(value, list):
            changes[name] = {
                "added": sorted(set(value) - set(old[name])),
                "removed": sorted(set(old[name]) - set(value)),
            }
        else:
            changes[name] = {"old": old[name], "new": value}
    return changes


def to_json(edition: Edition) -> bytes:
    """Return an edition as its manifest is written."""
    text = json.dumps(edition.model_dump(mode="json"), indent=2, ensure_ascii=False, sort_keys=True)
    return text.encode() + b"\n"
