"""A kept table has the hash of its rows, however few of them are hashed."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.warehouse.hashing import forget_hashes, keep_hashes, kept_table_hash, table_hash

FINGERPRINTED = "int_things__fingerprinted"

rows = st.dictionaries(
    st.sampled_from(["L-1", "L-2", "L-3", "L-4"]),
    st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.none() | st.integers(0, 2)), max_size=3),
)
"""What each learner has in a table."""


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"create table {FINGERPRINTED} (learner_key text, fingerprint text)")
        connection.execute("create table things (learner_key text, word text, n integer)")
        keep_hashes(connection)
        yield connection


def stand(
    con: duckdb.DuckDBPyConnection, table: dict[str, list[tuple[str, int | None]]], nobody: int = 0
) -> None:
    """Let a table hold these rows, and so many of nobody; fingerprints follow what it holds."""
    con.execute(f"delete from {FINGERPRINTED}; delete from things")
    for learner, held in table.items():
        con.execute(f"insert into {FINGERPRINTED} values (?, ?)", [learner, str(held)])
        for word, n in held:
            con.execute("insert into things values (?, ?, ?)", [learner, word, n])
    con.execute("insert into things select null, 'x', i from range(?) as r(i)", [nobody])


def kept(con: duckdb.DuckDBPyConnection) -> str:
    return kept_table_hash(con, "things", "things", FINGERPRINTED)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(rows, st.integers(0, 2)), min_size=1, max_size=4))
def test_night_after_night_the_hash_is_that_of_all_rows(
    con: duckdb.DuckDBPyConnection,
    nights: list[tuple[dict[str, list[tuple[str, int | None]]], int]],
) -> None:
    for table, nobody in nights:
        stand(con, table, nobody)
        assert kept(con) == table_hash(con, "things")


def test_rows_of_who_did_not_move_are_not_hashed_again(con: duckdb.DuckDBPyConnection) -> None:
    stand(con, {"L-1": [("a", 1)], "L-2": [("b", 2)]})
    true = kept(con)
    con.execute("update row_hashes.things set row_hash = ''::blob where learner_key = 'L-1'")
    assert kept(con) != true
    con.execute(f"update {FINGERPRINTED} set fingerprint = 'moved' where learner_key = 'L-1'")
    assert kept(con) == true


@pytest.mark.parametrize(
    "edit",
    [
        "insert into things values ('L-1', 'unheard of', 3)",
        "delete from things where learner_key = 'L-1'",
        "update things set word = 'other' where learner_key = 'L-1'",
    ],
)
def test_hashes_of_other_rows_than_stand_do_not_count(
    con: duckdb.DuckDBPyConnection, edit: str
) -> None:
    stand(con, {"L-1": [("a", 1)], "L-2": [("b", 2)]})
    before = kept(con)
    con.execute(edit)
    assert kept(con) == table_hash(con, "things") != before
    assert kept(con) == table_hash(con, "things")


def test_what_is_forgotten_is_hashed_again(con: duckdb.DuckDBPyConnection) -> None:
    stand(con, {"L-1": [("a", 1)]})
    kept(con)
    con.execute("update row_hashes.things set row_hash = ''::blob")
    forget_hashes(con)
    keep_hashes(con)
    assert kept(con) == table_hash(con, "things")
