"""Tables of an edition as Parquet: long ones lie in parts by month, which editions share.

Most months of a history stay what they were from one edition to the next. Such a part is not
written again: its file gets a second name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.home import link_or_copy
from pipelines.sql import literal, literal_list

TABLES = "tables"
LEARNER = "learner_key"
"""The column that rows lie by, where a table has it."""
PARQUET: dict[str, Any] = {"compression": "zstd", "compression_level": 1}
"""How tables are written as Parquet: a higher level takes longer and gives no smaller files."""
LEARNERS_AT_ONCE = 10_000
"""How many learners' rows are sorted at a time."""
ROWS_AT_ONCE = 122_880
"""How many rows go from one engine to the other at a time: a row group of DuckDB."""
LONG = 500_000
"""Rows from which on a table that has a day lies in parts."""
ROWS_TO_SORT = 1_400_000
"""How many rows of a table in parts are sorted at a time, unless one month has more."""
UNDATED = "undated"


class Layout(NamedTuple):
    """How the rows of a table lie."""

    key: tuple[str, ...]
    """The columns that name a row; where there are none, rows lie in the order of all."""
    parts_by: str | None = None
    """The day by whose month a long table lies in parts; None where it is one file."""


@dataclass(frozen=True)
class Parts:
    """The parts that an edition has, for a later one to share.

    Attributes:
        folder: the edition.
        files: SHA-256 of its files, by their path in it.
        fingerprints: what the rows of its parts come to, by the path of the part.
    """

    folder: Path
    files: Mapping[str, str]
    fingerprints: Mapping[str, str]


@dataclass(frozen=True)
class Written:
    """A table that was written.

    Attributes:
        rows: how many it has.
        files: SHA-256 of its files, by their path in the edition.
        fingerprints: what the rows of its parts come to, by path; none where it is one file.
    """

    rows: int
    files: dict[str, str]
    fingerprints: dict[str, str] = field(default_factory=dict)


class _Part(NamedTuple):
    month: str | None
    rows: int
    content: int


def parquet_of(table: str) -> str:
    """Return where in an edition a table lies that is one file."""
    return f"{TABLES}/{table}.parquet"


def part_of(table: str, month: str | None) -> str:
    """Return where in an edition a part of a table lies."""
    return f"{TABLES}/{table}/{month or UNDATED}.parquet"


def table_of(file: str) -> str | None:
    """Return the table that a file of an edition is, or is a part of; None for other files."""
    path = Path(file)
    if path.parts[0] != TABLES or path.suffix != ".parquet":
        return None
    return path.parts[1].removesuffix(".parquet")


def files_of(table: str, files: Mapping[str, str]) -> dict[str, str]:
    """Return the hashes of a table's files, out of those of an edition."""
    return {name: digest for name, digest in sorted(files.items()) if table_of(name) == table}


def table_hash(table: str, files: Mapping[str, str]) -> str:
    """Return the SHA-256 of a table: that of its file, or over its parts with their hashes."""
    own = files_of(table, files)
    if parquet_of(table) in own:
        return own[parquet_of(table)]
    lines = "".join(f"{digest}  {name}\n" for name, digest in own.items())
    return hashlib.sha256(lines.encode()).hexdigest()


def hashes_of(folder: Path, table: str) -> dict[str, str]:
    """Return the hashes of a table's files as they lie in an edition, by their path in it."""
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in _lying(folder, table)}


def relation_of(folder: Path, table: str) -> str:
    """Return what follows `from` to read a table of an edition as Parquet."""
    return f"read_parquet({literal_list(_lying(folder, table))})"


def _lying(folder: Path, table: str) -> list[Path]:
    whole = folder / parquet_of(table)
    return [whole] if whole.exists() else sorted((folder / TABLES / table).glob("*.parquet"))


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def row_order(key: Sequence[str], columns: Sequence[str]) -> str:
    """Return what the rows of a table are ordered by in an edition: learner first, then the key."""
    by_learner = [LEARNER] if key and LEARNER in columns else []
    return ", ".join(f'"{column}"' for column in dict.fromkeys([*by_learner, *(key or columns)]))


def columns_of(con: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """Return the columns of a relation, in order."""
    return [row[0] for row in _described(con, relation)]


def count_rows(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    """Return how many rows a relation has."""
    return int(con.execute(f"select count(*) from {relation}").fetchall()[0][0])


def write_table(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    table: str,
    layout: Layout,
    folder: Path,
    earlier: Parts | None = None,
) -> Written:
    """Write a table of an edition as Parquet; equal rows give the same files and bytes.

    Args:
        con: a connection whose time zone is UTC and that preserves the order of rows.
        relation: what follows `from` to read its rows, quoted where it has to be.
        table: its name in the edition.
        layout: how its rows lie.
        folder: the edition.
        earlier: the parts of an edition that lie on the same disk, to share where rows are equal.
    """
    n = count_rows(con, relation)
    (folder / TABLES).mkdir(parents=True, exist_ok=True)
    if layout.parts_by is None or n < LONG:
        path = folder / parquet_of(table)
        write_parquet(con, relation, layout.key, path)
        return Written(n, {parquet_of(table): file_hash(path)})
    parts = _parts(con, relation, layout.parts_by)
    how = _how_written(con, relation, layout)
    fingerprints = {
        part_of(table, part.month): hashlib.sha256(f"{how} {part}".encode()).hexdigest()
        for part in parts
    }
    (folder / TABLES / table).mkdir()
    shared = {
        name for name, content in fingerprints.items() if _take_over(name, content, folder, earlier)
    }
    new = [part for part in parts if part_of(table, part.month) not in shared]
    _write_parts(con, relation, table, layout, folder, new)
    files = {
        name: earlier.files[name] if earlier and name in shared else file_hash(folder / name)
        for name in fingerprints
    }
    return Written(n, files, fingerprints)


def write_parquet(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    key: Sequence[str],
    path: Path,
    *,
    learners_at_once: int = LEARNERS_AT_ONCE,
) -> None:
    """Write a table as one file of Parquet, by learner, then by key.

    So many learners are sorted at a time, so that memory does not grow with a school.

    Args:
        con: a connection whose time zone is UTC and that preserves the order of rows.
        relation: what follows `from` to read its rows.
        key: the columns that name a row; where there are none, rows lie in the order of all.
        path: the file to write.
        learners_at_once: how many learners; another number may give other bytes.
    """
    columns = columns_of(con, relation)
    order = row_order(key, columns)
    ends = _ends(con, relation, learners_at_once) if LEARNER in columns else []
    rows = [
        con.sql(f"select * from {relation} where {stretch} order by {order}")
        for stretch in _stretches(ends)
    ]
    with pq.ParquetWriter(path, _schema(rows[0]), **PARQUET) as file:
        for stretch_rows in rows:
            for batch in stretch_rows.to_arrow_reader(ROWS_AT_ONCE):
                file.write_batch(batch)


def _parts(con: duckdb.DuckDBPyConnection, relation: str, day: str) -> list[_Part]:
    """Return the months of a table, with what their rows come to by the engine's hash.

    It takes lists one behind the other for one list, and an empty one for none, so that how long
    each is has to be told too.
    """
    sizes = [f'len(entry."{name}")' for name, kind, *_ in _described(con, relation) if "[" in kind]
    content = ", ".join(["entry", *sizes])
    found = con.execute(
        f"""
        select strftime("{day}", '%Y-%m') as month, count(*), sum(hash({content}))
        from {relation} as entry
        group by month
        order by month nulls last
        """
    ).fetchall()
    return [_Part(*row) for row in found]


def _how_written(con: duckdb.DuckDBPyConnection, relation: str, layout: Layout) -> str:
    """Return what decides the bytes of a part beside its rows.

    The engine promises its hash of a row to no other version, and Arrow its bytes.
    """
    columns = [row[:2] for row in _described(con, relation)]
    return json.dumps(
        [duckdb.__version__, version("pyarrow"), PARQUET, ROWS_AT_ONCE, layout, columns]
    )


def _take_over(name: str, content: str, folder: Path, earlier: Parts | None) -> bool:
    """Take a part over from an earlier edition, and say whether it was whole and has these rows."""
    if earlier is None or earlier.fingerprints.get(name) != content:
        return False
    origin = earlier.folder / name
    if not origin.exists() or file_hash(origin) != earlier.files[name]:
        return False
    link_or_copy(origin, folder / name)
    return True


def _write_parts(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    table: str,
    layout: Layout,
    folder: Path,
    parts: Sequence[_Part],
) -> None:
    """Write parts, as many months at a time as may be sorted at once."""
    order = row_order(layout.key, columns_of(con, relation))
    for months in _sorted_together(parts):
        rows = con.sql(
            f"select * from {relation} where {_of_months(layout, months)} "
            f"order by date_trunc('month', \"{layout.parts_by}\"), {order}"
        )
        with rows.to_arrow_reader(ROWS_AT_ONCE) as batches:
            held = batches.schema.empty_table()
            for part in months:
                path = folder / part_of(table, part.month)
                with pq.ParquetWriter(path, batches.schema, **PARQUET) as file:
                    for size in _groups(part.rows):
                        held = _filled(held, size, batches)
                        file.write_table(held.slice(0, size).combine_chunks(), row_group_size=size)
                        held = held.slice(size)


def _filled(held: pa.Table, size: int, batches: Iterator[pa.RecordBatch]) -> pa.Table:
    """Return a table with as many of the next rows put behind it as it needs to have so many."""
    while held.num_rows < size:
        held = pa.concat_tables([held, pa.Table.from_batches([next(batches)])])
    return held


def _groups(rows: int) -> Iterator[int]:
    """Yield how many rows each row group has."""
    yield from (min(ROWS_AT_ONCE, rows - start) for start in range(0, rows, ROWS_AT_ONCE))


def _sorted_together(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    """Yield the parts that are read and sorted in one go; those without a day stand alone."""
    together: list[_Part] = []
    for part in parts:
        n = sum(each.rows for each in together) + part.rows
        if together and (n > ROWS_TO_SORT or part.month is None):
            yield together
            together = []
        together.append(part)
    if together:
        yield together


def _of_months(layout: Layout, parts: Sequence[_Part]) -> str:
    """Return the condition for the rows of some parts.

    The ends of the whole time come first, since the engine skips by them what lies outside.
    """
    months = [f"date '{part.month}-01'" for part in parts if part.month is not None]
    if not months:
        return f'"{layout.parts_by}" is null'
    return (
        f'"{layout.parts_by}" >= {months[0]} '
        f'and "{layout.parts_by}" < {months[-1]} + interval 1 month '
        f"and date_trunc('month', \"{layout.parts_by}\") in ({', '.join(months)})"
    )


def _schema(rows: duckdb.DuckDBPyRelation) -> pa.Schema:
    return rows.limit(0).to_arrow_table().schema


def _described(con: duckdb.DuckDBPyConnection, relation: str) -> list[tuple[Any, ...]]:
    return con.execute(f"describe from {relation}").fetchall()


def _ends(con: duckdb.DuckDBPyConnection, relation: str, learners_at_once: int) -> list[str]:
    """Return the last learner of each stretch but the last."""
    found = con.execute(
        f"""
        select {LEARNER}
        from (
            select {LEARNER}, row_number() over (order by {LEARNER}) as place, count(*) over () as n
            from (select distinct {LEARNER} from {relation} where {LEARNER} is not null)
        )
        where place % $1 = 0 and place < n
        order by place
        """,
        [learners_at_once],
    ).fetchall()
    return [learner for (learner,) in found]


def _stretches(ends: Sequence[str]) -> Iterator[str]:
    """Yield a condition for each stretch of learners; rows of nobody are in the last."""
    quoted = [literal(end) for end in ends]
    for after, up_to in zip([None, *quoted], [*quoted, None], strict=True):
        if after is None and up_to is None:
            yield "true"
        elif up_to is None:
            yield f"({LEARNER} > {after} or {LEARNER} is null)"
        elif after is None:
            yield f"{LEARNER} <= {up_to}"
        else:
            yield f"{LEARNER} > {after} and {LEARNER} <= {up_to}"
