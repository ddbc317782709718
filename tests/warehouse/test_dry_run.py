"""What a dry run of other rules says is what applying them does, and it changes nothing itself."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.commands.rules import _changed, _sentence
from pipelines.home import Home
from pipelines.rules import Catalogue, load_catalogue
from pipelines.rules.loader import SHIPPED
from pipelines.run import Run, StageFailedError, Wanted
from pipelines.settings import Settings
from pipelines.warehouse import dry_run
from pipelines.warehouse.build import BuildError, build_on, build_record
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.dbt_project import Artefacts, NodeResult, target_folder
from pipelines.warehouse.dry_run import COMPARED, DryRun, Move, ThresholdChange, rules_diff
from pipelines.warehouse.load import replace_rules

DEFAULT = "programmatic_assessment"
SIGNALS = "signals"
STATUS = "portfolio_competency_status"
AGENDA = "committee_agenda"
A_WAY_OFF = "effective_from: 2040-01-01"


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


def own(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """Write a shipped rule file with changes, as a site would have it."""
    text = (SHIPPED / f"{name}.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def without_default(folder: Path) -> Path:
    """Write the shipped default so that it is none: a data test asks for one."""
    return own(folder, DEFAULT, ("is_default: true", "is_default: false"))


@dataclass(frozen=True)
class Told:
    """What the command said of the proposed rules.

    Attributes:
        exit_code: what it left with.
        moves: one each for a row that would move.
        summary: what it said of all of them.
        stderr: what it said of what is wrong.
        is_untouched: whether the warehouse is byte for byte what it was.
    """

    exit_code: int
    moves: list[dict[str, Any]]
    summary: dict[str, Any]
    stderr: str
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
    return tell(school[0], proposed)


@pytest.fixture(scope="module")
def told_stopping(school: tuple[Home, Settings], tmp_path_factory: pytest.TempPathFactory) -> Told:
    return tell(school[0], without_default(tmp_path_factory.mktemp("stopping")))


def tell(home: Home, *arguments: object) -> Told:
    before = _files(home)
    options = [str(argument) for argument in arguments]
    done = CliRunner().invoke(app, ["rules", "diff", *options, "--home", str(home.root), "--json"])
    *moves, last = [json.loads(line) for line in done.stdout.splitlines()]
    return Told(done.exit_code, moves, last["summary"], done.stderr, before == _files(home))


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


@pytest.mark.slow
def test_every_data_test_that_reads_what_follows_from_rules_is_run(
    school: tuple[Home, Settings], told: Told
) -> None:
    manifest = Artefacts(target_folder(school[0])).manifest
    follows = {f"source.tessera.raw.{table}" for table in ("rule_set", "ai_policy_level")}
    found = follows
    while found:
        found = {child for node in found for child in manifest["child_map"].get(node, ())} - follows
        follows |= found
    n_tests = sum(node.startswith("test.") for node in follows)
    assert told.summary["tests_passed"] == n_tests > 0
    assert (told.summary["failures"], told.summary["tests_not_run"]) == ([], 0)


@pytest.mark.slow
def test_rules_that_fail_a_data_test_would_stop_a_run_and_what_they_move_is_told(
    told_stopping: Told,
) -> None:
    (failure,) = told_stopping.summary["failures"]
    assert failure.startswith("test assert_there_is_one_default_rule_set of ")
    assert failure.endswith("finds 1 row, which spoils status")
    stopped = f"a run with these rules would stop and publish nothing:\n- {failure}"
    assert stopped in told_stopping.stderr
    assert told_stopping.exit_code == 3
    assert told_stopping.summary["tests_not_run"] > 0
    assert told_stopping.summary["not_built"] == []
    assert told_stopping.summary["moved"][AGENDA] > 0
    assert told_stopping.is_untouched


@pytest.mark.slow
def test_a_run_with_those_rules_stops_at_the_same_tests_and_publishes_nothing(
    school: tuple[Home, Settings], told_stopping: Told, tmp_path: Path
) -> None:
    home = Home.open(shutil.copytree(school[0].root, tmp_path / "home", symlinks=True))
    current = (home.editions / "current").resolve()
    without_default(tmp_path / "site" / "rules")
    settings = school[1].model_copy(update={"home": home.root, "site": tmp_path / "site"})
    with pytest.raises(StageFailedError) as stopped:
        Run(home, settings, Wanted(pack=False)).go()
    assert stopped.value.record.stage == "build"
    failures = [f"- {failure}" for failure in told_stopping.summary["failures"]]
    assert [line for line in str(stopped.value).splitlines() if line[:2] == "- "] == failures
    assert (home.editions / "current").resolve() == current


@pytest.mark.slow
def test_a_data_test_that_warns_is_told_as_a_warning_and_stops_nothing(
    school: tuple[Home, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = NodeResult("code_is_known", "test", "warn", 0.1, 2, None, "int_noted", "data_quality")
    monkeypatch.setattr(dry_run, "_build_again", lambda *_: ([known], frozenset(COMPARED)))
    done = CliRunner().invoke(app, ["rules", "diff", "--home", str(school[0].root)])
    warning = "test code_is_known of int_noted finds 2 rows, which spoils data_quality"
    assert f"Warning: {warning}" in done.stdout
    assert (done.stderr, done.exit_code) == ("", 1)
    told = tell(school[0])
    assert told.summary["warnings"] == [warning]
    assert (told.summary["failures"], told.exit_code) == ([], 1)


@pytest.mark.slow
def test_where_a_model_fails_it_is_told_what_was_not_built(
    school: tuple[Home, Settings], tmp_path: Path
) -> None:
    file = own(tmp_path, "agenda", ("effective_from: 2000-01-01", A_WAY_OFF))
    done = CliRunner().invoke(app, ["rules", "diff", str(file), "--home", str(school[0].root)])
    assert done.exit_code == 3
    assert "agenda: version 2 now, none then" in done.stdout
    assert "agenda 2 begins on 2040-01-01: until then no version is in force" in done.stdout
    assert f"places on the agenda cannot be told: {AGENDA} is not built" in done.stdout
    assert f"publish nothing:\n- model {AGENDA}" in done.stderr
    assert "dbt.log" not in done.stderr


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """Stricter rules that begin in many years."""
    changes = (('version: "2"', 'version: "3"'), ("value: 5\n", "value: 9\n"))
    return own(tmp_path, DEFAULT, *changes, ("effective_from: 2000-01-01", A_WAY_OFF))


def test_a_version_that_begins_later_is_told_with_the_day_to_judge(
    later: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moves_nothing(_: Home, __: Settings, rules: Catalogue, ___: date | None) -> DryRun:
        begin_later = dry_run._later(rules, date(2026, 1, 1))
        return DryRun(date(2026, 1, 1), {}, (), begin_later, (), {}, 0, 122, 0, (), ())

    monkeypatch.setattr(dry_run, "rules_diff", moves_nothing)
    done = CliRunner().invoke(app, ["rules", "diff", str(later), "--home", str(home.root)])
    assert done.exit_code == 0
    told = f"{DEFAULT} 3 begins on 2040-01-01: to see what it would move, add --as-of 2040-01-01."
    assert told in done.stdout
    assert "122 data tests of what was built again passed." in done.stdout


@pytest.mark.slow
def test_on_another_day_what_follows_from_the_day_is_tested_too(
    school: tuple[Home, Settings], told: Told, later: Path
) -> None:
    then = tell(school[0], later, "--as-of", "2040-01-01")
    assert then.exit_code == 1
    assert then.summary["rule_sets"] == {DEFAULT: {"before": "2", "after": "3"}}
    assert then.summary["tests_passed"] > told.summary["tests_passed"]


@pytest.mark.slow
def test_thresholds_that_change_are_named_with_both_values(told: Told) -> None:
    changed = {
        "rule_set": DEFAULT,
        "stage": None,
        "rule": "data_points",
        "name": "min",
        "before": "5",
        "after": "9",
    }
    assert changed in told.summary["thresholds"]


def test_a_threshold_that_changes_is_printed_with_its_stage() -> None:
    change = ThresholdChange(DEFAULT, "Year 1", "methods", "min", Decimal("2.000"), None)
    assert _changed(change) == f"{DEFAULT} methods min of Year 1: 2 becomes none"


@pytest.mark.slow
def test_a_day_before_all_rules_is_refused(school: tuple[Home, Settings], tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="cannot judge 1990-01-01, name another day:\n- model "):
        rules_diff(*school, load_catalogue(), date(1990, 1, 1))


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"code_version": "0.0.1+older"}, "another version of Tessera made this build"),
        ({"as_of": None}, "build.json is of another version of Tessera"),
    ],
)
@pytest.mark.slow
def test_a_build_of_another_version_is_refused_with_what_to_do(
    school: tuple[Home, Settings], tmp_path: Path, inputs: dict[str, Any], told: str
) -> None:
    home = Home.open(shutil.copytree(school[0].root, tmp_path / "home", symlinks=True))
    record = json.loads(build_record(home).read_bytes())
    record["inputs"] |= inputs
    build_record(home).write_text(json.dumps(record))
    done = CliRunner().invoke(app, ["rules", "diff", "--home", str(home.root)])
    assert done.exit_code == 2
    assert told in done.stderr
    assert "run `tessera run` first" in done.stderr


@pytest.mark.slow
def test_while_another_process_writes_the_command_says_so(
    school: tuple[Home, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "PATIENCE", 0)
    with school[0].writing():
        done = CliRunner().invoke(app, ["rules", "diff", "--home", str(school[0].root)])
    assert done.exit_code == 2
    assert "another process is writing" in done.stderr


def test_a_move_tells_the_fields_that_moved_and_no_others() -> None:
    before = {"sentence": "Two of three.", "severity": "low", "due_on": "2026-02-24"}
    move = Move("portfolio_signal", {"signal_id": "S-1"}, before, before | {"due_on": "2026-03-03"})
    assert _sentence(move) == "S-1: due on 2026-02-24 becomes 2026-03-03"
    gone = Move("portfolio_signal", {"signal_id": "S-1"}, before, None)
    assert _sentence(gone) == 'S-1: sentence "Two of three." becomes none'
    places = [{"agenda_group": "discuss", "reasons": reasons} for reasons in (["flagged"], [])]
    reworded = Move("committee_agenda", {"learner_key": "L-1"}, *places)
    assert _sentence(reworded) == "L-1: reasons flagged becomes none"


def test_without_a_build_there_is_nothing_to_compare_with(home: Home) -> None:
    done = CliRunner().invoke(app, ["rules", "diff", "--home", str(home.root)])
    assert done.exit_code == 2
    assert "no finished build to compare with: run `tessera run`" in done.stderr


def test_rules_with_a_fault_are_refused_with_file_and_line(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "faulty.yaml"
    file.write_text("rule_set: x\nversion: '1'\n")
    done = CliRunner().invoke(app, ["rules", "diff", str(file), "--home", str(home.root)])
    assert done.exit_code == 2
    assert "faulty.yaml:1" in done.output.replace("\n", "")
