from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import registry
from benchmarks.figures import Case, Figure
from benchmarks.homes import FailedError
from benchmarks.registry import Entry, Measured, NotYetError, Options
from pipelines.cli import app


class Fake(Entry):
    def measure(self, options: Options) -> Measured:
        if self.module == "later":
            raise NotYetError("its subject comes later")
        if self.module == "broken":
            raise FailedError("the home could not be made")
        figure = Figure(label="Tessera", work=10, seconds=(1.0,) * options.runs)
        missing = Figure(label="rival", work=10, why_not="it cannot be installed here: no index")
        case = Case(name="c", size=10, unit="record", ours=figure, floor=figure, rival=missing)
        return Measured((case,), {"cache": options.cache.name}, {})


@pytest.fixture(autouse=True)
def entries(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(registry.ENTRIES):
        monkeypatch.delitem(registry.ENTRIES, name)
    for name in ("quick", "later", "broken"):
        monkeypatch.setitem(registry.ENTRIES, name, Fake(name, name, name, "floor", "rival"))


def bench(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    where = ["--project", str(tmp_path), "--cache", str(tmp_path / "cache")]
    found = CliRunner().invoke(app, ["bench", *arguments, *where])
    return found.exit_code, found.stdout


def test_an_unknown_name_is_wrong_use(tmp_path: Path) -> None:
    code, _ = bench(tmp_path, "nonsense")
    assert code == 2
    assert not (tmp_path / "benchmarks").exists()


def test_a_result_lands_as_json_and_on_the_page(tmp_path: Path) -> None:
    code, said = bench(tmp_path, "quick")
    assert code == 0
    kept = json.loads((tmp_path / "benchmarks" / "results" / "quick.json").read_bytes())
    assert kept["cases"][0]["times_floor"] == 1.0
    assert kept["settings"] == {"cache": "cache", "runs": 3}
    assert "## quick" in (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert "not measured" in said


def test_nothing_is_kept_where_nothing_shall_be(tmp_path: Path) -> None:
    code, _ = bench(tmp_path, "quick", "--no-save")
    assert code == 0
    assert not (tmp_path / "benchmarks").exists()
    assert not (tmp_path / "docs").exists()


def test_machines_get_one_object_a_case_and_no_ratio_that_was_not_measured(tmp_path: Path) -> None:
    code, said = bench(tmp_path, "quick", "later", "--json", "--runs", "2")
    assert code == 0
    quick, later = map(json.loads, said.splitlines())
    assert quick["benchmark"] == "quick"
    assert quick["ours"]["seconds"] == [1.0, 1.0]
    assert quick["times_rival"] is None
    assert quick["rival"]["why_not"] == "it cannot be installed here: no index"
    assert quick["machine"]["cores"] >= 1
    assert later["status"] == "not yet"
    assert "times_rival" not in later


def test_what_comes_later_is_told_in_words(tmp_path: Path) -> None:
    code, said = bench(tmp_path, "later")
    assert code == 0
    assert "later: not yet: its subject comes later" in said


def test_one_that_fails_is_told_and_the_others_are_measured(tmp_path: Path) -> None:
    code, said = bench(tmp_path, "broken", "quick")
    assert code == 3
    assert "broken: failed: the home could not be made" in said
    assert (tmp_path / "benchmarks" / "results" / "quick.json").exists()
