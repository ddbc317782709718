"""Every data test is seen to fail on data that break its rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt import breakers
from tests.dbt.conftest import Built, dbt
from tests.warehouses import opened


def failures(connection: duckdb.DuckDBPyConnection, test: dict[str, Any]) -> int:
    """Count failures as dbt does: by the SQL that dbt compiled."""
    sql = f"select {test['config']['fail_calc']} from ({test['compiled_code']}) as found"
    return int(connection.execute(sql).fetchall()[0][0])


def breaker(test: dict[str, Any], manifest: dict[str, Any]) -> str | None:
    written = breakers.written().get(test["name"])
    if written or not test.get("test_metadata"):
        return written
    return breakers.automatic(test, manifest["nodes"])


@pytest.mark.slow
def test_every_data_test_fails_on_data_that_break_it(
    built: Built, writable: Path, manifest: dict[str, Any]
) -> None:
    unseen = []
    with opened(writable, read_only=False) as connection:
        for test in built.nodes("test"):
            sql = breaker(test, manifest)
            if sql is None:
                unseen.append(f"{test['name']} has no breaker")
                continue
            connection.begin()
            connection.execute(sql)
            if failures(connection, test) == 0:
                unseen.append(f"{test['name']} still passes after: {sql}")
            connection.rollback()
    assert unseen == []


def test_every_breaker_breaks_a_test_that_is_there(built: Built) -> None:
    assert set(breakers.written()) - {test["name"] for test in built.nodes("test")} == set()


@pytest.mark.slow
def test_a_broken_invariant_stops_the_build_and_names_the_test(
    built: Built, writable: Path, tmp_path: Path
) -> None:
    with opened(writable, read_only=False) as connection:
        connection.execute(breakers.written()["a_pseudonym_is_one_person_in_a_role"])
    broken = dbt(writable, tmp_path / "target", "build")
    assert broken.exit_code == 1
    assert "a_pseudonym_is_one_person_in_a_role" in broken.output
