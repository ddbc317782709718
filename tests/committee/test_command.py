from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from pipelines.commands import pack as command
from pipelines.home import Home

runner = CliRunner()


def _run(*arguments: str) -> tuple[int, list[dict[str, object]]]:
    result = runner.invoke(command.app, [*arguments, "--json"])
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_build_says_where_the_pack_is(fresh: Home) -> None:
    code, (line,) = _run("build", "--home", str(fresh.root))
    assert code == 0
    assert line["ok"] is True
    assert str(line["index"]).endswith("index.html")


def test_verify_names_each_problem_and_ends_with_a_summary(fresh: Home) -> None:
    _run("build", "--home", str(fresh.root))
    assert _run("verify", "--home", str(fresh.root))[0] == 0
    (fresh.packs / "current" / "index.html").write_text("x", encoding="utf-8")
    code, lines = _run("verify", "--home", str(fresh.root))
    assert code == 3
    assert lines[0]["file"] == "index.html"
    assert lines[-1]["summary"]["problems"] == 1  # type: ignore[index]


def test_no_edition_is_wrong_use(tmp_path: object) -> None:
    assert _run("build", "--home", str(tmp_path))[0] == 2
    assert _run("verify", "--home", str(tmp_path))[0] == 2


@pytest.mark.parametrize("name", ["build", "verify"])
def test_help_has_an_example(name: str) -> None:
    result = runner.invoke(command.app, [name, "--help"])
    assert "Example:" in result.stdout
