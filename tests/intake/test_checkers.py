from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.contracts.problems import Problem
from pipelines.intake.checkers import Check, CheckOptions, UnreadableError, Verdict, checkers
from pipelines.intake.checkers.base import CHECKERS, register


@pytest.fixture
def lines_checker() -> Iterator[None]:
    """Enter a checker of a made-up standard: every line is `ok`."""

    @register("lines", "files of good lines")
    def check(path: Path, options: CheckOptions) -> Check:
        facts = {"version": options.xapi_version}

        def verdicts() -> Iterator[Verdict]:
            text = path.read_text(encoding="utf-8")
            if not text:
                raise UnreadableError("nothing in it")
            for row, line in enumerate(text.splitlines(), start=1):
                wrong = Problem("bad_line", "", "the line is bad", "mend it", requirement="R-1")
                odd = Problem("odd_line", "", "the line is odd", "none needed")
                yield Verdict(row, [] if line == "ok" else [wrong], warnings=[odd] * (row == 1))

        return Check(verdicts(), facts)

    checkers.cache_clear()
    yield
    del CHECKERS["lines"]
    checkers.cache_clear()


def check(path: Path, *options: str) -> tuple[int, list[dict[str, object]]]:
    done = CliRunner().invoke(app, ["check", "--kind", "lines", str(path), "--json", *options])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.usefixtures("lines_checker")
def test_a_registered_checker_is_a_kind_of_the_command(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("ok\nbad\n")
    code, (first, second, last) = check(path, "--xapi-version", "2.0")
    assert code == 1
    assert [item["code"] for item in first["warnings"]] == ["odd_line"]
    assert (first["ok"], second["ok"], "warnings" in second) == (True, False, False)
    assert second["errors"][0]["requirement"] == "R-1"
    summary = {"readable": True, "rows": 2, "ok": 1, "refused": 1, "version": "2.0"}
    assert last == {"summary": summary}


@pytest.mark.usefixtures("lines_checker")
def test_a_checker_says_when_the_file_as_a_whole_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    code, (last,) = check(path)
    assert code == 3
    assert last["summary"]["readable"] is False
    assert last["summary"]["error"] == "nothing in it"
