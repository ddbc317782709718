"""An OSCE whose source sends stations and no result: the shipped spec, the whole pipeline."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.home import Home
from pipelines.run import Run, Wanted
from pipelines.settings import Settings
from pipelines.synth.cohort import make
from pipelines.synth.request import Request
from pipelines.warehouse.editions import lineage

STATIONS = "example_osce"
SENT = (STATIONS, "example_tasks", "example_roster", "example_staff")
RESULTS = """
source: osce_results
title: Results of the OSCE
owner: assessment_unit
files: "*.csv"
reader: {name: delimited, delimiter: ",", encoding: utf-8}
time_zone: Europe/Vienna
person_namespace: example_person
person_ids: {fold_case: true}
known_at: {from: receipt}
values: {instrument_id: osce, result_status: scored}
records:
  - kind: exam_result
    record_id: "{exam}/{student}"
    fields:
      programme_id: programme
      learner_id: student
      task_id: exam
      sitting_id: exam
      score: score
      max_score: max
      occurred_at: {column: day, format: "%Y-%m-%d", at: noon}
"""
CELLS = """
    select learner_key, competency_id, n_data_points, n_assessors, n_methods, n_rated, evidence_ids
    from portfolio_competency_status
    where is_default and n_data_points > 0
    order by learner_key, competency_id
"""
pytestmark = pytest.mark.slow


@dataclass
class Told:
    """A home, the stations that were sent to it, and its editions before and after the results."""

    home: Home
    stations: list[dict[str, Any]]
    alone: Path
    replaced: Path


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("stations")
    make(Request(learners=6, seed=45), folder / "school", folder / "truth")
    home = Home.open(folder / "home")
    for source in SENT:
        shutil.copytree(folder / "school" / source, home.inbox / source)
    stations = [
        json.loads(line)
        for export in sorted((home.inbox / STATIONS).glob("*.jsonl"))
        for line in export.read_text(encoding="utf-8").splitlines()
    ]
    site = folder / "site"
    (site / "sources").mkdir(parents=True)
    (site / "sources" / "osce_results.yaml").write_text(RESULTS, encoding="utf-8")
    settings = Settings(home=home.root, site=site)
    Run(home, settings, Wanted(pack=False)).go()
    alone = (home.editions / "current").resolve()
    results = home.inbox / "osce_results"
    results.mkdir()
    (results / "results.csv").write_text(as_results(stations), encoding="utf-8")
    Run(home, settings, Wanted(pack=False)).go()
    return Told(home, stations, alone, (home.editions / "current").resolve())


def as_results(stations: list[dict[str, Any]]) -> str:
    """Return the results that a school would send of these stations."""
    points: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row in stations:
        key = (row["programme"], row["exam"], row["student"], row["at"][:10])
        points[key].append(row["checklist"])
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["programme", "exam", "student", "day", "score", "max"])
    for key, earned in sorted(points.items()):
        writer.writerow([*key, sum(earned), 20 * len(earned)])
    return text.getvalue()


@contextmanager
def opened(edition: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(edition / "portfolio.duckdb"), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        yield con


def rows(edition: Path, sql: str) -> list[tuple[Any, ...]]:
    with opened(edition) as con:
        return con.execute(sql).fetchall()


def by_student(stations: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """Return what each student has on each competency: how many exams, by how many examiners."""
    exams, examiners = defaultdict(set), defaultdict(set)
    for row in stations:
        exams[row["student"], row["epa"]].add(row["exam"])
        examiners[row["student"], row["epa"]].add(row["examiner"])
    return sorted((key[1], len(exams[key]), len(examiners[key])) for key in exams)


def test_stations_reach_the_row_of_each_competency_that_they_are_about(told: Told) -> None:
    cells = rows(told.alone, CELLS)
    assert len(told.stations) > 20
    assert sorted((c[1], c[2], c[3]) for c in cells) == by_student(told.stations)
    assert {(n_methods, n_rated) for *_, n_methods, n_rated, _ in cells} == {(1, 0)}


def test_a_sitting_is_one_data_point_with_what_its_stations_gave(told: Told) -> None:
    sittings = {(row["student"], row["exam"]) for row in told.stations}
    found = rows(
        told.alone,
        "select count(distinct evidence_id), count(*), sum(score), min(kind), max(kind), "
        "count(is_at_or_above_target) from fct_evidence",
    )
    total = sum(row["checklist"] for row in told.stations)
    # No cut-score of a station is on record, so that no mark says whether the target is reached.
    assert found == [
        (len(sittings), len(told.stations), total, "exam_response", "exam_response", 0)
    ]


def test_every_station_is_found_from_its_data_point(told: Told) -> None:
    (evidence_id, key), *_ = rows(
        told.alone, "select distinct evidence_id, record_key from fct_evidence order by 1"
    )
    told_by = [row for row in lineage(told.alone, evidence_id).evidence if row.get("station_id")]
    assert {row["sitting_key"] for row in told_by} == {key}
    rows_of_it = [row["source_row"] for row in told_by]
    assert len(set(rows_of_it)) == len(rows_of_it) > 1


def test_a_result_that_comes_later_takes_the_place_of_its_stations(told: Told) -> None:
    sittings = {(row["student"], row["exam"]) for row in told.stations}
    found = rows(
        told.replaced,
        "select count(distinct evidence_id), min(kind), max(kind), count(competency_id) = count(*) "
        "from fct_evidence",
    )
    assert found == [(len(sittings), "exam_result", "exam_result", True)]
    before, after = rows(told.alone, CELLS), rows(told.replaced, CELLS)
    assert [c[:5] for c in after] == [c[:5] for c in before]
    assert not {e for c in before for e in c[-1]} & {e for c in after for e in c[-1]}
