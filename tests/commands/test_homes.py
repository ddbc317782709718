"""Only what takes something in makes a home; every other command refuses a mistyped one."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app

READING = (
    "ledger",
    "quarantine list",
    "quarantine show",
    "quarantine export refused.csv",
    "rules diff",
    "edition list",
    "edition show",
    "edition verify",
    "edition diff a b",
    "edition lineage E-1",
    "rebuild",
    "doctor",
    "pack list",
    "pack verify",
    "dispute list",
    "serve",
    "crosswalk suggest",
    "calibrate",
    "cut-score list",
    "identity list",
    "identity log",
    "model build",
)


@pytest.mark.parametrize("command", READING)
def test_a_command_that_takes_nothing_in_makes_no_home(command: str, tmp_path: Path) -> None:
    mistyped = tmp_path / "vra"
    done = CliRunner().invoke(app, [*command.split(), "--home", str(mistyped)])
    assert done.exit_code == 2, done.output
    assert f"there is no home at {mistyped}; `tessera run --home {mistyped}` makes one" in (
        done.stderr
    )
    assert not mistyped.exists()


def test_a_run_makes_the_home(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["run", "--home", str(tmp_path / "new")])
    assert (tmp_path / "new" / "VERSION").exists()


def test_rules_are_shown_without_a_home(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["rules", "show", "privacy", "--home", str(tmp_path / "none")])
    assert done.exit_code == 0
    assert not (tmp_path / "none").exists()
