"""Files of three standards, by the shipped specs alone, from the inbox to an edition."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.sources.standards.conftest import PACKAGE
from tests.sources.standards.sets import V1P1, manifest, packed
from tests.sources.standards.test_qti_check import RESULT

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[2]
CHANGES = {
    "manifest.csv": manifest("1.1", {"results": "delta"}),
    "results.csv": V1P1["results.csv"].replace(
        "r2,,,", "r2,tobedeleted,2024-06-01T08:00:00.000Z,"
    ).replace("r1,,,", "r1,active,2024-06-01T08:00:00.000Z,").replace("7.5", "8.5"),
}  # fmt: skip


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("standards")
    inbox = home / "inbox"
    for source in ("oneroster_bulk", "oneroster_delta", "case_framework", "qti_results"):
        (inbox / source).mkdir(parents=True)
    packed(inbox / "oneroster_bulk" / "set.zip", V1P1)
    packed(inbox / "oneroster_delta" / "changes.zip", CHANGES)
    (inbox / "case_framework" / "epas.json").write_text(json.dumps(PACKAGE), encoding="utf-8")
    with zipfile.ZipFile(inbox / "qti_results" / "results.zip", "w") as archive:
        archive.writestr("1001.xml", RESULT.replace("learner-1", "1001"))
    command = [sys.executable, "-m", "pipelines", "run", "--home", str(home), "--no-pack"]
    environment = {name: value for name, value in os.environ.items() if name != "TESSERA_SITE"}
    done = subprocess.run(
        [*command, "--as-of", "2026-02-21"],
        cwd=REPOSITORY,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return home / "editions" / "current"


def rows(edition: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(edition.resolve() / "portfolio.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_framework_from_case_names_the_competencies_of_the_programme(edition: Path) -> None:
    named = rows(
        edition,
        "select competency_id, parent_competency_id, title from dim_competency order by all",
    )
    assert named == [
        ("EPA1", None, "Take a history"),
        ("EPA2", None, "Examine a patient"),
        ("EPA2.1", "EPA1", "Explain a finding"),
    ]


def test_learners_enrolments_and_tasks_come_from_oneroster(edition: Path) -> None:
    assert rows(edition, "select count(*) from dim_learner") == [(2,)]
    assert rows(edition, "select period_id, count(*) from fct_enrolment group by period_id") == [
        ("c1", 2)
    ]
    assert rows(edition, "select task_id, modality, due_on::text from dim_task") == [
        ("li1", "Exam", "2024-05-01")
    ]


def test_what_a_delta_deletes_is_gone_and_what_it_corrects_counts(edition: Path) -> None:
    by_roster = "source_id like 'oneroster%'"
    assert rows(edition, f"select record_id, score from fct_evidence where {by_roster}") == [
        ("result/r1", 8.5)
    ]
    outcomes = rows(
        edition,
        "select sum(superseded), sum(voided), sum(quarantined), "
        "sum(rows_read) - sum(accepted + duplicate + superseded + voided + quarantined) "
        "from programme_delivery",
    )
    assert outcomes == [(1, 1, 0, 0)]


def test_a_result_from_qti_is_the_same_learners_by_the_student_number(edition: Path) -> None:
    persons = rows(
        edition,
        "select count(distinct learner_key), count(*) from fct_evidence "
        "where source_id = 'qti_results' or record_id = 'result/r1'",
    )
    assert persons == [(1, 2)]
    assert rows(edition, "select item_id, score from fct_exam_response") == [("Q1", 0.5)]
