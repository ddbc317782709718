"""What Airflow keeps of a decision: its words in the run alone, and nothing once it is cleaned."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.embedded_airflow.environment import environment
from pipelines.embedded_airflow.parts import Parts, running
from pipelines.home import Home

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 120
WORDS = {
    "rationale": "Canary of the rationale.",
    "dissent": "Canary of the dissent.",
    "action_1": "Canary of an action.",
}
CLEAN = (
    "db", "clean", "--dag-ids", "decision", "--tables", "dag_run,task_instance_history,log",
    "--skip-archive", "--yes",
)  # fmt: skip


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    home = Home.open(tmp_path_factory.mktemp("words") / "home")
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("TESSERA_SITE", raising=False)
        with running(home, port=0) as parts:
            yield parts


def test_words_stand_in_the_run_alone_and_go_with_it(parts: Parts) -> None:
    form = {
        "learner": "L-4F7K2QXA3M",
        "outcome": "local_1: targeted support",
        "decided_at": "2026-11-28T15:00:00+01:00",
    }
    parts.api.post(
        "dags", "decision", "dagRuns",
        body={"dag_run_id": "canary", "logical_date": None, "conf": form | WORDS},
    )  # fmt: skip
    until = time.monotonic() + PATIENCE_SECONDS
    while parts.api.get("dags", "decision", "dagRuns", "canary")["state"] != "failed":
        assert time.monotonic() < until
        time.sleep(0.5)
    for words in WORDS.values():
        assert tables_that_hold(parts.home, words) == {"dag_run"}
    assert "log" in tables_that_hold(parts.home, form["learner"])
    logs = [path for path in parts.home.airflow.rglob("*.log") if b"Canary" in path.read_bytes()]
    assert logs == []

    done = subprocess.run(
        [sys.executable, "-m", "airflow", *CLEAN, "--clean-before-timestamp", "2100-01-01"],
        env=environment(parts.home, parts.port),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for told in (*WORDS.values(), form["learner"]):
        assert tables_that_hold(parts.home, told) == set()


def tables_that_hold(home: Home, text: str) -> set[str]:
    """Return the tables of Airflow's database in which a text stands, in whatever column."""
    with sqlite3.connect(f"file:{Path(home.airflow / 'airflow.db')}?mode=ro", uri=True) as con:
        tables = con.execute("select name from sqlite_master where type = 'table'").fetchall()
        return {
            table
            for (table,) in tables
            for row in con.execute(f'select * from "{table}"')
            if any(text in _text(value) for value in row)
        }


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
