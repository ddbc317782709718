"""Separate outputs by role: what each sees, and what none of them can be made to give away."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.committee import views
from pipelines.committee.answer_form import COLUMNS, answer_form, plain_text
from pipelines.committee.edition import find
from pipelines.committee.learner import TO_WORK_ON, assemble
from pipelines.committee.pack import NoEditionError
from pipelines.committee.people import Known
from pipelines.committee.programme import TOO_FEW, Table, gather, without_small_counts
from pipelines.committee.queries import Portfolio
from pipelines.committee.render import Pages
from pipelines.committee.roles import for_learner, for_mentor
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse.dbt_project import ProgrammePage
from tests.committee.edition import FULL, HOSTILE
from tests.committee.markup import Page

MENTOR = "A-MENTOR7QZX"
WHO_THOUGHT_OTHERWISE = ("dissent_by_keys", "recused_keys", "pulled_by_keys")
PEOPLE = {
    FULL: Known("Nina Muster", {"example_person": "s-1"}),
    HOSTILE: Known("Otto Muster", {"example_person": "s-2"}),
    "A-01ASSESSOR": Known("Ada Muster"),
    MENTOR: Known("Max Muster"),
}


@pytest.fixture(scope="module")
def shown(home: Home) -> dict[str, Path]:
    """The view of each role, built once."""
    settings = Settings(home=home.root)
    patch = pytest.MonkeyPatch()
    patch.setattr(views, "everybody", lambda *_: PEOPLE)
    try:
        return {
            "learner": views.build(home, settings, "learner", only=FULL).folder / FULL,
            "mentor": views.build(home, settings, "mentor").folder / MENTOR,
            "programme": views.build(home, settings, "programme").folder,
        }
    finally:
        patch.undo()


def _all_text(folder: Path) -> str:
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".html", ".json", ".csv"}
    )


def test_a_learner_sees_their_own_and_nobody_elses(
    shown: dict[str, Path], portfolio: Portfolio
) -> None:
    text = _all_text(shown["learner"])
    others = {str(row["learner_key"]) for row in portfolio.learners} - {FULL}
    assert FULL in text
    assert "Nina Muster" in text
    assert not [key for key in others if key in text]
    assert "Otto Muster" not in text


def test_stringency_reaches_neither_learner_nor_mentor_nor_programme(
    shown: dict[str, Path], built: Path
) -> None:
    telling = re.compile(r"stringency|about 40 %|would be developing|Laplace")
    assert telling.search((built / "learners" / f"{FULL}.html").read_text(encoding="utf-8"))
    for role in ("learner", "mentor"):
        assert not telling.search(_all_text(shown[role])), role
    assert not telling.search((shown["programme"] / "index.html").read_text(encoding="utf-8"))


def test_a_mentor_sees_their_own_learners_by_name(
    shown: dict[str, Path], portfolio: Portfolio
) -> None:
    page = Page(shown["mentor"] / "index.html")
    own = {str(r["learner_key"]) for r in portfolio.learners if r["mentor_key"] == MENTOR}
    listed = {link.removeprefix("learners/").removesuffix(".html") for link in page.links}
    assert own <= listed
    assert "Nina Muster" in page.text
    narrowed, _ = for_mentor(portfolio, "A-NOBODY", PEOPLE)
    assert narrowed.learners == ()


@pytest.mark.parametrize(
    ("next_on", "said"),
    [(date(2026, 12, 10), "2026-12-10"), (date(2026, 11, 2), "2026-11-02 past, no note since")],
)
def test_a_mentor_is_not_told_that_a_day_that_has_passed_is_to_come(
    portfolio: Portfolio, next_on: date, said: str, tmp_path: Path
) -> None:
    notes = [row | {"next_on": next_on} for row in portfolio.rows("meetings", FULL)]
    told = {**portfolio.of_learners, "meetings": {FULL: notes}}
    narrowed, view = for_mentor(replace(portfolio, of_learners=told), MENTOR, PEOPLE)
    mine = [assemble(narrowed, row) for row in narrowed.learners if row["learner_key"] == FULL]
    (tmp_path / "index.html").write_text(Pages(narrowed, view).mentored(mine), encoding="utf-8")
    assert said in Page(tmp_path / "index.html").text


def test_a_learner_finds_what_was_agreed_and_what_lies_ahead(portfolio: Portfolio) -> None:
    planned = {
        "period_type": "rotation", "period_id": "emergency", "starts_on": date(2026, 12, 14),
        "ends_on": date(2027, 1, 31), "is_planned": True, "full_time_share": None,
    }  # fmt: skip
    told = {**portfolio.of_learners, "periods": {FULL: [planned]}}
    narrowed, view = for_learner(replace(portfolio, of_learners=told), FULL, PEOPLE)
    (row,) = narrowed.learners
    text = Pages(narrowed, view).own(assemble(narrowed, row), "my-words.csv")
    agreed = text[text.index('id="agreed"') : text.index('id="ahead"')]
    assert "Mentor meeting about prescribing" in agreed
    assert "overdue 12 days" in agreed
    assert "Three observed handovers" not in agreed
    ahead = text[text.index('id="ahead"') : text.index('id="next"')]
    assert "Meeting with the mentor 2026-12-10" in ahead
    assert f"Meeting of the committee {row['meets_on']}" in ahead
    assert "Rotation emergency from 2026-12-14 to 2027-01-31" in ahead


def test_a_learner_finds_what_to_work_on_and_what_assessors_suggested_last(
    portfolio: Portfolio,
) -> None:
    narrowed, view = for_learner(portfolio, FULL, PEOPLE)
    page = assemble(narrowed, narrowed.learners[0])
    text = Pages(narrowed, view).own(page, "my-words.csv")
    work = html.unescape(text[text.index('id="work"') : text.index('id="answer"')])
    statuses = {row["competency_id"]: row for row in narrowed.rows("status", FULL)}
    asked = {c for c, row in statuses.items() if row["status"] in TO_WORK_ON}
    assert {line.competency_id for line in page.to_work_on} == asked
    for competency_id in asked:
        assert statuses[competency_id]["status_reason"] in work
    said = sorted(
        (
            (row["occurred_on"], row["evidence_id"], row["narrative_improvements"])
            for row in narrowed.rows("comments", FULL)
            if row["narrative_improvements"]
        ),
        reverse=True,
    )
    assert len(said) > len(page.suggested) == 5
    for _, _, words in said[:5]:
        assert words in work


def test_only_those_who_met_the_learner_are_named(portfolio: Portfolio) -> None:
    _, view = for_learner(portfolio, FULL, PEOPLE | {"A-99STRANGER": Known("Eva Muster")})
    assert set(view.people) <= {FULL, "A-01ASSESSOR", MENTOR}
    assert view.name("A-99STRANGER") == "A-99STRANGER"


def test_no_box_for_a_decision_and_no_cohort_page_beside_a_learners_view(
    shown: dict[str, Path],
) -> None:
    text = (shown["learner"] / "learners" / f"{FULL}.html").read_text(encoding="utf-8")
    assert "h-decision" not in text
    assert "quality.html" not in _all_text(shown["learner"])
    assert not (shown["learner"] / "quality.html").exists()


def test_notes_that_are_not_shared_and_deliberation_stay_behind(portfolio: Portfolio) -> None:
    thought = {"dissent": "Not for me.", **dict.fromkeys(WHO_THOUGHT_OTHERWISE, ("A-02ASSESSOR",))}
    decided = [row | thought for row in portfolio.rows("decisions", FULL)]
    told = {**portfolio.of_learners, "decisions": {FULL: decided}}
    narrowed, _ = for_learner(replace(portfolio, of_learners=told), FULL, PEOPLE)
    assert {m["text"] for m in narrowed.rows("meetings", FULL)} == {None}
    assert narrowed.rows("decisions", FULL)
    for row in narrowed.rows("decisions", FULL):
        assert {row[name] for name in thought} == {None}
    assert any(m["text"] for m in portfolio.rows("meetings", FULL))


def test_a_decision_that_was_corrected_says_so_to_the_learner(portfolio: Portfolio) -> None:
    decided = [row | {"is_corrected": True} for row in portfolio.rows("decisions", FULL)]
    told = {**portfolio.of_learners, "decisions": {FULL: decided}}
    narrowed, view = for_learner(replace(portfolio, of_learners=told), FULL, PEOPLE)
    (row,) = narrowed.learners
    assert "corrected since" in Pages(narrowed, view).own(assemble(narrowed, row), "my-words.csv")


def test_a_decision_shows_to_the_learner_when_its_embargo_is_over(portfolio: Portfolio) -> None:
    (row, *_) = portfolio.rows("decisions", FULL)
    closed = {FULL: [row | {"is_out": False}]}
    early = replace(portfolio, of_learners={**portfolio.of_learners, "decisions": closed})
    narrowed, _ = for_learner(early, FULL, PEOPLE)
    assert narrowed.rows("decisions", FULL) == []
    asked = {a["decision_evidence_id"] for a in narrowed.rows("actions", FULL)}
    assert row["evidence_id"] not in asked
    later, _ = for_learner(portfolio, FULL, PEOPLE)
    assert [d["evidence_id"] for d in later.rows("decisions", FULL)] == [row["evidence_id"]]
    assert for_mentor(early, MENTOR, PEOPLE)[0].rows("decisions", FULL)


@pytest.mark.parametrize("role", ["learner", "mentor", "programme"])
def test_every_link_of_a_view_stays_in_it_and_leads_somewhere(
    shown: dict[str, Path], role: str
) -> None:
    pages = {path: Page(path) for path in shown[role].rglob("*.html")}
    assert pages
    for path, page in pages.items():
        for link in page.links:
            target, _, anchor = link.partition("#")
            found = (path.parent / target).resolve() if target else path
            assert found.is_relative_to(shown[role]), link
            assert found.exists(), link
            if anchor and anchor != "trend":
                assert anchor in pages[found].ids, f"{path.name}: {link}"


def test_single_answers_of_respondents_are_in_no_view_and_follow_from_none(
    shown: dict[str, Path], portfolio: Portfolio
) -> None:
    single = [e for e in portfolio.rows("evidence", FULL) if e["is_withheld"]]
    assert len(single) == 7
    for role in ("learner", "mentor"):
        text = _all_text(shown[role])
        assert not [e for e in single if e["evidence_id"] in text], role
    told = json.loads((shown["learner"] / f"data/learners/{FULL}.json").read_text())
    groups = [g for g in told["feedback"] if g["respondent_group"] not in ("others", "self")]
    total = next(g for g in told["feedback"] if g["respondent_group"] == "others")
    shown_n = sum(g["n_respondents"] or 0 for g in groups)
    assert total["n_respondents"] == shown_n
    assert {g["n_respondents"] for g in groups if g["is_withheld"]} == {None}


def test_the_programmes_view_names_no_learner_and_no_assessor(
    shown: dict[str, Path], portfolio: Portfolio
) -> None:
    text = (shown["programme"] / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"\b[LA]-[A-Z0-9]{10}\b", text)
    assert "Rules and their sources" in text
    assert "Moonen-van Loon et al. 2013" in text
    assert "No year with decisions is over yet." in text


def test_a_row_about_too_few_learners_loses_its_numbers_also_by_subtraction() -> None:
    page = ProgrammePage(counts_of_learners=("n_learners",), parts_of_learners=("n_complete",))
    few = {"stage_id": "Y1", "required_n": 3, "n_learners": 4, "share": Decimal("0.5")}
    assert without_small_counts(few, 5, page) == {
        "stage_id": "Y1",
        "required_n": 3,
        "n_learners": TOO_FEW,
        "share": TOO_FEW,
    }
    nearly_all = {"n_learners": 40, "n_complete": 38, "complete_share": Decimal("0.95")}
    assert set(without_small_counts(nearly_all, 5, page).values()) == {TOO_FEW}
    for n in (38, 42):
        nearly_the_same = {"n_learners": 40, "n_complete": n, "r_squared": Decimal("0.7")}
        assert set(without_small_counts(nearly_the_same, 5, page).values()) == {TOO_FEW}
    for n in (0, 12, 40):
        whole = {"n_learners": 40, "n_complete": n}
        assert without_small_counts(whole, 5, page) == whole


@pytest.mark.parametrize(("one_day", "is_told"), [(0, True), (12, True), (13, False), (17, True)])
def test_a_part_that_another_one_may_hold_is_not_told_beside_it(
    one_day: int, is_told: bool
) -> None:
    page = ProgrammePage(
        counts_of_learners=("n_learners",), parts_of_learners=("n_one_assessor", "n_one_day")
    )
    row = {"n_learners": 40, "n_one_assessor": 12, "n_one_day": one_day}
    told = without_small_counts(row, 5, page)
    assert told == (row if is_told else dict.fromkeys(row, TOO_FEW))


def test_a_row_that_rests_on_few_assessors_does_not_say_how_these_assess() -> None:
    page = ProgrammePage(counts_of_learners=("n_learners",), counts_of_assessors=("n_assessors",))
    row = {"instrument_id": "dops", "n_learners": 40, "n_assessors": 1, "slow_share": Decimal(1)}
    assert without_small_counts(row, 5, page, key=("instrument_id",)) == dict.fromkeys(
        row, TOO_FEW
    ) | {"instrument_id": "dops"}
    for n in (0, 5):
        assert without_small_counts(row | {"n_assessors": n}, 5, page) == row | {"n_assessors": n}


def test_no_sentence_tells_the_number_that_its_row_lost() -> None:
    page = ProgrammePage(counts_of_learners=("n_examinees", "n_complete"))
    row = {
        "task_id": "osce-2026",
        "title": "OSCE 2026",
        "half_year": "2026/1",
        "sentence": "3 learners were presented every item: too few to describe the exam.",
        "advice": "Look at it again.",
        "n_examinees": 40,
        "n_complete": 3,
    }
    assert without_small_counts(row, 5, page, key=("task_id", "half_year")) == row | {
        "sentence": TOO_FEW,
        "n_examinees": TOO_FEW,
        "n_complete": TOO_FEW,
    }


def test_only_marts_that_say_so_go_to_the_programme(home: Home, portfolio: Portfolio) -> None:
    source = find(home, None)
    shown = {table.name for table in gather(source, portfolio).tables}
    assert shown == set(source.edition.programme_page)
    pages = {"programme_rule": ProgrammePage(), "committee_agenda": ProgrammePage()}
    edition = source.edition.model_copy(update={"programme_page": pages})
    (table,) = gather(replace(source, edition=edition), portfolio).tables
    assert table.name == "programme_rule"


def test_a_view_that_was_changed_says_so(shown: dict[str, Path]) -> None:
    assert views.verify(shown["learner"]) == []
    (shown["learner"] / "extra.html").write_text("x")
    assert views.verify(shown["learner"]) == [
        "extra.html: the file is not part of the pack: take it away"
    ]
    (shown["learner"] / "extra.html").unlink()


def test_nobody_the_edition_does_not_know_has_a_view(home: Home) -> None:
    with pytest.raises(NoEditionError, match="knows no learner 'L-NOBODY'"):
        views.build(home, Settings(home=home.root), "learner", only="L-NOBODY")


def test_the_form_has_a_line_for_each_data_point_and_no_formula(portfolio: Portfolio) -> None:
    narrowed, _ = for_learner(portfolio, HOSTILE, PEOPLE)
    page = assemble(narrowed, narrowed.learners[0])
    text = answer_form(narrowed, page, "s-2").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    disputed = {row["Record"] for row in rows if row["Kind"] == "dispute"}
    assert disputed == {e["evidence_id"] for e in narrowed.rows("evidence", HOSTILE)}
    assert {row["Learner"] for row in rows} == {"s-2"}
    assert not [v for row in rows for v in row.values() if v.startswith(("=", "+", "-", "@"))]
    assert len({row["Line"] for row in rows}) == len(rows)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_a_number_stays_a_number_in_a_file_for_a_spreadsheet(number: Decimal) -> None:
    assert Decimal(plain_text(f"{number:f}")) == number


@given(st.text(), st.sampled_from("=+-@\t\r"))
def test_whatever_begins_like_a_formula_and_is_no_number_is_written_as_text(
    text: str, start: str
) -> None:
    written = plain_text(start + text)
    assert not written.startswith(("=", "+", "-", "@")) or Decimal(written) < 1


def test_a_negative_number_of_the_programme_is_no_text_and_a_formula_is() -> None:
    cells = (("-0.19", "=1+1", "-1+1"),)
    table = Table("programme_x", "X", ("difference", "words", "more"), cells)
    assert table.as_csv().splitlines()[1] == b"-0.19,'=1+1,'-1+1"


def test_a_dispute_marks_the_data_point_on_the_committees_page(built: Path) -> None:
    text = Page(built / "learners" / f"{FULL}.html").text
    assert "Disputes a data point" in text
    assert "not answered yet · owner assessment unit" in text
    assert "disputed" in Page(built / "evidence" / f"{FULL}.html").text


def test_views_lie_where_only_the_service_account_reads(home: Home, shown: dict[str, Path]) -> None:
    assert shown["learner"].is_relative_to(home.restricted)
    assert home.restricted.stat().st_mode & 0o077 == 0
    assert find(home, None).edition_id in shown["learner"].parts


def test_the_programme_reads_what_codes_mean_and_its_files_keep_the_codes() -> None:
    table = Table(
        "programme_blueprint_coverage",
        "Blueprint",
        ("programme id", "competency id", "instrument id", "complete share"),
        (
            ("MED", "EPA-01", "mini_cex_9", "0.5"),
            ("MED", "EPA-99", "dops", TOO_FEW),
            ("DENT", "EPA-01", "dops", "1"),
        ),
        {("MED", "EPA-01"): "Take a history", ("DENT", "EPA-01"): "Fill a tooth"},
    )
    assert table.cells == (
        ("MED", "EPA-01 Take a history", "mini-CEX 9", "50 %"),
        ("MED", "EPA-99", "DOPS", TOO_FEW),
        ("DENT", "EPA-01 Fill a tooth", "DOPS", "100 %"),
    )
    assert b"EPA-01,mini_cex_9,0.5" in table.as_csv()


def test_circumstances_and_reports_reach_those_who_may_know_of_them(portfolio: Portfolio) -> None:
    def told(narrowed: Portfolio) -> tuple[set[str], set[str]]:
        circumstances = narrowed.rows("circumstances", FULL)
        reports = narrowed.rows("reports", FULL)
        return (
            {str(row["adjustment"] or row["category"]) for row in circumstances},
            {str(row["description"]) for row in reports},
        )

    both = {"a quarter more time", "bereavement"}
    shown, kept = "Came late to three ward rounds.", "Left the ward without a handover."
    assert told(portfolio) == (both, {shown, kept})
    learner, _ = for_learner(portfolio, FULL, PEOPLE)
    assert told(learner) == (both, {shown})
    assert {row["reporter_key"] for row in learner.rows("reports", FULL)} == {None}
    mentor, _ = for_mentor(portfolio, MENTOR, PEOPLE)
    assert told(mentor) == ({"a quarter more time"}, {shown})
