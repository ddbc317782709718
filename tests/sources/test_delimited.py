from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelines.sources.readers import Unreadable, Wanted
from pipelines.sources.readers.delimited import Delimited, DelimitedOptions

DATA = Path(os.environ.get("TESSERA_TEST_DATA", Path(__file__).parents[2] / "../shared/data"))


def read(tmp_path: Path, data: bytes, **options: object) -> tuple[pl.DataFrame, dict[int, str]]:
    """Return the rows, and the code of each row that could not be read."""
    path = tmp_path / "file"
    path.write_bytes(data)
    reading = Delimited.open(path, DelimitedOptions.model_validate(options), Wanted())
    chunks = list(reading.chunks)
    rows = pl.concat([chunk.rows for chunk in chunks])
    problems = pl.concat([chunk.problems for chunk in chunks])
    originals = pl.concat([chunk.originals for chunk in chunks], how="diagonal")
    numbers = originals["source_row"].to_list()
    assert numbers == list(range(1, len(numbers) + 1))
    assert sorted([*rows["source_row"], *problems["source_row"]]) == numbers
    return rows, dict(zip(problems["source_row"], problems["code"], strict=True))


def cells(rows: pl.DataFrame) -> list[tuple[str, ...]]:
    return rows.drop("source_row").rows()


def refusal(tmp_path: Path, data: bytes, **options: object) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read(tmp_path, data, **options)
    assert caught.value.suggestion
    return caught.value


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_recognised(tmp_path: Path, delimiter: str) -> None:
    text = "a,b,c\n1,x y,3\n2,z,4\n".replace(",", delimiter)
    rows, _ = read(tmp_path, text.encode())
    assert rows.columns == ["source_row", "a", "b", "c"]
    assert cells(rows)[0] == ("1", "x y", "3")


def test_decimal_commas_do_not_hide_the_semicolon(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b"a;b\n1,5;2,5\n3,5;4,5\n")
    assert cells(rows) == [("1,5", "2,5"), ("3,5", "4,5")]
    rows, _ = read(tmp_path, b"a;b\n" + b"1,5;2,5\n" * 60)
    assert cells(rows) == [("1,5", "2,5")] * 60


def test_a_line_that_tells_excel_the_delimiter_is_no_header(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b"\xef\xbb\xbfsep=|\r\na|b\r\n1,5|2\r\n")
    assert rows.columns[1:] == ["a", "b"]
    assert cells(rows) == [("1,5", "2")]


def test_a_line_that_tells_excel_the_delimiter_is_no_part_of_a_stretch(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xef\xbb\xbfsep=|\r\na|b\r\n1,5|2\r\n")
    reading = Delimited.open(path, DelimitedOptions(), Wanted())
    assert reading.stretches is not None
    (part,) = reading.stretches
    (chunk,) = Delimited.open_stretch(path, DelimitedOptions(), Wanted(), part).chunks
    assert chunk.rows.rows() == [(1, "1,5", "2")]


def test_lines_may_end_as_on_an_old_macintosh(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b"a,b\r1,2\r3,4\r")
    assert cells(rows) == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize(
    ("encoding", "bom", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-32-le", b"\xff\xfe\0\0", "utf-32-le"),
        ("windows-1252", b"", "windows-1252"),
    ],
)
def test_the_encoding_is_recognised(tmp_path: Path, encoding: str, bom: bytes, found: str) -> None:
    text = "Name,Wert\nMüller-Straße,größer\nAndré,déjà vu\n"
    path = tmp_path / "file"
    path.write_bytes(bom + text.encode(encoding))
    reading = Delimited.open(path, DelimitedOptions(), Wanted())
    assert reading.facts["encoding"] == found
    (chunk,) = reading.chunks
    assert cells(chunk.rows)[0] == ("Müller-Straße", "größer")


def test_chinese_text_in_gb18030_is_told_from_western_text(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, "编号,日期\n一,10月20日\n".encode("gb18030"))
    assert rows.columns[1:] == ["编号", "日期"]
    assert cells(rows) == [("一", "10月20日")]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_recognised_in_text_of_any_script(
    tmp_path: Path, encoding: str
) -> None:
    rows, _ = read(tmp_path, "学生,分数\n张三,上\n".encode(encoding))
    assert rows.columns[1:] == ["学生", "分数"]
    assert cells(rows) == [("张三", "上")]


def test_a_wrong_declared_encoding_names_line_and_likely_encoding(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a,b\n1,2\nü,3\n".encode("windows-1252"), encoding="utf-8")
    assert error.code == "wrong_encoding"
    assert "line 3" in error.message
    assert "windows-1252" in error.suggestion


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    data = b"a,b\n\xc3\xa9,1\n\x81\x8d \xc3\x28,2\n"
    assert refusal(tmp_path, data).code == "wrong_encoding"


def test_a_utf16_file_declared_as_utf8_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a,b\n1,2\n".encode("utf-16"), encoding="utf-8").code == (
        "wrong_encoding"
    )
    assert refusal(tmp_path, "a,b\n1,2\n".encode("utf-16-le"), encoding="utf-8").code == (
        "wrong_encoding"
    )


@pytest.mark.parametrize(
    ("begin", "what"),
    [
        (b"PK\x03\x04", "XLSX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "password"),
        (b"%PDF-1.7", "PDF"),
        (b"PAR1", "Parquet"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html><body>", "web page"),
        (b"<table><tr><td>a</td><td>b</td></tr>", "web page"),
    ],
)
def test_a_file_of_another_format_is_told_by_how_it_begins(
    tmp_path: Path, begin: bytes, what: str
) -> None:
    error = refusal(tmp_path, begin + b",b\n1,2\n")
    assert (error.code, what in error.message) == ("wrong_format", True)


def test_text_that_switches_scripts_by_escapes_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "名前,点\n山田,3\n".encode("iso2022_jp"))
    assert (error.code, "ISO-2022" in error.message) == ("wrong_encoding", True)


@pytest.mark.parametrize("name", ["Müller", "Grüße an José", "Čapek", "Ёлка"])
def test_text_in_utf_7_is_refused_and_not_read_as_ascii(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, f"id,name\n1,{name}\n".encode("utf-7"))
    assert (error.code, "UTF-7" in error.message) == ("wrong_encoding", True)


@pytest.mark.parametrize(
    "cell",
    [
        "+49-30-1234",
        "A+AOK-Plan",
        "C++-",
        "1+1-2",
        "+APw-ller or +49-30",
        "a+b-c",
        "C+language-based",
        "5+years",
        "A+ANY",
    ],
)
def test_plus_and_minus_in_plain_text_are_no_utf_7(tmp_path: Path, cell: str) -> None:
    rows, _ = read(tmp_path, f"id,name\n1,{cell}\n".encode())
    assert rows["name"].to_list() == [cell]


def test_who_declares_utf_8_may_write_what_looks_like_utf_7(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b"id,name\n1,M+APw-ller\n", encoding="utf-8")
    assert rows["name"].to_list() == ["M+APw-ller"]


def test_a_byte_order_mark_is_no_part_of_the_first_cell_where_there_is_no_header(
    tmp_path: Path,
) -> None:
    rows, _ = read(tmp_path, b"\xef\xbb\xbfa,1\nb,2\n", header_rows=0)
    assert rows["column_1"].to_list() == ["a", "b"]


def test_a_second_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b"\xef\xbb\xbf\xef\xbb\xbfa,b\n1,2\n")
    assert rows.columns[1:] == ["a", "b"]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"  \n"])
def test_an_empty_file_is_refused(tmp_path: Path, data: bytes) -> None:
    assert refusal(tmp_path, data).code == "empty_file"


@pytest.mark.parametrize("data", [b"a,b\n", b"a,b", b"a,b\r\n\r\n"])
def test_a_header_without_rows_is_refused(tmp_path: Path, data: bytes) -> None:
    assert refusal(tmp_path, data).code == "header_only"


def test_rows_with_the_wrong_number_of_cells_are_refused_alone(tmp_path: Path) -> None:
    rows, bad = read(tmp_path, b"a,b\n1,2\n3\n\n4,5,6\n7,8\n")
    assert rows.rows() == [(1, "1", "2"), (4, "7", "8")]
    assert bad == {2: "ragged_row", 3: "ragged_row"}


def test_surplus_empty_cells_are_cut_and_missing_ones_padded_by_declaration(
    tmp_path: Path,
) -> None:
    rows, bad = read(tmp_path, b"a,b\n1,2,,\n3\n", ragged="pad")
    assert rows.rows() == [(1, "1", "2"), (2, "3", "")]
    assert bad == {}


def test_quotes_delimiters_and_line_ends_within_cells_survive(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b'a,b\r\n"x, ""y""\r\nz",2\r\n"",3\r\n')
    assert cells(rows) == [('x, "y"\r\nz', "2"), ("", "3")]


def test_an_unclosed_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    rows, bad = read(tmp_path, b'a,b\n1,2\n"open,3\n4,5\n6,7\n')
    assert bad == {2: "unclosed_quote"}
    assert rows.rows() == [(1, "1", "2"), (3, "4", "5"), (4, "6", "7")]


def test_an_unclosed_quote_in_the_last_column_costs_its_own_line_only(tmp_path: Path) -> None:
    rows, bad = read(tmp_path, b'a,b\n1,2\nx,"open\n4,5\n6,7\n')
    assert bad == {2: "unclosed_quote"}
    assert rows.rows() == [(1, "1", "2"), (3, "4", "5"), (4, "6", "7")]


def test_a_closed_quote_at_the_end_of_the_file_is_no_fault(tmp_path: Path) -> None:
    rows, bad = read(tmp_path, b'a,b\n1,"two\nlines ""quoted"""\n')
    assert bad == {}
    assert cells(rows) == [("1", 'two\nlines "quoted"')]


def test_blanks_around_quotation_marks_are_no_part_of_a_cell(tmp_path: Path) -> None:
    data = b'"a" , "b"\n"1" , "2, ""two"""\t\r\n 3 ,\t"x\ny" \n'
    rows, bad = read(tmp_path, data)
    assert bad == {}
    assert rows.columns[1:] == ["a", "b"]
    assert cells(rows) == [("1", '2, "two"'), (" 3 ", "x\ny")]


def test_blanks_around_quotation_marks_do_not_hide_the_delimiter(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b'"a" ; "b"\n"1,5" ; "2,5"\n')
    assert cells(rows) == [("1,5", "2,5")]
    rows, _ = read(tmp_path, b'"a"\t"b"\n"1" \t\t "2"\n"1" \t "2"\n', ragged="pad")
    assert cells(rows)[-1] == ("1", "2")


def test_text_after_a_closing_quotation_mark_costs_its_own_line_only(tmp_path: Path) -> None:
    rows, bad = read(tmp_path, b'a,b\n"6" screen,3\n5" screen,4\n"He said "no, never"",5\n6,7\n')
    assert bad == {1: "stray_quote", 3: "stray_quote"}
    assert rows.rows() == [(2, '5" screen', "4"), (4, "6", "7")]


def test_an_unclosed_quote_does_not_swallow_what_the_next_quote_closes(tmp_path: Path) -> None:
    rows, bad = read(tmp_path, b'a,b\n1, "open\n"2","b"\n"3","c"\n')
    assert bad == {1: "unclosed_quote"}
    assert cells(rows) == [("2", "b"), ("3", "c")]


def test_the_rest_of_a_cell_of_several_lines_is_no_row(tmp_path: Path) -> None:
    rows, bad = read(tmp_path, b'a,b\n"several\nlines" noted,2\n3,4\n')
    assert bad == {1: "unclosed_quote", 2: "stray_quote"}
    assert rows.rows() == [(3, "3", "4")]


def test_an_escape_character_keeps_what_it_escapes(tmp_path: Path) -> None:
    data = b'a,b\n"1 \\"x\\"" , "2"\n3\\, "x",4\n'
    rows, bad = read(tmp_path, data, escape="\\")
    assert bad == {}
    assert cells(rows) == [('1 "x"', "2"), ('3, "x"', "4")]


def test_a_cell_of_ten_megabytes_is_read_in_a_good_row_and_told_in_a_ragged_one(
    tmp_path: Path,
) -> None:
    long = b'"' + b"x" * 10_000_000 + b'"'
    rows, bad = read(tmp_path, b"a,b\n1," + long + b"\n2," + long + b",3,4\n5,6\n")
    assert bad == {2: "ragged_row"}
    assert [len(b) for _, b in cells(rows)] == [10_000_000, 1]


def test_a_mark_or_delimiter_that_is_no_single_ascii_character_is_refused() -> None:
    for name in ("delimiter", "quote", "escape"):
        for value in ("\u00a7", "\n", ",,"):
            with pytest.raises(ValidationError):
                DelimitedOptions.model_validate({name: value})


def test_rows_with_nul_characters_are_refused(tmp_path: Path) -> None:
    rows, bad = read(tmp_path, b"a,b\n1,2\n\0x,3\n")
    assert bad == {2: "nul_byte"}
    assert rows.height == 1


def test_headers_are_trimmed_numbered_where_equal_and_named_where_empty(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b" Full  name ,Score,Score,\n1,2,3,4\n")
    assert rows.columns[1:] == ["Full name", "Score#1", "Score#2", "column_4"]
    rows, _ = read(tmp_path, b"Full Name,x\n1,2\n", headers="folded")
    assert rows.columns[1:] == ["full name", "x"]
    rows, _ = read(tmp_path, b" a ,x\n1,2\n", headers="exact")
    assert rows.columns[1:] == [" a ", "x"]


def test_titles_above_the_header_and_headers_of_two_lines(tmp_path: Path) -> None:
    data = b"Report of today\nItem,,Score\nno,name,\n1,x,2\n"
    rows, _ = read(tmp_path, data, skip_rows=1, header_rows=2)
    assert rows.columns[1:] == ["Item no", "name", "Score"]
    assert rows.rows() == [(1, "1", "x", "2")]


def test_a_file_without_header_takes_declared_names(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b"1,2\n3,4\n", header_rows=0, columns=["a", "b"])
    assert rows.rows() == [(1, "1", "2"), (2, "3", "4")]


def test_a_header_may_hold_a_line_end(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b'"Score\n(points)",b\n1,2\n')
    assert rows.columns[1:] == ["Score (points)", "b"]
    assert rows.rows() == [(1, "1", "2")]


def test_row_numbers_hold_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.sources.readers.delimited.CHUNK_BYTES", 64)
    lines = ["bad" if n % 7 == 0 else f"{n},text {n}" for n in range(1, 500)]
    rows, bad = read(tmp_path, ("a,b\n" + "\n".join(lines) + '\n9,"open\n10,x\n').encode())
    assert bad == dict.fromkeys(range(7, 500, 7), "ragged_row") | {500: "unclosed_quote"}
    assert all(row[0] == int(row[1]) for row in rows.rows()[:-1])
    assert rows.rows()[-1] == (501, "10", "x")


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=20
).filter(lambda text: text == text.strip("\ufeff"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
)
def test_any_text_that_was_written_by_the_rules_comes_back_unchanged(
    tmp_path: Path,
    rows: list[tuple[str, str, str]],
    delimiter: str,
    line_end: str,
    encoding: str,
) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b", "c"), *rows])
    data = buffer.getvalue().encode(encoding)
    found, bad = read(tmp_path, data, delimiter=delimiter, encoding=encoding)
    assert bad == {}
    assert cells(found) == rows


BLANKS = st.sampled_from(["", " ", "  ", "\t"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8),
    blanks=st.lists(BLANKS, min_size=4, max_size=4),
    delimiter=st.sampled_from(",;|"),
    size=st.integers(1, 40),
)
def test_any_padded_quoting_gives_what_it_gives_without_the_blanks(
    tmp_path: Path,
    rows: list[tuple[str, str]],
    blanks: list[str],
    delimiter: str,
    size: int,
) -> None:
    def padded(row: tuple[str, ...]) -> str:
        quoted = ['"' + cell.replace('"', '""') + '"' for cell in row]
        return delimiter.join(
            f"{b}{cell}{a}" for cell, b, a in zip(quoted, blanks[::2], blanks[1::2], strict=True)
        )

    data = "\n".join(map(padded, [("a", "b"), *rows])).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.sources.readers.quoting.BLOCK_BYTES", size)
        found, bad = read(tmp_path, data, delimiter=delimiter, encoding="utf-8")
    assert bad == {}
    assert cells(found) == rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    text=st.text(st.sampled_from('",\n\r x1'), max_size=60),
    size=st.integers(1, 30),
    escape=st.sampled_from([None, "x"]),
)
@example(text='x\r,"', size=1, escape="x")
@example(text='"\r1"x\r\r', size=1, escape="x")
@example(text='"\r"1\r",1"\r', size=1, escape=None)
def test_where_a_text_is_cut_into_blocks_changes_nothing(
    tmp_path: Path, text: str, size: int, escape: str | None
) -> None:
    data = b"a,b\n0,0\n" + text.encode()
    options = {"delimiter": ",", "encoding": "utf-8", "escape": escape}
    whole, bad = read(tmp_path, data, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.sources.readers.quoting.BLOCK_BYTES", size)
        found, also_bad = read(tmp_path, data, **options)
    assert cells(found) == cells(whole)
    assert also_bad == bad


@pytest.mark.parametrize("size", range(3, 12))
@pytest.mark.parametrize("row", ["x,y", 'x,""', '"""",""'])
def test_a_mark_that_is_never_closed_costs_its_own_line_wherever_blocks_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str, size: int
) -> None:
    monkeypatch.setattr("pipelines.sources.readers.quoting.CHUNK_BYTES", 50)
    monkeypatch.setattr("pipelines.sources.readers.quoting.BLOCK_BYTES", size)
    rows, bad = read(tmp_path, b'a,b\n"open,1\n' + f"{row}\n".encode() * 40)
    assert bad == {1: "unclosed_quote"}
    assert rows["source_row"].to_list() == list(range(2, 42))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300
)
@given(text=st.text(st.sampled_from('",\n\r x'), max_size=60))
def test_stretches_give_the_rows_of_the_whole_whatever_stands_in_them(
    tmp_path: Path, text: str
) -> None:
    data = b"a,b\n0,0\n" + text.encode()
    whole, bad = read(tmp_path, data, delimiter=",", encoding="utf-8")
    options = DelimitedOptions(delimiter=",", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.sources.readers.delimited.STRETCH_BYTES", 8)
        reading = Delimited.open(tmp_path / "file", options, Wanted())
        assert reading.stretches is not None
        chunks = [
            chunk
            for part in reading.stretches
            for chunk in Delimited.open_stretch(tmp_path / "file", options, Wanted(), part).chunks
        ]
    assert pl.concat([chunk.rows for chunk in chunks]).rows() == whole.rows()
    problems = pl.concat([chunk.problems for chunk in chunks])
    assert dict(problems.select("source_row", "code").rows()) == bad


@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason=f"shared test data not found at {DATA}")
@pytest.mark.parametrize(
    "name", sorted(p.stem for p in (DATA / "nasty/csv-spectrum/csvs").glob("*"))
)
def test_csv_spectrum(tmp_path: Path, name: str) -> None:
    folder = DATA / "nasty/csv-spectrum"
    data = (folder / "csvs" / f"{name}.csv").read_bytes()
    text = (folder / "json" / f"{name}.json").read_text(encoding="utf-8")
    if b"\r" not in data:  # the stored copies of the CRLF cases have LF
        text = text.replace("\\r\\n", "\\n")
    wanted = json.loads(text)
    rows, bad = read(tmp_path, data)
    assert bad == {}
    assert rows.drop("source_row").to_dicts() == wanted


@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason=f"shared test data not found at {DATA}")
def test_every_naughty_string_survives(tmp_path: Path) -> None:
    strings = json.loads((DATA / "nasty/blns/blns.json").read_text(encoding="utf-8"))
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([("n", "text"), *enumerate(strings)])
    rows, bad = read(tmp_path, buffer.getvalue().encode(), encoding="utf-8")
    assert bad == {}
    assert rows["text"].to_list() == strings
