"""The workbook: filters and frozen headers, every text as text, the same bytes each time."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date

import pytest
from openpyxl import load_workbook

from pipelines.committee import words
from pipelines.committee.queries import Portfolio
from pipelines.committee.workbook import CELL_MOST, CUT, SHEETS, workbook
from tests.committee.edition import FULL, HOSTILE


@pytest.fixture(scope="module")
def data(portfolio: Portfolio) -> bytes:
    return workbook(portfolio)


def _sheet(data: bytes, title: str) -> list[list[object]]:
    book = load_workbook(io.BytesIO(data))
    return [list(row) for row in book[title].iter_rows(values_only=True)]


def _parts(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return {
            name: book.read(name).decode()
            for name in book.namelist()
            if name.startswith("xl/worksheets/sheet")
        }


def test_the_same_edition_makes_the_same_bytes(portfolio: Portfolio, data: bytes) -> None:
    assert workbook(portfolio) == data


def test_every_table_has_a_frozen_heading_and_a_filter(data: bytes) -> None:
    tables = list(_parts(data).values())[1:]
    assert len(tables) == len(SHEETS)
    for text in tables:
        assert 'state="frozen"' in text
        assert "<autoFilter" in text


def test_no_cell_is_a_formula_or_a_link_whatever_people_wrote(
    portfolio: Portfolio,
) -> None:
    hostile = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "http://evil.example", "=cmd|' /C calc'!A0"]
    comments = dict(portfolio.of_learners["comments"])
    comments[HOSTILE] = [comments[HOSTILE][0] | {"narrative_other": text} for text in hostile]
    sections = {**portfolio.of_learners, "comments": comments}
    data = workbook(replace(portfolio, of_learners=sections))
    for text in _parts(data).values():
        assert not re.search(r"<f[ >]|<hyperlink", text)
    written = [row[12] for row in _sheet(data, "Comments")[1:] if row[0] == HOSTILE]
    assert written == hostile


def test_every_learner_stands_on_the_agenda_with_the_numbers_of_the_edition(
    portfolio: Portfolio, data: bytes
) -> None:
    heading, *rows = _sheet(data, "Agenda")
    place = heading.index("With enough evidence")
    told = {row[0]: row[place] for row in rows}
    assert told == {r["learner_key"]: r["n_enough_evidence"] for r in portfolio.learners}


def test_days_are_days_and_codes_are_words(data: bytes) -> None:
    _, *rows = _sheet(data, "Decisions")
    assert all(isinstance(row[1], date) for row in rows)
    assert {row[3] for row in _sheet(data, "Sufficiency")[1:]} <= {
        "Not enough evidence",
        "Needs discussion",
        "Developing",
        "On track",
        "At or above target",
    }


def test_a_text_longer_than_a_cell_is_cut_and_says_so(portfolio: Portfolio) -> None:
    comments = dict(portfolio.of_learners["comments"])
    comments[HOSTILE] = [comments[HOSTILE][0] | {"narrative_other": "x" * (CELL_MOST + 1)}]
    sections = {**portfolio.of_learners, "comments": comments}
    rows = _sheet(workbook(replace(portfolio, of_learners=sections)), "Comments")
    (cell,) = [row[12] for row in rows if row[0] == HOSTILE]
    assert str(cell).endswith(CUT)
    assert len(str(cell)) == CELL_MOST


def test_what_the_stage_does_not_ask_for_lacks_nothing_in_the_workbook_either(
    portfolio: Portfolio,
) -> None:
    short = {"status": "not_enough_evidence", "status_reason": "Not enough.", "shortfalls": ["n"]}
    row = portfolio.rows("status", FULL)[0] | short
    rows = [row | {"is_required": True}, row | {"is_required": False}]
    sections = {**portfolio.of_learners, "status": {FULL: rows}}
    heading, asked, not_asked = _sheet(
        workbook(replace(portfolio, of_learners=sections)), "Sufficiency"
    )
    told = [dict(zip(heading, line, strict=True)) for line in (asked, not_asked)]
    assert [line["Status"] for line in told] == ["Not enough evidence", "Not required now"]
    assert [line["Why"] for line in told] == ["Not enough.", None]
    assert [line["Short of"] for line in told] == ["n", None]


def test_the_workbook_names_things_as_the_pages_do(portfolio: Portfolio, data: bytes) -> None:
    told = {}
    for title in ("Agenda", "Comments", "Conflicts", "Signals", "AI use", "Exams"):
        heading, *lines = _sheet(data, title)
        told[title] = [dict(zip(heading, line, strict=True)) for line in lines]
    titles = {competency.title for competency in portfolio.competencies.values()} | {None}
    for sheet in ("Comments", "Conflicts", "Signals"):
        assert {line["Competency"] for line in told[sheet]} <= titles, sheet
    assert {line["Group"] for line in told["Agenda"]} <= set(words.GROUPS.values())
    assert {line["Declared"] for line in told["AI use"]} <= {*words.DECLARED.values(), None}
    against = {line["Against the policy"] for line in told["AI use"]}
    assert against <= set(words.RECONCILIATION.values())
    assert not any("(aias " in str(line["In words"]) for line in told["AI use"])
    assert "mini-CEX" in {line["Instrument"] for line in told["Signals"]}
    assert 0 not in {line["Attempt"] for line in told["Exams"]}


def test_dependability_feedback_and_the_learners_words_are_sheets_of_the_workbook(
    portfolio: Portfolio, data: bytes
) -> None:
    told = {}
    for title in ("Dependability", "Multisource feedback", "Words of learners"):
        heading, *lines = _sheet(data, title)
        told[title] = [dict(zip(heading, line, strict=True)) for line in lines if line[0] == FULL]
    assert [line["Dependability"] for line in told["Dependability"]] == [
        float(row["dependability"]) for row in portfolio.rows("precision", FULL)
    ]
    (peer,) = [line for line in told["Multisource feedback"] if line["Group"] == "peer"]
    assert (peer["Not shown"], peer["Respondents"], peer["Levels"]) == ("yes", None, None)
    words_of = {line["Evidence"]: line for line in told["Words of learners"]}
    disputes = [r for r in portfolio.rows("reflections", FULL) if r["dispute_status"]]
    assert disputes
    for row in disputes:
        line = words_of[row["evidence_id"]]
        assert line["In the learner's words"] == row["text"]
        assert line["Dispute"] == words.DISPUTES[row["dispute_status"]]
