"""Tables of editions are told apart by their rows, whatever wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse import editions, tables
from pipelines.warehouse.editions import (
    DATABASE,
    EditionError,
    diff,
    differing_tables,
    folder_of,
    have_same_rows,
    lineage,
    read_edition,
    verify,
)
from pipelines.warehouse.publish import publish
from pipelines.warehouse.tables import parquet_of

Rows = list[tuple[str | None, int | None, list[str] | None]]
rows: st.SearchStrategy[Rows] = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["", "a"]),
        st.none() | st.integers(0, 1),
        st.none() | st.lists(st.sampled_from(["", "a"]), max_size=1),
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        for name in ("one", "other"):
            connection.execute(f"create table {name} (word text, n integer, words text[])")
        yield connection


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(one=rows, other=rows)
def test_tables_are_equal_where_each_row_is_there_as_often(
    con: duckdb.DuckDBPyConnection, one: Rows, other: Rows
) -> None:
    for name, held in (("one", one), ("other", other)):
        con.execute(f"delete from {name}")
        for row in held:
            con.execute(f"insert into {name} values (?, ?, ?)", row)
    assert have_same_rows(con, "one", "other") == (sorted(one, key=repr) == sorted(other, key=repr))


def test_tables_with_other_columns_are_not_equal(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("delete from one")
    assert not have_same_rows(con, "one", "(select word, n as m, words from one)")


def test_equal_rows_are_equal_though_they_were_written_as_other_bytes(
    home: Home, settings: Settings, candidate: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = candidate(home, settings, 1)
    publish(home, settings)
    monkeypatch.setattr(tables, "PARQUET", {"compression": "snappy"})
    second = candidate(home, settings, 2)
    publish(home, settings)
    old, new = folder_of(home, first), folder_of(home, second)
    assert read_edition(old).files != read_edition(new).files
    names = set(read_edition(new).counts)
    (table,) = diff(old, new).tables
    assert (table.table, table.added, table.removed, table.changed) == ("fct_evidence", 0, 0, 100)
    assert differing_tables(old, new, names) == ["fct_evidence"]
    assert differing_tables(old, new, names - {"portfolio_status"}) == [
        "fct_evidence",
        "portfolio_status",
    ]
    (old / parquet_of("portfolio_status")).write_bytes(b"damaged")
    assert differing_tables(old, new, names) == ["fct_evidence", "portfolio_status"]


def test_a_database_is_held_against_the_rows_of_whole_parquet_files(
    home: Home, settings: Settings, candidate: Any
) -> None:
    candidate(home, settings)
    publish(home, settings)
    folder = folder_of(home)
    with duckdb.connect(str(folder / editions.DATABASE)) as con:
        con.execute("update portfolio_status set status = status")
        con.execute("checkpoint")
        con.execute("delete from fct_evidence where evidence_id = 'E-1'")
        con.execute("insert into fct_evidence select * from fct_evidence limit 1")
    assert verify(folder) == [
        f"{editions.DATABASE}: the bytes are not those published",
        f"fct_evidence: the rows in {editions.DATABASE} are not those published",
    ]


@pytest.fixture
def of_records(tmp_path: Path) -> Path:
    """An edition that holds a declaration, a decision and an action, and what rests on them."""
    with duckdb.connect(str(tmp_path / DATABASE)) as con:
        for table, letter in (("fct_ai_declaration", "a"), ("fct_decision", "b")):
            con.execute(
                f"create table {table} as select repeat('{letter}', 64) as record_key, "
                "'d' as delivery_id, 3 as source_row"
            )
        con.execute(
            "create table fct_action as select repeat('c', 64) as record_key, "
            "repeat('b', 64) as decision_record_key, 'd' as delivery_id, 4 as source_row"
        )
        con.execute(
            "create table portfolio_signal as "
            "select ['E-AAAAAAAAAAAA'] as evidence_ids, null as action_record_key "
            "union all select [], repeat('c', 64)"
        )
    return tmp_path


@pytest.mark.parametrize(
    ("name", "table", "used_by"),
    [
        ("U-AAAAAAAAAAAA", "fct_ai_declaration", ["portfolio_signal"]),
        ("E-AAAAAAAAAAAA", "fct_ai_declaration", ["portfolio_signal"]),
        ("a" * 64, "fct_ai_declaration", ["portfolio_signal"]),
        ("D-BBBBBBBBBBBB", "fct_decision", ["fct_action"]),
        ("A-CCCCCCCCCCCC", "fct_action", ["portfolio_signal"]),
    ],
)
def test_every_id_that_a_pack_prints_leads_to_its_record_and_what_rests_on_it(
    of_records: Path, name: str, table: str, used_by: list[str]
) -> None:
    found = lineage(of_records, name)
    assert [row["table"] for row in found.evidence] == [table]
    assert sorted(found.used_by) == used_by


@pytest.mark.parametrize("name", ["U-BBBB", "U-DDDDDDDDDDDD", "x' or true --"])
def test_an_id_that_is_not_there_is_refused_with_the_ids_that_there_are(
    of_records: Path, name: str
) -> None:
    with pytest.raises(EditionError, match=r"no record .* U- for a declaration of AI use") as told:
        lineage(of_records, name)
    assert "of another edition, add --edition" in str(told.value)
