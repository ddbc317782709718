"""A status and a signal come out the same from nothing but what they name.

For statuses and signals picked at random from an edition, an empty warehouse is filled with the
records that they name, with reference data (people, stages, plans, tasks, codes), the rule sets
and the calibration, and built again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.home import Home, marts_beside
from pipelines.warehouse.connection import attach
from pipelines.warehouse.raw_schema import create_raw
from tests.dbt.conftest import dbt
from tests.warehouses import opened

N_EACH = 40
MANY_OF_A_RULE = 6
EVIDENCE = (
    "workplace_assessment",
    "exam_result",
    "exam_response",
    "ai_use_declaration",
    "reflection",
    "meeting_note",
    "action",
    "decision",
)
"""Kinds that hold evidence: of these only named records go into the empty warehouse."""
PARTS = """
    record_key in (
        select part.record_key
        from whole_marts.fct_exam_response as part
        join whole_marts.fct_evidence as exam
            using (learner_key, programme_id, task_id, sitting_id, attempt)
        where exam.evidence_id in (select evidence_id from named)
    )
"""
"""What a named exam consists of is part of it."""
STATUS = (
    "learner_key",
    "stage_id",
    "competency_id",
    "rule_set_id",
    "rule_version",
    "status",
    "status_reason",
    "evidence_ids",
)
SIGNAL = (
    "signal_id",
    "learner_key",
    "rule_id",
    "rule_set_id",
    "rule_version",
    "severity",
    "competency_id",
    "task_id",
    "sentence",
    "evidence_ids",
    "raised_on",
    "due_on",
)
RAISED = (
    "learner_key",
    "rule_id",
    "competency_id",
    "task_id",
    "sentence",
    "evidence_ids",
    "raised_on",
    "due_on",
)
"""A signal before few are chosen: which others a learner has is not what it rests on."""
MORE = " The same holds for "
"""Counts further signals of the rule, which rest on records of their own."""
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Explained:
    """Statuses and signals as an edition's build has them."""

    warehouse: Path

    def rows(
        self, table: str, columns: tuple[str, ...], where: str = "true", schema: str = "marts"
    ) -> list[Any]:
        with opened(self.warehouse) as con:
            found = con.execute(
                f"select {', '.join(columns)} from {schema}.{table} where {where} order by all"
            ).fetchall()
        return [
            tuple(
                value.split(MORE)[0] if isinstance(value, str) and MORE in value else value
                for value in row
            )
            for row in found
        ]


@pytest.fixture(scope="module")
def whole(school_home: Home) -> Explained:
    return Explained(school_home.warehouse)


def picked(rows: list[Any], n: int) -> list[Any]:
    return random.Random(20261126).sample(rows, min(n, len(rows)))


def of_every_rule(signals: list[Any]) -> list[Any]:
    rule = SIGNAL.index("rule_id")
    return [
        row
        for name in sorted({row[rule] for row in signals})
        for row in picked([row for row in signals if row[rule] == name], MANY_OF_A_RULE)
    ]


def rebuilt_from(whole: Explained, ids: set[str], actions: set[str], folder: Path) -> Explained:
    """Build a warehouse that holds reference data, rules, calibration and these records only."""
    warehouse = folder / "build.duckdb"
    with duckdb.connect(str(warehouse)) as con:
        create_raw(con)
        con.execute(f"attach '{whole.warehouse}' as whole (read_only)")
        attach(con, marts_beside(whole.warehouse), "whole_marts", read_only=True)
        con.execute("create temp table named as select unnest(?) as evidence_id", [sorted(ids)])
        con.execute("create temp table agreed as select unnest(?) as record_key", [sorted(actions)])
        tables = con.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw' "
            "and database_name = 'whole'"
        ).fetchall()
        for (table,) in tables:
            condition = "true"
            if table in EVIDENCE:
                condition = (
                    "'E-' || upper(left(record_key, 12)) in (select evidence_id from named) "
                    "or record_key in (select record_key from agreed)"
                )
            if table == "exam_response":
                condition = PARTS
            con.execute(f'delete from raw."{table}"')
            con.execute(
                f'insert into raw."{table}" by name select * from whole.raw."{table}" '
                f"where {condition}"
            )
    done = dbt(warehouse, folder / "target", "build", "--resource-type", "model", "seed")
    assert done.exit_code == 0, done.output[-3000:]
    return Explained(warehouse)


def test_statuses_and_signals_come_out_the_same_from_the_records_that_they_name(
    whole: Explained, tmp_path: Path
) -> None:
    statuses = picked(whole.rows("portfolio_competency_status", STATUS), N_EACH)
    told = whole.rows("portfolio_signal", SIGNAL)
    signals = of_every_rule(told)
    assert len(statuses) == N_EACH
    assert len({row[SIGNAL.index("rule_id")] for row in signals}) >= 6
    chosen = ", ".join(f"'{row[0]}'" for row in signals)
    actions = whole.rows(
        "portfolio_signal",
        ("action_record_key",),
        f"action_record_key is not null and signal_id in ({chosen})",
    )
    ids = {
        evidence_id
        for row, columns in [*((s, STATUS) for s in statuses), *((s, SIGNAL) for s in signals)]
        for evidence_id in row[columns.index("evidence_ids")]
    }
    alone = rebuilt_from(whole, ids, {key for (key,) in actions}, tmp_path)
    again = alone.rows("portfolio_competency_status", STATUS)
    assert [row for row in statuses if row not in again] == []
    raised = alone.rows("int_signals__dated", RAISED, schema="intermediate")
    wanted = [tuple(row[SIGNAL.index(name)] for name in RAISED) for row in signals]
    assert [row for row in wanted if row not in raised] == []
    versions = ("rule_set_id", "rule_version")
    assert {row[-2:] for row in alone.rows("portfolio_signal", ("rule_id", *versions))} == {
        row[-2:] for row in whole.rows("portfolio_signal", ("rule_id", *versions))
    }


def test_every_status_and_signal_names_its_rule_its_version_and_what_it_rests_on(
    whole: Explained,
) -> None:
    nothing_to_name = "('no_evidence', 'action_overdue')"
    assert (
        whole.rows(
            "portfolio_signal",
            ("signal_id",),
            f"len(evidence_ids) = 0 and rule_id not in {nothing_to_name}",
        )
        == []
    )
    unexplained = "rule_version is null or status_reason is null"
    unnamed = "(n_data_points > 0) <> (len(evidence_ids) > 0)"
    assert (
        whole.rows("portfolio_competency_status", ("learner_key",), f"{unexplained} or {unnamed}")
        == []
    )
