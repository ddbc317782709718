"""In a build that keeps, tests leave out what the last finished build tested, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.warehouse.kept import keep
from tests.dbt.conftest import Built, dbt
from tests.dbt.raw_builder import pseudonym
from tests.dbt.test_breakers import failures
from tests.warehouses import copied, opened

UNIQUE = {"unique", "unique_combination"}
SAME_LEARNER = "assert_evidence_ids_lead_to_evidence_of_the_same_learner"
ONE_CELL = "assert_evidence_is_in_one_cell_of_each_rule_set"
ACCEPTED = "assert_every_accepted_record_is_evidence"
ROSTER = "relationships_fct_evidence_learner_key__learner_key__ref_dim_learner_"
WARNS = "no_mark_is_above_the_greatest"
EVIDENCE, TIMELINE = "unique_fct_evidence_evidence_key", "unique_portfolio_timeline_event_key"
COMMENTS = "unique_combination_portfolio_narrative_learner_key__comment_key"
STAYED, MOVED = "L-ana", "L-ben"


@dataclass(frozen=True)
class Night:
    """A warehouse in which one learner moved since the last finished build, and its tests."""

    warehouse: Path
    kept: dict[str, dict[str, Any]]
    """Tests as they are in a build that keeps."""
    full: dict[str, dict[str, Any]]
    """Tests as they are in a build from nothing."""


def named(built: Built) -> list[str]:
    """Return the tests of kept models, and those of the project that read them."""
    nodes = built.manifest["nodes"]
    of_kept = [
        test["name"]
        for test in built.nodes("test")
        if nodes.get(test.get("attached_node"), {}).get("config", {}).get("materialized")
        == "incremental"
    ]
    return [*of_kept, SAME_LEARNER, ONE_CELL, ACCEPTED]


@pytest.fixture(scope="module")
def night(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("night")
    warehouse = copied(built.warehouse, folder)
    with opened(warehouse, read_only=False) as connection:
        keep(connection, "test")
        for scope in ("evidence", "portfolio", "narratives", "timeline"):
            connection.execute(
                f"update intermediate.int_{scope}__fingerprinted set is_moved = learner_key = ?",
                [MOVED],
            )
    names = named(built)

    def compiled(kind: str, *options: str) -> dict[str, dict[str, Any]]:
        done = dbt(warehouse, folder / kind, "build", *options, "--select", *names)
        assert done.exit_code == 0, done.output
        return {test["name"]: test for test in done.nodes("test") if test["name"] in names}

    return Night(warehouse, compiled("kept"), compiled("full", "--full-refresh"))


@pytest.fixture
def connection(night: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of the night; what a test breaks in it is taken back."""
    with opened(night.warehouse, read_only=False) as connection:
        connection.begin()
        yield connection
        connection.rollback()


def test_only_tests_of_uniqueness_and_of_ids_leave_anything_out(night: Night) -> None:
    left_out = {
        name
        for name, test in night.kept.items()
        if test["compiled_code"] != night.full[name]["compiled_code"]
    }
    unique = {
        name
        for name, test in night.kept.items()
        if (test.get("test_metadata") or {}).get("name") in UNIQUE
    }
    assert left_out == unique | {SAME_LEARNER, ONE_CELL}
    assert {night.kept[name]["config"]["severity"].lower() for name in left_out} == {"error"}
    assert unique


def test_nothing_is_left_out_of_a_full_build(night: Night) -> None:
    assert not [n for n, test in night.full.items() if "is_moved" in test["compiled_code"]]


def doubled(mart: str) -> str:
    """A row of a learner comes twice."""
    return f"insert into marts.{mart} from marts.{mart} where learner_key = '{{whose}}' limit 1"


def strange(mart: str, change: str) -> str:
    """Rows of a learner name evidence that nobody has."""
    return f"update marts.{mart} set {change} where learner_key = '{{whose}}'"


@pytest.mark.parametrize(
    ("name", "breaker"),
    [
        (EVIDENCE, doubled("fct_evidence")),
        (TIMELINE, doubled("portfolio_timeline")),
        (COMMENTS, doubled("portfolio_narrative")),
        (SAME_LEARNER, strange("portfolio_competency_method", "evidence_ids = ['E-0']")),
        (SAME_LEARNER, strange("portfolio_narrative", "evidence_ids = ['E-0']")),
        (ONE_CELL, strange("fct_evidence", "evidence_id = 'E-0'")),
    ],
)
def test_a_build_that_keeps_finds_what_is_broken_of_who_moved_and_a_full_one_of_everybody(
    night: Night, connection: duckdb.DuckDBPyConnection, name: str, breaker: str
) -> None:
    connection.execute(breaker.format(whose=STAYED))
    assert failures(connection, night.kept[name]) == 0
    assert failures(connection, night.full[name]) > 0
    connection.execute(breaker.format(whose=MOVED))
    assert failures(connection, night.kept[name]) > 0


def test_a_key_that_a_learner_who_moved_shares_with_one_who_did_not_is_found(
    night: Night, connection: duckdb.DuckDBPyConnection
) -> None:
    connection.execute(
        f"""
        update marts.fct_evidence set evidence_key = (
            select min(evidence_key) from marts.fct_evidence where learner_key = '{STAYED}'
        )
        where evidence_key = (
            select min(evidence_key) from marts.fct_evidence where learner_key = '{MOVED}'
        )
        """
    )
    assert failures(connection, night.kept[EVIDENCE]) == 1


OF_NOBODY = """
    alter table marts.fct_evidence alter learner_key drop not null;
    update marts.fct_evidence set learner_key = null, evidence_key = 'one'
    where learner_key = '{whose}'
"""


@pytest.mark.parametrize(
    ("name", "breaker"),
    [
        (EVIDENCE, OF_NOBODY),
        (SAME_LEARNER, strange("portfolio_competency_status", "evidence_ids = ['E-0']")),
        (SAME_LEARNER, strange("portfolio_assurance", "evidence_ids = ['E-0']")),
        (ONE_CELL, strange("portfolio_competency_status", "evidence_ids = []")),
        (ONE_CELL, "delete from marts.portfolio_competency_status where learner_key = '{whose}'"),
        (ONE_CELL, doubled("portfolio_competency_status").replace("limit 1", "and is_default")),
        (ACCEPTED, "delete from marts.fct_evidence where learner_key = '{whose}'"),
        (ROSTER, "delete from marts.dim_learner where learner_key = '{whose}'"),
        (WARNS, strange("fct_evidence", "score_share = 1.5")),
    ],
)
def test_what_is_made_anew_is_tested_of_everybody_and_so_are_rows_of_nobody_and_warnings(
    night: Night, connection: duckdb.DuckDBPyConnection, name: str, breaker: str
) -> None:
    connection.execute(breaker.format(whose=STAYED))
    found = failures(connection, night.kept[name])
    assert found == failures(connection, night.full[name]) > 0


@pytest.mark.parametrize("scope", ["cells", "portfolio", "narratives", "timeline"])
def test_a_learner_whom_a_stopped_build_forgot_in_some_scopes_alone_fails_no_test(
    night: Night, connection: duckdb.DuckDBPyConnection, scope: str
) -> None:
    connection.execute(f"update intermediate.int_{scope}__fingerprinted set is_moved = false")
    found = {
        name
        for name, test in night.kept.items()
        if test["config"]["severity"].lower() == "error" and failures(connection, test)
    }
    assert found == set()


def test_a_broken_row_of_a_learner_who_moved_stops_a_build_that_keeps(
    built: Built, tmp_path: Path
) -> None:
    warehouse = copied(built.warehouse, tmp_path)
    with opened(warehouse, read_only=False) as connection:
        keep(connection, "test")
        # Another learner's record gets the key of one who has nothing new.
        connection.execute(
            """
            update raw.workplace_assessment set record_key = (
                select min(record_key) from raw.workplace_assessment
                where present_outcome = 'accepted' and learner_pseudonym = ?
            )
            where record_key = (
                select max(record_key) from raw.workplace_assessment
                where present_outcome = 'accepted' and learner_pseudonym = ?
            )
            """,
            [pseudonym("ana"), pseudonym("ben")],
        )
        connection.execute(
            "update raw.workplace_assessment set competency_id = 'EPA01' where record_key in "
            "(select record_key from raw.workplace_assessment group by all having count(*) > 1)"
        )
    chosen = ("int_evidence__fingerprinted", "fct_evidence")
    done = dbt(warehouse, tmp_path / "target", "build", "--select", *chosen)
    assert done.exit_code == 1
    assert EVIDENCE in done.output
