"""What a dry run of other rules says is what applying them does, and it changes nothing itself."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.commands.rules import _sentence
from pipelines.home import Home
from pipelines.rules import load_catalogue
from pipelines.rules.loader import SHIPPED
from pipelines.settings import Settings
from pipelines.warehouse.build import build_on
from pipelines.warehouse.connection import WarehouseError, open_warehouse
from pipelines.warehouse.dry_run import COMPARED, Move, rules_diff
from pipelines.warehouse.load import replace_rules

DEFAULT = "programmatic_assessment"
SIGNALS = "signals"
STATUS = "portfolio_competency_status"


@pytest.fixture(scope="module")
def school(school_home: Home, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Settings]:
    copy = tmp_path_factory.mktemp("school") / "home"
    shutil.copytree(school_home.root, copy)
    home = Home.open(copy)
    return home, Settings(home=home.root, site=None, memory_limit="1GB", workers=2)


@pytest.fixture(scope="module")
def proposed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rules that ask for more data points, and raise signals from the first day of a stage on."""
    folder = tmp_path_factory.mktemp("proposed")
    strict = (SHIPPED / f"{DEFAULT}.yaml").read_text().replace("value: 5\n", "value: 9\n")
    (folder / "strict.yaml").write_text(strict)
    eager = (SHIPPED / f"{SIGNALS}.yaml").read_text().replace("value: 56\n", "value: 0\n")
    (folder / "eager.yaml").write_text(eager)
    return folder


@dataclass(frozen=True)
class Told:
    """What the command said of the proposed rules.

    Attributes:
        exit_code: what it left with.
        moves: one each for a row that would move.
        summary: what it said of all of them.
        is_untouched: whether the warehouse is byte for byte what it was.
    """

    exit_code: int
    moves: list[dict[str, Any]]
    summary: dict[str, Any]
    is_untouched: bool

    def statuses(self) -> dict[tuple[Any, ...], tuple[str | None, str | None]]:
        """Return each status that would move: what it is, and what it would be."""
        return {
            tuple(move["key"].values()): (
                move["before"] and move["before"]["status"],
                move["after"] and move["after"]["status"],
            )
            for move in self.moves
            if move["table"] == STATUS
        }


@pytest.fixture(scope="module")
def told(school: tuple[Home, Settings], proposed: Path) -> Told:
    home, _ = school
    before = _files(home)
    done = CliRunner().invoke(
        app, ["rules", "diff", str(proposed), "--home", str(home.root), "--json"]
    )
    *moves, last = [json.loads(line) for line in done.stdout.splitlines()]
    return Told(done.exit_code, moves, last["summary"], before == _files(home))


def _files(home: Home) -> list[str]:
    paths = (home.warehouse, home.marts)
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def statuses(con: duckdb.DuckDBPyConnection) -> dict[tuple[Any, ...], str]:
    key = COMPARED[STATUS].key
    rows = con.execute(f"select {', '.join(key)}, status from marts.{STATUS}").fetchall()
    return {row[:-1]: row[-1] for row in rows}


@pytest.mark.slow
def test_the_rules_in_force_move_nothing(school: tuple[Home, Settings]) -> None:
    found = rules_diff(*school, load_catalogue())
    assert found.moves == ()
    assert found.versions == {}
    assert found.n_rows[STATUS] > 0


@pytest.mark.slow
def test_applying_the_rules_moves_just_what_the_dry_run_names(
    school: tuple[Home, Settings], proposed: Path, told: Told, tmp_path: Path
) -> None:
    home, settings = school
    applied = Home.open(tmp_path / "applied")
    applied.warehouse.write_bytes(home.warehouse.read_bytes())
    applied.marts.write_bytes(home.marts.read_bytes())
    with open_warehouse(applied, settings) as con:
        before = statuses(con)
        replace_rules(con, load_catalogue(proposed=proposed))
        build_on(applied, settings, "run")
        after = statuses(con)
    moved = {
        key: (before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }
    assert moved
    assert told.statuses() == moved
    assert set(told.summary["learners"]) >= {key[0] for key in moved}
    assert DEFAULT in told.summary["rule_sets"]


@pytest.mark.slow
def test_a_dry_run_changes_nothing_in_the_home(school: tuple[Home, Settings], told: Told) -> None:
    home, _ = school
    assert told.is_untouched
    assert not list(home.root.glob(".dry-run-*"))


@pytest.mark.slow
def test_the_command_names_learners_and_leaves_with_one_where_something_would_move(
    told: Told,
) -> None:
    assert told.exit_code == 1
    n_statuses = sum(move["table"] == STATUS for move in told.moves)
    assert told.summary["moved"][STATUS] == n_statuses > 0
    assert told.summary["learners"]
    assert {move["key"]["learner_key"] for move in told.moves} == set(told.summary["learners"])


@pytest.mark.slow
def test_a_changed_ai_policy_is_named_with_what_it_moves(
    school: tuple[Home, Settings], tmp_path: Path
) -> None:
    home, _ = school
    policy = tmp_path / "closed.yaml"
    text = (SHIPPED / "aias_2.yaml").read_text()
    policy.write_text(text.replace("allows_use: true", "allows_use: false"))
    done = CliRunner().invoke(app, ["rules", "diff", str(policy), "--home", str(home.root)])
    assert done.exit_code == 1
    assert "aias: version 2 now, 2 then" in done.stdout
    assert "ai_use_differs" in done.stdout
    assert "nothing would move" not in done.stdout


def test_a_move_tells_the_fields_that_moved_and_no_others() -> None:
    before = {"sentence": "Two of three.", "severity": "low", "due_on": "2026-02-24"}
    move = Move("portfolio_signal", {"signal_id": "S-1"}, before, before | {"due_on": "2026-03-03"})
    assert _sentence(move) == "S-1: due on 2026-02-24 becomes 2026-03-03"
    gone = Move("portfolio_signal", {"signal_id": "S-1"}, before, None)
    assert _sentence(gone) == 'S-1: sentence "Two of three." becomes none'
    places = [{"agenda_group": "discuss", "reasons": reasons} for reasons in (["flagged"], [])]
    reworded = Move("committee_agenda", {"learner_key": "L-1"}, *places)
    assert _sentence(reworded) == "L-1: reasons flagged becomes none"


def test_without_a_build_there_is_nothing_to_compare_with(home: Home, settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="no finished build"):
        rules_diff(home, settings, load_catalogue())


def test_rules_with_a_fault_are_refused_with_file_and_line(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "faulty.yaml"
    file.write_text("rule_set: x\nversion: '1'\n")
    done = CliRunner().invoke(app, ["rules", "diff", str(file), "--home", str(home.root)])
    assert done.exit_code == 2
    assert "faulty.yaml:1" in done.output.replace("\n", "")
