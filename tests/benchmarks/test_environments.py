from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import environments


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    made: list[list[str]] = []

    def call(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        made.append(command)
        if "nothing-of-this-name" in command:
            error = "WARNING: x\nERROR: No matching distribution found for nothing-of-this-name\n"
            return subprocess.CompletedProcess(command, 1, "", error)
        if "venv" in command:
            Path(command[-1]).mkdir(parents=True)
        return subprocess.CompletedProcess(command, 0, '{"rival": "1.2"}', "")

    monkeypatch.setattr(environments.subprocess, "run", call)
    return made


def test_an_environment_is_made_once(tmp_path: Path, calls: list[list[str]]) -> None:
    first = environments.environment(tmp_path, "rival", ["rival==1.2"])
    n = len(calls)
    second = environments.environment(tmp_path, "rival", ["rival==1.2"])
    assert first.versions == second.versions == {"rival": "1.2"}
    assert len(calls) == n
    assert any("pip" in command and "rival==1.2" in command for command in calls)


def test_other_requirements_make_it_anew(tmp_path: Path, calls: list[list[str]]) -> None:
    environments.environment(tmp_path, "rival", ["rival==1.2"])
    n = len(calls)
    environments.environment(tmp_path, "rival", ["rival==1.3"])
    assert len(calls) > n


def test_a_rival_that_cannot_be_installed_says_why(tmp_path: Path, calls: list[list[str]]) -> None:
    with pytest.raises(environments.MissingRivalError, match="cannot be installed here: ERROR: No"):
        environments.environment(tmp_path, "rival", ["nothing-of-this-name"])
    assert not (tmp_path / "environments" / "rival" / environments.READY).exists()
    assert calls


def test_the_cache_lies_in_the_home_where_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_HOME", str(tmp_path))
    assert environments.cache_folder() == tmp_path.resolve() / "bench"
    monkeypatch.delenv("TESSERA_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert environments.cache_folder() == tmp_path / "cache" / "tessera-bench"


def test_what_is_installed_is_read_from_the_environment_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-c", environments.FREEZE], capture_output=True, text=True, check=True
    )
    assert "pydantic" in json.loads(done.stdout)
