"""Whatever the sizes of groups: no small one is shown, and none can be had by subtraction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.home import marts_beside
from pipelines.warehouse.connection import attach
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


HALF_YEARS = ("2024-02-01", "2024-08-01", "2025-02-01", "2025-08-01")
seen_in_half_years = st.dictionaries(
    st.sampled_from(HALF_YEARS),
    st.sets(st.integers(1, 9), min_size=1, max_size=9),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="module")
def rated(built: Built) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, str]]]:
    """Empty evidence, with the rules, and the SQL of what tells how ratings were given."""
    models = {"programme_instrument_performance", "programme_rating_drift"}
    sql = {n["name"]: n["compiled_code"] for n in built.nodes("model") if n["name"] in models}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{built.warehouse}' as standing (read_only)")
        attach(connection, marts_beside(built.warehouse), "standing_marts", read_only=True)
        connection.execute("attach ':memory:' as build; attach ':memory:' as marts")
        connection.execute("create schema build.staging; create schema build.intermediate")
        for table in ("staging.stg_build_input", "intermediate.int_rules__chosen"):
            connection.execute(f"create table build.{table} as select * from standing.{table}")
        for table in ("fct_evidence", "dim_scale_level"):
            connection.execute(
                f"create table marts.{table} as select * from standing_marts.{table}"
            )
        yield connection, sql


@settings(max_examples=60, deadline=None)
@given(seen=seen_in_half_years)
def test_no_half_year_of_few_learners_is_had_from_all_ratings_less_the_half_years_shown(
    rated: tuple[duckdb.DuckDBPyConnection, dict[str, str]], seen: dict[str, set[int]]
) -> None:
    connection, sql = rated
    connection.execute("delete from marts.fct_evidence")
    connection.executemany(
        "insert into marts.fct_evidence by name select 'MED' as programme_id, "
        "'cbd' as instrument_id, 'entrustment_5' as scale_id, 3 as level, "
        "'L-' || ? as learner_key, cast(? as date) as occurred_on, ? as is_at_or_above_target, "
        "uuid()::varchar as record_key",
        [(who, day, who % 2 == 0) for day, people in seen.items() for who in people],
    )
    drift = connection.execute(
        "select half_year_on, share_at_target, is_suppressed "
        f"from ({sql['programme_rating_drift']})"
    ).fetchall()
    whole = connection.execute(
        "select n_learners, level_counts, share_at_target, is_suppressed "
        f"from ({sql['programme_instrument_performance']})"
    ).fetchall()
    everybody = set().union(*seen.values())
    assert [n for n, _, _, _ in whole] == [len(everybody)]
    (_, counts, share, is_hidden) = whole[0]
    assert is_hidden == (len(everybody) < FEWEST)
    assert is_hidden == (counts is None) == (share is None)
    people = {f"{day[:5]}{'01' if day[5:7] == '02' else '07'}": who for day, who in seen.items()}
    assert {f"{day:%Y-%m}" for day, _, _ in drift} == people.keys()
    kept = [people[f"{day:%Y-%m}"] for day, _, hidden in drift if hidden]
    shown = [people[f"{day:%Y-%m}"] for day, _, hidden in drift if not hidden]
    assert all(value is None for _, value, hidden in drift if hidden)
    assert all(len(who) >= FEWEST for who in shown)
    assert not kept or not shown or len(set().union(*kept)) >= FEWEST
