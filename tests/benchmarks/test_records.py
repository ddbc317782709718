from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl

from benchmarks import records
from benchmarks.homes import SITE
from benchmarks.rivals import duckdb_read
from pipelines.contracts import CONTRACTS
from pipelines.settings import Settings
from pipelines.sources import catalogue


def test_the_same_numbers_give_the_same_bytes(tmp_path: Path) -> None:
    for form in ("jsonl", "csv"):
        one = records.write(tmp_path / f"a.{form}", form, 500).read_bytes()
        assert records.write(tmp_path / f"b.{form}", form, 500).read_bytes() == one


def test_blocks_do_not_show(tmp_path: Path, monkeypatch: object) -> None:
    whole = records.frame(0, 400, 20)
    parts = pl.concat([records.frame(0, 150, 20), records.frame(150, 250, 20)])
    assert parts.equals(whole)


def test_records_are_as_wide_and_as_long_as_they_are_said_to_be(tmp_path: Path) -> None:
    path = records.write(tmp_path / "a.jsonl", "jsonl", 1_000)
    lines = path.read_bytes().splitlines()
    assert {len(json.loads(line)) for line in lines} == {21}
    assert 600 <= path.stat().st_size / len(lines) <= 700


def test_two_in_a_thousand_break_the_contract_and_no_more(tmp_path: Path) -> None:
    contract = CONTRACTS["workplace_assessment"]
    refused = 0
    for row in records.frame(0, 1_000, 20).to_dicts():
        try:
            contract.model_validate(row)
        except ValueError:
            refused += 1
    assert refused == 2


def test_csv_and_json_lines_say_the_same(tmp_path: Path) -> None:
    as_json = records.write(tmp_path / "a.jsonl", "jsonl", 300)
    as_csv = records.write(tmp_path / "a.csv", "csv", 300)
    with as_csv.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    told = [json.loads(line) for line in as_json.read_text(encoding="utf-8").splitlines()]
    assert [row["narrative_strengths"] for row in rows] == [
        row["narrative_strengths"] for row in told
    ]
    assert any("\n" in row["narrative_strengths"] for row in rows)


def test_the_floor_reads_every_column_and_the_specs_take_every_one() -> None:
    written = set(records.frame(0, 1, 20).columns)
    assert set(duckdb_read.COLUMNS) == written
    specs = catalogue.load(Settings(site=SITE)).sources
    for name in ("bench_jsonl", "bench_csv"):
        taken = {"record_id", *specs[name].records[0].fields}
        assert taken == written
