from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.sources.readers import Unreadable, Wanted, json_array, json_file
from pipelines.sources.readers.json_file import JsonFile, JsonOptions

DATA = Path(os.environ.get("TESSERA_TEST_DATA", Path(__file__).parents[2] / "../shared/data"))
SUITE = DATA / "nasty/JSONTestSuite/test_parsing"
EVERYTHING = Wanted(patterns=("",))


def read(
    tmp_path: Path, data: bytes | str, at: str | None = None
) -> tuple[pl.DataFrame, dict[int, str]]:
    path = tmp_path / "file.json"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    chunks = list(JsonFile.open(path, JsonOptions(records_at=at), EVERYTHING).chunks)
    rows = pl.concat([chunk.rows for chunk in chunks], how="diagonal")
    problems = pl.concat([chunk.problems for chunk in chunks])
    return rows, dict(zip(problems["source_row"], problems["code"], strict=True))


def refusal(tmp_path: Path, data: bytes | str, at: str | None = None) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read(tmp_path, data, at)
    return caught.value


def test_each_element_of_the_array_is_a_record(tmp_path: Path) -> None:
    data = '\ufeff [\n  {"a": "x, y",\r\n "b": [1, {"c": 2}]},\n{"a": "]"}\n]\n '
    rows, bad = read(tmp_path, data)
    assert rows.select("source_row", "a", "b").rows() == [
        (1, "x, y", '[1, {"c": 2}]'),
        (2, "]", None),
    ]
    assert bad == {}


@pytest.mark.parametrize("at", ["items", "data.items", "data.more.items"])
def test_the_array_may_lie_at_a_declared_place(at: str, tmp_path: Path) -> None:
    document: Any = [{"a": 1}, {"a": 2}]
    for key in reversed(at.split(".")):
        document = {"first": [{"items": [0]}, "]"], "x.y": {"items": 1}, key: document, "last": []}
    rows, bad = read(tmp_path, json.dumps(document, indent=1), at)
    assert (rows["a"].to_list(), bad) == (["1", "2"], {})


def test_a_place_without_an_array_is_refused_with_the_places_that_there_are(
    tmp_path: Path,
) -> None:
    error = refusal(tmp_path, '{"meta": {"n": 1}, "data": {"rows": []}, "log": [[]]}', "data.items")
    assert error.code == "records_not_found"
    assert "data.rows, log" in error.suggestion


def test_a_file_that_is_no_array_is_one_record(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, '{"a": "x",\n"b": 2}')
    assert rows.rows() == [(1, "x", "2")]
    assert read(tmp_path, '"text"')[1] == {1: "not_an_object"}


@pytest.mark.parametrize(
    ("element", "code"),
    [
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ('{"a": {"b": 1, "b": 2}}', "duplicate_key"),
        ("[1]", "not_an_object"),
        ("null", "not_an_object"),
        ('{"a": "\\ud800"}', "lone_surrogate"),
        ('{"a": ' + "[" * 300 + "]" * 300 + "}", "nested_too_deep"),
    ],
)
def test_a_record_that_cannot_be_kept_is_refused_alone(
    element: str, code: str, tmp_path: Path
) -> None:
    rows, bad = read(tmp_path, f'[{{"a": "x"}}, {element}, {{"a": "y"}}]')
    assert bad == {2: code}
    assert rows.rows() == [(1, "x"), (3, "y")]


@pytest.mark.parametrize(
    "data",
    [
        '[{"a": 1}, {"a": NaN}]',
        '[{"a": -Infinity}]',
        '[{"a": 1},]',
        '[,{"a": 1}]',
        '[{"a": 1},, {"a": 2}]',
        '[{"a": 1}',
        '[{"a": 1}] {}',
        '[{"a": 1}]]',
        '{"a": 1} {"a": 2}',
        '{"a": 1}, {"a": 2}',
        '[{"a": "line\nbreak"}]',
        '[{"a": 1, "a": 2 x}]',
        "[" * 100_000,
        '[{"a": "x}]',
        '[{"a": 1}}]',
        b'[{"a": "\xff"}]',
        b"[\xff]",
    ],
)
def test_a_file_that_is_not_json_is_refused_whole(data: str | bytes, tmp_path: Path) -> None:
    assert refusal(tmp_path, data).code == "not_json"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b" \n", "empty_file"),
        (b"[ ]", "no_records"),
        ("[]".encode("utf-16"), "wrong_encoding"),
        (b'{"items": [{"a": 1}], "items": []}', "duplicate_key"),
        (b'{"items": [{"a": 1}], "x": }', "not_json"),
    ],
)
def test_a_file_without_usable_records_says_why(data: bytes, code: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, data, "items" if b"items" in data else None).code == code


def test_one_record_may_not_be_endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_array, "MAX_ELEMENT", 1000)
    assert refusal(tmp_path, '[{"a": "' + "x" * 2000).code == "not_json"


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(['"', "\\", '\\"', "\\\\", "[", "]", "{", "}", ",", "\n", "],[", '"],"']),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    values=st.lists(VALUES, max_size=6),
    indent=st.sampled_from([None, 0, 2]),
    ascii_only=st.booleans(),
    block=st.integers(1, 40),
)
@example(values=["\x1f"], indent=None, ascii_only=False, block=32)
def test_cutting_gives_the_elements_whatever_the_layout_and_the_blocks(
    values: list[Any], indent: int | None, ascii_only: bool, block: int, tmp_path: Path
) -> None:
    path = tmp_path / "file.json"
    text = json.dumps({"before": {"x": [values]}, "at": values}, indent=indent)
    if not ascii_only:
        text = json.dumps({"at": values, "behind": values}, indent=indent, ensure_ascii=False)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_array, "CHUNK_BYTES", block)
        found = [element for part in json_array.elements(path, "at") for element in part]
    assert [json.loads(element) for element in found] == values
    assert not any(b"\n" in element for element in found)


def test_large_files_are_read_block_by_block_with_rows_numbered_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_array, "CHUNK_BYTES", 100)
    text = ",\n".join("[]" if n % 10 == 0 else f'{{"a": {n}}}' for n in range(1, 301))
    rows, bad = read(tmp_path, f"[{text}]")
    assert bad == dict.fromkeys(range(10, 301, 10), "not_an_object")
    assert all(number == int(text) for number, text in rows.rows())


def test_a_spec_reads_json_by_its_declared_place(read_bytes: Callable[..., Any]) -> None:
    body = """
    reader: {name: json, records_at: results}
    values: {programme_id: MED, instrument_id: mcq, sitting_id: s, task_id: t}
    records:
      - kind: exam_result
        record_id: "{id}"
        fields:
          {learner_id: person.id, score: mark, result_status: {value: scored}, occurred_at: day}
    """
    data = {"results": [{"id": 1, "person": {"id": "s1"}, "mark": 7.50, "day": "2026-01-01"}]}
    result = read_bytes(json.dumps(data), body)
    assert result.records().select("learner_id", "score").rows() == [("s1", "7.5")]
    assert result.report.columns_not_taken == []


@pytest.mark.real
@pytest.mark.skipif(not SUITE.exists(), reason=f"shared test data not found at {DATA}")
def test_json_test_suite_as_documents_by_both_roads() -> None:
    read_of = {}
    for path in sorted(SUITE.glob("*.json")):
        by_road = []
        for road in (
            lambda path: list(json_file.records(path, JsonOptions())),
            lambda path: list(JsonFile.open(path, JsonOptions(), EVERYTHING).chunks),
        ):
            try:
                road(path)
                by_road.append(True)
            except Unreadable as error:
                by_road.append(error.code == "no_records")
        assert by_road[0] == by_road[1], path.name
        read_of[path.name] = by_road[0]
    assert len(read_of) == 318
    assert [name for name, is_read in read_of.items() if name[0] == "y" and not is_read] == []
    assert [name for name, is_read in read_of.items() if name[0] == "n" and is_read] == []


@pytest.mark.real
@pytest.mark.skipif(not SUITE.exists(), reason=f"shared test data not found at {DATA}")
def test_json_test_suite_as_files_that_tessera_checks() -> None:
    wrong = []
    for path in sorted(SUITE.glob("*.json")):
        done = CliRunner().invoke(app, ["check", "--kind", "exam_result", str(path), "--json"])
        assert done.exit_code in (0, 1, 3), (path.name, done.output)
        summary = json.loads(done.stdout.splitlines()[-1])["summary"]
        if path.name[0] in "yn" and summary["readable"] != (path.name[0] == "y"):
            wrong.append((path.name, summary))
    assert wrong == []


@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason=f"shared test data not found at {DATA}")
@pytest.mark.parametrize("ascii_only", [True, False])
def test_every_naughty_string_survives(tmp_path: Path, ascii_only: bool) -> None:
    strings = json.loads((DATA / "nasty/blns/blns.json").read_text(encoding="utf-8"))
    data = json.dumps([{"text": text} for text in strings], ensure_ascii=ascii_only, indent=2)
    rows, bad = read(tmp_path, data)
    assert bad == {}
    assert rows["text"].to_list() == strings
