"""Start the parts of Airflow, watch over them, and end them all together."""

from __future__ import annotations

import contextlib
import ctypes
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from pipelines.embedded_airflow.api import Api
from pipelines.embedded_airflow.environment import (
    POOL,
    USER,
    Secrets,
    environment,
    logs,
    working_folder,
    write_private,
)
from pipelines.home import Home

DEFAULT_PORT = 8080
PR_SET_PDEATHSIG = 1
LONG_AGO = datetime.min.replace(tzinfo=UTC)
READY_WITHIN_SECONDS = 180
GRACE_SECONDS = 5

COMMANDS = {
    "api-server": ["api-server"],
    "dag-processor": ["dag-processor"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
HEALTH = {
    "dag-processor": "dag_processor",
    "scheduler": "scheduler",
    "triggerer": "triggerer",
}


class AirflowError(Exception):
    """A part of Airflow did not do what it was started for; the message says which and why."""


class AlreadyRunningError(Exception):
    """An Airflow of this home runs already, at the port given."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Airflow runs already for this home: http://127.0.0.1:{port}")
        self.port = port


@dataclass
class Parts:
    """The running parts of the embedded Airflow of one home."""

    home: Home
    port: int
    environ: dict[str, str] = field(default_factory=dict)
    since: datetime = LONG_AGO
    """When they were started; the beginning of time where somebody else did."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def api(self) -> Api:
        """Return the interface of this Airflow."""
        return Api(self.port, USER, Secrets.of(self.home).password)

    def start(self, *names: str) -> None:
        """Start parts, each with a log of its own."""
        for name in names:
            with _log(self.home, name).open("wb") as log:
                self.processes[name] = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "airflow", *COMMANDS[name]],
                    env=self.environ,
                    cwd=working_folder(self.home),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_end_with_parent,
                )

    def check(self) -> None:
        """Make sure that every part is alive.

        Raises:
            AirflowError: one has ended by itself.
        """
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise AirflowError(
                    f"Airflow's {name} ended with code {process.returncode}:\n"
                    + tail(_log(self.home, name))
                )

    def wait_until_ready(self) -> None:
        """Wait until every part reports itself healthy.

        Raises:
            AirflowError: one ended, or it took too long.
        """
        wanted = ["metadatabase", *(HEALTH[name] for name in self.processes if name in HEALTH)]
        api, until = self.api, time.monotonic() + READY_WITHIN_SECONDS
        while not api.is_healthy(*wanted):
            self.check()
            if time.monotonic() > until:
                raise AirflowError(
                    f"Airflow was not ready within {READY_WITHIN_SECONDS} s: "
                    f"look into {logs(self.home)}"
                )
            time.sleep(0.3)

    def stop(self) -> None:
        """End all parts and whatever they have started."""
        for name in reversed(self.processes):
            self.processes[name].terminate()
        until = time.monotonic() + GRACE_SECONDS
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, until - time.monotonic()))
        end_leftovers(self.home)
        for process in self.processes.values():
            process.wait()


@contextlib.contextmanager
def running(
    home: Home, *names: str, port: int = DEFAULT_PORT, overrides: dict[str, str] | None = None
) -> Iterator[Parts]:
    """Run parts of Airflow for a home, ready to use; all by default.

    Raises:
        AlreadyRunningError: they run already.
        AirflowError: they could not be started.
    """
    working_folder(home).mkdir(parents=True, exist_ok=True)
    home.airflow.chmod(0o700)  # what tasks log may quote a record
    session = home.airflow / "session.json"
    lock = FileLock(home.airflow / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        if (text := _text(session)) == "":
            raise AirflowError(
                "the Airflow of this home is just starting or ending: try again"
            ) from None
        raise AlreadyRunningError(json.loads(text)["port"]) from None
    with lock:
        end_leftovers(home)
        chosen = free_port(port)
        environ = environment(home, chosen) | (overrides or {})
        parts = Parts(home, chosen, environ, datetime.now(UTC))
        prepare(home, parts.environ)
        write_private(session, json.dumps({"port": chosen}))
        try:
            parts.start(*(names or COMMANDS))
            parts.wait_until_ready()
            yield parts
        finally:
            parts.stop()
            session.unlink(missing_ok=True)


def prepare(home: Home, environ: dict[str, str]) -> None:
    """Make the database and the pool, once for a home and a version of Airflow.

    Raises:
        AirflowError: one of Airflow's commands failed.
    """
    stamp = home.airflow / "prepared"
    wanted = version("apache-airflow-core")
    if (home.airflow / "airflow.db").exists() and _text(stamp) == wanted:
        return
    logs(home).mkdir(parents=True, exist_ok=True)
    (home.airflow / "airflow.db").touch(mode=0o600)
    why = "one writer at a time on the warehouse"
    for command in (["db", "migrate"], ["pools", "set", POOL, "1", why]):
        log = _log(home, f"prepare-{command[0]}")
        with log.open("wb") as file:
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-m", "airflow", *command],
                env=environ,
                cwd=working_folder(home),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            raise AirflowError(f"`airflow {' '.join(command)}` failed:\n{tail(log)}")
    write_private(stamp, wanted)


def end_leftovers(home: Home) -> None:
    """End every process that works for the Airflow of this home, wherever it hangs."""
    here = str(working_folder(home))
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.cwd() == here:
                found.append(process)
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                end(process)
        _, found = psutil.wait_procs(found, timeout=GRACE_SECONDS)


def free_port(wanted: int) -> int:
    """Return the port wanted, or any free one when it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise AirflowError("no port of this machine is free for Airflow")


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _end_with_parent() -> None:
    """Ask Linux to end this process when the one that started it is gone, however that came."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _log(home: Home, name: str) -> Path:
    return logs(home) / f"{name}.log"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""
