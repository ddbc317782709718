"""Every DAG file loads, stays small, and does nothing but wire."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "dags").glob("*.py"))
SHARED = {"assets", "edition"}
"""Names of assets, and tasks that more than one DAG wires."""
HEAVY = ("polars", "duckdb", "great_expectations", "dbt", "pandas", "gpboost", "altair")


def test_the_folder_holds_the_dags_of_the_architecture_and_what_they_share() -> None:
    names = {file.stem for file in FILES} - SHARED
    expected = {"calibrate", "committee", "decision", "housekeeping", "intake"}
    expected |= {"portfolio", "pull"}
    assert names == expected


def test_every_file_gives_the_dag_that_it_is_named_after(dags: dict[str, Any]) -> None:
    assert set(dags) == {file.stem for file in FILES} - SHARED


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dag_file_stays_under_eighty_lines(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) < 80


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dag_file_imports_airflow_by_its_public_interface_only(file: Path) -> None:
    modules = {
        node.module
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    airflow = {module for module in modules if module.split(".")[0] == "airflow"}
    operators = "airflow.providers.standard.operators"
    assert airflow <= {"airflow.sdk", f"{operators}.empty", f"{operators}.hitl"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dag_file_branches_and_loops_nowhere(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    logic = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.ListComp, ast.Match, ast.Lambda)
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, logic)]


@pytest.mark.slow
def test_reading_the_files_imports_nothing_heavy_and_touches_no_home(tmp_path: Path) -> None:
    program = (
        "import sys, json; sys.path.insert(0, sys.argv[1]);"
        "import calibrate, committee, decision, housekeeping, intake, portfolio, pull;"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    environ = os.environ | {"TESSERA_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT / "dags")],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    modules = json.loads(done.stdout.splitlines()[-1])
    assert not set(HEAVY) & set(modules)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("name", ["intake", "portfolio", "calibrate", "housekeeping", "decision"])
def test_a_dag_survives_serialisation(dags: dict[str, Any], name: str) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    written = DagSerialization.to_dict(dags[name])
    read = DagSerialization.from_dict(json.loads(json.dumps(written)))
    assert set(read.task_dict) == set(dags[name].task_dict)
    for task in dags[name].tasks:
        assert read.get_task(task.task_id).downstream_task_ids == task.downstream_task_ids
        assert read.get_task(task.task_id).pool == task.pool
        assert read.get_task(task.task_id).retries == task.retries
