"""Third-party files of the standards, and what is known of them."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.home import Home
from pipelines.intake import ledger, receive, segment, validate
from pipelines.intake.feeds import load_feeds
from pipelines.intake.read import read, read_file
from pipelines.intake.staging import Staging
from pipelines.settings import Settings
from pipelines.sources import catalogue
from pipelines.sources.readers.strict_json import parse
from pipelines.sources.standards import Judgement, checker
from pipelines.sources.standards.case_check import judge
from pipelines.sources.standards.qti_check import read as read_results
from pipelines.sources.standards.qti_rows import rows_of
from tests.real.real_data import SITE, data_folder

DATA = data_folder()
PACKAGES = DATA / "frameworks/case_opensalt_mit"
RESULTS = DATA / "qti_results/metyatech"
APPLIED = DATA / "qti_results/metyatech_apply"
PLATFORM = DATA / "oneroster/edfi_lms_toolkit_apache2"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no shared test data in {DATA}"),
]


def verdicts(kind: str, file: Path) -> list[Judgement]:
    return list(checker(kind)(file))


def refused(judgements: list[Judgement]) -> list[tuple[str, str]]:
    return [(e.code, e.field) for j in judgements for e in j.errors]


# CASE


def test_eight_packages_pass_and_one_is_refused_with_the_places() -> None:
    files = sorted(f for f in PACKAGES.glob("*.json") if "schema" not in f.name)
    by_name = {file.stem: refused(verdicts("case", file)) for file in files}
    assert len(by_name) == 9
    assert {name for name, errors in by_name.items() if errors} == {"opensalt-framework"}
    assert by_name["opensalt-framework"] == [
        ("not_a_whole_number", "$.CFAssociations[15].sequenceNumber"),
        ("not_a_whole_number", "$.CFAssociations[31].sequenceNumber"),
        ("is_null", "$.CFDefinitions.CFItemTypes[0].description"),
        ("is_null", "$.CFDefinitions.CFItemTypes[1].description"),
        ("is_null", "$.CFDefinitions.CFItemTypes[2].description"),
    ]


STRICTER = {
    "duplicate_id",
    "cycle",
    "not_a_uuid",
    "not_a_uri",
    "not_a_time",
    "out_of_range",
}
"""What is refused beyond the schema: it looks at no format, and at no two entries together."""

values = st.sampled_from(
    [None, 1, 1.5, "1", "", [], {}, ["a"], [1], True, {"title": "a"}, "isChildOf", "2024-01-01"]
).map(deepcopy)


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if not isinstance(value, dict | list):
        return
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield (*place, key)
        yield from places(value[key], (*place, key))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_verdicts_on_changed_packages_are_those_of_the_schema(data: st.DataObject) -> None:
    schema = json.loads((PACKAGES / "case-v1p0-cfpackage-schema.json").read_bytes())
    name = data.draw(st.sampled_from(["ItemTypeTestFramework", "SequenceNumberFramework"]))
    package = json.loads((PACKAGES / f"{name}.json").read_bytes())
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(list(places(package))))
        inner: Any = package
        for key in place[:-1]:
            inner = inner[key]
        action = data.draw(st.sampled_from(["change", "remove", "add"]))
        if action == "change":
            inner[place[-1]] = data.draw(values)
        elif action == "remove":
            del inner[place[-1]]
        elif isinstance(inner, dict):
            inner[data.draw(st.sampled_from(["extra", "description", "notes", "title"]))] = (
                data.draw(values)
            )
    allowed = jsonschema.Draft4Validator(schema).is_valid(package)
    found = {
        error.code
        for entry in judge(parse(json.dumps(package).encode())).entries()
        for error in entry.errors
    }
    if allowed:
        assert found <= STRICTER
    else:
        assert found


def test_a_framework_as_a_sheet_is_read_by_a_spec(tmp_path: Path) -> None:
    records = records_of("framework_sheet", PACKAGES / "sample_case.csv", tmp_path)["framework"]
    kinds = Counter(records["entry_type"])
    assert kinds == {"item": 10, "link": 7}
    known = set(records.filter(pl.col("entry_type") == "item")["competency_id"])
    assert set(records["target_competency_id"].drop_nulls()) <= known


# QTI

SCORES: dict[str, tuple[str, str, dict[str, tuple[str, str | None]]]] = {
    "basic/results.expected.xml": ("candidate-1", "2", {"item-1": ("2", None)}),
    "comment-basic/results.expected.xml": (
        "candidate-11", "2", {"item-1": ("2", "Updated comment")}
    ),
    "comment-clear/results.expected.xml": ("candidate-13", "4", {"item-1": ("4", None)}),
    "comment-only/results.expected.xml": (
        "candidate-13", "4", {"item-1": ("4", "Comment only update")}
    ),
    "criteria-missing-met/results.expected.xml": ("candidate-1", "2", {"item-1": ("2", None)}),
    "criterion-text-lenient/results.expected.xml": ("candidate-1", "2", {"item-1": ("2", None)}),
    "glob-basic/expected/a.xml": ("candidate-a", "2", {"item-1": ("2", None)}),
    "glob-basic/expected/b.xml": ("candidate-b", "3", {"item-1": ("3", None)}),
    "glob-regex-basic/expected/assessmentResult-100.xml": (
        "candidate-100", "1", {"item-1": ("1", None)}
    ),
    "glob-regex-basic/expected/assessmentResult-200.xml": (
        "candidate-200", "2", {"item-1": ("2", None)}
    ),
    "multi-items/results.expected.xml": (
        "candidate-2", "5", {"item-1": ("2", None), "item-2": ("3", None)}
    ),
    "partial-items/results.expected.xml": (
        "candidate-2", "5", {"item-1": ("2", None), "item-2": ("3", None)}
    ),
    "preserve-met/results.expected.xml": ("candidate-8", "3", {"item-1": ("3", None)}),
}  # fmt: skip


def test_the_success_cases_are_read_with_the_values_listed() -> None:
    listed = {str(f.relative_to(APPLIED)) for f in APPLIED.glob("*/results.expected.xml")}
    listed |= {str(f.relative_to(APPLIED)) for f in APPLIED.glob("*/expected/*.xml")}
    assert listed == set(SCORES)
    for name, (learner, score, items) in SCORES.items():
        (delivered,) = read_results(APPLIED / name)
        assert delivered.result.errors == []
        test, *answered = rows_of(delivered.result, None, ";")
        assert (test["sourced_id"], test["score"]) == (learner, score)
        assert {
            row["item"]: (row["score"], row.get("outcome.COMMENT")) for row in answered
        } == items


def test_a_wrong_or_missing_namespace_is_refused_and_nothing_else_is() -> None:
    results = [*APPLIED.rglob("results*.xml"), *APPLIED.rglob("results/*.xml")]
    found = {str(f.relative_to(APPLIED)): refused(verdicts("qti", f)) for f in results}
    assert {name: errors for name, errors in found.items() if errors} == {
        "invalid-results-namespace/results.input.xml": [("wrong_namespace", "/assessmentResult")],
        "missing-results-namespace/results.input.xml": [("missing_namespace", "/assessmentResult")],
    }


def records_of(source: str, file: Path, folder: Path) -> dict[str, pl.DataFrame]:
    """Return the records that a spec of the site makes of a file, by kind."""
    specs = catalogue.load(Settings(home=folder, site=SITE))
    into = folder / source
    into.mkdir()
    report = read_file(file, specs.sources[source], specs, into)
    assert report.error is None, report.error
    kinds = {path.stem.split("-")[1] for path in into.glob("records-*.parquet")}
    return {kind: pl.read_parquet(into / f"records-{kind}-*.parquet") for kind in kinds}


@pytest.mark.parametrize("name", ["descriptive", "choice", "cloze"])
def test_the_pairs_give_the_same_records_by_csv_and_by_xml(name: str, tmp_path: Path) -> None:
    by_csv = records_of("track_lms_csv", RESULTS / f"{name}.csv", tmp_path)
    by_xml = records_of("track_lms_qti", RESULTS / f"{name}.qti.xml", tmp_path)
    assert by_csv.keys() == by_xml.keys() == {"exam_result", "exam_response"}
    for kind, frame in by_csv.items():
        shared = [c for c in frame.columns if c not in {"source_row", "source_cell", "notes"}]
        assert frame.select(shared).to_dicts() == by_xml[kind].select(shared).to_dicts()
        assert frame["problems"].list.len().sum() == 0


@pytest.mark.parametrize("name", ["descriptive", "choice", "cloze"])
def test_what_is_read_of_the_xml_is_all_that_its_csv_says(name: str) -> None:
    (delivered,) = read_results(RESULTS / f"{name}.qti.xml")
    test, *items = rows_of(delivered.result, None, ";")
    original = (RESULTS / f"{name}.csv").read_text(encoding="utf-8")
    header = next(csv.reader(io.StringIO(original)))
    row = _platform_row(test, items)
    rendered = io.StringIO()
    writer = csv.writer(rendered, lineterminator="\n")
    writer.writerow(header)
    writer.writerow([row.get(column, "") for column in header])
    assert rendered.getvalue() == original


STATUS = {"completed": "Completed", "incomplete": "DeadlineExpired"}
SESSION = {
    "classId": "classId",
    "className": "className",
    "traineeId": "trackTraineeId",
    "account": "candidateAccount",
    "traineeName": "candidateName",
    "traineeKlassId": "trackTraineeClassId",
    "matrerialId": "materialId",
    "materialTitle": "materialTitle",
    "materialType": "materialType",
    "MaterialVersionNumber": "materialVersionNumber",
    "resultId": "trackResultId",
}
OUTCOMES = {
    "materialTimeLimitMinutes": "TRACKLMS_TIME_LIMIT_MINUTES",
    "isOptional": "TRACKLMS_IS_OPTIONAL",
    "title": "TRACKLMS_TITLE",
    "score": "SCORE",
    "questionCount": "TRACKLMS_QUESTION_COUNT",
    "correctCount": "TRACKLMS_CORRECT_COUNT",
}


def _platform_row(test: dict[str, Any], items: list[dict[str, Any]]) -> dict[str, str]:
    """Return the row that the platform would export for a result."""

    def local(text: str) -> str:
        at = datetime.fromisoformat(text).astimezone(ZoneInfo("Asia/Tokyo"))
        return at.strftime("%Y/%m/%d %H:%M:%S")

    row = {column: test[f"session.{name}"] for column, name in SESSION.items()}
    row |= {column: test[f"outcome.{name}"] for column, name in OUTCOMES.items()}
    row |= {
        "id": test["test"],
        "status": STATUS[test["completion_status"]],
        "startAt": local(test["outcome.TRACKLMS_START_AT"]),
        "endAt": local(test["outcome.TRACKLMS_END_AT"]),
        "timeSpentSeconds": test["response.duration"].removeprefix("PT").removesuffix("S"),
        "restartCount": str(int(test["attempt"]) - 1),
    }
    for number, item in enumerate(items, start=1):
        right, given = item.get("correct.RESPONSE") or "", item["response.RESPONSE"]
        if ";" in right:
            right = ";".join(f"${{{part}}}" for part in right.split(";"))
        row |= {
            f"q{number}/title": item["outcome.TRACKLMS_ITEM_TITLE"],
            f"q{number}/correct": right.removeprefix("CHOICE_"),
            f"q{number}/answer": given.removeprefix("CHOICE_"),
            f"q{number}/score": item["outcome.SCORE"],
        }
    return row


# Exports of a learning platform

Home_ = tuple[Home, Settings]


@pytest.fixture
def home(tmp_path: Path) -> Home_:
    root = tmp_path / "home"
    return Home.open(root), Settings(home=root, site=SITE, workers=1)


def take_in(home: Home_, source: str, file: Path, sent_at: str | None = None) -> None:
    """Bring one file into the log, without building anything from it."""
    here, chosen = home
    target = here.inbox / source / f"{sent_at or file.stem}.csv".replace(":", "-")
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(file, target)
    if sent_at is not None:
        manifest = target.with_name(f"{target.name}.manifest.json")
        manifest.write_text(json.dumps({"sent_at": sent_at}), encoding="utf-8")
    feeds = load_feeds(chosen)
    for delivery_id in receive.receive(here, chosen, feeds=feeds, settle=0).pending:
        read(here, chosen, delivery_id)
        validate.validate(here, chosen, delivery_id, feeds=feeds)
        staging = Staging.of(here, delivery_id, feeds[source].interpretation_id)
        staging.check.write_text('{"verdict": "pass", "results": [], "hold": null}')
        segment.commit(here, chosen, delivery_id, feeds=feeds)


def outcomes(home: Home_) -> list[tuple[int, int, int, int]]:
    return [
        (entry.rows_read, entry.accepted, entry.duplicate, entry.superseded)
        for entry in ledger.ledger(home[0])
    ]


def test_what_overlapping_exports_hold_is_counted_once(home: Home_) -> None:
    usage = PLATFORM / "src/google-classroom-extractor/tests/api/usage"
    names = ("usage-1st", "usage-2nd-overlaps-1st", "usage-3rd-overlaps-1st-and-2nd")
    lines = [len((usage / f"{name}.csv").read_text().splitlines()) for name in names]
    assert lines == [35, 99, 198]
    for name in names:
        take_in(home, "lms_usage", usage / f"{name}.csv")
    found = outcomes(home)
    assert [row[0] for row in found] == [17, 49, 98]
    assert sum(row[1] for row in found) == 99
    assert sum(row[2] for row in found) == 65
    assert sum(row[3] for row in found) == 0


def test_dated_snapshots_are_read_and_what_changed_supersedes(home: Home_) -> None:
    folder = PLATFORM / "docs/sample-out/section=123456780/Assignment=2942251001/submissions"
    for day in ("2020-09-17", "2020-09-18"):
        (file,) = folder.glob(f"{day}*.csv")
        take_in(home, "lms_submissions", file, f"{day}T15:04:23+00:00")
    first, second = outcomes(home)
    assert (first[0], second[0]) == (3, 3)
    assert sum(first) + sum(second) - 6 == 6
    assert first[2] + second[2] == 2, "two submissions stand in both"


def test_dated_snapshots_of_people_are_read(home: Home_) -> None:
    folder = PLATFORM / "docs/sample-out/users"
    sizes = []
    for file in sorted(folder.glob("*.csv")):
        sent = f"{file.stem[:10]}T{file.stem[11:].replace('-', ':')}+00:00"
        take_in(home, "lms_users", file, sent)
        with file.open(encoding="utf-8-sig") as stream:
            sizes.append(
                sum(row["UserRole"].lower() == "student" for row in csv.DictReader(stream))
            )
    assert [row[0] for row in outcomes(home)] == sizes
