from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.sources import codes
from pipelines.sources.catalogue import load_spec
from pipelines.sources.faults import SourceError
from pipelines.sources.guess import sample as samples
from pipelines.sources.guess.compose import compose, flow, scalar
from pipelines.sources.guess.draft import Block, draft
from pipelines.sources.guess.sample import Sample, Table
from pipelines.sources.guess.values import profile
from pipelines.sources.guess.words import fit, header_words, meant
from pipelines.sources.yaml_file import read_yaml
from tests.sources.workbooks import MOMENT, shown, workbook

CODES = codes.load_folders([codes.SHIPPED])
FORMS = """Form ID;Student;Tool;EPA;Rating;Assessor;Role;Observed;Went well;To improve;Concern
F1;s001;mini-CEX;EPA03;Direct supervision;T07;Attending;25.03.2026 14:30;A clear plan, and a calm voice;Be brief with the summary next time;ja
F2;s002;DOPS;EPA04;Unsupervised;T08;Pflege;05.03.2026 09:00;?;?;nein
F3;s002;DOPS;EPA04;Unsupervised;T08;Pflege;06.03.2026 09:00;?;?;nein
"""  # noqa: E501 - rows of a file
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["source", "new", *map(str, arguments)])


@pytest.mark.parametrize(
    ("values", "kind", "formats"),
    [
        (["1", "2", "17"], "whole", ()),
        (["1.5", "2"], "number", ()),
        (["1,5", "2,25"], "number", ()),
        (["1.234,5", "2.000"], "number", ()),
        (["0", "1", "0"], "boolean", ()),
        (["yes", "no", "Yes"], "boolean", ()),
        (["2026-03-01"], "day", ("iso",)),
        (["2026-03-01T09:00:00Z", "2026-03-01 10:00"], "time", ("iso",)),
        (["25.03.2026"], "day", ("%d.%m.%Y",)),
        (["25/03/2026"], "day", ("%d/%m/%Y",)),
        (["05/03/2026"], "day", ("%d/%m/%Y", "%m/%d/%Y")),
        (["3/25/2026 2:30 PM"], "time", ("%m/%d/%Y %I:%M %p",)),
        (["5 Mar 2026", "17 Apr 2025"], "day", ("%d %b %Y",)),
        (["20260325"], "day", ("%Y%m%d",)),
        (["1774447200"], "time", ("epoch_seconds",)),
        (["a7", "b8", "c9", "d1", "e2", "f3", "g4"], "id", ()),
        (["red", "blue"] * 20, "label", ()),
        (["", "-", "n/a"], "blank", ()),
    ],
)
def test_values_tell_what_a_column_holds(
    values: list[str], kind: str, formats: tuple[str, ...]
) -> None:
    found = profile(pl.Series("x", values))
    assert (found.kind, found.formats) == (kind, formats)


def test_marks_of_numbers_and_of_missing_values_are_recognised() -> None:
    found = profile(pl.Series("x", ["1.234,5", "2.000,25", "?", ""]))
    assert (found.decimal, found.thousands, found.blanks) == (",", ".", ("?",))


@given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_no_values_can_upset_the_guess(values: list[str]) -> None:
    assert profile(pl.Series("x", values)).name == "x"


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Student", "learner_id"),
        ("student_number", "learner_id"),
        ("Matrikelnummer", "learner_id"),
        ("person.studentId", "learner_id"),
        ("Date of assessment", "observed_at"),
        ("What went well?", "narrative_strengths"),
        ("Supervisor", "assessor_id"),
        ("EPA", "competency_id"),
        ("MaxScore", "max_score"),
    ],
)
def test_headers_are_known_by_words_that_are_data(header: str, field: str) -> None:
    best = max(header_words(), key=lambda name: fit(header, name))
    assert fit(header, field) == fit(header, best) >= 0.8


def test_every_field_with_words_is_a_field_of_a_contract() -> None:
    from pipelines.contracts import CONTRACTS
    from pipelines.contracts.schema import columns

    known = {column.name for contract in CONTRACTS.values() for column in columns(contract)}
    assert header_words().keys() <= known


def test_labels_mean_the_value_that_is_named_alike_or_listed() -> None:
    roles = {"consultant": "Consultant or attending physician", "nurse": "Nurse"}
    assert meant("assessor_role", "NURSE", roles) == "nurse"
    assert meant("assessor_role", "Oberarzt", roles) == "consultant"
    assert meant("assessor_role", "Janitor", roles) is None
    assert meant("is_flagged", "Ja", {"true": "yes", "false": "no"}) == "true"


def test_a_form_is_drafted_and_its_first_rows_are_tried(tmp_path: Path) -> None:
    file = tmp_path / "Ward forms 2026.csv"
    file.write_text(FORMS, encoding="utf-8")
    done = run(file, "--into", tmp_path, "--programme", "MED", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["reader"] == {"name": "delimited", "delimiter": ";", "encoding": "utf-8"}
    assert said["tried"] == {"ok": 3, "refused": 0, "reasons": {}, "error": None}
    assert (said["missing"], said["not_taken"]) == ([], [])
    spec, _, _ = load_spec(tmp_path / "ward_forms_2026.yaml", CODES)
    (record,) = spec.records
    assert (record.kind, record.record_id.template) == ("workplace_assessment", "{Form ID}")
    fields = record.fields
    assert fields["level"].scale == "entrustment_5"
    assert fields["instrument_id"].map == {"mini-CEX": "mini_cex", "DOPS": "dops"}
    assert fields["assessor_role"].map == {"Attending": "consultant", "Pflege": "nurse"}
    assert fields["is_flagged"].map == {"ja": True, "nein": False}
    assert fields["observed_at"].format == ["%d.%m.%Y %H:%M"]
    assert spec.missing == ["", "?"]


def test_a_draft_lacks_what_nobody_can_guess_and_the_check_says_so(tmp_path: Path) -> None:
    file = tmp_path / "forms.csv"
    file.write_text(FORMS.replace(";Tool;", ";Colour;"), encoding="utf-8")
    done = run(file, "--into", tmp_path)
    assert done.exit_code == 1
    assert "Still needed: workplace_assessment.instrument_id, values.programme_id" in done.output
    assert "3 records good" in done.output
    with pytest.raises(SourceError) as caught:
        load_spec(tmp_path / "forms.yaml", CODES)
    assert {fault.message for fault in caught.value.faults} == {
        "workplace_assessment needs instrument_id, and nothing is mapped to it",
        "workplace_assessment needs programme_id, and nothing is mapped to it",
    }
    text = (tmp_path / "forms.yaml").read_text(encoding="utf-8")
    assert "# instrument_id: {value: …}" in text
    assert "# drop: [Colour]" in text


def test_a_workbook_with_a_title_and_several_sheets_is_drafted(tmp_path: Path) -> None:
    forms = [
        ["Ward forms", 2026],
        [],
        ["Student", "Form", "EPA", "Overall rating", "Date"],
        *(["s1", "DOPS", f"E{n}", n % 5 + 1, shown(46082.5 + n, MOMENT)] for n in range(9)),
    ]
    notes = [["Prepared by the office"]]
    file = tmp_path / "forms.xlsx"
    file.write_bytes(workbook({"Forms": forms, "Notes": notes}))
    done = run(file, "--source", "our_forms", "--into", tmp_path, "--json")
    said = json.loads(done.stdout)
    assert said["reader"] == {"name": "xlsx", "skip_rows": 2}
    (record,) = said["records"]
    assert record["fields"]["level"]["scale"] == "entrustment_5"
    assert "which scale?" in record["remarks"]["level"][0]
    assert record["record_id"] == "{Student}-{Form}-{EPA}-{Date}"
    assert said["tried"]["ok"] == 9


def test_a_hidden_sheet_is_drafted_with_a_question(tmp_path: Path) -> None:
    rows = [
        ["Student", "Exam", "Score", "Date"],
        *([f"s{n}", "A", n, "2026-03-01"] for n in range(9)),
    ]
    file = tmp_path / "exams.xlsx"
    file.write_bytes(workbook({"Spring": rows, "Old": rows}, hidden=["Old"]))
    run(file, "--source", "our_exams", "--into", tmp_path)
    (text,) = [path.read_text() for path in tmp_path.rglob("our_exams.yaml")]
    assert "    part: Old  # hidden in the workbook: is it to be read?" in text
    assert text.count("hidden") == 1


def test_records_within_an_object_are_found(tmp_path: Path) -> None:
    row = {"user": {"id": "s1"}, "exam": "A", "marks": 7, "date": "2026-03-01"}
    file = tmp_path / "export"
    file.write_text(json.dumps({"ok": True, "tags": ["x"], "data": {"results": [row] * 4}}))
    found = samples.take(file)
    assert (found.reader, found.options) == ("json", {"records_at": "data.results"})
    (table,) = found.tables
    assert set(table.columns.columns) >= {"exam", "marks", "date"}


def test_columns_that_differ_in_a_number_are_rows(tmp_path: Path) -> None:
    columns = {"Candidate": ["c1", "c2"], "Exam": ["A", "A"], "Session": ["1", "1"]}
    columns |= {"Date": ["2026-03-01"] * 2} | {f"Q{n}": ["a", "b"] for n in range(1, 6)}
    block = draft(Table(None, pl.DataFrame(columns)), CODES)
    assert block is not None
    assert block.kind == "exam_response"
    assert block.wide == {
        "columns": r"^Q[ _.-]?\d+$",
        "name_to": "item_id",
        "value_to": "response",
    }
    assert block.record_id.endswith("-{item_id}")


def test_scores_of_detectors_are_named_and_never_mapped(tmp_path: Path) -> None:
    file = tmp_path / "forms.csv"
    lines = FORMS.splitlines()
    file.write_text("\n".join(f"{line};{n}" if n else f"{line};AI probability"
                              for n, line in enumerate(lines)))  # fmt: skip
    said = json.loads(run(file, "--into", tmp_path, "--json").stdout)
    assert list(said["never_taken"]) == ["AI probability"]
    assert "AI probability" not in said["not_taken"]


def test_what_is_no_table_of_records_is_said_to_be_so(tmp_path: Path) -> None:
    file = tmp_path / "colours.csv"
    file.write_text("hue,tint\nred,pale\nblue,deep\n")
    done = run(file, "--into", tmp_path)
    assert done.exit_code == 1
    assert "no kind of record was recognised" in done.output
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK no book")
    assert run(broken, "--into", tmp_path).exit_code == 3


def test_a_fault_of_the_program_is_not_taken_for_a_damaged_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise RuntimeError

    monkeypatch.setattr(samples.Workbook, "open", fail)
    with pytest.raises(RuntimeError):
        samples._workbook_header(tmp_path / "forms.xlsx")


@pytest.mark.parametrize(
    "arguments", [["--kind", "essay"], ["--source", "Not An Id"], ["--source", "there"]]
)
def test_wrong_use_is_refused_before_anything_is_written(
    arguments: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "forms.csv"
    file.write_text(FORMS, encoding="utf-8")
    (tmp_path / "there.yaml").write_text("mine")
    assert run(file, "--into", tmp_path, *arguments).exit_code == 2
    assert {path.name for path in tmp_path.iterdir()} == {"forms.csv", "there.yaml"}
    assert (tmp_path / "there.yaml").read_text() == "mine"


@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_any_text_is_written_as_yaml_that_reads_back(text: str, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("yaml") / "x.yaml"
    path.write_text(f"a: {scalar(text)}\nb: {flow({text: [text]})}\n", encoding="utf-8")
    assert read_yaml(path).data == {"a": text, "b": {text: [text]}}


@given(headers=st.lists(TEXTS.filter(bool), min_size=1, max_size=5, unique=True))
@settings(max_examples=100, deadline=None)
def test_any_headers_make_a_draft_that_is_yaml(headers: list[str], tmp_path_factory: Any) -> None:
    fields = {f"field_{n}": {"column": header} for n, header in enumerate(headers)}
    block = Block("exam_result", headers[0], "{source_row}", fields, not_taken=headers)
    for name, header in zip(fields, headers, strict=True):
        block.remarks[name].append(header)
    text = compose("x", headers[0], Sample("delimited", {}, []), [block], None)
    path = tmp_path_factory.mktemp("yaml") / "x.yaml"
    path.write_text(text, encoding="utf-8")
    (record,) = read_yaml(path).data["records"]
    assert (record["part"], list(record["fields"].values())) == (headers[0], headers)
