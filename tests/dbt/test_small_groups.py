"""Whatever the sizes of groups: no small one is shown, and none can be had by subtraction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dbt.conftest import Built

FEWEST = 5
Sizes = dict[str, int]
sizes_of_groups = st.dictionaries(
    st.sampled_from("abcdefgh"), st.integers(1, 12), min_size=1, max_size=8
)


@pytest.fixture(scope="module")
def empty(built: Built) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """The tables that the counts are made from, with the rule and nothing else, and their SQL."""
    (node,) = [n for n in built.nodes("model") if n["name"] == "programme_demographic_count"]
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as build")
        connection.execute("create schema build.restricted_marts; create schema build.intermediate")
        connection.execute(
            """
            create table build.restricted_marts.fct_demographic (
                learner_key varchar, programme_id varchar, attribute varchar, value varchar,
                stated_on date, known_at timestamptz, record_key varchar
            )
            """
        )
        connection.execute(
            f"""
            create table build.intermediate.int_rules__chosen as
            select
                'privacy' as rule_set_id, '1' as rule_version, null as stage_id,
                'small_cells' as rule_id, 'learners_min' as threshold_name,
                {FEWEST} as threshold_value
            """
        )
        yield connection, node["compiled_code"]


def counted(empty: tuple[duckdb.DuckDBPyConnection, str], sizes: Sizes) -> list[tuple[Any, ...]]:
    """Return value, count and whether it is hidden, for groups of these sizes."""
    connection, sql = empty
    connection.execute("delete from build.restricted_marts.fct_demographic")
    connection.executemany(
        "insert into build.restricted_marts.fct_demographic by name "
        "select ? as learner_key, 'MED' as programme_id, 'route' as attribute, ? as value",
        [(f"{value}{n}", value) for value, size in sizes.items() for n in range(size)],
    )
    return connection.execute(f"select value, n_learners, is_suppressed from ({sql})").fetchall()


@settings(max_examples=150, deadline=None)
@given(sizes=sizes_of_groups)
def test_what_is_hidden_adds_up_to_as_many_learners_as_may_be_shown(
    empty: tuple[duckdb.DuckDBPyConnection, str], sizes: Sizes
) -> None:
    told = counted(empty, sizes)
    assert {value for value, _, _ in told} == sizes.keys()
    shown = {value: n for value, n, is_hidden in told if not is_hidden}
    assert shown == {value: sizes[value] for value in shown}
    assert all(n >= FEWEST for n in shown.values())
    hidden = sum(sizes.values()) - sum(shown.values())
    assert hidden == 0 or hidden >= FEWEST or not shown


def test_groups_that_are_all_large_are_all_shown(
    empty: tuple[duckdb.DuckDBPyConnection, str],
) -> None:
    assert {hidden for _, _, hidden in counted(empty, {"a": 5, "b": 9})} == {False}
