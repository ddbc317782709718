"""Environments of rivals: made once by pip, kept beside the data that benchmarks make."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

READY = "ready.json"
PATIENCE = 900.0
FREEZE = (
    "import json, importlib.metadata as m; "
    "print(json.dumps({d.name.lower(): d.version for d in m.distributions()}))"
)


class MissingRivalError(Exception):
    """A rival could not be installed; the message says why."""


@dataclass(frozen=True)
class Environment:
    """A Python of a rival's own, with the versions installed in it."""

    folder: Path
    versions: dict[str, str]

    @property
    def python(self) -> Path:
        """Return the interpreter."""
        return _binaries(self.folder) / ("python.exe" if os.name == "nt" else "python")

    def script(self, name: str) -> Path:
        """Return an installed program."""
        return _binaries(self.folder) / name


def cache_folder() -> Path:
    """Return where environments and data of benchmarks are kept."""
    home = os.environ.get("TESSERA_HOME")
    if home:
        return Path(home).expanduser().resolve() / "bench"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tessera-bench"


def environment(cache: Path, name: str, requirements: Sequence[str]) -> Environment:
    """Return the environment of that name; make it where it does not stand.

    Raises:
        MissingRivalError: it cannot be made here.
    """
    folder = cache / "environments" / name
    ready = folder / READY
    if ready.exists():
        noted = json.loads(ready.read_text(encoding="utf-8"))
        if noted["requirements"] == list(requirements):
            return Environment(folder, noted["versions"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Environment(folder, {})
    _call([sys.executable, "-m", "venv", str(folder)])
    install = [str(made.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _call([*install, *requirements])
    versions = json.loads(_call([str(made.python), "-c", FREEZE]))
    ready.write_text(
        json.dumps({"requirements": list(requirements), "versions": versions}), encoding="utf-8"
    )
    return Environment(folder, versions)


def _binaries(folder: Path) -> Path:
    return folder / ("Scripts" if os.name == "nt" else "bin")


def _call(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingRivalError(f"{Path(command[0]).name} failed: {error}") from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        said = (errors or done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise MissingRivalError(f"it cannot be installed here: {said}")
    return done.stdout
