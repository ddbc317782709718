"""Runs suites in DuckDB: one Great Expectations context and one in-memory database a process.

Expectations are pushed down as SQL over query assets; no row leaves DuckDB. Files and databases are
read where they lie, read-only, so that no lock is taken that a writer would miss.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import great_expectations as gx
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.data_context.types.base import ProgressBarsConfig
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expectations import dialect
from expectations.outcome import Finding
from expectations.registry import Suite
from pipelines.ending import end_quietly
from pipelines.errors import first_line
from pipelines.sql import literal

LONGEST_REASON = 300
"""So many characters are told of why an expectation could not be judged."""

NO_VALUES = {"result_format": "BASIC", "partial_unexpected_count": 0}
"""Counts only: values of records must not reach results, logs or Data Docs."""

SUBJECT = "subject"
"""A view on the data in question. Adding an asset for each suite would cost more than judging it,
since Great Expectations writes its whole configuration down every time."""

SUMMED_UP = "summed_up"
"""A table of the few rows of a suite that sums many up."""

UNJUDGED = "Could not be judged, which counts as broken: "

_LOG = logging.getLogger("great_expectations")
_LOG.propagate = False
_LOG.addHandler(logging.NullHandler())


atexit.register(end_quietly)


class Engine:
    """A place to run suites in; close it, or use it in a `with` block.

    Args:
        memory_limit: how much memory DuckDB may use, as it writes that.
        threads: how many threads.
        spill: the folder for what does not fit into memory; without one, that is an error.
    """

    def __init__(
        self, memory_limit: str = "1GB", threads: int = 2, spill: Path | None = None
    ) -> None:
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = ProgressBarsConfig(globally=False)
        config = {
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": "" if spill is None else str(spill),
        }
        self._source = self._context.data_sources.add_sql(  # type: ignore[call-arg]
            "duckdb",
            connection_string=f"duckdb+{dialect.NAME.rpartition('.')[2]}:///:memory:",
            create_temp_table=False,
            kwargs={"connect_args": {"config": config}},
        )
        self._engine = self._source.get_execution_engine().engine
        self._subject = self._source.add_query_asset(
            SUBJECT, query=f"select * from {SUBJECT}"
        ).add_batch_definition_whole_table("all")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @property
    def context(self) -> Any:
        """Return the Great Expectations context."""
        return self._context

    def attach(self, database: Path, name: str) -> None:
        """Attach a DuckDB file, read-only."""
        self.execute(f"attach {literal(database)} as {name} (read_only)")

    def detach(self, name: str) -> None:
        """Let go of an attached file."""
        self.execute(f"detach {name}")

    def execute(self, statement: str) -> None:
        """Run a statement."""
        with self._engine.connect() as connection:
            connection.execute(text(statement.replace(":", "\\:")))

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query.replace(":", "\\:")))]

    def validate(self, suites: Iterable[Suite]) -> list[Finding]:
        """Return a finding for every promise of the suites, in order."""
        return [finding for suite in suites for finding in self._validate(suite)]

    def _validate(self, suite: Suite) -> list[Finding]:
        if not suite.expectations:
            return []
        try:
            self._look_at(suite)
        except DBAPIError as error:
            return _unjudged(suite, error)
        result = self._subject.get_batch().validate(as_gx(suite), result_format=NO_VALUES)
        return findings_of(suite, result)

    def _look_at(self, suite: Suite) -> None:
        query = suite.query
        if suite.is_summed_up:
            self.execute(f"create or replace table {SUMMED_UP} as {query}")
            query = f"select * from {SUMMED_UP}"
        self.execute(f"create or replace view {SUBJECT} as {query}")

    def batch_definition(self, suite: Suite) -> Any:
        """Return the data of a suite under its own name, for Data Docs."""
        asset = self._source.add_query_asset(suite.name, query=f"select * from ({suite.query})")
        return asset.add_batch_definition_whole_table("all")


def as_gx(suite: Suite) -> gx.ExpectationSuite:
    """Return a suite as Great Expectations knows it."""
    return gx.ExpectationSuite(name=suite.name, expectations=list(suite.expectations))


def findings_of(suite: Suite, result: ExpectationSuiteValidationResult) -> list[Finding]:
    """Return what came of a suite, in the order of its promises."""
    order = {item.meta["rule"]: n for n, item in enumerate(suite.expectations) if item.meta}
    found = [_finding(suite.name, item) for item in result.results]
    return sorted(found, key=lambda finding: order[finding.rule])


def _unjudged(suite: Suite, error: Exception) -> list[Finding]:
    return [
        Finding(
            rule=item.meta["rule"],
            suite=suite.name,
            is_kept=False,
            severity=item.severity.value,
            owner=item.meta["owner"],
            sentence=UNJUDGED + first_line(error)[:LONGEST_REASON],
        )
        for item in suite.expectations
        if item.meta
    ]


def _finding(suite: str, result: ExpectationValidationResult) -> Finding:
    config = result.expectation_config
    assert config is not None  # noqa: S101  (only results of metrics have none)
    meta: Mapping[str, Any] = config.meta or {}
    return Finding(
        rule=meta["rule"],
        suite=suite,
        is_kept=bool(result.success),
        severity=config.severity.value,
        owner=meta["owner"],
        sentence=_sentence(result, meta),
    )


def _sentence(result: ExpectationValidationResult, meta: Mapping[str, Any]) -> str:
    if result.success:
        return str(meta["words"])
    failure = _failure(result.exception_info)
    if failure is not None:
        return UNJUDGED + failure
    numbers = result.result
    return str(meta["broken"]).format(
        observed=_Number(numbers.get("observed_value")),
        unexpected=_Number(numbers.get("unexpected_count")),
        n=_Number(numbers.get("element_count")),
    )


class _Number:
    """A number of a sentence, and the words that follow it.

    `{n}` gives the number, `{n:row is|rows are}` the number with the words that fit it, and
    `{n:|is|are}` those words alone.
    """

    def __init__(self, value: Any) -> None:
        self._value = value

    def __format__(self, spec: str) -> str:
        number = _number(self._value)
        if not spec:
            return number
        *before, one, many = spec.split("|")
        words = one if self._value == 1 else many
        return words if before else f"{number} {words}"


def _failure(info: Mapping[str, Any] | None) -> str | None:
    """Return the first line of what went wrong inside an expectation, if anything did."""
    for item in (info, *(info or {}).values()):
        if isinstance(item, Mapping) and item.get("raised_exception"):
            return first_line(item.get("exception_message", ""))[:LONGEST_REASON]
    return None


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
