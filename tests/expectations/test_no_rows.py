from __future__ import annotations

from typing import Any

from sqlalchemy import event

from expectations.engine import Engine
from expectations.no_rows import ExpectNoRows
from expectations.registry import Suite, promise


def odd_numbers(query: str) -> Suite:
    return Suite(
        "numbers",
        "select * from range(5) as t (n)",
        (
            promise(
                ExpectNoRows,
                rule="numbers.even",
                severity="critical",
                owner="o",
                words="All are even.",
                broken="{observed} are odd.",
                unexpected_rows_query=query,
            ),
        ),
    )


def test_rows_that_should_not_be_are_counted(engine: Engine) -> None:
    (found,) = engine.validate([odd_numbers("select n from {batch} where n % 2 = 1")])
    assert (found.is_kept, found.sentence) == (False, "2 are odd.")
    (found,) = engine.validate([odd_numbers("select n from {batch} where n > 4")])
    assert (found.is_kept, found.sentence) == (True, "All are even.")


def test_rows_that_should_not_be_are_looked_for_once(engine: Engine) -> None:
    run: list[str] = []

    def note(_con: Any, _cursor: Any, statement: str, *_: Any) -> None:
        run.append(statement)

    database = engine.context.data_sources.get("duckdb").get_execution_engine().engine
    event.listen(database, "before_cursor_execute", note)
    try:
        engine.validate([odd_numbers("select n from {batch} where n % 2 = 1")])
    finally:
        event.remove(database, "before_cursor_execute", note)
    assert len([statement for statement in run if "n % 2 = 1" in statement]) == 1


def test_a_query_that_fails_breaks_the_promise(engine: Engine) -> None:
    (found,) = engine.validate([odd_numbers("select gone from {batch}")])
    assert not found.is_kept
    assert found.sentence.startswith("Could not be judged")
