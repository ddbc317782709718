"""What a dry run of other rules says is what applying them does, and it changes nothing itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.home import Home
from pipelines.rules import load_catalogue
from pipelines.rules.loader import SHIPPED
from pipelines.settings import Settings
from pipelines.warehouse.build import build, build_on
from pipelines.warehouse.connection import WarehouseError, open_warehouse
from pipelines.warehouse.dry_run import COMPARED, DryRun, rules_diff
from pipelines.warehouse.load import replace_rules
from tests.dbt.example_school import example_school

DEFAULT = "programmatic_assessment"
SIGNALS = "signals"
STATUS = "portfolio_competency_status"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Settings]:
    home = Home.open(tmp_path_factory.mktemp("school") / "home")
    settings = Settings(home=home.root, site=None, memory_limit="1GB", workers=2)
    example_school().write(home.warehouse)
    with open_warehouse(home, settings) as con:
        replace_rules(con, load_catalogue())
    build(home, settings)
    return home, settings


@pytest.fixture
def proposed(tmp_path: Path) -> Path:
    """Rules that ask for more data points, and raise signals from the first day of a stage on."""
    folder = tmp_path / "proposed"
    folder.mkdir()
    strict = (SHIPPED / f"{DEFAULT}.yaml").read_text().replace("value: 5\n", "value: 9\n")
    (folder / "strict.yaml").write_text(strict)
    eager = (SHIPPED / f"{SIGNALS}.yaml").read_text().replace("value: 56\n", "value: 0\n")
    (folder / "eager.yaml").write_text(eager)
    return folder


def statuses(con: duckdb.DuckDBPyConnection) -> dict[tuple[Any, ...], str]:
    key = COMPARED[STATUS].key
    rows = con.execute(f"select {', '.join(key)}, status from marts.{STATUS}").fetchall()
    return {row[:-1]: row[-1] for row in rows}


def told(found: DryRun) -> dict[tuple[Any, ...], tuple[str | None, str | None]]:
    return {
        tuple(move.key.values()): (
            move.before and move.before["status"],
            move.after and move.after["status"],
        )
        for move in found.of(STATUS)
    }


@pytest.mark.slow
def test_the_rules_in_force_move_nothing(school: tuple[Home, Settings]) -> None:
    found = rules_diff(*school, load_catalogue())
    assert found.moves == ()
    assert found.versions == {}
    assert found.n_rows[STATUS] > 0


@pytest.mark.slow
def test_applying_the_rules_moves_just_what_the_dry_run_names(
    school: tuple[Home, Settings], proposed: Path, tmp_path: Path
) -> None:
    home, settings = school
    rules = load_catalogue(proposed=proposed)
    before_bytes = hashlib.sha256(home.warehouse.read_bytes()).hexdigest()
    found = rules_diff(home, settings, rules)
    assert hashlib.sha256(home.warehouse.read_bytes()).hexdigest() == before_bytes
    assert not list(home.root.glob(".dry-run-*"))

    applied = Home.open(tmp_path / "applied")
    applied.warehouse.write_bytes(home.warehouse.read_bytes())
    with open_warehouse(applied, settings) as con:
        before = statuses(con)
        replace_rules(con, rules)
        build_on(applied, settings, "run")
        after = statuses(con)
    moved = {
        key: (before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }
    assert moved
    assert told(found) == moved
    assert set(found.learners) >= {key[0] for key in moved}
    assert DEFAULT in found.versions


@pytest.mark.slow
def test_the_command_names_learners_and_leaves_with_one_where_something_would_move(
    school: tuple[Home, Settings], proposed: Path
) -> None:
    home, _ = school
    done = CliRunner().invoke(
        app, ["rules", "diff", str(proposed), "--home", str(home.root), "--json"]
    )
    assert done.exit_code == 1, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    summary = lines[-1]["summary"]
    assert summary["moved"][STATUS] == sum(line.get("table") == STATUS for line in lines)
    assert summary["learners"]
    assert {line["key"]["learner_key"] for line in lines[:-1]} == set(summary["learners"])


def test_without_a_build_there_is_nothing_to_compare_with(home: Home, settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="no finished build"):
        rules_diff(home, settings, load_catalogue())


def test_rules_with_a_fault_are_refused_with_file_and_line(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "faulty.yaml"
    file.write_text("rule_set: x\nversion: '1'\n")
    done = CliRunner().invoke(app, ["rules", "diff", str(file), "--home", str(home.root)])
    assert done.exit_code == 2
    assert "faulty.yaml:1" in done.output.replace("\n", "")
