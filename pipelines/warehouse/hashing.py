"""A name for the content of a table."""

from __future__ import annotations

import duckdb


def table_hash(con: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Return the SHA-256 over the rows of a table, whatever order they lie in.

    Every row is hashed as JSON, which keeps apart what is empty and what is missing, and the
    hashes are taken in order; two tables with equal hashes hold equal rows, each as often.

    Args:
        con: a connection whose time zone is UTC.
        relation: what follows `from`.
    """
    return str(
        con.execute(
            f"""
            select sha256(coalesce(string_agg(row_hash, '' order by row_hash), ''))
            from (
                select sha256(cast(to_json(entry) as varchar)) as row_hash
                from {relation} as entry
            )
            """
        ).fetchall()[0][0]
    )
