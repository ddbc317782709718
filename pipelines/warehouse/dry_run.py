"""What changed rules would move: the standing build, judged once more on a copy of the warehouse.

Nothing in the home changes. The copy holds the same evidence; only the rules are others, and only
what follows from rules is built again, with the data tests that read any of it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from pipelines.home import Home
from pipelines.rules import Catalogue
from pipelines.rules.model import RuleSet
from pipelines.settings import Settings
from pipelines.warehouse.build import (
    NO_UNIT_TESTS,
    BuildError,
    build_on,
    finished_build,
    listed,
    note_inputs,
)
from pipelines.warehouse.connection import MARTS, WarehouseError, copy_warehouse, open_warehouse
from pipelines.warehouse.dbt_project import (
    Artefacts,
    NodeResult,
    project_folder,
    target_folder,
)
from pipelines.warehouse.inputs import BuildInputs, code_version
from pipelines.warehouse.load import replace_rules
from pipelines.warehouse.raw_rows import number
from pipelines.warehouse.raw_schema import refuse_earlier_shape

PATIENCE = 60.0
BEFORE = "before"
AFFECTED: tuple[str, ...] = ("source:tessera.raw.rule_set+", "source:tessera.raw.ai_policy_level+")
"""What is built again: everything that follows from the rules, tests included.

dbt counts a test among what follows from each model that it reads, so that a test is run where any
of what it reads was built again, and `--indirect-selection` has nothing to add.
"""
OF_THE_DAY = "source:tessera.raw.build_input+"
"""What is built again where another day is judged."""


@dataclass(frozen=True)
class Compared:
    """How the rows of a mart are compared.

    Attributes:
        key: what names a row.
        moved: what counts as moved when it differs.
    """

    key: tuple[str, ...]
    moved: tuple[str, ...]


COMPARED = {
    "portfolio_competency_status": Compared(
        ("learner_key", "programme_id", "stage_id", "competency_id", "rule_set_id"),
        ("status", "status_reason"),
    ),
    "portfolio_signal": Compared(
        ("signal_id", "learner_key", "programme_id", "rule_id", "competency_id", "task_id"),
        ("sentence", "severity", "due_on"),
    ),
    "committee_agenda": Compared(("learner_key", "programme_id"), ("agenda_group", "reasons")),
}
"""The marts in which people would see the change."""


@dataclass(frozen=True)
class Move:
    """One row that changed rules would move.

    Attributes:
        table: the mart.
        key: which row.
        before: what it says now; None where there is no such row.
        after: what it would say; None where there would be none.
    """

    table: str
    key: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def moved(self) -> tuple[str, ...]:
        """Return the fields that count as moved: all of them where one side has no row."""
        fields = COMPARED[self.table].moved
        if self.before is None or self.after is None:
            return fields
        return tuple(field for field in fields if self.before[field] != self.after[field])

    @property
    def is_reworded(self) -> bool:
        """Return whether a status stays, and its reason would read otherwise."""
        return self.moved == ("status_reason",)


@dataclass(frozen=True)
class ThresholdChange:
    """One threshold that another value would take the place of.

    Attributes:
        rule_set: the rule set, of which a version is in force before and after.
        stage: the stage that the rule is for; None where it is for all.
        rule: the rule.
        name: the threshold.
        before: its value now; None where there is no such threshold.
        after: its value then; None where there would be none.
    """

    rule_set: str
    stage: str | None
    rule: str
    name: str
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True)
class DryRun:
    """What changed rules would move.

    Attributes:
        as_of: the day that both sides are judged on.
        versions: rule sets of which another version would be in force, with both versions; those
            whose version stays while what it says changes; and AI policies of which a level
            changes, with all their versions.
        moves: every row that would move, by table and key.
        n_rows: how many rows were compared, by table; those not built under these rules are left
            out.
        n_passed: data tests of what was built again that pass.
        n_not_run: data tests that a run would not come to, since what they read fails before.
        warnings: data tests that fail and only warn.
        failures: what a run with these rules would stop at: data tests, or models.
    """

    as_of: date
    versions: dict[str, tuple[str | None, str | None]]
    thresholds: tuple[ThresholdChange, ...]
    later: tuple[RuleSet, ...]
    moves: tuple[Move, ...]
    n_rows: dict[str, int]
    n_passed: int
    n_not_run: int
    warnings: tuple[NodeResult, ...]
    failures: tuple[NodeResult, ...]

    @property
    def not_built(self) -> tuple[str, ...]:
        """Return the marts of which nothing can be told: a model before them fails."""
        return tuple(table for table in COMPARED if table not in self.n_rows)

    @property
    def n_reworded(self) -> int:
        """Return how many statuses stay, with a reason that would read otherwise."""
        return sum(move.is_reworded for move in self.moves)

    @property
    def learners(self) -> tuple[str, ...]:
        """Return the learners of whom something would move."""
        return tuple(sorted({str(move.key["learner_key"]) for move in self.moves}))

    def of(self, table: str) -> list[Move]:
        """Return the moves of one mart."""
        return [move for move in self.moves if move.table == table]


def rules_diff(
    home: Home, settings: Settings, rules: Catalogue, as_of: date | None = None
) -> DryRun:
    """Tell what the standing build would say under other rules.

    Args:
        home: whose build; it stays as it is.
        settings: memory and threads.
        rules: the rule sets and AI policies that would count.
        as_of: judge both sides on this day instead of that of the build.

    Raises:
        WarehouseError: there is no finished build, or another version made it.
        BuildError: dbt could not start, or the day cannot be judged by the rules that stand.
        HomeError: another process is writing to the home.
    """
    inputs = finished_build(home)
    if inputs is None:
        raise WarehouseError("there is no finished build to compare with: run `tessera run`")
    if inputs.code_version != code_version(project_folder()):
        raise WarehouseError("another version of Tessera made this build: run `tessera run` first")
    affected = AFFECTED
    day = as_of or inputs.as_of
    with _copy_of(home) as scratch, open_warehouse(scratch, settings) as con:
        refuse_earlier_shape(con)
        if day != inputs.as_of:
            _judge_on(con, scratch, settings, inputs.model_copy(update={"as_of": day}))
            affected = (*AFFECTED, OF_THE_DAY)
        _keep_before(con)
        replace_rules(con, rules)
        results, made = _build_again(scratch, settings, affected)
        tables = [table for table in COMPARED if table in made]
        return DryRun(
            as_of=day,
            versions=_versions(con),
            thresholds=_thresholds(con),
            later=_later(rules, inputs.rules_on or day),
            moves=tuple(move for table in tables for move in _moves(con, table)),
            n_rows={
                table: number(con, f"select count(*) from {BEFORE}.{table}") for table in tables
            },
            n_passed=sum(result.status == "pass" for result in results),
            n_not_run=sum(
                result.resource_type == "test" and result.status == "skipped" for result in results
            ),
            warnings=tuple(result for result in results if result.status == "warn"),
            failures=tuple(result for result in results if result.is_failing),
        )


def _judge_on(
    con: duckdb.DuckDBPyConnection, scratch: Home, settings: Settings, inputs: BuildInputs
) -> None:
    """Judge another day by the rules that stand."""
    note_inputs(con, inputs)
    try:
        build_on(scratch, settings, "run")
    except BuildError as error:
        if not error.failures:
            raise
        raise BuildError(
            f"the rules that stand cannot judge {inputs.as_of}, name another day:\n"
            f"{listed(error.failures)}",
            error.failures,
        ) from None


def _build_again(
    scratch: Home, settings: Settings, affected: tuple[str, ...]
) -> tuple[list[NodeResult], frozenset[str]]:
    """Build and test as a run does; return what became of each node, and the models made.

    A run leaves out what follows from a failing test. What would move is told all the same, so that
    it is built then without tests.
    """
    try:
        build_on(scratch, settings, "build", *NO_UNIT_TESTS, "--select", *affected)
        results = built = _results(scratch)
    except BuildError as error:
        if not error.failures:
            raise
        results = _results(scratch)
        with suppress(BuildError):
            build_on(scratch, settings, "run", "--select", *affected)
        built = _results(scratch)
    return results, frozenset(result.name for result in built if result.status == "success")


def _results(scratch: Home) -> list[NodeResult]:
    return Artefacts(target_folder(scratch)).results()


@contextmanager
def _copy_of(home: Home) -> Iterator[Home]:
    """Give a home that has a copy of the warehouse and nothing else."""
    folder = Path(tempfile.mkdtemp(prefix=".dry-run-", dir=home.root))
    try:
        scratch = Home.open(folder)
        with home.writing(timeout=PATIENCE):
            copy_warehouse(home, scratch)
            if target_folder(home).exists():
                shutil.copytree(target_folder(home), target_folder(scratch))
        yield scratch
    finally:
        shutil.rmtree(folder)


def _keep_before(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"drop schema if exists {BEFORE} cascade")
    con.execute(f"create schema {BEFORE}")
    for table in COMPARED:
        con.execute(f"create table {BEFORE}.{table} as select * from {MARTS}.{table}")
    con.execute(
        f"create table {BEFORE}.rules as "
        "select * exclude (words, title) from intermediate.int_rules__chosen"
    )
    con.execute(f"create table {BEFORE}.ai_policies as {_AI_POLICIES}")


def _versions(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str | None, str | None]]:
    """Return rule sets in force that differ in any threshold or in their version, and AI policies.

    An AI policy counts on the day of the evidence, so every version of one that differs is named.
    """
    rows = con.execute(
        f"""
        with
        now_in_force as (select * exclude (words, title) from intermediate.int_rules__chosen),
        differing as (
            (from {BEFORE}.rules except from now_in_force)
            union all
            (from now_in_force except from {BEFORE}.rules)
        ),
        policies_before as (from {BEFORE}.ai_policies except {_AI_POLICIES}),
        policies_after as ({_AI_POLICIES} except from {BEFORE}.ai_policies),
        differing_policies as (
            select ai_policy_scale from policies_before
            union
            select ai_policy_scale from policies_after
        ),
        policies as (
            select distinct ai_policy_scale, ai_policy_scale_version as before, null as after
            from {BEFORE}.ai_policies
            union all
            select distinct ai_policy_scale, null, ai_policy_scale_version
            from raw.ai_policy_level
        )
        select
            rule_set_id as name,
            (select max(rule_version) from {BEFORE}.rules as r where r.rule_set_id = d.rule_set_id),
            (select max(rule_version) from now_in_force as r where r.rule_set_id = d.rule_set_id)
        from (select distinct rule_set_id from differing) as d
        union all
        select
            ai_policy_scale,
            string_agg(before, ', ' order by before),
            string_agg(after, ', ' order by after)
        from policies
        join differing_policies using (ai_policy_scale)
        group by ai_policy_scale
        order by name
        """
    ).fetchall()
    return {name: (before, after) for name, before, after in rows}


def _thresholds(con: duckdb.DuckDBPyConnection) -> tuple[ThresholdChange, ...]:
    """Return thresholds that would have another value, of rule sets in force on both sides."""
    rows = con.execute(
        f"""
        select
            coalesce(b.rule_set_id, a.rule_set_id) as rule_set_id,
            coalesce(b.stage_id, a.stage_id) as stage_id,
            coalesce(b.rule_id, a.rule_id) as rule_id,
            coalesce(b.threshold_name, a.threshold_name) as threshold_name,
            b.threshold_value,
            a.threshold_value
        from {BEFORE}.rules as b
        full join intermediate.int_rules__chosen as a
            on b.rule_set_id = a.rule_set_id
            and b.stage_id is not distinct from a.stage_id
            and b.rule_id = a.rule_id
            and b.threshold_name is not distinct from a.threshold_name
        where
            b.threshold_value is distinct from a.threshold_value
            and coalesce(b.rule_set_id, a.rule_set_id) in (select rule_set_id from {BEFORE}.rules)
            and coalesce(b.rule_set_id, a.rule_set_id)
            in (select rule_set_id from intermediate.int_rules__chosen)
        order by all
        """
    ).fetchall()
    return tuple(ThresholdChange(*row) for row in rows)


def _later(rules: Catalogue, day: date) -> tuple[RuleSet, ...]:
    """Return rule sets of the site that begin after a day; AI policies count by the evidence's."""
    of_site = (entry for entry in rules.rule_sets if entry in rules.of_site)
    return tuple(entry for entry in of_site if entry.begins_on > day)


def _moves(con: duckdb.DuckDBPyConnection, table: str) -> list[Move]:
    compared = COMPARED[table]
    key, values = compared.key, compared.moved
    joined = " and ".join(f"b.{name} is not distinct from a.{name}" for name in key)
    differs = " or ".join(f"b.{name} is distinct from a.{name}" for name in compared.moved)
    found = con.execute(
        f"""
        select
            {", ".join(f"coalesce(a.{name}, b.{name}) as {name}" for name in key)},
            b.learner_key is not null,
            a.learner_key is not null,
            {", ".join(f"b.{name}, a.{name}" for name in values)}
        from {BEFORE}.{table} as b
        full join {MARTS}.{table} as a on {joined}
        where {differs}
        order by {", ".join(str(n) for n in range(1, len(key) + 1))}
        """
    ).fetchall()
    return [_move(table, key, values, row) for row in found]


def _move(table: str, key: tuple[str, ...], values: tuple[str, ...], row: tuple[Any, ...]) -> Move:
    was, will_be, *pairs = row[len(key) :]
    return Move(
        table,
        key=dict(zip(key, row, strict=False)),
        before=dict(zip(values, pairs[0::2], strict=True)) if was else None,
        after=dict(zip(values, pairs[1::2], strict=True)) if will_be else None,
    )


_AI_POLICIES = "select * exclude (is_of_site) from raw.ai_policy_level"
