from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.sources.readers import Unreadable, Wanted, flat_json, jsonl, strict_json
from pipelines.sources.readers.jsonl import JsonLines, JsonLinesOptions, read_lines

DATA = Path(os.environ.get("TESSERA_TEST_DATA", Path(__file__).parents[2] / "../shared/data"))
SUITE = DATA / "nasty/JSONTestSuite/test_parsing"
EVERYTHING = Wanted(patterns=("",))


def read(
    tmp_path: Path, data: bytes | str, wanted: Wanted = EVERYTHING
) -> tuple[pl.DataFrame, dict[int, str]]:
    path = tmp_path / "file"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    chunks = list(JsonLines.open(path, JsonLinesOptions(), wanted).chunks)
    rows = pl.concat([chunk.rows for chunk in chunks], how="diagonal")
    problems = pl.concat([chunk.problems for chunk in chunks])
    return rows, dict(zip(problems["source_row"], problems["code"], strict=True))


def test_one_object_a_line_blank_lines_not_counted(tmp_path: Path) -> None:
    rows, bad = read(tmp_path, '{"a": "x"}\n\n  \r\n{"a": "y"}\r\n')
    assert rows.rows() == [(1, "x"), (2, "y")]
    assert bad == {}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"a": NaN}', "not_finite"),
        ('{"a": ' + "[" * 300 + "]" * 300 + "}", "nested_too_deep"),
        ('{"a": -Infinity}', "not_finite"),
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ('{"a": null, "a": 2}', "duplicate_key"),
        ('{"a": 1, "\\u0061": 2}', "duplicate_key"),
        ('{"a": {"b": 1, "b": 2}}', "duplicate_key"),
        ("[1, 2]", "not_an_object"),
        ("null", "not_an_object"),
        ('{"a": 1,}', "not_json"),
        ("{'a': 1}", "not_json"),
        ('{"a": 01}', "not_json"),
        ('{"a": 1} x', "not_json"),
        ('{"a": ', "not_json"),
        ('{"a": "tab\there"}', "not_json"),
        ('{"a": "\\ud800"}', "lone_surrogate"),
        ('{"a": "\\udc00\\ud800"}', "lone_surrogate"),
        ("[" * 100_000, "nested_too_deep"),
    ],
)
def test_a_bad_line_is_refused_alone(tmp_path: Path, line: str, code: str) -> None:
    rows, bad = read(tmp_path, f'{{"a": "x"}}\n{line}\n{{"a": "y"}}\n')
    assert bad == {2: code}
    assert rows.rows() == [(1, "x"), (3, "y")]


def test_a_line_that_is_not_utf8_is_refused_alone(tmp_path: Path) -> None:
    rows, bad = read(tmp_path, b'{"a": "\xfc"}\n{"a": "y"}\n')
    assert bad == {1: "not_utf8"}
    assert rows.rows() == [(2, "y")]


@pytest.mark.parametrize(
    "number", ["1", "1.10", "80.0", "1e5", "-0", "0.1", "0.00001", "12345678901234567890.123456789"]
)
def test_numbers_keep_their_spelling(tmp_path: Path, number: str) -> None:
    rows, _ = read(tmp_path, f'{{"a": {number}, "b": [{number}]}}\n')
    assert rows.rows() == [(1, number, f"[{number}]")]


def test_dotted_names_reach_into_objects_unless_a_key_has_that_name(tmp_path: Path) -> None:
    wanted = Wanted(frozenset({"learner.id", "a", "x.y"}))
    lines = (
        '{"learner": {"id": 7, "name": "n"}, "a": {"b": [1, "é"]}}\n'
        '{"learner": "none", "a": true, "x.y": "literal"}\n'
        '{"learner": {"id": null}, "a": "text", "x": {"y": "inner"}}\n'
    )
    rows, bad = read(tmp_path, lines, wanted)
    assert bad == {}
    assert rows.select("learner.id", "a", "x.y").rows() == [
        ("7", '{"b": [1, "é"]}', None),
        (None, "true", "literal"),
        (None, "text", "inner"),
    ]


def test_a_byte_order_mark_is_left_out_and_utf16_refused(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b'\xef\xbb\xbf{"a": "x"}\n')
    assert rows.rows() == [(1, "x")]
    with pytest.raises(Unreadable, match="UTF-16"):
        read(tmp_path, '{"a": "x"}\n'.encode("utf-16"))


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_a_file_without_records_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        read(tmp_path, data)
    assert caught.value.code == "empty_file"


def test_row_numbers_hold_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "CHUNK_BYTES", 100)
    lines = ["{bad" if n % 10 == 0 else f'{{"a": {n}}}' for n in range(1, 301)]
    rows, bad = read(tmp_path, "\n".join(lines))
    assert bad == dict.fromkeys(range(10, 301, 10), "not_json")
    assert all(number == int(text) for number, text in rows.rows())


def test_plain_lines_do_not_go_through_the_reader_of_single_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_singly: list[bytes] = []
    parse = strict_json.parse_record
    monkeypatch.setattr(
        strict_json, "parse_record", lambda line: (read_singly.append(line), parse(line))[1]
    )
    lines = [json.dumps({"a": n, "b": None, "c": f'say "{n}"\n'}).encode() for n in range(500)]
    lines[17] = b'{"a": 1, "a": 2}'
    lines[18] = b'{"a": nope}'
    chunk = read_lines(lines, 0, EVERYTHING, set())
    assert chunk.rows.height == 498
    assert len(read_singly) <= flat_json.FEW_LINES


KEYS = st.sampled_from(["a", "b", "c", "x.y", "näme", "k e y"])
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(['":', '"a":', "null", "{", "}", "\\", "1.50", "\u2028"]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    records=st.lists(st.dictionaries(KEYS, VALUES, max_size=5), min_size=1, max_size=8),
    ascii_only=st.booleans(),
)
def test_reading_together_and_one_by_one_give_the_same_cells(
    records: list[dict[str, object]], ascii_only: bool
) -> None:
    lines = []
    for record in records:
        try:
            lines.append(json.dumps(record, ensure_ascii=ascii_only).encode())
        except UnicodeEncodeError:
            lines.append(json.dumps(record).encode())
    wanted = Wanted(frozenset({"a", "b", "näme", "k e y", "c.a", "x.y"}))
    chunk = read_lines(lines, 0, wanted, set())
    refused = set(chunk.problems["source_row"])
    for number, line in enumerate(lines, start=1):
        if number in refused:
            with pytest.raises(strict_json.NotJson):
                strict_json.parse_record(line)
            continue
        record = strict_json.parse_record(line)
        (row,) = chunk.rows.filter(source_row=number).to_dicts()
        for name in wanted.columns:
            expected = strict_json.as_text(strict_json.at_path(record, name))
            assert row.get(name) == expected


@pytest.mark.real
@pytest.mark.skipif(not SUITE.exists(), reason=f"shared test data not found at {DATA}")
@pytest.mark.parametrize("path", sorted(SUITE.glob("*.json")), ids=lambda path: path.stem)
def test_json_test_suite(path: Path) -> None:
    data = path.read_bytes()
    try:
        strict_json.parse(data)
        is_read = True
    except strict_json.NotJson as error:
        is_read = error.code == "duplicate_key"
    if path.name.startswith("y_"):
        assert is_read  # equal keys are legal JSON, and refused as such
    elif path.name.startswith("n_"):
        assert not is_read
    line = b'{"a": ' + data.replace(b"\n", b" ").replace(b"\r", b" ") + b"}"
    together = read_lines([line], 0, EVERYTHING, set())
    try:
        expected = strict_json.parse_record(line)
    except strict_json.NotJson:
        assert together.problems.height == 1
    else:
        assert together.rows["a"].to_list() == [strict_json.as_text(expected["a"])]


@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason=f"shared test data not found at {DATA}")
@pytest.mark.parametrize("ascii_only", [True, False])
def test_every_naughty_string_survives(tmp_path: Path, ascii_only: bool) -> None:
    strings = json.loads((DATA / "nasty/blns/blns.json").read_text(encoding="utf-8"))
    lines = [json.dumps({"text": text}, ensure_ascii=ascii_only) for text in strings]
    rows, bad = read(tmp_path, "\n".join(lines))
    assert bad == {}
    assert rows["text"].to_list() == strings


flat_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=6),
    st.sampled_from([":", ":null", "null", '":', "{", "}", ",", "true", "1.50", "a", " :", "\t"]),
    st.just([1]),
    st.just({"a": 1}),
)
flat_records = st.dictionaries(
    st.sampled_from(["a", "b", "ab", "c d", "line", "n_keys"]), flat_values
)
endings = st.sampled_from(["", "", "", "\r", " ", ",", "}", '"a": 1}', "x"])


def broken(record: dict[str, object], style: int, end: str) -> bytes:
    """Write a record in one of several styles, some of them wrong."""
    separators = [(",", ":"), (", ", ": "), (" , ", " : "), (",", " :")][style % 4]
    text = json.dumps(record, ensure_ascii=style % 3 == 0, separators=separators)
    if style == 5 and len(record) > 1:
        first = json.dumps(next(iter(record)))
        text = "{" + first + ":null," + text[1:]
    if style == 6:
        text = text.replace('":', '" :', 1)
    if style == 7:
        text = text.replace(": 1", ": 01").replace("}", ",}")
    return (text + end).encode()


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(flat_records, st.integers(0, 9), endings), min_size=1, max_size=8))
def test_lines_read_together_are_read_like_lines_read_one_by_one(
    written: list[tuple[dict[str, object], int, str]],
) -> None:
    lines = [line for line in (broken(*item) for item in written) if line.strip()]
    together = read_lines(lines, 0, EVERYTHING, set())
    singly = [read_one(line) for line in lines]
    found = {row["source_row"]: row for row in together.rows.iter_rows(named=True)}
    codes = dict(together.problems.select("source_row", "code").iter_rows())
    for number, expected in enumerate(singly, start=1):
        if isinstance(expected, str):
            assert codes[number] == expected
        else:
            cells = {k: v for k, v in found[number].items() if v is not None and k != "source_row"}
            assert cells == {k: v for k, v in expected.items() if v is not None}


def read_one(line: bytes) -> dict[str, str | None] | str:
    """Return the cells of a line, or why it is refused, by the reader of single lines."""
    try:
        record = strict_json.parse_record(line)
    except strict_json.NotJson as error:
        return error.code
    return {key: strict_json.as_text(value) for key, value in record.items()}


def test_blocks_written_in_different_ways_give_every_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl.regular_lines, "BLOCK", 100)
    ways = (
        [f'{{"a": "x{n}", "b": {n}}}' for n in range(40)]
        + [f'{{"b":{n},"a":"x{n}"}}' for n in range(40, 80)]
        + [f'{{"a": "x{n}", "c": null, "b": {n}}}' for n in range(80, 120)]
        + [f'{{"a": "x{n}", "b": {n}}}' for n in range(120, 160)]
    )
    rows, bad = read(tmp_path, "\n".join(ways))
    assert bad == {}
    assert rows["a"].to_list() == [f"x{n}" for n in range(160)]
    assert rows["b"].to_list() == [str(n) for n in range(160)]


def test_a_block_that_is_no_text_after_one_that_is_is_read_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl.regular_lines, "BLOCK", 50)
    lines = [b'{"a": "good", "b": 1}'] * 8 + [b'{"a": "\xff", "b": 1}'] * 8
    rows, bad = read(tmp_path, b"\n".join(lines))
    assert rows["a"].to_list() == ["good"] * 8
    assert set(bad.values()) == {"not_utf8"}
    assert sorted(bad) == list(range(9, 17))


def test_a_key_that_is_called_like_the_number_of_a_row_takes_nothing_from_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b'{"source_row":7,"line":"x","a":1}\n{"a":{"b":2},"source_row":8}\n')
    wanted = Wanted(patterns=(".*",))
    (chunk,) = JsonLines.open(path, JsonLines.options(), wanted).chunks
    assert chunk.rows["source_row"].to_list() == [1, 2]
    assert chunk.rows["line"].to_list() == ["x", None]
