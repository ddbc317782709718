"""A dbt project of one model, and a log of two deliveries, for tests of what goes on around dbt."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.home import Home
from pipelines.warehouse import build as build_module
from pipelines.warehouse.build import audit_record, finished_build
from pipelines.warehouse.dbt_project import project_folder

PROJECT = """
name: small
version: "1.0"
config-version: 2
profile: small
models:
  small:
    +schema: marts
    +materialized: table
"""
PROFILE = """
small:
  target: warehouse
  outputs:
    warehouse:
      type: duckdb
      path: "{{ env_var('TESSERA_WAREHOUSE') }}"
      schema: main
      attach:
        - path: "{{ env_var('TESSERA_WAREHOUSE') | replace('.duckdb', '.marts.duckdb') }}"
          alias: marts
      keep_open: false
      settings: {TimeZone: UTC}
"""
SCHEMA_NAME = (project_folder() / "macros" / "generate_schema_name.sql").read_text()
MODEL = """
select
    record_key as record_key,
    person_key as learner_key,
    score as score,
    (select as_of from raw.build_input) as as_of
from raw.exam_result
join raw.identity on learner_pseudonym = pseudonym
where present_outcome = 'accepted'
"""
COLUMNS = """
models:
  - name: fct_score
    config:
      contract: {enforced: true}
    columns:
      - name: record_key
        data_type: varchar
        constraints: [{type: primary_key}]
      - {name: learner_key, data_type: varchar}
      - name: score
        data_type: "decimal(18, 6)"
        data_tests:
          - not_null:
              name: score_is_known
              config: {meta: {consequence: every status}}
      - {name: as_of, data_type: date}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    files = {
        "dbt_project.yml": PROJECT,
        "profiles.yml": PROFILE,
        "macros/names.sql": SCHEMA_NAME,
        "models/fct_score.sql": MODEL,
        "models/fct_score.yml": COLUMNS,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def shipped_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_module, "project_folder", lambda: project)


def day(number: int) -> datetime:
    return datetime.fromisoformat(f"2024-03-{number:02d}T12:00:00+00:00")


def fill(log: Any) -> None:
    log.deliver(
        "a",
        known_at=day(1),
        exam_result=[{"record_id": f"r{i}", "person": f"{i:03}", "score": i} for i in range(5)],
    )
    log.deliver(
        "b", known_at=day(2), exam_result=[{"record_id": "r1", "person": "001", "score": 9}]
    )


def pass_audit(home: Home) -> None:
    made = finished_build(home)
    assert made is not None
    audit_record(home).write_text(json.dumps({"build_id": made.build_id, "verdict": "pass"}))
