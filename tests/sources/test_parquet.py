from __future__ import annotations

import datetime as dt
import json
import os
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.readers import Unreadable, Wanted, parquet
from pipelines.sources.readers.base import SOURCE_ROW
from pipelines.sources.readers.parquet import Parquet, ParquetOptions, as_text

DATA = Path(os.environ.get("TESSERA_TEST_DATA", Path(__file__).parents[2] / "../shared/data"))
DAY = dt.datetime(2026, 3, 1, 9, 0, 0, 123400, tzinfo=dt.UTC)
LOCAL = DAY.replace(tzinfo=None)


def read(path: Path, *wanted: str) -> tuple[pl.DataFrame, Any]:
    reading = Parquet.open(path, ParquetOptions(), Wanted(frozenset(wanted)))
    return pl.concat([chunk.rows for chunk in reading.chunks]), reading


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([7, None], pa.int8()), ["7", None]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array([0.1, 3.0, None]), ["0.1", "3.0", None]),
        (pa.array([0.1], pa.float32()), ["0.1"]),
        (pa.array([1.5], pa.float16()), ["1.5"]),
        (pa.array([Decimal("1.10"), None], pa.decimal128(5, 2)), ["1.10", None]),
        (pa.array([Decimal("1.10")], pa.decimal256(50, 2)), ["1.10"]),
        (pa.array([Decimal("1200")], pa.decimal128(3, -2)), ["1200"]),
        (pa.array([DAY], pa.timestamp("us", "Europe/Vienna")), ["2026-03-01T09:00:00.1234Z"]),
        (pa.array([LOCAL], pa.timestamp("us")), ["2026-03-01T09:00:00.1234"]),
        (pa.array([0], pa.timestamp("s")), ["1970-01-01T00:00:00"]),
        (pa.array([1], pa.timestamp("ns")), ["1970-01-01T00:00:00.000000001"]),
        (pa.array([LOCAL.date()], pa.date32()), ["2026-03-01"]),
        (pa.array([LOCAL.date()], pa.date64()), ["2026-03-01"]),
        (pa.array([LOCAL.time()], pa.time64("us")), ["09:00:00.1234"]),
        (pa.array([dt.timedelta(days=1, seconds=3)], pa.duration("s")), ["P1DT3S"]),
        (pa.array([b"abc", b"\xff", None]), ["abc", "base64:/w==", None]),
        (pa.array([b"abcd"], pa.binary(4)), ["abcd"]),
        (pa.array(["a", "b", None]).dictionary_encode(), ["a", "b", None]),
        (pa.nulls(1), [None]),
        (pa.array([[1, None], None, []], pa.list_(pa.int64())), ["[1, null]", None, "[]"]),
        (pa.array([[("k", 1.50)]], pa.map_(pa.string(), pa.float64())), ['[["k", 1.5]]']),
        (pa.array([[Decimal("1.10")]], pa.list_(pa.decimal128(5, 2))), ["[1.10]"]),
        (pa.array([[DAY]], pa.list_(pa.timestamp("us", "UTC"))),
         ['["2026-03-01T09:00:00.123400+00:00"]']),
        (pa.ExtensionArray.from_storage(pa.uuid(), pa.array([uuid.UUID(int=5).bytes],
                                                            pa.binary(16))),
         ["00000000-0000-0000-0000-000000000005"]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)  # fmt: skip
def test_every_type_becomes_text_that_says_the_value_exactly(
    array: pa.Array, texts: list[str | None]
) -> None:
    assert as_text(array).to_list() == texts


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.booleans())
def test_floats_are_read_back_bit_for_bit(values: list[float], is_short: bool) -> None:
    kind = np.float32 if is_short else np.float64
    with np.errstate(over="ignore"):
        given_values = np.array(values).astype(kind)
    texts = as_text(pa.array(given_values)).to_list()
    assert np.array_equal(np.array([kind(text) for text in texts]), given_values)


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    rows = [{"id": 1, "who": {"id": "s1", "of": {"year": 3}}}, {"id": 2, "who": None}]
    path = tmp_path / "file"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_structs_are_columns_with_dotted_names(nested: Path) -> None:
    rows, reading = read(nested, "who.id")
    assert reading.header == ["id", "who.id", "who.of.year"]
    assert rows.rows() == [(1, "1", "s1", "3"), (2, "2", None, None)]


def test_a_struct_that_is_asked_for_is_json(nested: Path) -> None:
    rows, reading = read(nested, "who")
    assert reading.header == ["id", "who", "who.id", "who.of.year"]
    assert json.loads(rows["who"][0]) == {"id": "s1", "of": {"year": 3}}


def test_columns_of_one_name_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "file"
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], ["a", "a", "line"])
    pq.write_table(table, path)
    assert read(path)[1].header == ["a#1", "a#2", "line_"]


def test_rows_are_numbered_through_row_groups_and_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MIN_ROWS", 10)
    monkeypatch.setattr(parquet, "CHUNK_BYTES", 100)
    path = tmp_path / "file"
    pq.write_table(pa.table({"a": list(range(1, 301))}), path, row_group_size=77)
    reading = Parquet.open(path, ParquetOptions(), Wanted())
    chunks = list(reading.chunks)
    assert len(chunks) >= 30
    rows = pl.concat([chunk.rows for chunk in chunks])
    assert rows[SOURCE_ROW].to_list() == list(range(1, 301))
    assert all(number == int(text) for number, text in rows.rows())
    assert reading.facts["row_groups"] == 4


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:0],
        lambda data: data[:-20],
        lambda data: data[:4] + b"\0" * 100 + data[-4:],
        lambda data: data[:4] + b"\xff" * 400 + data[404:],
    ],
    ids=["empty", "cut off", "no footer", "bad page"],
)
def test_a_file_that_is_damaged_is_refused(
    change: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    pq.write_table(pa.table({"a": [f"text {n}" for n in range(2000)]}), path)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(Unreadable) as caught:
        read(path)
    assert caught.value.code == "unreadable_file"


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.string())}), tmp_path / "file")
    with pytest.raises(Unreadable) as caught:
        read(tmp_path / "file")
    assert caught.value.code == "header_only"


def test_a_spec_reads_parquet_and_rows_without_values_are_blank(
    tmp_path: Path, read_bytes: Callable[..., Any]
) -> None:
    body = """
    reader: {name: parquet}
    values: {programme_id: MED, instrument_id: mcq, sitting_id: s, task_id: t}
    records:
      - kind: exam_result
        record_id: "{who.id}"
        fields:
          {learner_id: who.id, score: mark, result_status: {value: scored}, occurred_at: day}
    """
    rows = [
        {"who": {"id": "s1", "name": "n"}, "mark": Decimal("7.50"), "day": DAY},
        {"who": None, "mark": None, "day": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "made")
    result = read_bytes((tmp_path / "made").read_bytes(), body)
    found = result.records().select("learner_id", "score", "occurred_at").rows()
    assert found == [("s1", "7.50", "2026-03-01T09:00:00.123400Z")]
    assert (result.report.source_rows, result.report.rows_blank) == (2, 1)
    assert result.report.columns_not_taken == ["who.name"]
    result = read_bytes((tmp_path / "made").read_bytes(), body.replace("mark,", "marks,"))
    assert "Did you mean mark?" in result.report.error.suggestion


@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason=f"shared test data not found at {DATA}")
def test_every_naughty_string_survives(tmp_path: Path) -> None:
    strings = json.loads((DATA / "nasty/blns/blns.json").read_text(encoding="utf-8"))
    pq.write_table(pa.table({"text": strings}), tmp_path / "file")
    assert read(tmp_path / "file")[0]["text"].to_list() == strings
