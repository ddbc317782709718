"""`tessera serve` as people start it: a process, a real port, each role, and its end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import psutil
import pytest

from pipelines.committee import views
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import FULL

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ENDED = (0, 130)
"""How the command ends when a person interrupts it."""

OF_OTHERS = {
    "learner": ("quality.html", "workbook.xlsx"),
    "programme": (f"learners/{FULL}.html", "quality.html"),
}


@contextmanager
def served(home: Home, *options: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Start the command on a free port, and end it as Ctrl-C does."""
    command = [sys.executable, "-m", "pipelines", "serve", "--port", "0", "--home", str(home.root)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, text=True, env=environment, cwd=home.root
    ) as process:
        assert process.stdout is not None
        told = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert told is not None
        try:
            yield int(told[1]), process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


def ask(port: int, path: str, host: str | None = None) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Host": host} if host else {}
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def edition_id(home: Home, built: Path) -> str:
    """The edition whose pages are built for every role."""
    for role in ("learner", "mentor", "programme"):
        views.build(home, Settings(home=home.root), role)
    return built.name


def test_the_committees_pages_come_over_the_wire_and_nothing_else_does(
    home: Home, built: Path, edition_id: str
) -> None:
    with served(home) as (port, process):
        answer, page = ask(port, f"/{edition_id}/learners/{FULL}.html")
        assert (answer.status, page) == (200, (built / f"learners/{FULL}.html").read_bytes())
        assert answer.getheader("server") is None
        for host in ("evil.example", f"evil.example:{port}", "10.0.0.1"):
            assert ask(port, f"/{edition_id}/index.html", host)[0].status == 400
        assert ask(port, f"/{edition_id}/index.html", f"localhost:{port}")[0].status == 200
        for path in (
            "../../VERSION",
            "%2e%2e/%2e%2e/VERSION",
            "..%2f..%2fVERSION",
            "manifest.json",
        ):
            assert ask(port, f"/{edition_id}/{path}")[0].status == 404
        listening = {c.laddr.ip for c in psutil.Process(process.pid).net_connections("inet")}
        assert listening == {"127.0.0.1"}
    assert process.returncode in ENDED
    with pytest.raises(ConnectionRefusedError):
        ask(port, "/")


@pytest.mark.parametrize("role", ["learner", "mentor", "programme"])
def test_each_role_finds_its_own_pages_and_no_others(
    home: Home, edition_id: str, role: str
) -> None:
    folders = home.views / role / edition_id
    person = {"learner": FULL, "mentor": next(folders.iterdir()).name}.get(role)
    chosen = ("--role", role, *(("--for", person) if person else ()))
    with served(home, *chosen) as (port, _):
        answer, page = ask(port, f"/{edition_id}/index.html")
        assert answer.status == 200
        place = folders / person if person else folders
        assert page == (place / "index.html").read_bytes()
        for path in OF_OTHERS.get(role, ()):
            assert ask(port, f"/{edition_id}/{path}")[0].status == 404


def test_a_port_that_is_taken_is_said_with_what_to_do(home: Home, edition_id: str) -> None:
    with served(home) as (port, _):
        command = [sys.executable, "-m", "pipelines", "serve", "--home", str(home.root)]
        done = subprocess.run(
            [*command, "--port", str(port)],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            cwd=home.root,
            check=False,
        )
    assert done.returncode == 2
    assert f"port {port} cannot be used" in done.stderr
    assert "0 takes one that is free" in done.stderr
