"""Takes a person out of published editions: the one case in which an edition changes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines.sql import literal
from pipelines.warehouse.connection import attach
from pipelines.warehouse.editions import (
    DATA_DOCS,
    DATABASE,
    MANIFEST,
    Edition,
    read_edition,
    to_json,
    told_of_tables,
)
from pipelines.warehouse.tables import (
    LEARNER,
    Written,
    file_hash,
    hashes_of,
    row_order,
    table_hash,
    table_of,
    write_table,
)

MARK = "[erased]"
SPILL = ".erasing-spill"
DRAFTS = ".erasing"
"""The folder of an edition that stands from the first change to the last."""

Changed = Callable[[Path, bytes | None], None]


def erase_from_edition(
    folder: Path,
    *,
    keys: dict[str, str],
    pattern: str,
    scrub: Callable[[str], str],
    erasure_id: str,
    erased_at: datetime,
    change: Changed,
) -> bool:
    """Rewrite an edition without a person, and return whether it held them.

    Rows about the person as a learner go; elsewhere the key is replaced, and the words are masked.
    The manifest gets the new hashes, and keeps the old ones.

    Args:
        folder: the edition.
        keys: the person's keys, each with what stands in its place.
        pattern: an expression for words that give the person away; empty where there are none.
        scrub: takes these words out of a text.
        erasure_id: the erasure that is on record.
        erased_at: when it took place.
        change: writes a file, or removes it, with old and new hash on record.
    """
    edition = read_edition(folder)
    drafts = folder / DRAFTS
    was_cut_off = drafts.exists()
    with duckdb.connect(config={"temp_directory": str(folder.parent / SPILL)}) as con:
        con.execute("set TimeZone = 'UTC'")
        attach(con, folder / DATABASE, "old", read_only=True)
        if not was_cut_off and not any(_holds(con, t, keys, pattern) for t in edition.counts):
            return False
        shutil.rmtree(drafts, ignore_errors=True)
        drafts.mkdir()
        attach(con, drafts / DATABASE, "edition")
        con.execute("set preserve_insertion_order = true")
        tables = {
            table: _rewritten(con, table, edition, keys, pattern, drafts)
            for table in edition.counts
        }
        con.execute("checkpoint edition")
        con.execute("detach edition")
    change(folder / DATABASE, (drafts / DATABASE).read_bytes())
    for table, written in tables.items():
        _replace(folder, drafts, table, written, change)
    for path in sorted((folder / DATA_DOCS).rglob("*.html")):
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        clean = scrub(text)
        if clean != text:
            change(path, clean.encode("utf-8", "surrogateescape"))
    others = {n: file_hash(folder / n) for n in edition.files if table_of(n) is None}
    rewritten = told_of_tables(tables, others)
    before = {table: table_hash(table, edition.files) for table in tables}
    told = {
        "erasure_id": erasure_id,
        "erased_at": erased_at.isoformat(),
        "table_hashes": {
            table: [before[table], after]
            for table, after in rewritten["table_hashes"].items()
            if before[table] != after
        },
    }
    now = edition.model_copy(update=rewritten | {"erasures": (*edition.erasures, told)})
    change(folder / MANIFEST, to_json(now))
    shutil.rmtree(drafts)
    return True


def _holds(con: duckdb.DuckDBPyConnection, table: str, keys: dict[str, str], pattern: str) -> bool:
    found = con.execute(
        f"""
        select count(*) from (
            select cast(to_json(entry) as varchar) as text from old.main."{table}" as entry
        )
        where list_bool_or(list_transform($1, lambda key: contains(text, key)))
            or ($2 <> '' and regexp_matches(text, $2))
        """,
        [sorted(keys), pattern],
    ).fetchall()[0][0]
    return int(found) > 0


def _rewritten(
    con: duckdb.DuckDBPyConnection,
    table: str,
    edition: Edition,
    keys: dict[str, str],
    pattern: str,
    drafts: Path,
) -> Written:
    _copy(con, table, edition, keys, pattern)
    relation = f'edition.main."{table}"'
    return write_table(con, relation, table, edition.layout(table), drafts)


def _replace(folder: Path, drafts: Path, table: str, written: Written, change: Changed) -> None:
    """Put the files of a table into an edition; those that stay what they were are let be."""
    standing = hashes_of(folder, table)
    for name in sorted(standing.keys() - written.files.keys()):
        change(folder / name, None)
    for name, digest in written.files.items():
        if standing.get(name) != digest:
            change(folder / name, (drafts / name).read_bytes())


def _copy(
    con: duckdb.DuckDBPyConnection,
    table: str,
    edition: Edition,
    keys: dict[str, str],
    pattern: str,
) -> None:
    described = con.execute(f'describe old.main."{table}"').fetchall()
    names = [row[0] for row in described]
    picked = ", ".join(_value(row[0], row[1], keys, pattern) for row in described)
    listed = ", ".join(map(literal, sorted(keys)))
    where = (
        f'where "{LEARNER}" is null or "{LEARNER}" not in ({listed})'
        if keys and LEARNER in names
        else ""
    )
    order = row_order(edition.layout(table).key, names)
    con.execute(
        f'create table edition.main."{table}" as '
        f'select {picked} from old.main."{table}" {where} order by {order}'
    )
    for kind, of_column in (("table", ""), ("column", ", column_name")):
        told = con.execute(
            f"select comment{of_column} from duckdb_{kind}s() "
            "where database_name = 'old' and table_name = ? and comment is not null",
            [table],
        ).fetchall()
        for comment, *column in told:
            thing = ".".join(f'"{part}"' for part in (table, *column))
            con.execute(f"comment on {kind} edition.main.{thing} is {literal(comment)}")


def _value(name: str, dtype: str, keys: dict[str, str], pattern: str) -> str:
    """Return the select expression of a column without the person."""
    column = f'"{name}"'
    if dtype.upper() == "VARCHAR":
        value = _replaced(column, keys, pattern)
    elif dtype.upper() == "VARCHAR[]":
        value = f"list_transform({column}, lambda item: {_replaced('item', keys, pattern)})"
    else:
        return column
    return f"{value} as {column}"


def _replaced(value: str, keys: dict[str, str], pattern: str) -> str:
    cases = " ".join(f"when {literal(key)} then {literal(to)}" for key, to in sorted(keys.items()))
    masked = value
    if pattern:
        for _ in range(2):
            masked = f"regexp_replace({masked}, {literal(pattern)}, '\\1{MARK}\\2', 'g')"
    return f"case {value} {cases} else {masked} end" if cases else masked
