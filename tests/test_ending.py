"""A command ends without words that are not its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.home import Home


@pytest.mark.parametrize("command", [["quarantine", "list"], ["ledger"]])
def test_a_command_that_used_duckdb_says_nothing_after_its_end(
    tmp_path: Path, command: list[str]
) -> None:
    home = Home.open(tmp_path / "home")
    ended = subprocess.run(
        [sys.executable, "-m", "pipelines", *command, "--home", str(home.root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout
    assert ended.stderr == ""


def test_an_error_of_a_command_is_told_before_it_ends(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "pipelines", "source", "check", str(tmp_path / "nowhere.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "nowhere.yaml" in ended.stderr + ended.stdout
