"""`tessera check --kind xapi`, as machines and people see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app

GOOD = {
    "actor": {"mbox": "mailto:learner@example.org"},
    "verb": {"id": "https://example.org/verbs/saw"},
    "object": {"id": "https://example.org/cases/7"},
}
OF_2_0 = GOOD | {
    "context": {
        "contextAgents": [
            {"objectType": "contextAgent", "agent": {"mbox": "mailto:observer@example.org"}}
        ]
    }
}


def _check(path: Path, *options: str) -> tuple[int, list[dict]]:
    done = CliRunner().invoke(app, ["check", "--kind", "xapi", "--json", str(path), *options])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def test_machines_read_a_line_for_each_statement_or_batch_and_a_summary(tmp_path: Path) -> None:
    path = tmp_path / "statements.jsonl"
    rows = [GOOD, GOOD | {"id": "7"}, [GOOD, {}], [GOOD]]
    path.write_text("\n".join(map(json.dumps, rows)))
    code, (first, second, third, fourth, last) = _check(path)
    assert code == 1
    assert first == {"row": 1, "ok": True, "errors": []}
    assert [row["ok"] for row in (second, third, fourth)] == [False, False, True]
    assert second["errors"][0]["field"] == "id"
    assert "XAPI-00027" in second["errors"][0]["requirement"]
    assert last == {"summary": {"readable": True, "rows": 4, "ok": 2, "refused": 2}}


def test_the_version_is_for_statements_that_name_none(tmp_path: Path) -> None:
    path = tmp_path / "statements.jsonl"
    rows = [OF_2_0, OF_2_0 | {"version": "2.0.0"}, OF_2_0 | {"version": "1.0.3"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert [row["ok"] for row in _check(path)[1][:3]] == [False, True, False]
    assert [row["ok"] for row in _check(path, "--xapi-version", "2.0")[1][:3]] == [
        True,
        True,
        False,
    ]


def test_people_read_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "statements.jsonl"
    path.write_text(json.dumps(GOOD | {"timestamp": "yesterday"}))
    done = CliRunner().invoke(app, ["check", "--kind", "xapi", str(path)])
    assert done.exit_code == 1
    assert "row 1: timestamp is not a date and time of ISO 8601" in " ".join(done.stdout.split())


@pytest.mark.parametrize("content", [b"", b"\xff\xfe{\0}\0"])
def test_a_file_that_cannot_be_read_ends_with_3_and_the_reason(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "statements.jsonl"
    path.write_bytes(content)
    code, (last,) = _check(path)
    assert code == 3
    assert last["summary"]["readable"] is False
    assert last["summary"]["error"]


def test_the_examples_of_the_profile_are_right() -> None:
    folder = Path(__file__).parents[2] / "docs" / "examples"
    files = sorted(folder.glob("xapi_*.jsonl"))
    assert len(files) == 2
    for path in files:
        code, rows = _check(path)
        assert code == 0
        assert rows[-1]["summary"]["refused"] == 0
