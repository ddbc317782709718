"""Takes a person out of published editions: the one case in which an edition changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines.warehouse.connection import attach
from pipelines.warehouse.editions import (
    DATA_DOCS,
    DATABASE,
    LEARNER,
    MANIFEST,
    TABLES,
    Edition,
    count_rows,
    file_hash,
    parquet_of,
    read_edition,
    row_order,
    to_json,
    write_parquet,
)

MARK = "[erased]"
SPILL = ".erasing-spill"

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
        change: writes a file, with old and new hash on record.
    """
    edition = read_edition(folder)
    draft = folder / f".{DATABASE}.erasing"
    draft.unlink(missing_ok=True)
    with duckdb.connect(config={"temp_directory": str(folder.parent / SPILL)}) as con:
        con.execute("set TimeZone = 'UTC'")
        attach(con, folder / DATABASE, "old", read_only=True)
        if not any(_holds(con, table, keys, pattern) for table in edition.counts):
            return False
        attach(con, draft, "edition")
        con.execute("set preserve_insertion_order = true")
        for table in edition.counts:
            _copy(con, table, edition, keys, pattern)
            key = edition.keys.get(table, ())
            write_parquet(con, f'edition.main."{table}"', key, _draft(folder, table))
        counts = {table: count_rows(con, f'edition.main."{table}"') for table in edition.counts}
        con.execute("checkpoint edition")
        con.execute("detach edition")
    change(folder / DATABASE, _taken(draft))
    for table in edition.counts:
        change(folder / parquet_of(table), _taken(_draft(folder, table)))
    for path in sorted((folder / DATA_DOCS).rglob("*.html")):
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        clean = scrub(text)
        if clean != text:
            change(path, clean.encode("utf-8", "surrogateescape"))
    hashes = {table: file_hash(folder / parquet_of(table)) for table in edition.counts}
    told = {
        "erasure_id": erasure_id,
        "erased_at": erased_at.isoformat(),
        "table_hashes": {
            table: [edition.files[parquet_of(table)], after]
            for table, after in hashes.items()
            if edition.files[parquet_of(table)] != after
        },
    }
    now = edition.model_copy(
        update={
            "counts": counts,
            "table_hashes": hashes,
            "files": {name: file_hash(folder / name) for name in edition.files},
            "erasures": (*edition.erasures, told),
        }
    )
    change(folder / MANIFEST, to_json(now))
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
    listed = ", ".join(f"'{_text(key)}'" for key in sorted(keys))
    where = (
        f'where "{LEARNER}" is null or "{LEARNER}" not in ({listed})'
        if keys and LEARNER in names
        else ""
    )
    order = row_order(edition.keys.get(table, ()), names)
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
            con.execute(f"comment on {kind} edition.main.{thing} is '{_text(comment)}'")


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
    cases = " ".join(f"when '{_text(key)}' then '{_text(to)}'" for key, to in sorted(keys.items()))
    masked = value
    if pattern:
        for _ in range(2):
            masked = f"regexp_replace({masked}, '{_text(pattern)}', '\\1{MARK}\\2', 'g')"
    return f"case {value} {cases} else {masked} end" if cases else masked


def _draft(folder: Path, table: str) -> Path:
    return folder / TABLES / f".{table}.erasing"


def _taken(path: Path) -> bytes:
    content = path.read_bytes()
    path.unlink()
    return content


def _text(value: str) -> str:
    return value.replace("'", "''")
