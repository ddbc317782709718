"""One dbt session over the example school, shared by every test of the project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.example_school import example_school
from tests.once import once
from tests.warehouses import copied, opened

HERE = Path(__file__).parent
PROJECT = HERE.parents[1] / "dbt"
WAREHOUSE, TARGET, SAID = "build.duckdb", "target", "said.json"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the whole project built as slow."""
    for item in items:
        if item.path.is_relative_to(HERE) and "built" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@dataclass(frozen=True)
class Built:
    """What one `dbt build` left."""

    warehouse: Path
    target: Path
    output: str
    exit_code: int

    @property
    def manifest(self) -> dict[str, Any]:
        return self._artefact("manifest.json")

    @property
    def results(self) -> list[dict[str, Any]]:
        return list(self._artefact("run_results.json")["results"])

    def nodes(self, *resource_types: str) -> list[dict[str, Any]]:
        found = self.manifest["nodes"].values()
        return [node for node in found if node["resource_type"] in resource_types]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with opened(self.warehouse) as connection:
            return connection.execute(sql).fetchall()

    def _artefact(self, name: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.target / name).read_text(encoding="utf-8"))
        return loaded


def dbt(warehouse: Path, target: Path, *arguments: str) -> Built:
    """Run dbt in a process of its own, so that its warnings and its lock stay there."""
    command = [
        *(sys.executable, "-m", "tests.dbt.parsed_dbt"),
        *("--no-use-colors", *arguments),
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
        *("--target-path", str(target), "--log-path", str(target / "logs")),
    ]
    environment = os.environ | {
        "TESSERA_WAREHOUSE": str(warehouse),
        "TESSERA_MEMORY_LIMIT": "1GB",
        "TESSERA_KEEP_OPEN": "true",
        "TESSERA_LEARNERS_AT_ONCE": "2",
    }
    done = subprocess.run(
        command,
        cwd=PROJECT.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Built(warehouse, target, done.stdout + done.stderr, done.returncode)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Built:
    """The example school, built once for all test processes of a run."""
    folder = once(tmp_path_factory, worker_id, "dbt-school", _build)
    said = json.loads((folder / SAID).read_text(encoding="utf-8"))
    return Built(folder / WAREHOUSE, folder / TARGET, said["output"], said["exit_code"])


def _build(folder: Path) -> None:
    example_school().write(folder / WAREHOUSE)
    done = dbt(folder / WAREHOUSE, folder / TARGET, "build")
    said = {"output": done.output, "exit_code": done.exit_code}
    (folder / SAID).write_text(json.dumps(said), encoding="utf-8")


@pytest.fixture(scope="session")
def manifest(built: Built) -> dict[str, Any]:
    return built.manifest


@pytest.fixture(scope="session")
def writable(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the built warehouse that tests may break."""
    return copied(built.warehouse, tmp_path_factory.mktemp("broken"))
