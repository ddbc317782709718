"""A table has the hash of its rows, in whatever order they lie."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.warehouse.hashing import table_hash

row = st.tuples(st.none() | st.sampled_from(["", "a", "b"]), st.none() | st.integers(0, 2))
rows = st.lists(row, max_size=4)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def hash_of(con: duckdb.DuckDBPyConnection, held: list[tuple[str | None, int | None]]) -> str:
    con.execute("create or replace table things (word text, n integer)")
    for one in held:
        con.execute("insert into things values (?, ?)", one)
    return table_hash(con, "things")


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(one=rows, other=rows)
def test_hashes_are_equal_where_each_row_is_there_as_often(
    con: duckdb.DuckDBPyConnection,
    one: list[tuple[str | None, int | None]],
    other: list[tuple[str | None, int | None]],
) -> None:
    is_same = sorted(one, key=repr) == sorted(other, key=repr)
    assert (hash_of(con, one) == hash_of(con, other)) == is_same


def test_the_order_of_rows_is_no_part_of_the_hash(con: duckdb.DuckDBPyConnection) -> None:
    held: list[tuple[str | None, int | None]] = [("a", 1), ("b", None), (None, 2)]
    assert hash_of(con, held) == hash_of(con, held[::-1])
