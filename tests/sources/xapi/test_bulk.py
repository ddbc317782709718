"""Files of statements, checked chunk by chunk."""

from __future__ import annotations

import json

import pytest

from pipelines.sources.xapi import bulk
from pipelines.sources.xapi.bulk import UnreadableFileError, judge
from tests.sources.xapi.statements import FULL, SHORT

BAD = SHORT | {"id": "7"}


def _judged(path, **options):
    refused, machine, n_rows = [], b"", 0
    for part in judge(path, **options):
        refused += part.refused
        n_rows += part.n_rows
        assert part.n_refused == len(part.refused)
    for part in judge(path, for_machines=True, **options):
        machine += part.machine
        n_rows -= part.n_refused
    n_rows += len(refused)
    return n_rows, refused, [json.loads(line) for line in machine.splitlines()]


def _lines(*statements):
    return "\n".join(map(json.dumps, statements))


def test_each_row_has_a_line_for_machines_and_blank_lines_none(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_text("\n" + _lines(SHORT, BAD) + "\r\n \n" + _lines([SHORT, BAD]))
    n_rows, refused, machine = _judged(path)
    assert n_rows == 3
    assert [row for row, _ in refused] == [2, 3]
    assert [line["row"] for line in machine] == [1, 2, 3]
    assert machine[0] == {"row": 1, "ok": True, "errors": []}
    assert machine[1]["errors"][0]["field"] == "id"
    assert set(machine[1]["errors"][0]) == {
        *("code", "field", "message", "suggestion", "requirement")
    }


def test_several_processes_give_what_one_gives(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK_BYTES", 5_000)
    path = tmp_path / "s.jsonl"
    path.write_text(_lines(*(FULL if n % 3 else BAD for n in range(200))))
    assert _judged(path, processes=2) == _judged(path, processes=1)
    assert _judged(path, processes=2)[0] == 200


@pytest.mark.parametrize(
    "content", [[SHORT, BAD], {"statements": [SHORT, BAD], "more": ""}], ids=["array", "result"]
)
def test_a_json_file_holds_its_statements_as_rows(tmp_path, content):
    path = tmp_path / "s.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(content, indent=2).encode())
    n_rows, refused, _ = _judged(path)
    assert (n_rows, [row for row, _ in refused]) == (2, [2])


def test_a_single_statement_may_be_a_json_file(tmp_path):
    path = tmp_path / "s.json"
    path.write_text(json.dumps(FULL, indent=2))
    assert _judged(path)[:2] == (1, [])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.jsonl", b""),
        ("s.jsonl", b" \n\n"),
        ("s.jsonl", "{}".encode("utf-16")),
        ("s.json", b"{"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"\w"):
        _judged(path)


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(UnreadableFileError, match="cannot be opened"):
        _judged(tmp_path / "none.jsonl")
