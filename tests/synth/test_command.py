from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["synth", *(str(each) for each in arguments)])


def test_help_has_an_example() -> None:
    assert "Example: tessera synth --out var/inbox" in run("--help").stdout


def test_machines_are_told_what_was_made_and_where_the_truth_is(tmp_path: Path) -> None:
    result = run("--out", tmp_path / "inbox", "--learners", 5, "--years", 1, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["learners"] == 5
    assert told["records"] > 100
    assert told["mess"] == "medium"
    assert Path(told["truth"]) == tmp_path / "inbox-truth"
    files = [
        path
        for path in (tmp_path / "inbox").rglob("*")
        if path.is_file() and not path.name.endswith(".manifest.json")
    ]
    assert len(files) == told["files"]


def test_a_format_comes_with_the_specs_that_read_it(tmp_path: Path) -> None:
    out = tmp_path / "inbox"
    result = run("--out", out, "--learners", 5, "--years", 1, "--format", "jsonl", "--json")
    site = Path(json.loads(result.stdout)["site"])
    text = (site / "sources" / "example_forms.yaml").read_text(encoding="utf-8")
    assert "reader: {name: jsonl}" in text
    assert 'files: "*.jsonl"' in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--learners", 0), "learners is 0"),
        (("--years", -3), "years is -3"),
        (("--mess", "total"), "no mess 'total'"),
        (("--format", "docx"), "no format 'docx'"),
        (("--truth", "inbox"), "where intake would read the truth"),
    ],
)
def test_the_impossible_is_wrong_use_and_writes_nothing(
    arguments: tuple[object, object],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("--out", "inbox", *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n", encoding="utf-8")
    result = run("--out", tmp_path)
    assert result.exit_code == 2
    assert "not empty" in " ".join(result.stderr.split())
