"""The parts of Airflow start and end together; here with small programs in their place."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from pipelines.embedded_airflow import parts as module
from pipelines.embedded_airflow.environment import logs, working_folder
from pipelines.embedded_airflow.parts import (
    AirflowError,
    AlreadyRunningError,
    Parts,
    end_leftovers,
    free_port,
    prepare,
    running,
    tail,
)
from pipelines.home import Home

ROOT = Path(__file__).parents[2]
SLEEP = "import time; time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
PARENT = (
    "import subprocess, sys, time;"
    f"subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True); time.sleep(60)"
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.open(tmp_path / "home")
    working_folder(home).mkdir(parents=True)
    logs(home).mkdir(parents=True)
    return home


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.5)


@pytest.fixture
def begin(home: Home) -> Iterator[Parts]:
    parts = Parts(home, 1)
    yield parts
    parts.stop()


def start(parts: Parts, name: str, program: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=working_folder(parts.home),
        start_new_session=True,
    )
    parts.processes[name] = process
    return process


def at_work(home: Home) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(working_folder(home)):
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def wait_for(home: Home, n: int) -> None:
    until = time.monotonic() + 10
    while len(at_work(home)) != n:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_stopping_ends_every_part_also_one_that_will_not(begin: Parts) -> None:
    start(begin, "one", SLEEP)
    start(begin, "two", STUBBORN)
    time.sleep(0.3)
    begin.stop()
    assert all(process.poll() is not None for process in begin.processes.values())
    assert at_work(begin.home) == []


def test_stopping_ends_what_a_part_has_started_in_a_session_of_its_own(begin: Parts) -> None:
    start(begin, "scheduler", PARENT)
    wait_for(begin.home, 2)
    begin.stop()
    assert at_work(begin.home) == []


def test_a_part_that_ended_by_itself_is_named_with_the_end_of_its_log(begin: Parts) -> None:
    start(begin, "scheduler", "import sys; sys.exit(3)").wait()
    (logs(begin.home) / "scheduler.log").write_text("line 1\nno such table: dag\n")
    with pytest.raises(AirflowError, match=r"(?s)scheduler ended with code 3.*no such table"):
        begin.check()


def test_leftovers_of_a_session_that_was_killed_are_ended(begin: Parts) -> None:
    process = start(begin, "scheduler", PARENT)
    wait_for(begin.home, 2)
    process.kill()
    process.wait()
    end_leftovers(begin.home)
    assert at_work(begin.home) == []


def test_the_airflow_of_another_home_is_left_alone(begin: Parts, tmp_path: Path) -> None:
    process = start(begin, "scheduler", SLEEP)
    end_leftovers(Home.open(tmp_path / "other"))
    assert process.poll() is None


def test_a_second_start_says_where_the_first_runs(home: Home) -> None:
    (home.airflow / "session.json").write_text('{"port": 8099}')
    with (
        FileLock(home.airflow / ".lock"),
        pytest.raises(AlreadyRunningError, match=":8099") as caught,
        running(home),
    ):
        pass
    assert caught.value.port == 8099


def test_a_second_start_in_the_same_moment_is_told_to_try_again(home: Home) -> None:
    with (
        FileLock(home.airflow / ".lock"),
        pytest.raises(AirflowError, match="try again"),
        running(home),
    ):
        pass


def test_a_command_of_airflow_that_fails_is_shown(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.sys, "executable", "/bin/false")
    with pytest.raises(AirflowError, match="airflow db migrate"):
        prepare(home, {})
    assert not (home.airflow / "prepared").exists()


def test_another_port_is_taken_when_the_wanted_one_is_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(str(n) for n in range(30)))
    assert tail(log, 2) == "28\n29"


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's end"
)
def test_parts_end_when_the_program_that_started_them_is_killed(home: Home) -> None:
    program = (
        "import os, signal, subprocess, sys;"
        "from pipelines.embedded_airflow.parts import _end_with_parent;"
        f"subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True,"
        " preexec_fn=_end_with_parent);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=working_folder(home),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    wait_for(home, 0)
