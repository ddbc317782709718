"""Airflow reads its settings at import: give it a home of its own before any test imports it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DAGS = ROOT / "dags"

_home = tempfile.TemporaryDirectory(prefix="tessera-airflow-")
os.environ |= {
    "AIRFLOW_HOME": _home.name,
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "15",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_home.name}/airflow.db",
}


@pytest.fixture(scope="session")
def dags() -> Iterator[dict[str, Any]]:
    """Every DAG of the folder, read as Airflow's dag-processor reads it."""
    from airflow.dag_processing.dagbag import DagBag

    before = list(sys.path)
    sys.path.insert(0, str(DAGS))
    bag = DagBag(str(DAGS))
    assert bag.import_errors == {}
    yield dict(bag.dags)
    sys.path[:] = before
