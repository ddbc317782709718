"""A form that comes back: good rows are evidence, others say what is wrong, nothing is guessed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.committee import addendum, form_sheet, freeze
from pipelines.committee.form import ALL, ASKED, SEALED, FormError, make
from pipelines.committee.form_sheet import COLUMNS, SHEET
from pipelines.committee.taking import Taken, take
from pipelines.contracts import Decision
from pipelines.home import Home
from pipelines.identity.vault import open_keys
from pipelines.intake import read, receive, validate
from pipelines.settings import Settings
from tests.committee.edition import FULL, HOSTILE, publish_edition
from tests.committee.people import MEETING, know_everybody

ANSWERS = {
    ALL: {"Decided by": "Ada Muster [m1]; m2", "Present": "m1; m2; m3", "Quorum": "3",
          "Decided at": "2026-11-30 15:00"},
    FULL: {"Outcome": "targeted support", "Rationale": "Handover needs practice.",
           "Action 1": "Three observed handovers", "Owner 1": "mentor", "Due 1": "2027-02-01"},
    HOSTILE: {"Outcome": "progressing as expected", "Rationale": "=cmd|' /C calc'!A0"},
}  # fmt: skip
Answers = dict[str, dict[str, str]]
Fill = Callable[..., Path]


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    know_everybody(monkeypatch)
    put_everybody_on(monkeypatch, "discuss")
    monkeypatch.delenv("TESSERA_SITE", raising=False)
    monkeypatch.setenv("COLUMNS", "300")


def put_everybody_on(monkeypatch: pytest.MonkeyPatch, group: str) -> None:
    """Put everybody on one list of the agenda."""
    from pipelines.committee import form, queries

    asked = queries.read

    def read_all(*given: Any, **more: Any) -> Any:
        portfolio = asked(*given, **more)
        for row in portfolio.learners:
            row["agenda_group"] = group
        return portfolio

    monkeypatch.setattr(form, "read", read_all)


@pytest.fixture
def fill(fresh: Home, tmp_path: Path) -> Fill:
    """Make the form of the meeting, with two learners, and fill it in."""

    def filled(answers: Answers = ANSWERS, suffix: str = ".csv", **given: Any) -> Path:
        asked = {"vocabulary_id": "local_1", "meeting_id": MEETING} | given
        path = tmp_path / f"form-{len(list(tmp_path.iterdir()))}{suffix}"
        form_sheet.write(make(fresh, Settings(home=fresh.root), **asked), path)
        return write_answers(path, answers)

    return filled


def write_answers(path: Path, answers: Answers) -> Path:
    """Write answers into the rows of learners; other cells may be changed as well."""
    if path.suffix == ".csv":
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
        for row in rows[1:]:
            for column, text in answers.get(row[rows[0].index("Learner")], {}).items():
                row[rows[0].index(column)] = text
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(rows)
        return path
    book = openpyxl.load_workbook(path)
    place = {cell.value: cell.column for cell in book[SHEET][1]}
    for (cell,) in book[SHEET].iter_rows(min_row=2, min_col=place["Learner"],
                                         max_col=place["Learner"]):  # fmt: skip
        for column, text in answers.get(str(cell.value), {}).items():
            target = book[SHEET].cell(cell.row, place[column])
            target.value, target.data_type = text, "s"
    book.save(path)
    return path


def taken(home: Home, path: Path) -> Taken:
    return take(home, Settings(home=home.root), path, "A. Muster")


def lines(result: Taken) -> dict[str, dict[str, Any]]:
    assert result.path is not None
    found = [json.loads(line) for line in result.path.read_text(encoding="utf-8").splitlines()]
    return {line["record_id"]: line for line in found}


def refusals(result: Taken) -> list[tuple[str, str, str]]:
    return [(p.learner, p.field, p.code) for p in result.problems]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_each_filled_row_becomes_a_decision_that_intake_accepts(
    fresh: Home, fill: Fill, suffix: str
) -> None:
    result = taken(fresh, fill(suffix=suffix))
    assert result.problems == result.warnings == ()
    assert (len(result.decided), result.n_open) == (2, 0)
    told = list(lines(result).values())
    assert [line["type"] for line in told] == ["decision", "action", "decision"]
    by_learner = {line["learner_id"]: line for line in told if line["type"] == "decision"}
    assert by_learner["s1"]["decided_by"] == ["m1", "m2"]
    assert by_learner["s1"]["present"] == ["m1", "m2", "m3"]
    assert by_learner["s1"]["decided_at"] == "2026-11-30T15:00:00+01:00"
    assert by_learner["s2"]["rationale"] == "=cmd|' /C calc'!A0"
    assert by_learner["s1"]["agenda_list"] == "discussion"
    home_settings = Settings(home=fresh.root)
    (delivery_id,) = receive.receive(fresh, home_settings, settle=0).pending
    read.read(fresh, home_settings, delivery_id)
    judged = validate.validate(fresh, home_settings, delivery_id)
    assert (judged.accepted, judged.refused) == ({"action": 1, "decision": 2}, 0)


def test_the_same_form_again_is_the_same_delivery(fresh: Home, fill: Fill) -> None:
    first = taken(fresh, fill())
    assert first.path is not None
    before = first.path.with_name(first.path.name + ".manifest.json").read_bytes()
    again = taken(fresh, fill(suffix=".xlsx"))
    assert again == first
    assert first.path.with_name(first.path.name + ".manifest.json").read_bytes() == before


def test_a_row_that_was_changed_since_says_what_it_corrects_or_is_refused(
    fresh: Home, fill: Fill
) -> None:
    (record_id,) = (d.record_id for d in taken(fresh, fill()).decided if d.learner == FULL)
    changed = ANSWERS | {FULL: ANSWERS[FULL] | {"Outcome": "decision deferred"}}
    refused = taken(fresh, fill(changed))
    assert refusals(refused) == [(FULL, "Corrects record", "recorded_otherwise")]
    assert record_id in refused.problems[0].suggestion
    corrected = changed | {FULL: changed[FULL] | {"Corrects record": record_id}}
    result = taken(fresh, fill(corrected))
    (line,) = (x for x in lines(result).values() if x["corrects_record_id"] == record_id)
    assert line["record_id"] != record_id
    assert line["outcome"] == "decision deferred"


WRONG = [
    ({"Outcome": "targeted suport"}, "Outcome", "unknown_outcome", "targeted support"),
    ({"Outcome": ""}, "Outcome", "missing", "empty the row"),
    ({"Rationale": ""}, "Rationale", "missing", ""),
    ({"Decided by": "m9"}, "Decided by", "unknown_person", "did you mean m"),
    ({"Decided by": "s1"}, "Decided by", "unknown_person", ""),
    ({"Decided by": "m1", "Recused": "m1"}, "Decided by", "in_both_lists", ""),
    ({"Recused": "m1; m2"}, "Decided by", "nobody_decided", "at least one person"),
    ({"Dissent by": "m3"}, "Dissent", "field_needed", ""),
    ({"Present": "m1"}, "Decided by", "not_in_list_of", ""),
    ({"Quorum": "4"}, "Present", "too_few_people", ""),
    ({"Quorum": "three"}, "Quorum", "not_a_number", "digits"),
    ({"Decided at": "30.11.2026"}, "Decided at", "not_a_time", "2026-11-28 15:00"),
    ({"Decided at": "2026-11-31 15:00"}, "Decided at", "not_a_time", ""),
    ({"Pulled by": "m1"}, "Pulled by", "not_on_consent_list", "empty the cell"),
    ({"Appeal": "maybe"}, "Appeal", "not_in_list", "lodged"),
    ({"Corrects record": "D-9"}, "Corrects record", "unknown_record", f"DEC-{FULL}"),
    ({"Due 1": "soon"}, "Due 1", "not_a_date", "YYYY-MM-DD"),
    ({"Owner 1": ""}, "Owner 1", "missing", "mentor"),
    ({"Action 1": ""}, "Action 1", "missing", "empty Owner 1"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "column", "code", "todo"), WRONG)
def test_a_row_that_may_not_be_says_why_and_the_other_goes_on(
    fresh: Home, fill: Fill, change: dict[str, str], column: str, code: str, todo: str
) -> None:
    result = taken(fresh, fill(ANSWERS | {FULL: ANSWERS[FULL] | change}))
    assert refusals(result) == [(FULL, column, code)]
    (problem,) = result.problems
    assert todo in problem.suggestion
    assert problem.row == 3
    assert [d.learner for d in result.decided] == [HOSTILE]


def test_what_people_wrote_is_masked_where_a_row_is_refused(fresh: Home, fill: Fill) -> None:
    answers = ANSWERS | {FULL: ANSWERS[FULL] | {"Decided by": "Zoe Geheim"}}
    (problem,) = taken(fresh, fill(answers)).problems
    assert "Geheim" not in str(problem)
    assert problem.value == "(10 characters)"


def test_quorum_and_presence_are_asked_of_every_row(fresh: Home, fill: Fill) -> None:
    answers = ANSWERS | {ALL: ANSWERS[ALL] | {"Present": "m1; m2"}}
    result = taken(fresh, fill(answers))
    assert refusals(result) == [
        (FULL, "Present", "too_few_people"),
        (HOSTILE, "Present", "too_few_people"),
    ]
    assert result.path is None


def test_who_is_recused_for_one_learner_decides_about_the_others(fresh: Home, fill: Fill) -> None:
    result = taken(fresh, fill(ANSWERS | {FULL: ANSWERS[FULL] | {"Recused": "m2"}}))
    by_learner = {x["learner_id"]: x for x in lines(result).values() if x["type"] == "decision"}
    assert by_learner["s1"]["decided_by"] == ["m1"]
    assert by_learner["s1"]["recused"] == ["m2"]
    assert by_learner["s2"]["decided_by"] == ["m1", "m2"]


def test_nobody_entitled_is_said_at_once_and_kept(fresh: Home, fill: Fill) -> None:
    answers = ANSWERS | {ALL: ANSWERS[ALL] | {"Decided by": "m4; m5", "Present": "m1; m4; m5"}}
    result = taken(fresh, fill(answers))
    assert len(result.decided) == 2
    assert len(result.warnings) == 2
    assert "nobody who decided was a voting member of PC-3 on 2026-11-30" in result.warnings[0]


@pytest.fixture
def consent(monkeypatch: pytest.MonkeyPatch) -> None:
    put_everybody_on(monkeypatch, "consent")


@pytest.mark.usefixtures("consent")
def test_a_consent_item_needs_the_name_of_a_member_in_its_own_row(fresh: Home, fill: Fill) -> None:
    named = ANSWERS | {HOSTILE: ANSWERS[HOSTILE] | {"Decided by": "m3"}}
    result = taken(fresh, fill(named))
    assert refusals(result) == [(FULL, "Decided by", "not_confirmed")]
    (line,) = lines(result).values()
    assert (line["agenda_list"], line["decided_by"]) == ("consent", ["m3"])


@pytest.mark.usefixtures("consent")
def test_any_member_can_pull_a_learner_from_the_consent_list(fresh: Home, fill: Fill) -> None:
    pulled = {ALL: ANSWERS[ALL], FULL: ANSWERS[FULL] | {"Pulled by": "m3"}}
    (line, _) = lines(taken(fresh, fill(pulled))).values()
    assert (line["agenda_list"], line["pulled_by_id"]) == ("discussion", "m3")
    assert line["decided_by"] == ["m1", "m2"]


def test_a_chairs_action_is_one_persons_and_belongs_to_no_meeting(fresh: Home, fill: Fill) -> None:
    alone = {ALL: {"Decided by": "m1", "Decided at": "2026-12-03T09:00:00Z"}, FULL: ANSWERS[FULL]}
    given = {"meeting_id": None, "learner_keys": [FULL]}
    (line, _) = lines(taken(fresh, fill(alone, **given))).values()
    assert (line["decision_kind"], line["meeting_id"]) == ("chairs_action", None)
    assert line["agenda_list"] is None
    two = alone | {ALL: alone[ALL] | {"Decided by": "m1; m2"}}
    changed = two | {FULL: two[FULL] | {"Rationale": "Both."}}
    assert ("Decided by", "not_exactly_one") in [
        (p.field, p.code) for p in taken(fresh, fill(changed, **given)).problems
    ]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("column", ["learner_key", "meeting_id", "agenda_group", "addendum_ids"])
def test_a_row_with_an_edited_hidden_cell_is_refused_with_what_to_do(
    fresh: Home, fill: Fill, suffix: str, column: str
) -> None:
    answers = ANSWERS | {FULL: ANSWERS[FULL] | {column: "another"}}
    result = taken(fresh, fill(answers, suffix=suffix))
    assert refusals(result) == [(FULL, "seal", "seal_broken")]
    assert "make the form again" in result.problems[0].suggestion
    assert [d.learner for d in result.decided] == [HOSTILE]


def test_answers_that_were_sorted_onto_another_learner_are_refused(fresh: Home, fill: Fill) -> None:
    path = fill()
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    place = rows[0].index("Learner")
    rows[2][place], rows[3][place] = rows[3][place], rows[2][place]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    result = taken(fresh, path)
    assert [code for _, _, code in refusals(result)] == ["seal_broken", "seal_broken"]
    assert result.decided == ()


def test_two_rows_about_one_learner_are_both_refused(fresh: Home, fill: Fill) -> None:
    path = fill()
    rows = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    path.write_text("".join([*rows, rows[2]]), encoding="utf-8")
    result = taken(fresh, path)
    assert [code for _, _, code in refusals(result)] == ["given_twice", "given_twice"]
    assert [d.learner for d in result.decided] == [HOSTILE]


def test_a_form_of_another_home_or_no_form_at_all_is_refused(
    fresh: Home, fill: Fill, tmp_path: Path
) -> None:
    path = fill()
    other = Home.open(tmp_path / "other")
    assert open_keys(other) != open_keys(fresh)
    with pytest.raises(FormError, match=r"no row of .* carries the seal of this home"):
        taken(other, path)
    strange = tmp_path / "strange.csv"
    strange.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FormError, match="lacks the columns seal, form_id"):
        taken(fresh, strange)
    for name in ("no.xlsx", "gone.csv"):
        if name.endswith("xlsx"):
            (tmp_path / name).write_bytes(b"PK no workbook")
        with pytest.raises(FormError, match=r"is no workbook|cannot be opened"):
            taken(fresh, tmp_path / name)


def test_a_learner_without_an_id_is_said_and_nothing_is_guessed(
    fresh: Home, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fill()
    know_everybody(monkeypatch, without={FULL})
    result = taken(fresh, path)
    assert refusals(result) == [(FULL, "Learner", "no_id")]
    assert "let a roster link one" in result.problems[0].suggestion


def test_what_cannot_be_the_same_for_all_is_said_and_not_used(fresh: Home, fill: Fill) -> None:
    answers = ANSWERS | {ALL: ANSWERS[ALL] | {"Outcome": "stage complete"}}
    result = taken(fresh, fill(answers))
    assert refusals(result) == [(ALL, "Outcome", "not_for_all")]
    assert {x.get("outcome") for x in lines(result).values()} == {
        "targeted support", "progressing as expected", None,
    }  # fmt: skip


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.text(min_size=1, max_size=60).filter(lambda t: t.strip() and "\x00" not in t),
    suffix=st.sampled_from([".csv", ".xlsx"]),
)
def test_words_come_back_as_they_were_written(
    fresh: Home, fill: Fill, text: str, suffix: str
) -> None:
    kept = "".join(c for c in text if c.isprintable())
    if not kept.strip():
        return
    path = fill({ALL: ANSWERS[ALL], HOSTILE: ANSWERS[FULL] | {"Rationale": kept}}, suffix=suffix)
    cells = {row.cells["Learner"]: row.cells for row in form_sheet.read(path)}
    assert cells[HOSTILE]["Rationale"] == kept.strip() or kept.startswith("'")


def test_no_path_from_a_form_writes_a_decision_without_a_person(fresh: Home, fill: Fill) -> None:
    for answers in ({ALL: {}, FULL: ANSWERS[FULL]}, {FULL: {"Outcome": "stage complete"}}):
        assert taken(fresh, fill(answers)).decided == ()
    unfilled = taken(fresh, fill({}))
    assert (unfilled.decided, unfilled.problems, unfilled.n_open) == ((), (), 2)
    assert set(ASKED).isdisjoint(SEALED)
    assert Decision.model_fields["decided_by"].metadata


def test_evidence_after_the_freeze_has_to_be_seen_and_the_record_says_so(
    fresh: Home, fill: Fill
) -> None:
    frozen = freeze.freeze(fresh, Settings(home=fresh.root), MEETING, "the registrar")
    publish_edition(fresh, 2, seed=8)
    added = addendum.add(fresh, frozen, "the registrar")
    assert FULL in added.learners
    result = taken(fresh, fill())
    assert (FULL, "Addendum seen", "addendum_not_said") in refusals(result)
    for answer, kept in (("yes", [added.addendum_id]), ("no", None)):
        said = ANSWERS | {FULL: ANSWERS[FULL] | {"Addendum seen": answer}}
        line = next(x for x in lines(taken(fresh, fill(said))).values() if x["learner_id"] == "s1")
        assert (line["freeze_id"], line["addendum_ids"]) == (frozen.freeze_id, kept)
        for path in (fresh.inbox / "committee_decisions").iterdir():
            path.unlink()


def _tessera(home: Home, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["decision", *arguments, "--home", str(home.root)])
    return done.exit_code, done.output


def test_the_commands_make_a_form_and_take_it(fresh: Home, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    asked = ("form", "--meeting", MEETING, "--vocabulary", "local_1", "--out", str(path))
    code, said = _tessera(fresh, *asked, "--json")
    assert code == 0, said
    assert json.loads(said)["learners"] == 2
    assert _tessera(fresh, *asked)[0] == 2
    write_answers(path, ANSWERS)
    code, said = _tessera(fresh, "take", str(path), "--by", "A. Muster")
    assert code == 0, said
    assert "In the inbox: 2 decisions with 1 action; left open: 0 rows." in said
    wrong = ANSWERS | {HOSTILE: {"Outcome": "no such", "Rationale": "x"}}
    write_answers(path, wrong)
    code, said = _tessera(fresh, "take", str(path), "--by", "A. Muster", "--json")
    assert code == 1
    told = [json.loads(line) for line in said.splitlines()]
    assert [line["code"] for line in told if line.get("ok") is False] == ["unknown_outcome"]
    assert told[-1]["summary"]["taken"] == 1
    assert _tessera(fresh, "take", str(path), "--by", "admin")[0] == 2
    assert _tessera(fresh, "take", str(tmp_path / "no.csv"), "--by", "A. Muster")[0] == 2


@pytest.mark.parametrize("name", ["form", "take", "record"])
def test_help_has_an_example(name: str) -> None:
    assert "Example:" in CliRunner().invoke(app, ["decision", name, "--help"]).stdout


def test_every_field_that_is_asked_for_is_a_column_once() -> None:
    assert len(COLUMNS) == len(set(COLUMNS))
