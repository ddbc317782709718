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


CLOSED = ("int_half_year__closed", "int_demographics__grouped")
COUNTED = (
    "int_scales__described",
    "int_forms__counted",
    "int_ratings__versioned",
    "int_levels__counted",
)


def rounded(n: int) -> int:
    """Return a count as it is shown."""
    return n - n % FEWEST


def compiled(built: Built, *models: str) -> dict[str, str]:
    """Return the SQL of these models."""
    return {n["name"]: n["compiled_code"] for n in built.nodes("model") if n["name"] in models}


def add_closed_half_year(connection: duckdb.DuckDBPyConnection, sql: dict[str, str]) -> None:
    """Add the day of judgement, no answers yet, and the views that take what is over of them."""
    connection.execute(
        """
        create table build.staging.stg_build_input as
        select date '2026-02-21' as as_of, 'UTC' as time_zone;
        create table build.staging.stg_receipt as select timestamptz '2024-01-01' as known_at;
        create table build.staging.stg_demographics (
            learner_key varchar, programme_id varchar, attribute varchar, value varchar,
            stated_on date, known_at timestamptz, record_key varchar
        )
        """
    )
    for view in CLOSED:
        connection.execute(f"create view build.intermediate.{view} as {sql[view]}")


@pytest.fixture(scope="module")
def empty(built: Built) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """The tables that the counts are made from, with the rule and nothing else, and their SQL."""
    sql = compiled(built, *CLOSED, "programme_demographic_count")
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as build")
        connection.execute(
            f"""
            create schema build.staging; create schema build.intermediate;
            create table build.intermediate.int_rules__chosen as
            select
                'privacy' as rule_set_id, '1' as rule_version, null as stage_id,
                'small_cells' as rule_id, 'learners_min' as threshold_name,
                {FEWEST} as threshold_value
            """
        )
        add_closed_half_year(connection, sql)
        yield connection, sql["programme_demographic_count"]


def counted(empty: tuple[duckdb.DuckDBPyConnection, str], sizes: Sizes) -> list[tuple[Any, ...]]:
    """Return value, count and whether it is hidden, for groups of these sizes."""
    connection, sql = empty
    connection.execute("delete from build.staging.stg_demographics")
    connection.executemany(
        "insert into build.staging.stg_demographics by name "
        "select ? as learner_key, 'MED' as programme_id, 'route' as attribute, ? as value, "
        "timestamptz '2025-01-01' as known_at",
        [(f"{value}{n}", value) for value, size in sizes.items() for n in range(size)],
    )
    return connection.execute(
        f"select value, n_learners_at_least, is_suppressed from ({sql})"
    ).fetchall()


@settings(max_examples=150, deadline=None)
@given(sizes=sizes_of_groups)
def test_what_is_hidden_adds_up_to_as_many_learners_as_may_be_shown(
    empty: tuple[duckdb.DuckDBPyConnection, str], sizes: Sizes
) -> None:
    told = counted(empty, sizes)
    assert {value for value, _, _ in told} == sizes.keys()
    shown = {value: n for value, n, is_hidden in told if not is_hidden}
    assert shown == {value: rounded(sizes[value]) for value in shown}
    assert all(n >= FEWEST for n in shown.values())
    hidden = sum(sizes[value] for value in sizes.keys() - shown.keys())
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
    sql = compiled(
        built,
        *COUNTED,
        "programme_assessor_engagement",
        "programme_instrument_performance",
        "programme_rating_drift",
    )
    with duckdb.connect() as connection:
        connection.execute(f"attach '{built.warehouse}' as standing (read_only)")
        attach(connection, marts_beside(built.warehouse), "standing_marts", read_only=True)
        connection.execute("attach ':memory:' as build; attach ':memory:' as marts")
        connection.execute("create schema build.staging; create schema build.intermediate")
        for table in (
            "staging.stg_build_input",
            "staging.stg_scale_level",
            "intermediate.int_rules__chosen",
        ):
            connection.execute(f"create table build.{table} as select * from standing.{table}")
        for table in ("fct_evidence", "dim_scale_level"):
            connection.execute(
                f"create table marts.{table} as select * from standing_marts.{table}"
            )
        for view in COUNTED:
            connection.execute(f"create view build.intermediate.{view} as {sql[view]}")
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
    assert is_hidden == (counts is None)
    assert share is None or not is_hidden
    people = {f"{day[:5]}{'01' if day[5:7] == '02' else '07'}": who for day, who in seen.items()}
    assert {f"{day:%Y-%m}" for day, _, _ in drift} == people.keys()
    kept = [people[f"{day:%Y-%m}"] for day, _, hidden in drift if hidden]
    shown = [people[f"{day:%Y-%m}"] for day, _, hidden in drift if not hidden]
    assert all(value is None for _, value, hidden in drift if hidden)
    assert all(len(who) >= FEWEST for who in shown)
    assert not kept or not shown or len(set().union(*kept)) >= FEWEST


def tells_few(learners: set[int]) -> bool:
    return 0 < len(learners) < FEWEST


given_levels = st.dictionaries(
    st.tuples(st.integers(1, 5), st.booleans()), st.sets(st.integers(1, 12), min_size=1)
)
"""Who was given each level, at target and below."""


@settings(max_examples=80, deadline=None)
@given(given_levels=given_levels)
def test_no_level_of_few_learners_is_had_from_what_is_told_of_an_instrument(
    rated: tuple[duckdb.DuckDBPyConnection, dict[str, str]],
    given_levels: dict[tuple[int, bool], set[int]],
) -> None:
    connection, sql = rated
    given_ratings = [
        (level, who, is_at_target)
        for (level, is_at_target), people in given_levels.items()
        for who in people
    ]
    connection.execute("delete from marts.fct_evidence")
    connection.execute(
        "insert into marts.fct_evidence by name select 'MED' as programme_id, "
        "'cbd' as instrument_id, 'entrustment_5' as scale_id, level, 'L-' || who as learner_key, "
        "date '2025-02-01' as occurred_on, is_at_or_above_target, uuid()::varchar as record_key "
        "from (select unnest(cast(? as integer[])) as level, unnest(cast(? as integer[])) as who, "
        "unnest(cast(? as boolean[])) as is_at_or_above_target)",
        [[each[place] for each in given_ratings] for place in range(3)],
    )
    told = connection.execute(
        "select level_counts, n_ratings, commonest_share, top_share, n_levels_used, "
        f"share_at_target from ({sql['programme_instrument_performance']}) where not is_suppressed"
    ).fetchall()
    everybody = {who for _, who, _ in given_ratings}
    assert len(told) == (len(everybody) >= FEWEST)
    for counts, n_ratings, commonest, top, n_used, share in told:
        folds = [fold.split(":") for fold in counts.split()]
        assert n_used == len(folds)
        assert sum(int(n) for _, n in folds) == n_ratings == len(given_ratings)
        assert max(int(n) for _, n in folds) == round(commonest * n_ratings)
        for levels, _ in folds:
            ends = [int(level) for level in levels.split("-")]
            within = [each for each in given_ratings if ends[0] <= each[0] <= ends[-1]]
            assert not tells_few({who for _, who, _ in within})
            for side in (True, False):
                assert share is None or not tells_few({w for _, w, at in within if at is side})
        assert top is None or not tells_few({who for level, who, _ in given_ratings if level == 5})


@settings(max_examples=40, deadline=None)
@given(seen=seen_in_half_years)
def test_no_month_of_few_learners_is_had_from_all_forms_less_the_months_told(
    rated: tuple[duckdb.DuckDBPyConnection, dict[str, str]], seen: dict[str, set[int]]
) -> None:
    connection, sql = rated
    connection.execute("delete from marts.fct_evidence")
    connection.executemany(
        "insert into marts.fct_evidence by name select 'MED' as programme_id, "
        "'workplace_assessment' as kind, 'cbd' as instrument_id, 'L-' || ? as learner_key, "
        "cast(? as date) as occurred_on, false as is_withheld, uuid()::varchar as record_key",
        [(who, day) for day, people in seen.items() for who in people],
    )
    told = connection.execute(
        "select month_on::varchar, to_month_on::varchar, n_forms, n_learners "
        f"from ({sql['programme_assessor_engagement']})"
    ).fetchall()
    assert sum(n for *_, n, _ in told) == sum(map(len, seen.values()))
    for first, last, _, n_learners in told:
        within = [people for day, people in seen.items() if first <= day <= last]
        assert n_learners == len(set().union(*within))
        assert n_learners >= FEWEST or len(told) == 1


Stated = list[tuple[str | None, str | None]]
"""What each learner states of two attributes."""
Tracked = tuple[duckdb.DuckDBPyConnection, str]


@st.composite
def nearly_alike(draw: st.DrawFn) -> Stated:
    """Two attributes of groups that are nearly the same: their difference is about few."""
    sizes = draw(st.tuples(*[st.integers(0, 12)] * 3))
    ones: list[str | None] = [*("a" * sizes[0]), *("b" * sizes[1]), *([None] * sizes[2]), "a"]
    others = list(ones)
    places = st.integers(0, len(ones) - 1)
    for place in draw(st.sets(places, max_size=7)):
        others[place] = draw(st.sampled_from(["a", "b", "c", None]))
    return list(zip(ones, others, strict=True))


@pytest.fixture(scope="module")
def tracked(built: Built) -> Iterator[Tracked]:
    """Two ratings of each learner, the answers that a test puts in, and the SQL of the mart."""
    sql = compiled(built, *CLOSED, "programme_trajectory_fairness")
    with duckdb.connect() as connection:
        connection.execute(f"attach '{marts_beside(built.warehouse)}' as standing (read_only)")
        connection.execute("attach ':memory:' as build; attach ':memory:' as marts")
        connection.execute("create schema build.staging; create schema build.intermediate")
        connection.execute(
            f"""
            create table build.intermediate.int_rules__chosen as
            select rule_set_id, '1' as rule_version, null as stage_id, rule_id, threshold_name,
                threshold_value
            from (
                values ('privacy', 'small_cells', 'learners_min', {FEWEST}),
                    ('programme', 'trajectory', 'ratings_min', 2),
                    ('programme', 'trajectory', 'days_min', 180),
                    ('programme', 'trajectory', 'z', 1.96)
            ) as rules (rule_set_id, rule_id, threshold_name, threshold_value)
            """
        )
        add_closed_half_year(connection, sql)
        connection.execute("create table marts.fct_evidence as from standing.fct_evidence limit 0")
        yield connection, sql["programme_trajectory_fairness"]


def fairness(tracked: Tracked, stated: Stated, known_at: str = "2025-03-01") -> dict[Any, Any]:
    """Return what is told of each attribute and value, with each learner's rise another one."""
    connection, sql = tracked
    connection.execute("delete from build.staging.stg_demographics")
    connection.execute("delete from marts.fct_evidence")
    add_answers(connection, stated, known_at)
    connection.execute(
        "insert into marts.fct_evidence by name select 'MED' as programme_id, "
        "'workplace_assessment' as kind, 'L-' || n as learner_key, "
        "date '2024-12-01' + cast(is_late * (300 + n) as integer) as occurred_on, "
        "is_late = 1 and n % 2 = 0 as is_at_or_above_target, "
        "timestamptz '2025-12-01' as known_at, n || '-' || is_late as record_key "
        "from range(?) as numbers (n) cross join (values (0), (1)) as days (is_late)",
        [len(stated)],
    )
    return told_now(connection, sql)


def add_answers(
    connection: duckdb.DuckDBPyConnection, stated: Stated, known_at: str, first: int = 0
) -> None:
    answers = [
        (n, attribute, value)
        for n, values in enumerate(stated, first)
        for attribute, value in zip(("kin", "route"), values, strict=True)
        if value is not None
    ]
    connection.execute(
        "insert into build.staging.stg_demographics by name select 'L-' || n as "
        "learner_key, 'MED' as programme_id, attribute, value, cast(? as timestamptz) as "
        "known_at, uuid()::varchar as record_key from (select unnest(cast(? as integer[])) as n, "
        "unnest(cast(? as varchar[])) as attribute, unnest(cast(? as varchar[])) as value)",
        [known_at, *([each[place] for each in answers] for place in range(3))],
    )


def add_rating(
    connection: duckdb.DuckDBPyConnection,
    n: int,
    day: str,
    *,
    is_at_target: bool,
    known_at: str,
) -> None:
    connection.execute(
        "insert into marts.fct_evidence by name select 'MED' as programme_id, "
        "'workplace_assessment' as kind, 'L-' || ? as learner_key, cast(? as date) as "
        "occurred_on, ? as is_at_or_above_target, cast(? as timestamptz) as known_at, "
        "uuid()::varchar as record_key",
        [n, day, is_at_target, known_at],
    )


def told_now(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[Any, Any]:
    rows = connection.execute(
        "select attribute, value, n_learners_at_least, rise_a_year, difference_low, is_suppressed "
        f"from ({sql})"
    ).fetchall()
    return {(attribute, value): numbers for attribute, value, *numbers in rows}


@settings(max_examples=150, deadline=None)
@given(stated=nearly_alike())
def test_no_trajectory_of_few_learners_is_had_from_one_attribute_less_another(
    tracked: Tracked, stated: Stated
) -> None:
    told = fairness(tracked, stated)
    everybody = {n for n, values in enumerate(stated) if any(values)}
    silent = [{n for n in everybody if stated[n][place] is None} for place in (0, 1)]
    everybody -= set().union(*(who for who in silent if tells_few(who)))
    shown: dict[str, list[set[int]]] = {"kin": [], "route": []}
    for (attribute, value), (n, *_, is_hidden) in told.items():
        place = ("kin", "route").index(attribute)
        who = {m for m in everybody if (stated[m][place] or "not_stated") == value}
        assert is_hidden == (n is None)
        if not is_hidden:
            assert n == rounded(len(who)) >= FEWEST
            shown[attribute].append(who)
    for groups in shown.values():
        assert not groups or not tells_few(everybody - set().union(*groups))
    totals = [set().union(*groups) for groups in shown.values() if groups]
    assert len(totals) < 2 or not tells_few(totals[0] ^ totals[1])
    for one in shown["kin"]:
        for other in shown["route"]:
            assert not tells_few(one ^ other)
            assert not tells_few((everybody - one) ^ other)


@settings(max_examples=40, deadline=None)
@given(stated=nearly_alike(), silent=st.sets(st.integers(0, 36), max_size=7))
def test_counts_less_trajectories_do_not_tell_how_few_have_no_trajectory(
    tracked: Tracked, built: Built, stated: Stated, silent: set[int]
) -> None:
    connection, sql = tracked
    fairness(tracked, stated)
    connection.execute(
        "delete from marts.fct_evidence where list_contains(?, learner_key)",
        [[f"L-{n}" for n in silent]],
    )
    counts = compiled(built, "programme_demographic_count")["programme_demographic_count"]
    for n_with, n_all in connection.execute(
        "select fairness.n_learners_at_least, counts.n_learners_at_least "
        f"from ({sql}) as fairness inner join ({counts}) as counts using (attribute, value)"
    ).fetchall():
        if n_with is not None and n_all is not None:
            assert not 0 < abs(n_all - n_with) < FEWEST


def test_one_who_states_one_attribute_alone_costs_no_other_group(tracked: Tracked) -> None:
    stated: Stated = [("a" if n % 2 else "b", "x" if n < 18 else "y") for n in range(29)]
    told = fairness(tracked, [*stated, (None, "y")])
    assert {place: n for place, (n, *_) in told.items()} == {
        ("kin", "a"): 10,
        ("kin", "b"): 15,
        ("route", "x"): 15,
        ("route", "y"): 10,
    }


def test_editions_of_one_half_year_say_the_same_of_groups_whatever_comes_in(
    tracked: Tracked,
) -> None:
    connection, sql = tracked
    stated: Stated = [("a" if n % 2 else "b", "x" if n < 18 else "y") for n in range(29)]
    before = fairness(tracked, [*stated, (None, "y")])
    add_answers(connection, [("a", None)], "2026-01-02", first=29)
    add_rating(connection, 29, "2026-01-10", is_at_target=False, known_at="2026-01-11")
    add_rating(connection, 3, "2025-11-30", is_at_target=True, known_at="2026-01-11")
    assert told_now(connection, sql) == before
    connection.execute("update build.staging.stg_build_input set as_of = date '2026-07-01'")
    after = told_now(connection, sql)
    connection.execute("update build.staging.stg_build_input set as_of = date '2026-02-21'")
    assert (before[("kin", "a")][0], after[("kin", "a")][0]) == (10, 15)
