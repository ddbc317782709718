"""What a finished build leaves for the next one."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.warehouse.kept import code_of, forget, keep, stands
from pipelines.warehouse.raw_schema import create_raw


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        create_raw(connection)
        connection.execute("create schema intermediate")
        connection.execute(
            """
            create table intermediate.int_things__fingerprinted as
            from (values
                ('things', 'L-1', 'a', false),
                ('things', 'L-2', 'b', true),
                ('things', null, 'c', true)
            ) as v(scope, learner_key, fingerprint, is_moved)
            """
        )
        yield connection


def kept(con: duckdb.DuckDBPyConnection) -> list[tuple[str, ...]]:
    return con.execute("from raw.kept_learner order by all").fetchall()


def test_before_a_build_nothing_stands(con: duckdb.DuckDBPyConnection) -> None:
    assert not stands(con, code_of("1"))


def test_a_finished_build_leaves_every_learner_s_fingerprint(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert keep(con, "code") == {"things": 2}
    assert kept(con) == [("things", "L-1", "a"), ("things", "L-2", "b")]
    keep(con, "code")
    assert len(kept(con)) == 2


def test_only_the_same_code_may_count_on_what_stands(con: duckdb.DuckDBPyConnection) -> None:
    keep(con, code_of("1"))
    assert stands(con, code_of("1"))
    assert not stands(con, code_of("2"))


def test_what_is_forgotten_does_not_stand(con: duckdb.DuckDBPyConnection) -> None:
    keep(con, "code")
    forget(con)
    assert not stands(con, "code")
    assert kept(con) == []


def test_raw_tables_of_another_shape_take_what_was_kept_with_them(
    con: duckdb.DuckDBPyConnection,
) -> None:
    keep(con, "code")
    con.execute("update raw.load_state set fingerprint = 'of an older version'")
    create_raw(con)
    assert not stands(con, "code")
    assert kept(con) == []


def test_a_project_without_kept_tables_keeps_its_code_only(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("drop table intermediate.int_things__fingerprinted")
    assert keep(con, "code") == {}
    assert stands(con, "code")
