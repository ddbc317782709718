"""A name for the content of a table."""

from __future__ import annotations

import duckdb

HASHES = "row_hashes"
"""The schema of the warehouse that keeps hashes of rows, by mart."""
ROW_HASH = "sha256(cast(to_json(entry) as varchar))"


def table_hash(con: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Return the SHA-256 over the rows of a table, whatever order they lie in.

    Every row is hashed as JSON, which keeps apart what is empty and what is missing, and the
    hashes are taken in order; two tables with equal hashes hold equal rows, each as often.

    Args:
        con: a connection whose time zone is UTC.
        relation: what follows `from`.
    """
    return _together(con, f"select {ROW_HASH} as row_hash from {relation} as entry")


def keep_hashes(con: duckdb.DuckDBPyConnection) -> None:
    """Make the place where hashes of rows are kept."""
    con.execute(f"create schema if not exists {HASHES}")


def kept_table_hash(
    con: duckdb.DuckDBPyConnection, relation: str, name: str, fingerprinted: str
) -> str:
    """Return the same hash of a kept table, hashing the rows of learners who moved.

    The rows of a learner are the same as long as the fingerprint is, and so are their hashes, which
    the warehouse keeps under the fingerprint that they belong to. That the rows are those that were
    hashed is seen by a quick hash of all of them; where they are not, all are hashed.

    Args:
        con: a connection to a warehouse that keeps hashes, with nothing begun; its time zone is
            UTC.
        relation: the table, as it is published.
        name: its name, which its hashes are kept under.
        fingerprinted: the model of fingerprints that the table is kept by.
    """
    hashes = f'{HASHES}."{name}"'
    con.execute(
        f"create table if not exists {hashes} "
        "(learner_key varchar, fingerprint varchar, quick_hash ubigint, row_hash blob)"
    )
    con.begin()
    con.execute(
        f"""
        delete from {hashes} as hashed where not exists (
            select 1 from {fingerprinted} as present
            where present.learner_key = hashed.learner_key
            and present.fingerprint = hashed.fingerprint
        )
        """
    )
    con.execute(
        f"""
        insert into {hashes}
        select entry.learner_key, present.fingerprint, hash(entry), unhex({ROW_HASH})
        from {relation} as entry
        left join {fingerprinted} as present on entry.learner_key = present.learner_key
        where coalesce(entry.learner_key, '') not in (select learner_key from {hashes})
        """
    )
    con.commit()
    if _in_short(con, hashes, "quick_hash") != _in_short(con, relation, "hash(entry)"):
        con.execute(f"drop table {hashes}")
        return table_hash(con, relation)
    return _together(con, f"select lower(hex(row_hash)) as row_hash from {hashes}")


def forget_hashes(con: duckdb.DuckDBPyConnection) -> None:
    """Count on no hash that is kept."""
    con.execute(f"drop schema if exists {HASHES} cascade")


def _together(con: duckdb.DuckDBPyConnection, row_hashes: str) -> str:
    return str(
        con.execute(
            f"""
            select sha256(coalesce(string_agg(row_hash, '' order by row_hash), ''))
            from ({row_hashes})
            """
        ).fetchall()[0][0]
    )


def _in_short(con: duckdb.DuckDBPyConnection, relation: str, quick_hash: str) -> tuple[int, int]:
    """Return how many rows there are, and the sum of their quick hashes."""
    n, total = con.execute(
        f"select count(*), coalesce(sum({quick_hash}::hugeint), 0) from {relation} as entry"
    ).fetchall()[0]
    return int(n), int(total)
