"""ledger, quarantine and check on the command line: output, exit codes, help."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app
from tests.sources.workbooks import workbook, zipped

Make = Callable[..., Any]

RESULT = {
    "programme_id": "MED",
    "record_id": "r1",
    "learner_id": "s1",
    "task_id": "t1",
    "sitting_id": "1",
    "instrument_id": "mcq",
    "result_status": "scored",
    "score": 61.5,
    "max_score": 100,
    "occurred_at": "2026-03-01T09:00:00Z",
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_ledger_prints_one_object_a_delivery(school: Any, result_row: Make) -> None:
    school.drop("exams", "a.jsonl", [result_row(), result_row("r2", score="x")])
    (record,) = school.take_in()
    result = run("ledger", "--home", school.home.root, "--json")
    assert result.exit_code == 1
    (entry,) = lines(result)
    assert entry["delivery_id"] == record.delivery_id
    counts = ("source_rows", "rows_read", "accepted", "duplicate", "superseded", "voided")
    assert [entry[name] for name in counts] == [2, 2, 1, 0, 0, 0]
    assert entry["reasons"] == {"not_a_number": 1}
    assert {"source", "file", "known_at", "status", "quarantined"} <= entry.keys()


def test_ledger_ends_with_0_when_nothing_waits(school: Any, result_row: Make) -> None:
    assert run("ledger", "--home", school.home.root).exit_code == 0
    school.drop("exams", "a.jsonl", [result_row()])
    (record,) = school.take_in()
    result = run("ledger", "--home", school.home.root, "--delivery", record.delivery_id)
    assert result.exit_code == 0
    assert "exams/a.jsonl" in result.stdout


def test_an_unknown_delivery_is_wrong_use(school: Any) -> None:
    assert run("ledger", "--home", school.home.root, "--delivery", "x").exit_code == 2


def test_quarantine_lists_shows_and_exports(school: Any, result_row: Make, tmp_path: Path) -> None:
    home = ("--home", school.home.root)
    assert run("quarantine", "list", *home).exit_code == 0
    school.drop("exams", "a.jsonl", [result_row("r2", score="[bold]x")])
    school.take_in()
    listed = run("quarantine", "list", *home, "--json")
    assert listed.exit_code == 1
    assert lines(listed)[0]["code"] == "not_a_number"
    assert "owner_of_exams" in run("quarantine", "list", *home).stdout
    shown = run("quarantine", "show", *home)
    assert "[bold]x" in shown.stdout
    assert lines(run("quarantine", "show", *home, "--json"))[0]["source_row"] == 1
    assert run("quarantine", "show", *home, "--row", 99).exit_code == 2
    target = tmp_path / "out.csv"
    assert lines(run("quarantine", "export", target, *home, "--json")) == [
        {"file": str(target), "records": 1}
    ]
    assert run("quarantine", "export", tmp_path / "no" / "out.csv", *home).exit_code == 2


def test_check_says_for_each_record_whether_it_would_be_accepted(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    bad = RESULT | {"score": "abc", "ai_probability": 0.5}
    texts = [json.dumps(RESULT), json.dumps(bad), '{"a": 1, "a": 2}', "[1]", "{"]
    file.write_text("\n".join(texts))
    result = run("check", "--kind", "exam_result", file, "--json")
    assert result.exit_code == 1
    *records, summary = lines(result)
    assert records[0] == {"row": 1, "ok": True, "errors": []}
    assert [[e["code"] for e in r["errors"]] for r in records[1:]] == [
        ["not_a_number", "detector_score"],
        ["duplicate_key"],
        ["not_an_object"],
        ["not_json"],
    ]
    assert records[1]["errors"][0].keys() == {
        "code",
        "field",
        "message",
        "suggestion",
        "requirement",
    }
    assert summary == {"summary": {"readable": True, "rows": 5, "ok": 1, "refused": 4}}


def as_file(suffix: str) -> bytes:
    """Return two good results as a file of each format; text formats have an empty column."""
    if suffix == ".json":
        return json.dumps([RESULT, RESULT]).encode()
    if suffix == ".jsonl":
        return f"{json.dumps(RESULT)}\n{json.dumps(RESULT)}\n".encode()
    if suffix == ".xlsx":
        row = list(RESULT.values())
        return workbook({"Results": [["Printed"], [*RESULT, "grade"], row, row]})
    if suffix == ".parquet":
        buffer = io.BytesIO()
        pl.DataFrame([RESULT, RESULT]).write_parquet(buffer)
        return buffer.getvalue()
    if suffix == ".zip":
        return zipped({"a.csv": as_file(".csv").decode()})
    mark = "\t" if suffix == ".tsv" else ","
    row = mark.join(str(value) for value in RESULT.values())
    return "\n".join([mark.join((*RESULT, "grade")), row + mark, row + mark]).encode()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".json", ".jsonl", ".xlsx", ".parquet", ".zip"])
def test_check_reads_the_same_records_from_each_format(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"a{suffix}"
    file.write_bytes(as_file(suffix))
    result = run("check", "--kind", "exam_result", file, "--json")
    assert result.exit_code == 0, result.stdout
    assert lines(result)[-1]["summary"] == {"readable": True, "rows": 2, "ok": 2, "refused": 0}
    place = lines(result)[0].get("place")
    assert place == ({".xlsx": "Results, row 3", ".zip": "row 1"}.get(suffix))


def test_check_reads_text_in_any_encoding_and_refuses_bad_rows_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    text = as_file(".csv").decode() + "\nragged,row"
    file.write_bytes(text.encode("utf-16"))
    result = run("check", "--kind", "exam_result", file, "--json")
    assert [r["ok"] for r in lines(result)[:-1]] == [True, True, False]
    assert lines(result)[2]["errors"][0]["code"] == "ragged_row"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"{"),
        ("a.csv", b"\xff\xfe\x00x"),
        ("a.jsonl", b""),
        ("a.csv", b"a,b\n"),
        ("a.xlsx", b"PK"),
        ("a.parquet", b"PAR1"),
        ("a.zip", b"x"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_to_be_so(
    name: str, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    result = run("check", "--kind", "exam_result", tmp_path / name, "--json")
    assert result.exit_code == 3
    summary = lines(result)[-1]["summary"]
    assert summary["readable"] is False
    assert summary["error"]


def test_check_refuses_a_kind_that_nobody_knows(tmp_path: Path) -> None:
    result = run("check", "--kind", "horoscope", tmp_path / "x")
    assert result.exit_code == 2
    assert "exam_result" in result.stderr


def test_check_by_a_source_reads_the_file_with_its_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "night_exam.yaml").write_text(
        "source: night_exam\ntitle: Night exam\nowner: assessment_unit\nfiles: ['*.csv']\n"
        "reader: {name: delimited}\ntime_zone: Europe/Vienna\n"
        "values: {programme_id: MED}\n"
        "records:\n  - kind: exam_result\n    record_id: '{Id}'\n    fields:\n"
        "      learner_id: Student\n      task_id: {value: t1}\n      sitting_id: {value: s1}\n"
        "      instrument_id: {value: mcq}\n      result_status: {value: scored}\n"
        "      score: Points\n      occurred_at: {column: Day, format: '%d.%m.%Y'}\n"
    )
    monkeypatch.setenv("TESSERA_SITE", str(tmp_path))
    file = tmp_path / "any name.csv"
    file.write_text("Id,Student,Points,Day\n1,s1,3,01.03.2026\n2,s2,4,2026/03/01\n")
    result = run("check", "--kind", "night_exam", file, "--json")
    assert result.exit_code == 1, result.output
    first, second, summary = lines(result)
    assert (first["row"], first["kind"], first["ok"]) == (1, "exam_result", True)
    assert [error["code"] for error in second["errors"]] == ["bad_date"]
    assert summary["summary"] == {"readable": True, "rows": 2, "ok": 1, "refused": 1}
    file.write_text("Wrong\n1\n")
    assert run("check", "--kind", "night_exam", file).exit_code == 3
