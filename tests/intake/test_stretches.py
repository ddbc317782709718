"""Files read in stretches, apart, give what they give when they are read through."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake import read
from pipelines.settings import Settings
from pipelines.sources import catalogue
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.readers import delimited, jsonl, parquet
from pipelines.sources.readers.base import written_out

SPEC = """
source: {reader}_source
title: A source
owner: assessment_unit
files: "*"
reader: {{name: {reader}}}
time_zone: UTC
values:
  {{programme_id: MED, instrument_id: mcq, sitting_id: "1", task_id: t, result_status: scored}}
records:
  - kind: exam_result
    record_id: "{{source_row}}"
    fields: {{learner_id: a, score: b}}
"""


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    site = tmp_path_factory.mktemp("site")
    (site / "sources").mkdir()
    for reader in ("jsonl", "delimited", "parquet"):
        (site / "sources" / f"{reader}.yaml").write_text(SPEC.format(reader=reader), "utf-8")
    return catalogue.load(Settings(site=site))


@pytest.fixture(autouse=True)
def small_stretches(monkeypatch: pytest.MonkeyPatch, workers_in_process: None) -> None:
    monkeypatch.setattr(delimited, "STRETCH_BYTES", 16)
    monkeypatch.setattr(jsonl, "STRETCH_BYTES", 16)
    monkeypatch.setattr(parquet, "STRETCH_BYTES", 200)


def found(declared: Catalogue, reader: str, text: bytes, n_workers: int) -> tuple[Any, ...]:
    """Return the report, the records and the originals of a file."""
    with tempfile.TemporaryDirectory() as folder:
        path, into = Path(folder) / "file", Path(folder) / "read"
        path.write_bytes(text)
        into.mkdir()
        spec = declared.sources[f"{reader}_source"]
        report = read.read_file(path, spec, declared, into, n_workers=n_workers)
        frames = [
            [
                written_out(pl.read_parquet(part), path)
                for part in sorted(into.glob(f"{name}-*.parquet"))
            ]
            for name in ("records-exam_result", "source")
        ]
    records, originals = (
        sorted(map(repr, pl.concat(parts, how="diagonal").rows(named=True))) if parts else []
        for parts in frames
    )
    return report, records, originals


CSV_PIECES = ["1", "x y", ",", '"', '""', "\n", "\n", "\r\n", "\r", '"a,b"', '"l1\nl2"', " ", "é"]
CSV_ROWS = ["1,2", "3,4", '"5","6"', '"a""b",7', '"l1\nl2",8', "", "9", "1,2,3", '5",10"', '"x" ,1']


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.lists(st.sampled_from(CSV_PIECES), max_size=40).map("".join),
        st.lists(st.sampled_from(CSV_ROWS), max_size=14).map("\n".join),
        st.lists(st.sampled_from(CSV_ROWS[:6]), max_size=14).map("\r\n".join),
    ),
    st.sampled_from(["", "\n", "\r\n"]),
)
def test_delimited_text_read_apart_gives_the_same_records(
    declared: Catalogue, text: str, end: str
) -> None:
    data = ("a,b\n" + text + end).encode()
    together, apart = (found(declared, "delimited", data, n) for n in (1, 2))
    assert apart == together


JSON_LINES = [
    '{"a": "x", "b": 1}',
    '{"a":"y","b":2.50}',
    '{"b": null, "a": "say \\"no\\""}',
    "",
    " \t",
    "{bad",
    '{"a": 1, "a": 2}',
    '{"a": "z", "c": [1]}',
    "\ufeff",
]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(JSON_LINES), max_size=20),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\n\n"]),
)
def test_json_lines_read_apart_give_the_same_records(
    declared: Catalogue, lines: list[str], line_end: str, end: str
) -> None:
    data = (line_end.join(lines) + end).encode()
    together, apart = (found(declared, "jsonl", data, n) for n in (1, 2))
    assert apart == together


def test_a_quote_that_is_never_closed_is_met_as_when_read_through(declared: Catalogue) -> None:
    rows = [f"{n},{n}" for n in range(40)]
    rows[20] = '20,"open'
    data = ("a,b\n" + "\n".join(rows) + "\n").encode()
    together, apart = (found(declared, "delimited", data, n) for n in (1, 2))
    assert apart == together
    assert together[0].source_rows == 40


def test_several_stretches_are_made_of_regular_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b'1,"x\ny"\n' * 20)
    options = delimited.DelimitedOptions()
    from pipelines.sources.readers import Wanted

    parts = list(delimited.Delimited.open(path, options, Wanted()).stretches or ())
    assert len(parts) > 5
    assert [part.part.before for part in parts] == sorted({part.part.before for part in parts})
    assert sum(part.part.length or 0 for part in parts) == path.stat().st_size - 4


@pytest.mark.parametrize("rows_of_a_group", [1, 3, 7, 100])
def test_row_groups_of_parquet_read_apart_give_the_same_rows(
    declared: Catalogue, rows_of_a_group: int
) -> None:
    frame = pl.DataFrame(
        {"a": [f"s{n}" for n in range(20)], "b": [None if n % 7 == 0 else n / 4 for n in range(20)]}
    )
    written = io.BytesIO()
    frame.write_parquet(written, row_group_size=rows_of_a_group)
    whole = found(declared, "parquet", written.getvalue(), 1)
    apart = found(declared, "parquet", written.getvalue(), 2)
    assert apart == whole
    assert whole[0].source_rows == 20
    assert len(whole[1]) == 20


def test_parquet_without_a_row_is_refused_however_many_groups_it_has(declared: Catalogue) -> None:
    table = pl.DataFrame(schema={"a": pl.String, "b": pl.Float64}).to_arrow()
    written = io.BytesIO()
    with pq.ParquetWriter(written, table.schema) as writer:
        writer.write_table(table)
        writer.write_table(table)
    report, _, _ = found(declared, "parquet", written.getvalue(), 2)
    assert report.error.code == "header_only"


def test_a_parquet_file_cut_off_in_the_middle_is_refused_by_every_road(declared: Catalogue) -> None:
    written = io.BytesIO()
    frame = pl.DataFrame({"a": [f"s{n}" for n in range(50)], "b": [float(n) for n in range(50)]})
    frame.write_parquet(written, row_group_size=5)
    spoilt = bytearray(written.getvalue())
    spoilt[40:400] = bytes(360)
    for n_workers in (1, 2):
        report, records, _ = found(declared, "parquet", bytes(spoilt), n_workers)
        assert report.error.code == "unreadable_file"
        assert records == []
