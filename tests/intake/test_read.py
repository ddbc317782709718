from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl
import pytest

from pipelines.home import Home
from pipelines.intake.read import ReadReport, read, read_file
from pipelines.settings import Settings

SPEC = """
source: school
title: Results of a made-up school
owner: assessment_unit
files: ["*.csv"]
reader: {name: delimited, encoding: utf-8}
time_zone: Europe/Vienna
values: {programme_id: MED, instrument_id: mcq, task_id: t, sitting_id: s}
records:
  - kind: exam_result
    record_id: "{Student}-{Exam}"
    fields:
      learner_id: {column: [Student, Student number]}
      result_status: {value: scored}
      score: Mark
      occurred_at: Day
      grade: {column: Grade, optional: true}
drop: [Password]
refuse: {Shoe size: nobody needs it}
"""
GOOD = "Student,Exam,Mark,Day,Password,Colour,AI probability,Shoe size\n" + "\n".join(
    f"s{n},E,{n},2024-01-0{n},secret,red,0.9,43" for n in range(1, 6)
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home")


@pytest.fixture
def settings(home: Home, tmp_path: Path) -> Settings:
    folder = tmp_path / "site" / "sources"
    folder.mkdir(parents=True)
    (folder / "school.yaml").write_text(SPEC, encoding="utf-8")
    return Settings(home=home.root, site=tmp_path / "site")


def deliver(home: Home, data: bytes | str) -> str:
    data = data.encode() if isinstance(data, str) else data
    sha = hashlib.sha256(data).hexdigest()
    path = home.archive / sha[:2] / sha
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return f"school-{sha[:16]}"


def folder_of(home: Home, report: ReadReport) -> Path:
    return home.staging / str(report.delivery_id) / report.interpretation_id / "read"


def test_a_delivery_becomes_records_originals_and_a_report(home: Home, settings: Settings) -> None:
    report = read(home, settings, deliver(home, GOOD))
    folder = folder_of(home, report)
    assert report.readable
    assert (report.source_rows, report.records) == (5, {"exam_result": 5})
    rows = pl.read_parquet(folder / "records-exam_result-*.parquet")
    assert rows["score"].to_list() == ["1", "2", "3", "4", "5"]
    assert set(rows.schema.values()) <= {pl.Int64(), pl.String(), *rows.schema.values()}
    originals = pl.read_parquet(folder / "source-*.parquet")
    assert originals["Mark"].to_list() == ["1", "2", "3", "4", "5"]
    assert ReadReport.model_validate_json((folder / "read.json").read_bytes()) == report


def test_columns_not_taken_and_columns_refused_are_reported_by_name(
    home: Home, settings: Settings
) -> None:
    report = read(home, settings, deliver(home, GOOD))
    assert report.columns_not_taken == ["Colour"]
    refused = {entry.column: entry.reason for entry in report.columns_refused}
    assert set(refused) == {"AI probability", "Password", "Shoe size"}
    assert "never detected" in refused["AI probability"]


def test_a_column_may_have_another_name_and_be_absent_where_optional(
    home: Home, settings: Settings
) -> None:
    site = Path(str(settings.site)) / "sources" / "school.yaml"
    site.write_text(SPEC.replace('"{Student}-{Exam}"', '"{Exam}-{Day}"'), encoding="utf-8")
    data = "Student number,Exam,Mark,Day\ns1,E,1,2024-01-01\n"
    report = read(home, settings, deliver(home, data))
    assert report.readable
    assert report.columns_absent == ["Grade"]
    rows = pl.read_parquet(folder_of(home, report) / "records-exam_result-*.parquet")
    assert rows["learner_id"].to_list() == ["s1"]


def test_a_column_that_no_line_of_json_has_is_told_as_one_that_a_table_lacks(
    home: Home, settings: Settings
) -> None:
    site = Path(str(settings.site)) / "sources" / "school.yaml"
    site.write_text(SPEC.replace("name: delimited", "name: jsonl"), encoding="utf-8")
    line = '{"Student": "s1", "Exam": "E", "Mark": 1, "Day": "2024-01-01"}'
    report = read(home, settings, deliver(home, f"{line}\n{line}\n"))
    assert report.columns_absent == ["Grade"]
    report = read(home, settings, deliver(home, f'{line[:-1]}, "Grade": "A"}}\n{line}\n'))
    assert report.columns_absent == []


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"", "empty_file", "empty"),
        (b"Student,Exam,Mark,Day\n", "header_only", "no rows"),
        (b"Student,Exam,Marks,Day\n1,2,3,4\n", "missing_column", "Did you mean Marks?"),
        (b"Student,Exam,Mark,Mark,Day\n1,2,3,4,5\n", "duplicate_header", "Mark#1 or Mark#2"),
        ("Student,Exam,Mark,Day\nü,2,3,4\n".encode("windows-1252"), "wrong_encoding", "line 2"),
        (b"\x00\x01\x02\xff" * 100, "wrong_encoding", "utf-8"),
    ],
)
def test_a_delivery_that_cannot_be_read_says_why_and_leaves_no_records(
    home: Home, settings: Settings, data: bytes, code: str, said: str
) -> None:
    report = read(home, settings, deliver(home, data))
    assert not report.readable
    assert report.error is not None
    assert report.error.code == code
    assert said in f"{report.error.message} {report.error.suggestion}"
    assert report.records == {}
    assert [path.name for path in folder_of(home, report).iterdir()] == ["read.json"]


def test_bytes_that_turn_bad_after_good_chunks_leave_no_records(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.sources.readers.delimited.CHUNK_BYTES", 256)
    monkeypatch.setattr("pipelines.sources.readers.encodings.READ_BYTES", 128)
    monkeypatch.setattr("pipelines.sources.readers.encodings.SAMPLE_BYTES", 128)
    rows = "".join(f"s{n},E,{n},2024-01-01\n" for n in range(200))
    data = ("Student,Exam,Mark,Day\n" + rows).encode() + b"s\xff,E,1,2024-01-01\n"
    report = read(home, settings, deliver(home, data))
    assert report.error is not None
    assert report.error.code == "wrong_encoding"
    assert "line 202" in report.error.message
    assert list(folder_of(home, report).glob("*.parquet")) == []


def test_reading_again_changes_nothing(home: Home, settings: Settings) -> None:
    delivery = deliver(home, GOOD)
    first = read(home, settings, delivery)
    files = {p: p.stat().st_mtime_ns for p in folder_of(home, first).iterdir()}
    assert read(home, settings, delivery) == first
    assert {p: p.stat().st_mtime_ns for p in folder_of(home, first).iterdir()} == files


def test_reading_twice_from_the_start_gives_the_same_bytes(
    home: Home, settings: Settings, tmp_path: Path
) -> None:
    delivery = deliver(home, GOOD)
    folder = folder_of(home, read(home, settings, delivery))
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    folder.rename(tmp_path / "aside")
    read(home, settings, delivery)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_a_killed_attempt_leaves_nothing_that_counts(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = deliver(home, GOOD)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.intake.read.write_atomically", killed)
        with pytest.raises(KeyboardInterrupt):
            read(home, settings, delivery)
    assert not list(home.staging.rglob("read"))
    assert read(home, settings, delivery).readable


def test_a_mended_spec_is_another_interpretation(home: Home, settings: Settings) -> None:
    delivery = deliver(home, GOOD)
    first = read(home, settings, delivery)
    site = Path(str(settings.site)) / "sources" / "school.yaml"
    site.write_text(SPEC.replace("value: scored", "value: not_scored"), encoding="utf-8")
    second = read(home, settings, delivery)
    assert second.interpretation_id != first.interpretation_id
    assert folder_of(home, first).exists()


def test_an_unknown_delivery_is_an_error_of_the_caller(home: Home, settings: Settings) -> None:
    with pytest.raises(KeyError, match="no source spec"):
        read(home, settings, "elsewhere-0123456789abcdef")
    with pytest.raises(KeyError, match="archive holds no file"):
        read(home, settings, "school-0123456789abcdef")


SECRETS = """
source: school
title: Accounts
owner: assessment_unit
files: ["*"]
time_zone: Europe/Vienna
reader: {name: %s}
values: {programme_id: MED}
records:
  - kind: learner
    record_id: "{id}"
    fields: {learner_id: id}
refuse: {Room: nobody needs it}
"""


@pytest.mark.parametrize(
    ("reader", "content"),
    [
        (
            "delimited",
            "id,Password,AI Probability,Room\n1,canary-1,canary-2,canary-3\n,canary-4,,\n",
        ),
        (
            "jsonl",
            '{"id": "1", "Password": "canary \\" 1", "n": {"user password" : "canary-2"}}\n'
            '{"id": "", "Room": "canary-3", "ai_probability": 0.123454321, '
            '"a": {"pwd": ["canary"]}}\n'
            "not json canary-less\n",
        ),
    ],
)
def test_what_must_never_be_taken_is_kept_in_the_archive_alone(
    tmp_path: Path, reader: str, content: str
) -> None:
    from pipelines.sources import codes
    from pipelines.sources.catalogue import load_folders

    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "school.yaml").write_text(SECRETS % reader)
    (tmp_path / "delivered").write_text(content)
    (tmp_path / "read").mkdir()
    declared = load_folders([tmp_path / "specs"], codes.load_folders([codes.SHIPPED]))
    report = read_file(
        tmp_path / "delivered", declared.sources["school"], declared, tmp_path / "read"
    )
    assert {"Password", "Room"} <= {refused.column for refused in report.columns_refused}
    for path in (tmp_path / "read").glob("*.parquet"):
        text = str(pl.read_parquet(path).to_dicts()).replace("canary-less", "")
        assert "canary" not in text, path.name
        assert "123454321" not in text, path.name
