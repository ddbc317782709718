"""Verdicts on lines: statements, batches, and what is no JSON."""

from __future__ import annotations

import json

import pytest

from pipelines.sources.xapi.check import check, read
from tests.sources.xapi.statements import ATTACHMENT, FULL, SHORT

GOOD = json.dumps(SHORT)


def _with(more):
    return f"{GOOD[:-1]}, {more}}}".encode()


@pytest.mark.parametrize(
    ("line", "code", "requirement"),
    [
        (b"{", "not_json", "00014"),
        (b"{}x", "not_json", "00014"),
        (b"\xff{}", "not_utf8", "00014"),
        (_with('"result": {"score": {"raw": NaN}}'), "not_finite", "00014"),
        (_with('"result": {"score": {"raw": -Infinity}}'), "not_finite", "00014"),
        (_with('"verb": {"id": "https://example.org/verbs/saw"}'), "duplicate_key", "00021"),
        (_with('"verb" : {"id": "https://example.org/verbs/saw"}'), "duplicate_key", "00021"),
        (
            _with('"result": {"extensions": {"https://b.org/x": {"a": 1, "a": 2}}}'),
            "duplicate_key",
            "00021",
        ),
        (_with('"result": {"response": "\\ud800"}'), "lone_surrogate", "00014"),
        (
            _with('"result": {"extensions": {"https://b.org/x": ' + "[" * 300 + "]" * 300 + "}}"),
            "nested_too_deep",
            "00014",
        ),
    ],
)
def test_a_line_that_is_not_clean_json_is_refused_by_name(line, code, requirement):
    (fault,) = check(line)
    assert fault.code == code
    assert f"XAPI-{requirement}" in fault.requirement


def test_numbers_beyond_a_double_are_still_numbers():
    line = _with('"result": {"score": {"raw": 1e999, "max": 1e1000}}')
    assert check(line) == []
    assert check(_with('"result": {"score": {"scaled": 1e999}}'))[0].code == "out_of_range"


@pytest.mark.parametrize("version", ["1.0.3", "2.0"])
@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 3000, "9" * 5000])
def test_a_number_of_any_size_ends_in_a_verdict(number, version):
    line = json.dumps(SHORT | {"result": {"score": {"raw": 0}}, "attachments": [ATTACHMENT]})
    scored = line.replace('"raw": 0', f'"raw": {number}').encode()
    assert check(scored, version) == []
    length = f'"length": {ATTACHMENT["length"]}'
    assert length in line
    sized = line.replace(length, f'"length": {number}').encode()
    faults = check(sized, version)
    assert {fault.field for fault in faults} <= {"attachments[0].length"}


def test_a_batch_is_right_only_if_every_statement_is():
    batch = [SHORT, FULL]
    assert check(json.dumps(batch).encode()) == []
    faults = check(json.dumps([*batch, SHORT | {"id": "7"}]).encode())
    assert [fault.field for fault in faults] == ["[2].id"]
    assert "XAPI-00326" in faults[0].requirement


def test_what_is_neither_a_statement_nor_a_batch_is_refused():
    for line in (b"1", b'"a"', b"null", b"[1]", b"[[]]"):
        assert check(line)


def test_reading_gives_the_content_with_the_verdict():
    assert read(GOOD.encode()).content == SHORT
    assert read(b"{").content is None
