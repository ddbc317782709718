"""An archive loses the person member by member, and all else in it stays."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.intake.erase_archive import without_person
from pipelines.sources.spec import SourceSpec

from .test_erase_archive import KEPT, ROWS, TARGET, as_csv, cells, rewritten, spec_of

DATE = (2024, 2, 29, 13, 30, 2)
JSONL = "".join(
    json.dumps(dict(zip(("Form", "Student", "Comment"), row, strict=True))) + "\n" for row in ROWS
)
OTHERS = 'Form,Student,Comment\nF9,s9,"untouched"\n'


def packed(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return path


def as_parquet() -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(ROWS, schema=["Form", "Student", "Comment"], orient="row").write_parquet(buffer)
    return buffer.getvalue()


def members_after(path: Path, spec: SourceSpec, rows: set[int]) -> dict[str, bytes] | None:
    with without_person(path, spec, rows, TARGET) as made:
        if made is None:
            return None
        with zipfile.ZipFile(made) as archive:
            assert all(info.date_time == DATE for info in archive.infolist())
            return {info.filename: archive.read(info) for info in archive.infolist()}


def numbered(kept: list[tuple[Any, ...]], after: int) -> list[tuple[Any, ...]]:
    return [(row + after, *values) for row, *values in kept]


def test_rows_go_from_the_member_that_holds_them_and_all_others_keep_their_numbers(
    tmp_path: Path,
) -> None:
    path = packed(tmp_path / "a", {"1/one.csv": OTHERS, "1/two.csv": as_csv(), "3.csv": OTHERS})
    found = cells(rewritten(path, spec_of("zip"), {3}))
    assert found == [
        (1, "F9", "s9", "untouched"),
        *numbered(KEPT, 1),
        (6, "F9", "s9", "untouched"),
    ]


@pytest.mark.parametrize(
    ("name", "content"), [("x.csv", as_csv()), ("x.jsonl", JSONL), ("x.parquet", as_parquet())]
)
def test_every_kind_of_rows_is_rewritten_within_an_archive(
    name: str, content: str | bytes, tmp_path: Path
) -> None:
    path = packed(tmp_path / "a", {name: content})
    found = cells(rewritten(path, spec_of("zip"), {2}))
    assert [row[1] or None for row in found] == ["F1", None, "F3", "F4"]
    assert "Qwvfamily" not in str(found)


def test_the_same_archive_gives_the_same_bytes(tmp_path: Path) -> None:
    path = packed(tmp_path / "a", {"x.csv": as_csv(), "y.csv": OTHERS})
    written = []
    for _ in range(2):
        with without_person(path, spec_of("zip"), {2}, TARGET) as made:
            assert made is not None
            written.append(made.read_bytes())
    assert written[0] == written[1]


def test_members_that_nothing_is_read_of_lose_the_words_or_their_content(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "a",
        {
            "x.csv": as_csv(),
            "notes/readme.txt": "ask Qwvfamily\nor others\n",
            "photo.png": b"\x89PNG\x00\x01Qwvfamily",
            "__MACOSX/._x.csv": b"\x00",
            "empty/": b"",
        },
    )
    after = members_after(path, spec_of("zip", members="*.csv"), {2})
    assert after is not None
    assert list(after) == ["x.csv", "notes/readme.txt", "photo.png", "empty/"]
    assert after["notes/readme.txt"].endswith(b"\nor others\n")
    assert b"Qwvfamily" not in after["notes/readme.txt"]
    assert after["photo.png"] == b""


def test_a_person_in_the_name_of_a_member_goes_from_there_too(tmp_path: Path) -> None:
    path = packed(tmp_path / "a", {"canary77/x.csv": as_csv(), "y.csv": OTHERS})
    after = members_after(path, spec_of("zip"), {2})
    assert after is not None
    assert [name.endswith(end) for name, end in zip(after, ("/x.csv", "y.csv"), strict=True)]
    assert "canary77" not in "".join(after)


def test_two_members_of_one_name_both_stay(tmp_path: Path) -> None:
    path = packed(tmp_path / "a", {"x.csv": as_csv()})
    with (
        zipfile.ZipFile(path, "a") as archive,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        archive.writestr("x.csv", OTHERS)
    found = cells(rewritten(path, spec_of("zip"), {2}))
    assert found == [*KEPT, (5, "F9", "s9", "untouched")]


@pytest.mark.parametrize(("word", "is_made"), [("somebody", True), ("Qwvfamily", False)])
def test_a_member_that_cannot_be_rewritten_stays_where_it_names_nobody(
    word: str, is_made: bool, tmp_path: Path
) -> None:
    path = packed(tmp_path / "a", {"x.csv": as_csv(), "y.json": json.dumps([{"Form": word}])})
    after = members_after(path, spec_of("zip"), {2})
    assert (after is not None) == is_made
    if after is not None:
        assert after["y.json"] == json.dumps([{"Form": word}]).encode()


@pytest.mark.parametrize("rows", [{1}, {5}])
def test_an_archive_is_not_made_where_a_row_cannot_be_taken_out(
    rows: set[int], tmp_path: Path
) -> None:
    records = [{"Form": "F1", "Student": "s1", "Comment": "fine"}]
    path = packed(tmp_path / "a", {"x.json": json.dumps(records), "y.csv": OTHERS})
    assert (members_after(path, spec_of("zip"), rows) is None) == (rows == {1})


def test_a_damaged_archive_is_not_made(tmp_path: Path) -> None:
    path = packed(tmp_path / "a", {"x.csv": as_csv() * 50})
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    assert members_after(path, spec_of("zip"), {2}) is None
