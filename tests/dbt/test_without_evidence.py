"""A school with a roster and a plan and no evidence yet: nothing fails, nothing is made up."""

from __future__ import annotations

import duckdb
import pytest

from tests.dbt.conftest import Built, dbt
from tests.dbt.histories import EVIDENCE
from tests.warehouses import copied, opened

BELIEFS = "statistics_propagation"
"""The optimizer of DuckDB that takes what it knows of a table for what a join with it gives."""


@pytest.fixture(scope="module")
def empty(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("empty")
    warehouse = copied(built.warehouse, folder)
    with opened(warehouse, read_only=False) as connection:
        for table in (*EVIDENCE, "intake_record", "receipt"):
            connection.execute(f"delete from raw.{table}")
    return dbt(
        warehouse,
        folder / "target",
        "build",
        "--full-refresh",
        "--exclude-resource-type",
        "unit_test",
    )


def test_every_data_test_passes(empty: Built) -> None:
    assert empty.exit_code == 0, empty.output


def test_every_learner_has_cells_and_no_status_above_not_enough_evidence(empty: Built) -> None:
    assert empty.query("select count(*) from marts.fct_evidence") == [(0,)]
    assert empty.query("select distinct status from marts.portfolio_competency_status") == [
        ("not_enough_evidence",)
    ]


def test_no_query_rests_on_what_the_engine_believes_of_empty_tables(empty: Built) -> None:
    queries = {
        node["name"]: node["compiled_code"]
        for node in empty.nodes("model", "test")
        if node.get("compiled_code")
    }
    assert len(queries) > 300
    with opened(empty.warehouse) as connection:
        differing = [name for name, sql in queries.items() if differs(connection, sql)]
    assert differing == []


def differs(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Tell whether a query gives other rows without that optimizer."""
    rows = []
    for disabled in ("", BELIEFS):
        connection.execute("set disabled_optimizers = ?", [disabled])
        rows.append(sorted(map(repr, connection.execute(sql).fetchall())))
    connection.execute("set disabled_optimizers = ''")
    return rows[0] != rows[1]
