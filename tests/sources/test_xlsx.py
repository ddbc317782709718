from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.readers import Unreadable, Wanted, xlsx, zipped
from pipelines.sources.readers.parts import place_of
from pipelines.sources.readers.workbook import kind_of_format, number_text, unescaped
from pipelines.sources.readers.xlsx import Xlsx, XlsxOptions
from tests.sources.workbooks import (
    DAY,
    MOMENT,
    PERCENT,
    TIME,
    Xml,
    changed,
    shown,
    text_for_xml,
    workbook,
)

DATA = Path(os.environ.get("TESSERA_TEST_DATA", Path(__file__).parents[2] / "../shared/data"))
EVERYTHING = Wanted(patterns=("",))
FORMULA_ERROR = Xml('t="e"', "<f>1/0</f><v>#DIV/0!</v>")
UNSAVED = Xml("", "<f>A1+1</f>")


def chunks_of(
    tmp_path: Path, data: bytes, wanted: Wanted = EVERYTHING, **options: Any
) -> tuple[list[Any], dict[str, Any]]:
    path = tmp_path / "book"
    path.write_bytes(data)
    reading = Xlsx.open(path, XlsxOptions.model_validate(options), wanted)
    return list(reading.chunks), reading.facts


def rows_of(tmp_path: Path, data: bytes, **options: Any) -> pl.DataFrame:
    return pl.concat([c.rows for c in chunks_of(tmp_path, data, **options)[0]], how="diagonal")


def problems_of(tmp_path: Path, data: bytes, wanted: Wanted = EVERYTHING, **options: Any) -> Any:
    found = [c.problems for c in chunks_of(tmp_path, data, wanted, **options)[0]]
    return pl.concat(found).select("source_row", "code").rows()


def refusal(tmp_path: Path, data: bytes, **options: Any) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        rows_of(tmp_path, data, **options)
    return caught.value


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (12, "12"),
        (0.1, "0.1"),
        (Xml("", "<v>4.3499999999999996</v>"), "4.35"),
        (Xml("", "<v>0.30000000000000004</v>"), "0.3"),
        (Xml("", "<v>1.5E-3</v>"), "0.0015"),
        (Xml("", "<v>1.0000000000000000E+20</v>"), "100000000000000000000"),
        (Xml("", "<v>12345678901234567</v>"), "12345678901234567"),
        (-7, "-7"),
        ("007", "007"),
        ("1.10", "1.10"),
        ("2026-03-01", "2026-03-01"),
        (" padded ", " padded "),
        (True, "true"),
        (False, "false"),
        (shown(46082, DAY), "2026-03-01"),
        (shown(46082.375, MOMENT), "2026-03-01T09:00:00"),
        (shown(46082.354166666664, MOMENT), "2026-03-01T08:30:00"),
        (shown(46082, MOMENT), "2026-03-01"),
        (shown(0.375, TIME), "09:00:00"),
        (shown(1.5, TIME), "1.5"),
        (shown(0.5, PERCENT), "0.5"),
        (shown(59, DAY), "1900-02-28"),
        (shown(60, DAY), "60"),
        (shown(61, DAY), "1900-03-01"),
        (shown(-1, DAY), "-1"),
        (shown(3_000_000, DAY), "3000000"),
        (Xml('t="d"', "<v>2026-03-01T09:00:00Z</v>"), "2026-03-01T09:00:00Z"),
        (Xml("", "<f>1+1</f><v>2</v>"), "2"),
        (Xml('t="str"', "<f>UPPER(A1)</f><v>0X</v>"), "0X"),
        (Xml('t="inlineStr"', "<is><r><t>ri</t></r><r><t>ch</t></r></is>"), "rich"),
        (Xml('t="inlineStr"', "<is><t>東京</t><rPh><t>トウキョウ</t></rPh></is>"), "東京"),
        (Xml('s="1"', ""), None),
    ],
    ids=str,
)
def test_every_kind_of_cell_becomes_the_text_that_a_person_sees(
    cell: Any, text: str | None, tmp_path: Path
) -> None:
    rows = rows_of(tmp_path, workbook({"A": [["x", "y"], [cell, "end"]]}))
    assert rows["x"].to_list() == [text]


def test_dates_are_counted_as_the_workbook_counts_them(tmp_path: Path) -> None:
    data = workbook({"A": [["x"], [shown(44620, DAY)], [shown(0, DAY)]]}, is_1904=True)
    assert rows_of(tmp_path, data)["x"].to_list() == ["2026-03-01", "1904-01-01"]
    assert chunks_of(tmp_path, data)[1]["dates_from"] == 1904


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", "number"),
        ("0.00", "number"),
        ("#,##0 [$€-407]", "number"),
        ('0 "days"', "number"),
        ("[Red]0", "number"),
        ("dd/mm/yyyy", "date"),
        ("yyyy", "date"),
        ("mmm", "date"),
        ("m/d", "date"),
        ('d"."m"."', "date"),
        ("hh:mm", "time"),
        ("[h]:mm:ss", "time"),
        ("mm:ss.0", "time"),
        ("@", "number"),
    ],
)
def test_a_number_format_tells_dates_and_times_from_numbers(code: str, kind: str) -> None:
    assert kind_of_format(code) == kind


@given(st.floats(-1e15, 1e15), st.booleans())
def test_numbers_keep_the_fifteen_digits_that_a_spreadsheet_keeps(
    number: float, is_1904: bool
) -> None:
    text = number_text(repr(number), "number", is_1904=is_1904)
    assert "e" not in text.lower()
    assert float(text) == float(format(number, ".15g"))


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
def test_text_that_xml_cannot_hold_is_read_back_as_it_was(text: str) -> None:
    marked = text_for_xml(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert unescaped(marked) == text


def test_sheets_are_parts_and_places_are_the_spreadsheets_own(
    tmp_path: Path, read_bytes: Callable[..., Any]
) -> None:
    body = """
    reader: {name: xlsx, skip_rows: 2}
    values: {programme_id: MED, instrument_id: mcq, sitting_id: s, task_id: t}
    records:
      - kind: exam_result
        part: Group *
        record_id: "{Student}"
        fields:
          {learner_id: Student, score: Mark, result_status: {value: scored}, occurred_at: Day}
    """
    table = [["Marks of spring"], [], ["Student", "Mark", "Day"], ["s1", 7.5, shown(46082, DAY)]]
    sheets = {"Read me": [["hello"]], "Group 1": table, "Group 2": [*table, [], ["s2", "x"]]}
    result = read_bytes(workbook(sheets, hidden=["Group 2"]), body)
    found = result.records().select("source_row", "learner_id", "score", "occurred_at").rows()
    assert found == [
        (1, "s1", "7.5", "2026-02-28T23:00:00Z"),
        (2, "s1", "7.5", "2026-02-28T23:00:00Z"),
        (4, "s2", "x", None),
    ]
    assert [str(place_of(result.report.facts, row)) for row in (1, 2, 4)] == [
        "Group 1, row 4",
        "Group 2, row 4",
        "Group 2, row 6",
    ]
    assert result.report.parts_not_taken == ["Read me"]
    assert result.report.source_rows == 3
    assert result.report.facts["parts"][1]["hidden"] is True


def test_headers_of_several_lines_are_joined_and_merged_cells_filled_where_declared(
    tmp_path: Path,
) -> None:
    rows = [
        ["Student", "EPA1", None, "EPA2", None],
        [None, "level", "comment", "level", "comment"],
        ["s1", 3, "good", 4, "fine"],
        [None, 2, "slow", None, None],
    ]
    data = workbook({"A": rows}, merged=["A1:A2", "B1:C1", "D1:E1", "A3:A4"])
    left = rows_of(tmp_path, data, header_rows=2)
    assert left.columns[1:] == ["Student", "EPA1 level", "comment#1", "EPA2 level", "comment#2"]
    assert left["Student"].to_list() == ["s1", None]
    filled = rows_of(tmp_path, data, header_rows=2, merged="fill")
    assert filled.columns[2:] == ["EPA1 level", "EPA1 comment", "EPA2 level", "EPA2 comment"]
    assert filled["Student Student"].to_list() == ["s1", "s1"]


def test_titles_above_a_table_are_passed_unless_the_spec_says_where_it_begins(
    tmp_path: Path,
) -> None:
    data = workbook({"A": [["Marks of spring"], [], [None, "printed by hand"], ["x", "y"], [1, 2]]})
    assert rows_of(tmp_path, data).rows() == [(1, "1", "2")]
    assert rows_of(tmp_path, data, skip_rows=0).columns[1] == "Marks of spring"
    narrow = workbook({"A": [["x"], ["1"], ["2"]]})
    assert rows_of(tmp_path, narrow)["x"].to_list() == ["1", "2"]


def test_a_sheet_may_lack_a_header(tmp_path: Path) -> None:
    data = workbook({"A": [["s1", 3], ["s2", None, "margin"]]})
    rows = rows_of(tmp_path, data, header_rows=0)
    assert rows.columns == ["source_row", "column_1", "column_2"]
    rows = rows_of(tmp_path, data, header_rows=0, columns=["Student", "Mark"])
    assert rows.rows() == [(1, "s1", "3"), (2, "s2", None)]


def test_cells_beside_the_table_are_kept_with_the_original(tmp_path: Path) -> None:
    table = [["x", "y"], ["1", "2", None, "note"], ["3", "4"]]
    chunks, _ = chunks_of(tmp_path, workbook({"A": table}))
    assert chunks[0].rows.columns == ["source_row", "x", "y"]
    assert chunks[0].originals["column_4"].to_list() == ["note", None]


def test_a_formula_whose_stored_value_is_empty_was_not_calculated_unless_it_gives_text(
    tmp_path: Path,
) -> None:
    empty = Xml("", "<f>1+1</f><v></v>")
    text = Xml('t="str"', "<f>A1</f><v></v>")
    data = workbook({"A": [["x", "y"], ["1", empty], ["2", text]]})
    assert problems_of(tmp_path, data) == [(1, "formula_without_value")]
    assert rows_of(tmp_path, data).rows() == [(2, "2", None)]


def test_a_row_with_an_error_in_a_cell_that_is_asked_for_is_refused_alone(tmp_path: Path) -> None:
    data = workbook({"A": [["x", "y"], ["1", FORMULA_ERROR], ["2", 5], ["3", UNSAVED]]})
    assert problems_of(tmp_path, data) == [(1, "cell_error"), (3, "formula_without_value")]
    assert problems_of(tmp_path, data, Wanted(frozenset({"x"}))) == []
    assert problems_of(tmp_path, data, errors="keep") == [(3, "formula_without_value")]
    assert rows_of(tmp_path, data, errors="keep")["y"].to_list() == ["#DIV/0!", "5"]
    (chunk,), _ = chunks_of(tmp_path, data)
    assert chunk.originals["y"].to_list() == ["#DIV/0!", "5", None]
    assert "B2" in chunk.problems["suggestion"][0]


@pytest.mark.parametrize(
    "break_it",
    [
        lambda data: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + data,
        lambda data: data[: len(data) // 2],
        lambda data: b"no workbook" + data[:0],
        lambda data: changed(data, "xl/worksheets/sheet1.xml", "</row>", ""),
        lambda data: changed(data, "xl/worksheets/sheet1.xml", 'r="2"', 'r="1"'),
        lambda data: changed(data, "xl/worksheets/sheet1.xml", "<v>0</v>", "<v>99</v>"),
        lambda data: changed(data, "xl/worksheets/sheet1.xml", 'r="A1"', 'r="ZZZZ1"'),
        lambda data: changed(data, "xl/workbook.xml", "</sheets>", "</sheets><sheets>"),
        lambda data: changed(data, "xl/workbook.xml", "<sheet ", "<page "),
        lambda data: changed(
            data,
            "xl/worksheets/sheet1.xml",
            '<?xml version="1.0"?>',
            '<!DOCTYPE x [<!ENTITY a "aaaa">]>',
        ),
        lambda data: data[:-6] + bytes([data[-6] + 7]) + data[-5:],
        lambda data: data.replace(b"\x14\x00\x00\x00", b"\x14\x00\x01\x00"),
    ],
    ids=[
        "encrypted",
        "cut-off",
        "text",
        "xml",
        "order",
        "shared",
        "column",
        "open",
        "no-sheet",
        "entities",
        "elsewhere",
        "password",
    ],
)
def test_a_workbook_that_is_encrypted_or_broken_is_refused(
    break_it: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    data = break_it(workbook({"A": [["x"], ["1"]]}))
    assert refusal(tmp_path, data).code == "unreadable_file"


def test_an_archive_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", "x\n1\n")
    assert refusal(tmp_path, buffer.getvalue()).code == "unreadable_file"


def test_a_workbook_that_unpacks_to_far_more_than_itself_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipped, "SMALL", 1 << 16)
    data = workbook({"A": [["x"], ["a" * (1 << 22)]]})
    assert refusal(tmp_path, data).code == "archive_too_large"


def test_a_cell_in_the_last_corner_costs_nothing(tmp_path: Path) -> None:
    sheet = workbook({"A": [["x"], ["1"]]})
    stray = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    data = changed(sheet, "xl/worksheets/sheet1.xml", "</sheetData>", stray)
    chunks, facts = chunks_of(tmp_path, data)
    assert sum(chunk.originals.height for chunk in chunks) == 2
    assert facts["parts"][0]["last_row"] == 1_048_575


@pytest.mark.parametrize(
    ("sheet", "code"), [([], "empty_file"), ([["x", "y"]], "header_only"), ([[], []], "empty_file")]
)
def test_a_workbook_without_rows_is_refused(sheet: Any, code: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, workbook({"A": sheet})).code == code


def test_rows_are_numbered_through_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "CHUNK_CELLS", 14)
    rows = rows_of(tmp_path, workbook({"A": [["x", "y"], *([n, "a"] for n in range(1, 101))]}))
    assert all(number == int(text) for number, text, _ in rows.rows())
    assert rows.height == 100


def test_a_workbook_within_an_archive_has_its_sheets_as_parts(tmp_path: Path) -> None:
    book = workbook({"One": [["x"], ["1"]], "Two": [["x"], ["2"]]})
    path = tmp_path / "outer.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("in/marks.xlsx", book)
        archive.writestr("a.csv", "x\n3\n")
    options = zipped.ZipOptions()
    only = Wanted(by_part=(("two", EVERYTHING), ("*.csv", EVERYTHING)))
    reading = zipped.Zip.open(path, options, only)
    found = [(chunk.part, chunk.rows["x"].to_list()) for chunk in reading.chunks]
    assert list(reading.parts or ()) == ["in/marks.xlsx/One", "in/marks.xlsx/Two", "a.csv"]
    assert found == [("in/marks.xlsx/Two", ["2"]), ("a.csv", ["3"])]


@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason=f"shared test data not found at {DATA}")
def test_every_naughty_string_survives(tmp_path: Path) -> None:
    strings = json.loads((DATA / "nasty/blns/blns.json").read_text(encoding="utf-8"))
    rows = rows_of(
        tmp_path, workbook({"A": [["n", "text"], *([n, s] for n, s in enumerate(strings))]})
    )
    assert [text or "" for text in rows["text"]] == strings
