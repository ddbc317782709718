"""Refused records are corrected in a sheet, enter once, and the ledger balances all the while."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from pipelines.contracts import Action, Decision
from pipelines.identity.named import UnnamedError
from pipelines.intake import sheet
from pipelines.intake.ledger import ledger
from pipelines.intake.quarantine import causes, show
from pipelines.intake.records import active_records
from pipelines.intake.replay import ReplayReport, replay
from pipelines.intake.sheet import CORRECTION, SheetError
from pipelines.sources import catalogue
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.load import load

HEADER = "Form;Student;EPA;Rating;Assessor;Observed;Comment\n"
GOOD = "F1;s1;EPA1;3;t1;05.03.2026;fine\n"
LABEL = "F2;s2;EPA1;Lvl three;t1;05.03.2026;=cmd|' /C calc'!A0\n"
DATE = "F3;s3;EPA1;4;t1;31.02.2026;'=quoted\n"
FORMS = HEADER + GOOD + LABEL + DATE


@pytest.fixture
def stuck(clinic: Any) -> Any:
    """Return a clinic with two refused forms and an accepted one."""
    clinic.drop("forms", "a.csv", FORMS)
    clinic.take_in()
    assert clinic.totals() == {"accepted": 1, "quarantined": 2}
    return clinic


@pytest.fixture(params=["refused.xlsx", "refused.csv"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / request.param


@pytest.fixture
def csv_target(tmp_path: Path) -> Path:
    return tmp_path / "refused.csv"


def export(clinic: Any, target: Path) -> Path:
    sheet.write(show(clinic.home, waiting=False), target)
    return target


def edit(target: Path, edits: dict[str, dict[str, str]]) -> None:
    """Write into cells of the rows of some forms, as a person would."""
    if target.suffix == ".csv":
        with target.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        header = [name.lstrip("'") for name in rows[0]]
        for row in rows[1:]:
            for name, text in edits.get(row[header.index("record_id")], {}).items():
                row[header.index(name)] = text
        with target.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(rows)
        return
    book = load_workbook(target)
    page = book["workplace_assessment"]
    header = [cell.value for cell in page[1]]
    for row in page.iter_rows(min_row=2):
        form = str(row[header.index("record_id")].value)
        for name, text in edits.get(form, {}).items():
            row[header.index(name)].value = text
    book.save(target)


def send(clinic: Any, target: Path, by: str = "A. Muster") -> ReplayReport:
    declared = catalogue.load(clinic.settings)
    return replay(clinic.home, clinic.settings, sheet.read(target), by=by, catalogue=declared)


def fix(level: str = "Direct supervision", day: str = "28.02.2026") -> dict[str, dict[str, str]]:
    return {
        "F2": {f"{CORRECTION}level": level},
        "F3": {f"{CORRECTION}observed_at": day},
    }


def levels(clinic: Any) -> dict[str, tuple[int, str]]:
    load(clinic.home, clinic.settings)
    with open_warehouse(clinic.home, clinic.settings) as con:
        rows = con.execute(
            "select record_id, level, raw_label from raw.workplace_assessment "
            "where present_outcome = 'accepted' order by all"
        ).fetchall()
    return {record_id: (level, label) for record_id, level, label in rows}


def test_corrected_records_enter_and_the_refused_ones_count_as_superseded(
    stuck: Any, target: Path
) -> None:
    edit(export(stuck, target), fix())
    report = send(stuck, target)
    assert (report.n_replayed, report.refused, report.unchanged) == (2, [], 0)
    stuck.take_in()
    assert stuck.totals() == {"accepted": 3, "superseded": 2}
    assert causes(stuck.home) == []
    (entry,) = [entry for entry in ledger(stuck.home) if entry.replayed_by]
    assert (entry.replayed_by, entry.rows_read, entry.accepted) == ("A. Muster", 2, 2)
    assert levels(stuck) == {"F1": (3, "3"), "F2": (2, "Lvl three"), "F3": (4, "4")}


def test_the_same_sheet_again_brings_nothing_new(stuck: Any, target: Path) -> None:
    edit(export(stuck, target), fix())
    send(stuck, target)
    for _ in range(2):
        report = send(stuck, target, by="B. Beispiel")
        assert (report.n_replayed, report.already, report.refused) == (0, 2, [])
        stuck.take_in()
        assert stuck.totals() == {"accepted": 3, "superseded": 2}


def test_a_record_that_was_corrected_cannot_be_corrected_again_by_an_old_sheet(
    stuck: Any, csv_target: Path
) -> None:
    edit(export(stuck, csv_target), fix())
    send(stuck, csv_target)
    stuck.take_in()
    edit(csv_target, fix(level="4"))
    report = send(stuck, csv_target)
    assert report.n_replayed == 0
    assert report.already == 1
    assert "corrected already, by A. Muster" in report.refused[0].reason


def test_what_is_still_wrong_stays_in_quarantine_with_the_new_reason_and_can_be_mended(
    stuck: Any, csv_target: Path
) -> None:
    edit(export(stuck, csv_target), fix(level="9", day="2026-03-05"))
    send(stuck, csv_target)
    (taken,) = stuck.take_in()
    assert (taken.n_events, taken.refused, taken.replays) == (1, 1, 2)
    assert stuck.totals() == {"accepted": 2, "superseded": 2, "quarantined": 1}
    (again,) = show(stuck.home)
    assert again.delivery_id == taken.delivery_id
    assert again.record is not None
    assert (again.record["record_id"], again.record["level"]) == ("F2", "9")
    edit(export(stuck, csv_target), {"F2": {f"{CORRECTION}level": "5"}})
    send(stuck, csv_target)
    stuck.take_in()
    assert stuck.totals() == {"accepted": 3, "superseded": 3}
    assert levels(stuck)["F2"][0] == 5


def test_a_row_without_correction_stays_as_it_is(stuck: Any, target: Path) -> None:
    report = send(stuck, export(stuck, target))
    assert (report.n_replayed, report.unchanged, report.refused) == (0, 2, [])
    assert stuck.take_in() == []


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("level", "level was changed"),
        ("source", "source was changed"),
        ("fingerprint", "another one than was exported"),
        ("delivery_id", "no such record in quarantine"),
        ("record_key", "no such record in quarantine"),
        ("source_row", "source_row was changed"),
        ("delivered: Comment", "Comment was changed"),
    ],
)
def test_edits_outside_the_corrections_are_refused_by_row(
    stuck: Any, csv_target: Path, column: str, said: str
) -> None:
    edits = fix()
    edits["F2"][column] = "x1"
    edit(export(stuck, csv_target), edits)
    report = send(stuck, csv_target)
    assert report.n_replayed == 1
    (refusal,) = report.refused
    assert said in refusal.reason
    assert "row 2" in refusal.where


def test_a_correction_of_an_unknown_field_is_refused(stuck: Any, tmp_path: Path) -> None:
    target = export(stuck, tmp_path / "a.csv")
    text = target.read_text(encoding="utf-8-sig")
    target.write_text(text.replace(f"{CORRECTION}level", f"{CORRECTION}levle"), "utf-8-sig")
    edit(target, {"F2": {f"{CORRECTION}levle": "3"}})
    (refusal,) = send(stuck, target).refused
    assert "no such field" in refusal.reason
    assert "level" in refusal.reason


def test_a_mended_spec_that_accepts_the_row_does_not_count_it_twice(
    stuck: Any, csv_target: Path, clinic: Any
) -> None:
    edit(export(stuck, csv_target), fix(level="2"))
    send(stuck, csv_target)
    stuck.take_in()
    before = levels(stuck)
    spec = (clinic.site / "sources" / "forms.yaml").read_text()
    mended = spec.replace(
        "{column: Rating, scale: entrustment_5}",
        "{column: Rating, scale: entrustment_5, repair: {cell: Lvl three, to: '3'}}",
    )
    clinic.spec("forms", mended.replace("record_id: {column: Form}", 'record_id: "{Form}x"'))
    assert len(stuck.take_in()) == 2
    assert stuck.totals() == {"accepted": 3, "superseded": 2}
    assert {key.rstrip("x"): value for key, value in levels(stuck).items()} == before
    clinic.spec("forms", mended)
    stuck.take_in()
    assert stuck.totals() == {"accepted": 3, "superseded": 2}
    assert levels(stuck) == before


def test_a_sheet_is_replayed_only_by_a_named_person(stuck: Any, csv_target: Path) -> None:
    edit(export(stuck, csv_target), fix())
    with pytest.raises(UnnamedError, match="names nobody"):
        send(stuck, csv_target, by="admin")
    assert len(active_records(stuck.home)) == 1


def test_a_workbook_is_easy_to_work_on_and_holds_no_formula(stuck: Any, tmp_path: Path) -> None:
    target = export(stuck, tmp_path / "refused.xlsx")
    assert target.stat().st_mode & 0o777 == 0o600
    page = load_workbook(target)["workplace_assessment"]
    assert page.freeze_panes == "D2"
    assert page.auto_filter.ref.startswith("A1:")
    assert page.protection.sheet
    header = [cell.value for cell in page[1]]
    assert header.index(f"{CORRECTION}level") == header.index("level") + 1
    for cell in page[2]:
        assert cell.data_type in {"s", "n"}
        is_correction = str(header[cell.column - 1]).startswith(CORRECTION)
        assert cell.protection.locked is not is_correction
    texts = {cell.value for row in page.iter_rows() for cell in row}
    assert "=cmd|' /C calc'!A0" in texts


def test_a_sheet_that_is_none_is_refused_in_words(stuck: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(SheetError, match="lacks the columns"):
        sheet.read(other)
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(SheetError, match="no workbook"):
        sheet.read(broken)
    with pytest.raises(SheetError, match=r"\.xlsx or \.csv"):
        sheet.write([], tmp_path / "a.ods")


def test_a_field_is_taken_out_and_numbers_that_a_program_made_are_read(
    clinic: Any, tmp_path: Path, make_form: Callable[..., str]
) -> None:
    clinic.drop("forms", "b.csv", HEADER + make_form("F9", rating="zz", comment="x" * 20))
    clinic.take_in()
    target = export(clinic, tmp_path / "b.xlsx")
    edits: dict[str, Any] = {
        "F9": {f"{CORRECTION}level": 4.0, f"{CORRECTION}narrative_strengths": "(empty)"}
    }
    edit(target, edits)
    send(clinic, target)
    clinic.take_in()
    assert clinic.totals() == {"accepted": 1, "superseded": 1}
    load(clinic.home, clinic.settings)
    with open_warehouse(clinic.home, clinic.settings) as con:
        rows = con.execute(
            "select level, narrative_strengths from raw.workplace_assessment"
        ).fetchall()
    assert rows == [(4, None)]


@pytest.fixture
def make_form() -> Callable[..., str]:
    def make(form: str, rating: str = "3", comment: str = "fine") -> str:
        return f"{form};s1;EPA1;{rating};t1;05.03.2026;{comment}\n"

    return make


def test_a_corrected_outcome_is_held_against_its_vocabulary_again(
    clinic: Any, csv_target: Path
) -> None:
    fields = [*Decision.model_fields, *Action.model_fields]
    decision = dict.fromkeys(fields) | {
        "type": "decision",
        "record_id": "D1",
        "programme_id": "MED",
        "learner_id": "s1",
        "decision_kind": "chairs_action",
        "committee_id": "PC",
        "decided_by": ["a1"],
        "vocabulary_id": "arcp",
        "outcome": "first",
        "rationale": "Why.",
        "decided_at": "2026-03-01T10:00:00Z",
    }
    manifest = '{"sent_at": "2026-03-02T08:00:00Z", "rows": 1}'
    clinic.drop("committee_decisions", "a.jsonl.manifest.json", manifest)
    clinic.drop("committee_decisions", "a.jsonl", json.dumps(decision) + "\n")
    clinic.take_in()
    assert [cause.code for cause in causes(clinic.home)] == ["unknown_outcome"]
    edit(export(clinic, csv_target), {"D1": {f"{CORRECTION}outcome": "second"}})
    assert send(clinic, csv_target).n_replayed == 1
    clinic.take_in()
    (left,) = show(clinic.home, waiting=False)
    assert [problem["code"] for problem in left.problems] == ["unknown_outcome"]
    edit(export(clinic, csv_target), {"D1": {f"{CORRECTION}outcome": "1"}})
    assert send(clinic, csv_target).n_replayed == 1
    clinic.take_in()
    assert list(show(clinic.home, waiting=False)) == []


HELD_TEXT = "F4;s4;EPA1;3;t1;05.03.2026;Patient MRN 4471190 was well looked after\n"


def test_a_record_whose_text_was_held_is_released_as_it_is_by_a_named_person(
    clinic: Any, target: Path
) -> None:
    clinic.drop("forms", "a.csv", HEADER + GOOD + HELD_TEXT)
    clinic.take_in()
    (cause,) = causes(clinic.home)
    assert (cause.code, cause.n_records) == ("patient_identifier", 1)
    assert "seems to hold a record number" in cause.message
    export(clinic, target)
    edit(target, {"F4": {f"{CORRECTION}release": "yes"}})
    assert send(clinic, target).n_replayed == 1
    clinic.take_in()
    assert levels(clinic)["F4"]
    with open_warehouse(clinic.home, clinic.settings) as con:
        told = con.execute("select code from raw.note").fetchall()
    assert told == [("released",)]
    assert any(entry.replayed_by == "A. Muster" for entry in ledger(clinic.home))
    assert causes(clinic.home) == []


def test_only_what_was_found_in_free_text_can_be_released(stuck: Any, target: Path) -> None:
    export(stuck, target)
    with target.open("rb") as file:
        assert file.read(1)
    rows = sheet.read(target)
    for row in rows:
        row.cells[f"{CORRECTION}release"] = "yes"
    declared = catalogue.load(stuck.settings)
    report = replay(stuck.home, stuck.settings, rows, by="A. Muster", catalogue=declared)
    assert report.n_replayed == 0
    assert {r.reason for r in report.refused} == {
        "only what was found in free text can be released: correct the rest"
    }


def test_the_text_without_the_identifier_enters_as_a_correction(clinic: Any, target: Path) -> None:
    clinic.drop("forms", "a.csv", HEADER + HELD_TEXT)
    clinic.take_in()
    export(clinic, target)
    edit(target, {"F4": {f"{CORRECTION}narrative_strengths": "The patient was well looked after"}})
    assert send(clinic, target).n_replayed == 1
    clinic.take_in()
    assert levels(clinic)["F4"]
