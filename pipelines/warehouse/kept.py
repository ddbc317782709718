"""Which learners' rows stand in kept tables: what a finished build leaves for the next one.

A kept table holds rows by learner, and a build makes anew only those of learners whose fingerprint
moved (`dbt/macros/kept.sql`). Fingerprints are kept when a build has ended well, and those that
moved are forgotten before their rows are touched: whoever a stopped build left half made has no
fingerprint, and is made by the next.
"""

from __future__ import annotations

import duckdb

from pipelines.warehouse.connection import transaction
from pipelines.warehouse.dbt_project import dbt_versions

FINGERPRINTS = "__fingerprinted"
"""How the names of models end that hold the fingerprints of one scope of kept tables."""
ROW_HASHES = "row_hashes"
"""A schema that older versions kept hashes of rows in."""


def code_of(code_version: str) -> str:
    """Return what kept tables were made with: another of these, and they are made from nothing."""
    return f"{code_version} dbt {dbt_versions()}"


def stands(con: duckdb.DuckDBPyConnection, code: str) -> bool:
    """Return whether kept tables were made by a build with this code, so that they may be kept."""
    return con.execute("select code from raw.kept_code").fetchall() == [(code,)]


def forget(con: duckdb.DuckDBPyConnection) -> None:
    """Count on nobody's rows any more."""
    with transaction(con):
        con.execute("delete from raw.kept_code")
        con.execute("delete from raw.kept_learner")
        con.execute(f"drop schema if exists {ROW_HASHES} cascade")


def keep(con: duckdb.DuckDBPyConnection, code: str) -> dict[str, int]:
    """Note that all rows stand as fingerprinted; return how many learners moved, by scope."""
    fingerprinted = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = current_database() and ends_with(table_name, ?) order by all",
        [FINGERPRINTS],
    ).fetchall()
    moved: dict[str, int] = {}
    with transaction(con):
        con.execute("delete from raw.kept_learner")
        for (table,) in fingerprinted:
            con.execute(
                f"insert into raw.kept_learner select scope, learner_key, fingerprint from {table} "
                "where learner_key is not null"
            )
            moved |= dict(
                con.execute(
                    f"select scope, count(*) filter (where is_moved) from {table} group by scope"
                ).fetchall()
            )
        con.execute("delete from raw.kept_code")
        con.execute("insert into raw.kept_code values (?)", [code])
    return dict(sorted(moved.items()))
