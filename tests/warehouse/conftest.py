"""A small evidence log, written as intake writes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import segment_schema
from pipelines.home import Home
from pipelines.identity.vault import PERSON_SCHEMA, open_keys, persons_path
from pipelines.intake.records import (
    INTAKE_RECORD,
    IntakeRecord,
    Receipt,
    interpretation_folder,
    write_receipt,
)
from pipelines.settings import Settings
from pipelines.warehouse import tables
from pipelines.warehouse.build import audit_record, build_record
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.dbt_project import target_folder
from pipelines.warehouse.editions import folder_of
from pipelines.warehouse.inputs import BuildInputs
from pipelines.warehouse.publish import publish
from tests.warehouse import small_project

project = small_project.project
shipped_project = small_project.shipped_project

NAMESPACE = "student_number"
DEFAULTS: dict[str, dict[str, Any]] = {
    "exam_result": {
        "task_id": "T1",
        "sitting_id": "S1",
        "attempt": 1,
        "instrument_id": "mcq",
        "result_status": "scored",
        "occurred_at": datetime(2024, 1, 1, tzinfo=UTC),
        "is_banked": False,
    },
    "learner": {},
    "void": {"target_kind": "exam_result"},
}


def digest(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]


def day(number: int) -> datetime:
    return datetime(2024, 3, number, 12, tzinfo=UTC)


class Log:
    """Writes deliveries into the log of a home."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def deliver(
        self,
        name: str,
        *,
        known_at: datetime,
        interpretation: str = "i1",
        status: str = "committed",
        refused: Iterable[dict[str, Any]] = (),
        **kinds: list[dict[str, Any]],
    ) -> str:
        """Write one delivery; `kinds` gives the records of each kind, as stored columns."""
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        delivery_id = f"school-{sha256[:16]}"
        folder = interpretation_folder(self.home, delivery_id, interpretation)
        folder.mkdir(parents=True)
        people: list[dict[str, Any]] = []
        for kind, records in kinds.items():
            frame = self._segment(kind, records, delivery_id, interpretation, known_at, people)
            frame.write_parquet(folder / f"{kind}.parquet")
        pl.DataFrame(
            [{"source_row": 1, "kind": "exam_result", "is_first": True} | row for row in refused],
            schema=REFUSED_SCHEMA,
        ).write_parquet(folder / "refused.parquet")
        pl.DataFrame(schema=NOTES_SCHEMA).write_parquet(folder / "notes.parquet")
        self._write_people(people, delivery_id, interpretation)
        write_receipt(
            self.home,
            Receipt(
                receipt_id=f"{delivery_id}.1",
                delivery_id=delivery_id,
                source_id="school",
                file=f"school/{name}.csv",
                bytes=1,
                sha256=sha256,
                modified_ns=1,
                known_at=known_at,
                received_at=known_at,
                status="received",
            ),
        )
        n_refused = len(list(refused))
        record = IntakeRecord(
            delivery_id=delivery_id,
            interpretation_id=interpretation,
            source_id="school",
            file=f"school/{name}.csv",
            sha256=sha256,
            known_at=known_at,
            interpreted_at=datetime.now(UTC),
            spec_version="s1",
            contract_versions={kind: CONTRACTS[kind].contract_version for kind in kinds},
            status=status,
            owner="assessment_unit",
            source_rows=sum(map(len, kinds.values())),
            rows_read=sum(map(len, kinds.values())),
            accepted_events={kind: len(records) for kind, records in kinds.items()},
            refused=n_refused,
            reasons={},
            notes={},
            check={"verdict": "pass", "results": []},
            created_by_code_version="test",
        )
        (folder / INTAKE_RECORD).write_bytes(record.to_bytes())
        return delivery_id

    def _segment(
        self,
        kind: str,
        records: list[dict[str, Any]],
        delivery_id: str,
        interpretation: str,
        known_at: datetime,
        people: list[dict[str, Any]],
    ) -> pl.DataFrame:
        rows = []
        for number, given in enumerate(records, 1):
            record = {"programme_id": "MED", **DEFAULTS[kind], **given}
            target = record.get("target_kind", kind)
            lineage = {
                "event_id": digest(delivery_id, interpretation, kind, number),
                "record_key": digest(target, record["record_id"]),
                "content_hash": digest(sorted(record.items(), key=str)),
                "source_id": "school",
                "delivery_id": delivery_id,
                "interpretation_id": interpretation,
                "source_row": number,
                "known_at": record.pop("known_at", known_at),
                "contract_version": CONTRACTS[kind].contract_version,
            }
            person = record.pop("person", None)
            if person is not None:
                record["learner_pseudonym"] = self._meet(person, lineage, people)
            rows.append(lineage | record)
        return pl.DataFrame(rows, schema=segment_schema(CONTRACTS[kind]))

    def _meet(self, person: str, lineage: dict[str, Any], people: list[dict[str, Any]]) -> str:
        pseudonym = open_keys(self.home).pseudonym_of(NAMESPACE, person)
        people.append(
            {
                "namespace": NAMESPACE,
                "role": "learner",
                "person_id": person,
                "pseudonym": pseudonym,
                "known_at": lineage["known_at"],
                "event_id": lineage["event_id"],
            }
        )
        return pseudonym

    def _write_people(
        self, people: list[dict[str, Any]], delivery_id: str, interpretation: str
    ) -> None:
        path = persons_path(self.home, delivery_id, interpretation)
        path.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(people, schema=PERSON_SCHEMA).write_parquet(path)


REFUSED_SCHEMA = {
    "source_row": pl.Int64(),
    "source_cell": pl.String(),
    "kind": pl.String(),
    "record_key": pl.String(),
    "code": pl.String(),
    "field": pl.String(),
    "message": pl.String(),
    "value_masked": pl.String(),
    "suggestion": pl.String(),
    "owner": pl.String(),
    "is_first": pl.Boolean(),
}
NOTES_SCHEMA = {
    "event_id": pl.String(),
    "record_key": pl.String(),
    "source_row": pl.Int64(),
    "source_cell": pl.String(),
    "kind": pl.String(),
    "code": pl.String(),
    "field": pl.String(),
    "detail": pl.String(),
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home")


@pytest.fixture
def settings(home: Home) -> Settings:
    return Settings(home=home.root, site=None, memory_limit="1GB", workers=2)


@pytest.fixture
def log(home: Home) -> Log:
    return Log(home)


def inputs(number: int = 1) -> BuildInputs:
    return BuildInputs(
        as_of=date(2026, 2, 21),
        known_at=datetime(2026, 2, 21, tzinfo=UTC),
        time_zone="Europe/Vienna",
        receipts=(f"r{number}",),
        interpretations=("d/i",),
        contract_versions={},
        rule_sets=(),
        calibration_version=None,
        reference_hashes={},
        code_version="test",
    )


def model(name: str, *, schema: str = "marts", enforced: bool = True) -> dict[str, Any]:
    return {
        "unique_id": f"model.small.{name}",
        "name": name,
        "alias": name,
        "resource_type": "model",
        "schema": schema,
        "config": {
            "contract": {"enforced": enforced},
            "materialized": "table",
            "schema": schema,
        },
        "columns": {
            "evidence_id": {"description": "The key.", "data_type": "varchar"},
            "occurred_on": {"description": "The day.", "data_type": "date"},
        },
        "primary_key": ["evidence_id"],
        "description": "A table's description.",
        "group": "evidence",
    }


def candidate(home: Home, settings: Settings, number: int = 1, *, verdict: str = "pass") -> str:
    """Put an audited build into the warehouse, as build and audit leave it."""
    with open_warehouse(home, settings) as con:
        con.execute("create schema if not exists hidden")
        con.execute(
            f"""
            create or replace table marts.fct_evidence as
            select
                'E-' || i as evidence_id, 'k' || i as record_key, i + {number} as level,
                (i / 3)::decimal(18, 6) as score, 'd' as delivery_id, i as source_row,
                null::varchar as source_cell, timestamptz '2026-02-21 10:00:00+00' as occurred_at,
                date '2025-11-20' + i::integer as occurred_on
            from range(100) as r(i)
            """
        )
        con.execute(
            """
            create or replace table marts.portfolio_status as
            select 'L-1' as learner_key, ['E-1', 'E-2'] as evidence_ids, 'developing' as status
            """
        )
        con.execute("create or replace table marts.not_promised as select 1 as x")
        con.execute("create or replace table hidden.fct_demographic as select 1 as x")
    nodes = {
        "a": model("fct_evidence"),
        "b": model("portfolio_status") | {"columns": {}, "primary_key": []},
        "c": model("not_promised", enforced=False),
        "d": model("fct_demographic", schema="hidden"),
        "e": {
            "resource_type": "test",
            "attached_node": "model.small.portfolio_status",
            "test_metadata": {
                "name": "unique_combination",
                "kwargs": {"columns": ["learner_key", "status"]},
            },
        },
    }
    manifest = {"metadata": {"dbt_version": "1.11"}, "nodes": nodes}
    target_folder(home).mkdir(parents=True, exist_ok=True)
    (target_folder(home) / "manifest.json").write_text(json.dumps(manifest))
    made = inputs(number)
    build_record(home).write_text(json.dumps({"inputs": made.model_dump(mode="json")}))
    audit(home, made.build_id, verdict)
    return made.build_id


def say_of_evidence(home: Home, meta: dict[str, Any]) -> None:
    """Let the fact of evidence say something of itself, as its `.yml` would."""
    path = target_folder(home) / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["nodes"]["a"]["patch_path"] = "small://models/fct_evidence.yml"
    manifest["nodes"]["a"]["config"]["meta"] = meta
    path.write_text(json.dumps(manifest))


def publish_in_parts(
    home: Home, settings: Settings, number: int, change: str | None = None
) -> Path:
    """Publish an edition whose evidence lies by month, with rows that do not follow the number."""
    candidate(home, settings, number)
    say_of_evidence(home, {"parts_by": "occurred_on"})
    with open_warehouse(home, settings) as con:
        con.execute("update marts.fct_evidence set level = 1")
        if change is not None:
            con.execute(change)
    publish(home, settings)
    return folder_of(home)


def audit(home: Home, build_id: str, verdict: str) -> None:
    audit_record(home).write_text(json.dumps({"build_id": build_id, "verdict": verdict}))


@pytest.fixture
def edition(home: Home, settings: Settings) -> Callable[[int], str]:
    """Publish a small edition; another number gives other inputs and rows."""

    def made(number: int) -> str:
        edition_id = candidate(home, settings, number)
        publish(home, settings)
        return edition_id

    return made


@pytest.fixture(name="candidate")
def candidate_fixture() -> Callable[..., str]:
    return candidate


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Publish editions whose evidence lies in parts by month."""
    monkeypatch.setattr(tables, "LONG", 50)
    return publish_in_parts


@pytest.fixture(name="say_of_evidence")
def say_of_evidence_fixture() -> Callable[..., None]:
    return say_of_evidence


@pytest.fixture(name="audit")
def audit_fixture() -> Callable[..., None]:
    return audit
