"""The decision form: one row a learner, choices offered, nothing decided in advance, inert."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import duckdb
import pytest
from openpyxl import load_workbook

from pipelines.committee import form, form_sheet, freeze
from pipelines.committee.edition import EditionError, find
from pipelines.committee.form import ALL, ASKED, SEALED, Form, FormError, make
from pipelines.committee.form_sheet import COLUMNS, SHEET
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import EMPTY, FULL, HOSTILE, publish_edition
from tests.committee.people import MEETING, know_everybody


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    know_everybody(monkeypatch)


def made(home: Home, **given: Any) -> Form:
    asked = {"vocabulary_id": "local_1", "meeting_id": MEETING} | given
    return make(home, Settings(home=home.root), **asked)


def test_every_learner_of_the_meeting_has_a_row_and_nothing_is_filled_in(home: Home) -> None:
    rows = made(home).rows
    assert rows[0]["Learner"] == ALL
    learners = [row["learner_key"] for row in rows[1:]]
    assert len(learners) == len(set(learners)) == 6
    assert {FULL, HOSTILE, EMPTY} <= set(learners)
    assert not any(row[name] for row in rows for name in ASKED)


def test_rows_come_in_the_order_of_the_agenda(home: Home, portfolio: Any) -> None:
    placed = {r["learner_key"]: r["agenda_order"] for r in portfolio.learners}
    order = [placed[row["learner_key"]] for row in made(home).rows[1:]]
    assert order == sorted(order)


def test_members_who_hold_a_term_on_the_day_may_be_chosen_the_chair_first(home: Home) -> None:
    members = made(home).members
    assert [m.label for m in members] == ["Ada Muster [m1]", "m2", "m3", "m4"]
    assert [m.role for m in members] == ["chair", "member", "member", "secretary"]
    assert [m.is_voting for m in members] == [True, True, True, False]


def test_a_member_without_an_id_is_counted_and_not_offered(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_everybody(monkeypatch, without={"A-02ASSESSOR"})
    made_form = made(home)
    assert made_form.unnamed == 1
    assert "m2" not in [m.label for m in made_form.members]


def test_the_same_edition_makes_the_same_bytes(home: Home) -> None:
    assert form_sheet.as_workbook(made(home)) == form_sheet.as_workbook(made(home))
    assert form_sheet.as_csv(made(home)) == form_sheet.as_csv(made(home))


def test_the_form_of_a_frozen_pack_names_it(fresh: Home) -> None:
    assert made(fresh).rows[1]["freeze_id"] == ""
    frozen = freeze.freeze(fresh, Settings(home=fresh.root), MEETING, "the registrar")
    publish_edition(fresh, 3)
    row = made(fresh).rows[1]
    assert (row["freeze_id"], row["edition_id"]) == (frozen.freeze_id, frozen.edition_id)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_form_is_read_back_as_it_was_written(home: Home, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"form{suffix}"
    form_sheet.write(made(home), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read_back = [row.cells for row in form_sheet.read(path)]
    stripped = [{n: " ".join(t.split()) for n, t in row.items()} for row in made(home).rows]
    assert [{n: " ".join(t.split()) for n, t in row.items()} for row in read_back] == stripped


def test_no_cell_is_a_formula_or_a_link_whatever_people_wrote(home: Home, tmp_path: Path) -> None:
    hostile = dict(made(home).rows[1])
    hostile |= {"Reasons to talk": '=HYPERLINK("http://x")', "Last decision": "@SUM(A1) +1"}
    evil = form.Form("f", "t", (hostile,), ("=1+1",), ("+2",), (), 0)
    path = tmp_path / "form.xlsx"
    form_sheet.write(evil, path)
    cells = [cell for sheet in load_workbook(path) for row in sheet for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    assert all(cell.hyperlink is None for cell in cells)
    text = form_sheet.as_csv(evil).decode("utf-8-sig")
    assert '"\'=HYPERLINK(""http://x"")"' in text
    assert ",'@SUM(A1) +1," in text


def test_keys_are_hidden_answers_open_and_choices_offered(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    form_sheet.write(made(home), path)
    sheet = load_workbook(path)[SHEET]
    place = {cell.value: cell for cell in sheet[1]}
    assert list(place) == list(COLUMNS)
    hidden = sheet.column_dimensions["A"]
    assert hidden.hidden
    assert (hidden.min, hidden.max) == (1, 1 + len(SEALED))
    assert sheet.protection.sheet
    outcome = sheet.cell(3, place["Outcome"].column)
    assert not outcome.protection.locked
    offered = {str(v.sqref).split(":")[0].rstrip("0123456789"): v for v in
               sheet.data_validations.dataValidation}  # fmt: skip
    assert offered[outcome.column_letter].formula1.startswith("Lists!$A$2")
    assert offered[outcome.column_letter].showErrorMessage
    assert not offered[place["Present"].column_letter].showErrorMessage


def test_a_meeting_with_no_learners_has_no_form_and_the_meetings_there_are_are_said(
    home: Home, tmp_path: Path
) -> None:
    with pytest.raises(FormError, match=f"nobody on the agenda of meeting M-2026-1[^1]*{MEETING}"):
        made(home, meeting_id="M-2026-10")
    nobody = Home.open(tmp_path / "nobody")
    publish_edition(nobody, 0)
    with pytest.raises(FormError, match="there is nothing to decide"):
        made(nobody)


def test_an_edition_that_is_not_what_was_published_has_no_form_and_what_to_do_is_said(
    fresh: Home,
) -> None:
    database = find(fresh, None).database
    with duckdb.connect(str(database)) as connection:
        connection.execute("update fct_decision set outcome = 'stage complete'")
    with pytest.raises(EditionError, match="restore it from a backup; the current edition is also"):
        made(fresh)


def test_a_learner_without_a_last_decision_has_a_row_that_says_so(home: Home) -> None:
    (row,) = (row for row in made(home).rows if row["learner_key"] == EMPTY)
    assert (row["Last decision"], row["last_record_id"]) == ("none on record", "")


def test_a_chairs_action_is_about_learners_who_are_named(home: Home) -> None:
    with pytest.raises(FormError, match="add --learner KEY"):
        made(home, meeting_id=None)
    rows = made(home, meeting_id=None, learner_keys=[FULL]).rows
    assert [row["learner_key"] for row in rows[1:]] == [FULL]
    assert {row["decision_kind"] for row in rows} == {"chairs_action"}
    with pytest.raises(FormError, match="no learner L-NOBODY is in the edition"):
        made(home, meeting_id=None, learner_keys=["L-NOBODY"])


def test_an_unknown_vocabulary_is_said_with_the_nearest(home: Home) -> None:
    with pytest.raises(FormError, match=r"no vocabulary 'arpc'. Did you mean arcp\?"):
        made(home, vocabulary_id="arpc")


def test_a_file_that_is_there_is_never_overwritten(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "form.csv"
    path.write_text("answers", encoding="utf-8")
    with pytest.raises(FormError, match="is there already"):
        form_sheet.write(made(home), path)
    with pytest.raises(FormError, match=r"name the file \.xlsx or \.csv"):
        form_sheet.write(made(home), tmp_path / "form.pdf")
    assert path.read_text(encoding="utf-8") == "answers"
