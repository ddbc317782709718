from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import validity
from benchmarks.registry import ENTRIES, Measured, Options
from benchmarks.validity import FULL, QUICK, Asked, __main__, page

NOTHING_MEASURED: dict[str, Any] = {"seeds": 1}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """Let nothing be made or written, and tell what was asked for."""
    seen: list[Asked] = []

    def report(wanted: Asked) -> dict[str, Any]:
        seen.append(wanted)
        return NOTHING_MEASURED

    for module in (validity, __main__):
        monkeypatch.setattr(module, "report", report)
        monkeypatch.setattr(module, "save", lambda *_: (Path("a.json"), Path("a.md")))
    monkeypatch.setattr(page, "render", lambda _: "the page\n")
    return seen


@pytest.mark.parametrize(("full", "wanted"), [(False, QUICK), (True, FULL)])
def test_the_bench_gets_where_the_report_is_and_no_made_up_seconds(
    full: bool, wanted: dict[str, int], asked: list[Asked], tmp_path: Path
) -> None:
    measured = ENTRIES["validity"].measure(Options(cache=tmp_path, full=full))
    assert isinstance(measured, Measured)
    assert measured.cases == ()
    assert measured.settings["report"] == "a.json"
    assert (asked[0].seeds, asked[0].learners) == (wanted["seeds"], wanted["learners"])


def test_alone_it_prints_json_for_machines_and_the_page_for_people(
    asked: list[Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["--seeds", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == NOTHING_MEASURED
    assert __main__.main(["--oracle-seeds", "5"]) == 0
    assert capsys.readouterr().out == "the page\n"
    assert [(each.seeds, each.oracle_seeds) for each in asked] == [
        (3, QUICK["oracle_seeds"]),
        (QUICK["seeds"], 5),
    ]


def test_nothing_to_go_through_is_wrong_use(asked: list[Asked]) -> None:
    with pytest.raises(SystemExit) as stopped:
        __main__.main(["--seeds", "0"])
    assert stopped.value.code == 2
    assert asked == []
