"""A real Learning Record Store, with the ways of its own that it is known for."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipelines.home import Home
from pipelines.sources.lrs.access import Access
from pipelines.sources.lrs.client import Client
from pipelines.sources.lrs.pull import PullReport, pull
from pipelines.sources.spec import SourceSpec
from pipelines.sources.xapi.check import check

RALPH = "5.1.0"
PACKAGES = [f"ralph-malph[lrs,cli]=={RALPH}", "requests"]
"""Its server imports requests, which its extra leaves out."""
USER = ("tessera", "only-for-this-test")
NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Ralph:
    """A store that runs, and is empty at first."""

    endpoint: str
    programs: Path
    environment: dict[str, str]

    def add(self, *statements: dict[str, Any]) -> None:
        """Put statements into a store that has some: its file backend takes one POST only."""
        lines = "".join(json.dumps(item) + "\n" for item in statements)
        command = [str(self.programs / "ralph"), "write", "--backend", "fs"]
        command += ["--operation-type", "append", "--target", "fs_lrs.jsonl"]
        folder = self.environment["RALPH_BACKENDS__LRS__FS__DEFAULT_DIRECTORY_PATH"]
        subprocess.run(
            [*command, "--fs-default-directory-path", folder],
            input=lines,
            text=True,
            env=self.environment,
            capture_output=True,
            check=True,
        )

    def post(self, *statements: dict[str, Any]) -> None:
        response = httpx.post(
            f"{self.endpoint}/statements",
            json=list(statements),
            auth=USER,
            headers={"X-Experience-API-Version": "1.0.3"},
        )
        assert response.status_code == 200, response.text


@pytest.fixture(scope="session")
def programs(request: pytest.FixtureRequest) -> Path:
    """Return where Ralph's programs are: an environment of its own, made once."""
    folder = request.config.cache.mkdir(f"ralph-{RALPH}")
    programs = folder / "env" / "bin"
    if not (folder / "ready").exists():
        made = subprocess.run(
            [sys.executable, "-m", "venv", "--clear", str(folder / "env")],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode == 0:
            made = subprocess.run(
                [str(programs / "python"), "-m", "pip", "install", "--quiet", *PACKAGES],
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
        if made.returncode != 0:
            pytest.skip(f"Ralph cannot be installed here: {made.stderr.strip()[-200:]}")
        (folder / "ready").touch()
    return programs


@pytest.fixture
def ralph(programs: Path, tmp_path: Path) -> Iterator[Ralph]:
    """Run a store with its file backend."""
    folder = tmp_path / "ralph"
    (folder / "data").mkdir(parents=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "RALPH_APP_DIR": str(folder),
        "RALPH_AUTH_FILE": str(folder / "auth.json"),
        "RALPH_RUNSERVER_BACKEND": "fs",
        "RALPH_BACKENDS__LRS__FS__DEFAULT_DIRECTORY_PATH": str(folder / "data"),
    }
    name, password = USER
    identity = ["-u", name, "-p", password, "-s", "all", "-M", "mailto:forms@example.org", "-w"]
    subprocess.run(
        [str(programs / "ralph"), "auth", *identity],
        env=environment,
        cwd=folder,
        capture_output=True,
        check=True,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [str(programs / "python"), "-m", "uvicorn", "ralph.api:app", "--port", str(port)],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            store = Ralph(f"http://127.0.0.1:{port}/xAPI", programs, environment)
            _wait_until_up(store, server, folder / "log")
            yield store
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait_until_up(store: Ralph, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            httpx.get(f"{store.endpoint}/about", timeout=1)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"Ralph does not start: {log.read_text(errors='replace')[-500:]}")


class Puller:
    """Pulls the store into one home, at times of its own."""

    def __init__(self, home: Home, store: Ralph) -> None:
        self.home, self.store = home, store
        self.now = NOON + timedelta(hours=12)
        self.spec = SourceSpec.model_validate(
            {
                "source": "forms",
                "title": "Forms",
                "owner": "assessment_unit",
                "files": "*.jsonl",
                "reader": {"name": "xapi"},
                "time_zone": "UTC",
                "records": [{"kind": "ai_use_declaration", "record_id": "{record}"}],
                "pull": {"lrs": "ralph", "page_size": 2, "overlap_minutes": 60},
            }
        )

    def __call__(self) -> PullReport:
        with Client(Access(self.store.endpoint, *USER), "1.0.3") as client:
            return pull(self.home, self.spec, client, now=lambda: self.now)

    def lines(self) -> list[bytes]:
        files = sorted((self.home.inbox / "forms").glob("*.jsonl"))
        return [line for path in files for line in path.read_bytes().splitlines()]

    def numbers(self) -> list[int]:
        return sorted(int(json.loads(line)["id"][-12:]) for line in self.lines())


def statement(number: int, moment: datetime) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "actor": {"mbox": "mailto:learner@example.org"},
        "verb": {"id": "https://example.org/verbs/saw"},
        "object": {"id": f"https://example.org/cases/{number}"},
        "timestamp": moment.isoformat().replace("+00:00", "Z"),
    }


def test_nothing_late_is_lost_by_a_store_that_filters_on_another_time(
    ralph: Ralph, tmp_path: Path
) -> None:
    puller = Puller(Home.open(tmp_path / "home"), ralph)
    ralph.post(*(statement(n, NOON + timedelta(hours=n)) for n in range(5)))
    first = puller()
    assert (first.mode, first.n_new) == ("full", 5)
    assert first.n_pages >= 3

    a_year_ago = NOON - timedelta(days=365)
    stored = (NOON + timedelta(hours=13)).isoformat()
    ralph.add(
        statement(5, NOON + timedelta(hours=5)) | {"stored": stored},
        statement(6, a_year_ago) | {"stored": stored},
    )
    second = puller()
    assert second.mode == "new"
    assert puller.numbers() == [0, 1, 2, 3, 4, 5]  # the late one is not found: Ralph's own way

    puller.now += timedelta(days=1)
    third = puller()
    assert (third.mode, third.n_new) == ("full", 1)
    assert puller.numbers() == [0, 1, 2, 3, 4, 5, 6]
    assert puller().n_new == 0


def test_what_is_pulled_is_right_and_says_when_it_was_stored(ralph: Ralph, tmp_path: Path) -> None:
    puller = Puller(Home.open(tmp_path / "home"), ralph)
    ralph.post(*(statement(n, NOON) for n in range(4)))
    assert puller().n_new == 4
    assert [fault for line in puller.lines() for fault in check(line)] == []
    assert all("stored" in json.loads(line) for line in puller.lines())
