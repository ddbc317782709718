from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.sources.readers import READERS, Unreadable, Wanted, zipped
from pipelines.sources.readers.parts import place_of
from pipelines.sources.readers.zipped import Zip, ZipOptions

EVERYTHING = Wanted(patterns=("",))
BODY = """
reader: {name: zip}
values: {programme_id: MED, instrument_id: mcq, sitting_id: s, occurred_at: 2026-01-01}
records:
  - kind: exam_result
    part: results.csv
    record_id: "{Student}-{Task}"
    fields: {learner_id: Student, task_id: Task, score: Mark, result_status: {value: scored}}
  - kind: task
    part: TASKS*.csv
    record_id: "{Task}"
    fields:
      {task_id: Task, title: Title, modality: {value: exam}, assurance_level: {value: secured}}
"""
RESULTS = "Student,Task,Mark,Colour\ns1,t1,7,red\ns2,t1,8,blue\n"
TASKS = "Task,Title\nt1,Anatomy\n"


def archive(members: dict[str, str | bytes], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, **options) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return buffer.getvalue()


def rows_of(tmp_path: Path, data: bytes, **options: Any) -> pl.DataFrame:
    path = tmp_path / "delivery.zip"
    path.write_bytes(data)
    reading = Zip.open(path, ZipOptions.model_validate(options), EVERYTHING)
    return pl.concat([chunk.rows for chunk in reading.chunks], how="diagonal")


def refusal(tmp_path: Path, data: bytes, **options: Any) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        rows_of(tmp_path, data, **options)
    return caught.value


def test_each_block_reads_its_part_and_rows_are_numbered_through_the_file(
    read_bytes: Callable[..., Any],
) -> None:
    data = archive({"readme.pdf": b"%PDF", "Tasks-2026.csv": TASKS, "export/Results.CSV": RESULTS})
    result = read_bytes(data, BODY)
    assert result.records("task").select("source_row", "title").rows() == [(1, "Anatomy")]
    results = result.records().select("source_row", "learner_id", "score").rows()
    assert results == [(2, "s1", "7"), (3, "s2", "8")]
    assert result.originals()["source_row"].to_list() == [1, 2, 3]
    report = result.report
    assert report.source_rows == 3
    assert report.parts_not_taken == ["readme.pdf"]
    assert report.columns_not_taken == ["export/Results.CSV: Colour"]
    listed = [(part["name"], part["first_row"], part["rows"]) for part in report.facts["parts"]]
    assert listed == [("Tasks-2026.csv", 1, 1), ("export/Results.CSV", 2, 2)]
    assert str(place_of(report.facts, 3)) == "export/Results.CSV, row 2"


def test_a_missing_part_is_refused_with_the_parts_that_there_are(
    read_bytes: Callable[..., Any],
) -> None:
    result = read_bytes(archive({"tasks.csv": TASKS, "marks.csv": RESULTS}), BODY)
    assert result.report.error.code == "missing_part"
    assert "results.csv" in result.report.error.message
    assert "'marks.csv'" in result.report.error.suggestion


def test_a_part_may_be_absent_where_the_spec_says_so(read_bytes: Callable[..., Any]) -> None:
    body = BODY.replace("part: results.csv", "part: results.csv\n    part_optional: true")
    result = read_bytes(archive({"tasks.csv": TASKS}), body)
    assert result.report.records == {"task": 1}


def test_a_part_without_rows_is_no_fault_beside_one_that_has_some(
    read_bytes: Callable[..., Any],
) -> None:
    empty = "Student,Task,Mark\n"
    result = read_bytes(archive({"results.csv": empty, "tasks.csv": TASKS}), BODY)
    assert result.report.records == {"task": 1}
    result = read_bytes(archive({"results.csv": empty, "tasks.csv": "Task,Title\n"}), BODY)
    assert result.report.error.code == "header_only"


@pytest.mark.parametrize("rows", ["", "s1,t1,7\n"])
def test_a_column_that_a_part_lacks_is_named_with_its_part(
    rows: str, read_bytes: Callable[..., Any]
) -> None:
    members = {"tasks.csv": TASKS, "results.csv": "Student,Task,Points\n" + rows}
    result = read_bytes(archive(members), BODY)
    assert result.report.error.code == "missing_column"
    assert result.report.error.message == "results.csv: The file has no column 'Mark'."


def test_rows_that_no_block_of_their_part_wants_are_refused(
    read_bytes: Callable[..., Any],
) -> None:
    body = BODY.replace(
        "    part: TASKS*.csv", "    part: tasks.csv\n    when: {column: Task, is: a}"
    )
    result = read_bytes(archive({"tasks.csv": TASKS, "results.csv": RESULTS}), body)
    assert result.problems("task") == [(1, "no_record_matches", None)]
    assert result.problems() == []


def test_members_are_read_by_the_reader_of_their_kind(tmp_path: Path) -> None:
    members = {"a.csv": "x;y\n1;2\n", "b/c.jsonl": '{"x": "3"}\n', "__MACOSX/._a.csv": b"\0"}
    rows = rows_of(tmp_path, archive(members))
    assert rows.select("source_row", "x").rows() == [(1, "1"), (2, "3")]


def test_rows_of_each_member_are_counted_whatever_its_kind(tmp_path: Path) -> None:
    table = io.BytesIO()
    pl.DataFrame({"x": [1, 2, 3]}).write_parquet(table)
    path = tmp_path / "delivery.zip"
    path.write_bytes(archive({"a.parquet": table.getvalue(), "b.csv": "x\n4\n"}))
    reading = Zip.open(path, ZipOptions(), EVERYTHING)
    assert pl.concat([chunk.rows for chunk in reading.chunks])["x"].to_list() == list("1234")
    told = [(part["first_row"], part["last_row"], part["rows"]) for part in reading.facts["parts"]]
    assert told == [(1, 3, 3), (4, 4, 1)]


def test_one_reader_may_be_declared_for_all_members(tmp_path: Path) -> None:
    data = archive({"a.dat": "x|y\n1|2\n", "note.md": "text"})
    rows = rows_of(tmp_path, data, members="*.dat", of={"name": "delimited", "delimiter": "|"})
    assert rows.select("x", "y").rows() == [("1", "2")]


def test_a_declared_reader_of_members_is_checked_with_the_spec() -> None:
    for wrong in ({"name": "zip"}, {"name": "delimited", "delimitr": ";"}):
        with pytest.raises(ValueError, match=r"zip|delimitr"):
            ZipOptions.model_validate({"of": wrong})


@pytest.mark.parametrize("name", ["../../evil.csv", "/etc/evil.csv", "C:\\evil.csv", "a\nb.csv"])
def test_names_that_point_elsewhere_are_only_names(name: str, tmp_path: Path) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    rows = rows_of(inside, archive({name: "x\n1\n"}))
    assert rows["x"].to_list() == ["1"]
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["delivery.zip"]


def test_two_members_of_one_name_are_both_read(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("a.csv", "x\n1\n")
        with pytest.warns(UserWarning, match="Duplicate name"):
            made.writestr("a.csv", "x\n2\n")
    assert rows_of(tmp_path, buffer.getvalue())["x"].to_list() == ["1", "2"]


def test_an_archive_within_an_archive_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, archive({"inner.zip": archive({"a.csv": "x\n1\n"})}))
    assert error.code == "nested_archive"


def moved(data: bytes, by: int) -> bytes:
    """An archive whose directory places every member elsewhere."""
    place = data.rindex(b"PK\x05\x06") + 16
    (offset,) = struct.unpack("<I", data[place : place + 4])
    return data[:place] + struct.pack("<I", offset + by) + data[place + 4 :]


def test_a_directory_that_names_members_outside_the_archive_is_refused(tmp_path: Path) -> None:
    found = refusal(tmp_path, moved(archive({"results.csv": RESULTS}), 7))
    assert found.code == "unreadable_file"
    assert "lies outside" in found.message


@pytest.mark.parametrize(
    "packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_STORED]
)
def test_a_damaged_member_is_refused_however_it_is_packed(tmp_path: Path, packing: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as made:
        made.writestr("a.csv", "x\n" + "\n".join(str(n * n) for n in range(3_000)))
    data = bytearray(buffer.getvalue())
    for at in range(1_500, 1_540):
        data[at] ^= 0xFF
    error = refusal(tmp_path, bytes(data))
    assert (error.code, "a.csv" in error.message) == ("unreadable_file", True)


def test_an_archive_of_a_later_kind_is_refused(tmp_path: Path) -> None:
    data = bytearray(archive({"a.csv": "x\n1\n"}))
    struct.pack_into("<H", data, data.index(b"PK\x01\x02") + 6, 99)
    assert refusal(tmp_path, bytes(data)).code == "unreadable_file"


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    data = bytearray(archive({"a.csv": "x\n1\n"}))
    central = data.index(b"PK\x01\x02")
    for at in (6, central + 8):
        struct.pack_into("<H", data, at, 1)
    error = refusal(tmp_path, bytes(data))
    assert (error.code, "encrypted" in error.message) == ("unreadable_file", True)


def test_a_member_whose_bytes_changed_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as made:
        made.writestr("a.csv", "x\n1\n")
    error = refusal(tmp_path, buffer.getvalue().replace(b"x\n1", b"x\n2"))
    assert error.code == "unreadable_file"
    assert "CRC" in error.message


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04 cut off", b"no archive", archive({"a": "b"})[:-9]],
    ids=["empty", "cut off", "no archive", "end missing"],
)
def test_bytes_that_are_no_archive_are_refused(data: bytes, tmp_path: Path) -> None:
    assert refusal(tmp_path, data).code == "unreadable_file"


def test_an_archive_that_unpacks_to_far_more_than_itself_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipped, "SMALL", 1 << 16)
    error = refusal(tmp_path, archive({"a.csv": b"x\n" + b"0" * (1 << 22)}))
    assert error.code == "archive_too_large"


def test_members_that_no_pattern_takes_leave_nothing_to_read(tmp_path: Path) -> None:
    error = refusal(tmp_path, archive({"a.csv": "x\n1\n"}), members="*.jsonl")
    assert (error.code, "'a.csv'" in error.suggestion) == ("missing_part", True)
    assert refusal(tmp_path, archive({"a.doc": "x"})).code == "unreadable_file"


def test_nothing_unpacked_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    rows_of(tmp_path, archive({"a.csv": "x\n1\n"}))
    assert list(scratch.iterdir()) == []


def test_every_reader_says_how_its_files_end_and_whether_they_have_parts() -> None:
    endings = [ending for reader in READERS.values() for ending in reader.suffixes]
    assert len(endings) == len(set(endings))
    assert all(ending.startswith(".") for ending in endings)
    assert {name for name, reader in READERS.items() if reader.has_parts} >= {"zip"}
    assert json.dumps(endings)
