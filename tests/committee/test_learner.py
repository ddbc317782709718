"""The numbers of a page are those of SQL on the edition, and each leads to its evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.committee import views
from pipelines.committee.grid import grid
from pipelines.committee.learner import LearnerPage, assemble
from pipelines.committee.queries import Portfolio
from pipelines.committee.render import Pages
from pipelines.committee.roles import for_learner
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import EMPTY, FULL, HOSTILE, STRAY, database_of
from tests.committee.markup import Page


@pytest.fixture(scope="module")
def sql(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(database_of(home)), read_only=True) as connection:
        yield connection


HALF = Decimal("0.5")
ON_LEAVE = "on leave</strong> until 2026-12-31"


def _page(portfolio: Portfolio, key: str) -> LearnerPage:
    (row,) = (r for r in portfolio.learners if r["learner_key"] == key)
    return assemble(portfolio, row)


def _one(sql: duckdb.DuckDBPyConnection, query: str, *values: Any) -> Any:
    return sql.execute(query, list(values)).fetchall()[0][0]


def test_every_count_of_the_grid_equals_sql_on_the_evidence(
    portfolio: Portfolio, sql: duckdb.DuckDBPyConnection
) -> None:
    for row in portfolio.learners:
        page = assemble(portfolio, row)
        for c in page.competencies:
            if not c.row.get("stage_id"):
                continue
            where = (
                "from fct_evidence where learner_key = ? and competency_id = ? "
                "and stage_id = 'Year 3' and kind = 'workplace_assessment'"
            )
            keys = (page.key, c.competency_id)
            assert c.points.n == _one(sql, f"select count(*) {where}", *keys)
            assert c.row["n_data_points"] == c.points.n
            assert c.row["n_assessors"] == _one(
                sql, f"select count(distinct assessor_key) {where}", *keys
            )
            assert c.at_target.n == _one(sql, f"select count(*) {where} and level >= 4", *keys)
            assert c.recent.n == _one(
                sql, f"select count(*) {where} and occurred_on >= date '2026-05-30'", *keys
            )
            assert c.flagged.n == _one(sql, f"select count(*) {where} and is_flagged", *keys)


def _parted(page: LearnerPage, evidence: list[dict[str, Any]]) -> list[Any]:
    """Return competencies with ratings on both versions, of which the first alone is at target."""
    newer = {e["evidence_id"] for e in evidence if e["scale_version"] == "2"}
    parted = [c for c in page.competencies if len(c.strips) > 1]
    assert parted
    for c in page.competencies:
        assert not newer & set(c.at_target.ids)
    assert any(c.at_target.ids for c in parted)
    return parted


def test_ratings_of_another_version_than_the_plan_names_are_a_strip_of_their_own_and_not_at_target(
    portfolio: Portfolio,
) -> None:
    evidence = [
        e | {"scale_version": "2", "target_level": None} if n % 2 else e
        for n, e in enumerate(portfolio.rows("evidence", FULL))
    ]
    page = _of_two_versions(portfolio, evidence, target_scale_version="1")
    parted = _parted(page, evidence)
    for c in parted:
        older, other = c.strips
        assert (older.scale, other.scale) == ("entrustment_5 version 1", "entrustment_5 version 2")
        assert older.alternative.endswith("target 4")
        assert other.alternative.endswith("no target")


def test_of_versions_that_no_plan_tells_apart_the_one_that_counts_comes_first_and_is_at_target(
    portfolio: Portfolio,
) -> None:
    evidence = [
        e | {"scale_version": "2", "level": e["level"] and 5} if n % 2 else e
        for n, e in enumerate(portfolio.rows("evidence", FULL))
    ]
    page = _of_two_versions(portfolio, evidence, target_scale_version=None)
    parted = _parted(page, evidence)
    for c in parted:
        counted, other = c.strips
        assert (counted.scale, other.scale) == (
            "entrustment_5 version 1",
            "entrustment_5 version 2",
        )
        assert counted.alternative.endswith("target 4")
        assert other.alternative.endswith("target 4")


def test_ratings_that_look_ahead_are_not_at_target_where_those_that_look_back_count(
    portfolio: Portfolio,
) -> None:
    evidence = [e | {"direction": "prospective"} for e in portfolio.rows("evidence", FULL)]
    page = _of_two_versions(portfolio, evidence, target_scale_version=None)
    assert not [c.at_target.ids for c in page.competencies if c.at_target.ids]


def test_what_is_rated_on_a_version_that_does_not_count_does_not_count_against_the_target(
    portfolio: Portfolio,
) -> None:
    evidence = [
        e | {"scale_version": "2", "target_level": 3} for e in portfolio.rows("evidence", FULL)
    ]
    page = _of_two_versions(portfolio, evidence, target_scale_version="1")
    assert {c.n_under_another_target for c in page.competencies} == {0}


def test_a_level_lies_between_the_ends_of_its_own_version_of_the_scale(
    portfolio: Portfolio,
) -> None:
    ends = [
        {"scale_id": "entrustment_5", "scale_version": version, "lowest": 1, "highest": highest}
        for version, highest in (("1", 5), ("2", 3))
    ]
    programme = dict(portfolio.of_programme) | {"scales": ends}
    drawn = grid(replace(portfolio, of_programme=programme), [], [_rating("1"), _rating("2")])
    assert [point.height for point in drawn.points] == [0.5, 1.0]


def _rating(version: str) -> dict[str, Any]:
    return {
        "evidence_id": f"E-{version}",
        "data_point_id": f"E-{version}",
        "programme_id": "MED",
        "competency_id": "EPA1",
        "scale_id": "entrustment_5",
        "scale_version": version,
        "direction": None,
        "level": 3,
        "target_level": None,
        "occurred_on": date(2026, 3, 1),
        "assurance_level": "observed",
        "is_flagged": False,
        "narrative_strengths": None,
        "narrative_improvements": None,
        "narrative_other": None,
    }


def _of_two_versions(
    portfolio: Portfolio, evidence: list[dict[str, Any]], *, target_scale_version: str | None
) -> LearnerPage:
    """Return a page on which the first of two versions of the scale counts."""
    statuses = [
        s | {"target_scale_version": target_scale_version} for s in portfolio.rows("status", FULL)
    ]
    sections = dict(portfolio.of_learners) | {
        "evidence": {**portfolio.of_learners["evidence"], FULL: evidence},
        "status": {**portfolio.of_learners["status"], FULL: statuses},
    }
    second = {"scale_id": "entrustment_5", "scale_version": "2", "lowest": 1, "highest": 3}
    programme = dict(portfolio.of_programme)
    programme["scales"] = [*programme["scales"], second]
    return _page(replace(portfolio, of_learners=sections, of_programme=programme), FULL)


def test_a_page_names_competencies_as_the_programme_of_its_learner_does(
    portfolio: Portfolio,
) -> None:
    others = [
        row | {"programme_id": programme_id, "title": f"Of {programme_id}"}
        for programme_id in ("ANY", "ZEN")
        for row in portfolio.of_programme["competencies"]
    ]
    programme = dict(portfolio.of_programme)
    programme["competencies"] = [*others[::2], *programme["competencies"], *others[1::2]]
    page = _page(replace(portfolio, of_programme=programme), FULL)
    assert [c.title for c in page.competencies] == [
        c.title for c in _page(portfolio, FULL).competencies
    ]
    assert not [r for r in page.conflicts if r["competency"].startswith("Of ")]


def test_competencies_of_two_programmes_with_one_id_are_two_lines(portfolio: Portfolio) -> None:
    drawn = grid(portfolio, [], [_rating("1"), _rating("1") | {"programme_id": "DENT"}])
    assert [len(line.forms) for line in drawn.competencies] == [1, 1]


def test_each_number_has_as_many_ids_behind_it_and_each_id_has_a_form(
    portfolio: Portfolio,
) -> None:
    for row in portfolio.learners:
        page = assemble(portfolio, row)
        forms = {form.evidence_id for form in page.forms}
        for c in page.competencies:
            assert c.at_target.n == (c.row.get("n_at_target") or 0)
            assert c.recent.n == (c.row.get("n_recent") or 0)
            assert c.flagged.n == (c.row.get("n_flags") or 0)
        for behind in page.behind:
            assert set(behind.ids) <= forms
        for rows in (page.conflicts, page.signals, page.picked):
            for r in rows:
                assert set(r["evidence_ids"]) <= forms


def test_forms_stand_as_they_were_written_with_delivery_and_row(
    portfolio: Portfolio, sql: duckdb.DuckDBPyConnection
) -> None:
    page = _page(portfolio, HOSTILE)
    written = sql.execute(
        "select evidence_id, narrative_strengths, delivery_id, source_row from fct_evidence "
        "where learner_key = ? and narrative_strengths is not null",
        [HOSTILE],
    ).fetchall()
    forms = {form.evidence_id: form for form in page.forms}
    assert written
    for evidence_id, text, delivery_id, source_row in written:
        form = forms[evidence_id]
        assert text in [field.value for field in form.fields if field.is_verbatim]
        assert (form.delivery_id, form.source_row) == (delivery_id, source_row)


def test_every_record_of_the_learner_is_a_form_once(
    portfolio: Portfolio, sql: duckdb.DuckDBPyConnection
) -> None:
    expected = _one(
        sql,
        """
        select
            (select count(distinct evidence_id) from fct_evidence where learner_key = $1)
            + (select count(record_key) from fct_ai_declaration where learner_key = $1)
            + (select count(*) from fct_reflection where learner_key = $1)
            + (select count(*) from fct_meeting_note where learner_key = $1)
            + (select count(*) from fct_decision where learner_key = $1)
            + (select count(*) from fct_action where learner_key = $1)
            + (select count(*) from fct_requirement where learner_key = $1)
            + (select count(*) from fct_circumstance where learner_key = $1)
            + (select count(*) from fct_professionalism_report where learner_key = $1)
        """,
        FULL,
    )
    ids = [form.evidence_id for form in _page(portfolio, FULL).forms]
    assert len(ids) == len(set(ids)) == expected


def test_one_look_says_how_much_of_the_picture_is_there(portfolio: Portfolio) -> None:
    page = _page(portfolio, FULL)
    enough = sum(c.status != "not_enough_evidence" for c in page.competencies)
    assert page.one_look[0].startswith(f"{enough} of 13 competencies")
    assert "score" not in " ".join(page.one_look)


def test_one_look_speaks_of_a_single_competency_as_one(portfolio: Portfolio) -> None:
    rows = portfolio.rows("status", EMPTY)
    alone = [
        row | {"status": "on_track" if i == 0 else row["status"]} for i, row in enumerate(rows)
    ]
    narrowed = {**portfolio.of_learners, "status": {EMPTY: alone}}
    page = _page(replace(portfolio, of_learners=narrowed), EMPTY)
    assert page.one_look[:2] == ("1 of 13 competencies has enough evidence.", "It is on track.")


def test_a_learner_without_evidence_has_a_page_that_says_so(portfolio: Portfolio) -> None:
    page = _page(portfolio, EMPTY)
    assert not page.has_evidence
    assert page.drawing is None
    assert page.last_decision is None
    assert {c.status for c in page.competencies} == {"not_enough_evidence"}
    assert page.one_look[0] == "0 of 13 competencies have enough evidence."


def test_a_learner_of_no_stage_shows_evidence_and_judges_nothing(portfolio: Portfolio) -> None:
    page = _page(portfolio, STRAY)
    assert page.has_evidence
    assert page.competencies
    assert all(not c.points.ids and c.forms for c in page.competencies)
    assert page.one_look == ("There is evidence, but no competency is required of this stage.",)


def test_the_absent_sitting_stays_in_its_place(portfolio: Portfolio) -> None:
    series = _page(portfolio, FULL).exams[0]
    assert series.title == "Progress test"
    assert [s["sitting_status"] for s in series.sittings].count("absent") == 1
    assert series.n_absent == 1
    assert "absent" in series.alternative
    assert series.drawing is not None


def test_a_missing_declaration_counts_but_has_no_record_behind_it(portfolio: Portfolio) -> None:
    page = _page(portfolio, FULL)
    (missing,) = (use for use in page.ai_use if "not yet given" in use.sentence)
    assert (missing.n, missing.behind.n) == (1, 0)
    (within,) = (use for use in page.ai_use if use.sentence.startswith("within"))
    assert within.n == within.behind.n == 3


def test_signals_say_which_assessment_would_help(portfolio: Portfolio) -> None:
    (signal,) = _page(portfolio, FULL).signals
    assert signal["recommendation"] == (
        "Recommended: mini-CEX of “Obtain informed consent” in emergency by an assessor who has "
        "not yet assessed this learner on it on rotation Emergency Medicine from 2026-12-07."
    )


def test_what_closes_a_signal_and_what_was_closed_stand_where_a_member_looks(
    built: Path, home: Home
) -> None:
    page = Page(built / "learners" / f"{FULL}.html").text
    assert "Closes when a data point on the competency arrives." in page
    assert "Closed lately by what came: 1 signal" in page
    assert "A new data point on “Obtain informed consent” arrived. 2026-11-02" in page
    view = views.build(home, Settings(home=home.root), "learner", only=FULL).folder / FULL
    own = Page(view / "index.html").text
    assert "Closes when a data point on the competency arrives." in own
    assert "A new data point on “Obtain informed consent” arrived." in own


def test_a_signal_that_one_respondent_closed_is_told_to_no_one_outside_the_committee(
    portfolio: Portfolio,
) -> None:
    single = next(e for e in portfolio.rows("evidence", FULL) if e["is_withheld"])["evidence_id"]
    (closed,) = portfolio.rows("closed_signals", FULL)
    other = closed["closed_by_evidence_ids"][0]
    for ids, told in (([single], []), ([single, other], [[other]])):
        row = closed | {"closed_by_evidence_ids": ids}
        changed = replace(
            portfolio,
            of_learners={**portfolio.of_learners, "closed_signals": {FULL: [row]}},
        )
        narrowed, _ = for_learner(changed, FULL, {})
        rows = narrowed.rows("closed_signals", FULL)
        assert [r["closed_by_evidence_ids"] for r in rows] == told


def test_overdue_actions_come_first(portfolio: Portfolio) -> None:
    assert [a["state"] for a in _page(portfolio, FULL).actions] == ["overdue", "done"]


def test_a_decision_that_does_not_stand_is_kept_and_never_opens_the_page(
    portfolio: Portfolio,
) -> None:
    page = _page(portfolio, FULL)
    assert page.last_decision is not None
    assert page.decisions_that_do_not_stand == ()
    lone = {**page.decisions[0], "is_latest": False, "standing": "no_quorum"}
    changed = replace(page, decisions=(lone,))
    assert changed.last_decision is None
    assert changed.decisions_that_do_not_stand == (lone,)


def test_what_a_competency_lacks_that_no_column_counts_is_named(portfolio: Portfolio) -> None:
    page = _page(portfolio, FULL)
    line = next(c for c in page.competencies if c.status == "not_enough_evidence")
    assert line.unseen_shortfalls == ()
    lacks = {
        "shortfall_codes": ["data_points", "narratives"],
        "shortfalls": ["3 of 5 data points", "0 of 2 comments"],
    }
    short = replace(line, row={**line.row, **lacks})
    assert short.unseen_shortfalls == ("0 of 2 comments",)
    assert replace(short, status="not_required").unseen_shortfalls == ()
    assert replace(page, competencies=(short,)).unseen_shortfalls == (
        (line.title, ("0 of 2 comments",)),
    )


def test_the_page_stars_a_shortfall_that_no_column_counts_and_says_it_in_words(
    portfolio: Portfolio,
) -> None:
    lacks = {"shortfall_codes": ["rated"], "shortfalls": ["1 of 3 ratings <of> its scale"]}
    statuses = [
        {**row, **lacks} if row["status"] == "not_enough_evidence" else row
        for row in portfolio.rows("status", FULL)
    ]
    of_status = {**portfolio.of_learners["status"], FULL: statuses}
    (row,) = (r for r in portfolio.learners if r["learner_key"] == FULL)
    changed = replace(portfolio, of_learners={**portfolio.of_learners, "status": of_status})
    text = Pages(changed).learner(assemble(changed, row))
    assert '<abbr class="star" title="1 of 3 ratings &lt;of&gt; its scale">*</abbr>' in text
    assert "short of what no column counts" in text
    assert "<of>" not in text


def _rendered(portfolio: Portfolio, **sections: list[dict[str, Any]]) -> str:
    """Return the committee's page of the full learner with other rows in some sections."""
    return Pages(portfolio).learner(_told(portfolio, **sections))


def _told(portfolio: Portfolio, **sections: list[dict[str, Any]]) -> LearnerPage:
    """Return what stands on the page of the full learner with other rows in some sections."""
    told = {name: {**portfolio.of_learners[name], FULL: rows} for name, rows in sections.items()}
    return _page(replace(portfolio, of_learners={**portfolio.of_learners, **told}), FULL)


def test_a_round_is_one_recent_data_point_and_the_evidence_page_says_why_it_has_more_answers(
    portfolio: Portfolio,
) -> None:
    line = next(c for c in _page(portfolio, FULL).competencies if c.recent.n > 2)
    newest, second = line.recent.ids[:2]
    evidence = [
        r | {"data_point_id": newest} if r["evidence_id"] == second else r
        for r in portfolio.rows("evidence", FULL)
    ]
    statuses = [
        r | {"n_recent": r["n_recent"] - 1, "n_data_points": r["n_data_points"] - 1}
        if r["competency_id"] == line.competency_id
        else r
        for r in portfolio.rows("status", FULL)
    ]
    page = _told(portfolio, evidence=evidence, status=statuses)
    told = next(c for c in page.competencies if c.competency_id == line.competency_id)
    assert told.recent.ids == line.recent.ids
    text = "".join(text for _, text in Pages(portfolio).evidence(page))
    said = "in the present stage, since a round of multisource feedback is one, however many"
    assert text.count(said) == 1


def test_use_that_says_nothing_of_patient_data_is_not_told_as_without_concern(
    portfolio: Portfolio,
) -> None:
    declared = portfolio.rows("declarations", FULL)
    assert "No privacy concern declared." in _rendered(portfolio, declarations=declared)
    silent = [d | {"has_patient_data": None} for d in declared]
    n = sum(d["status"] == "used" for d in silent)
    text = _rendered(portfolio, declarations=silent)
    assert "No privacy concern declared." not in text
    assert f"Whether patient data were entered is not said in {n} declarations of use." in text


def test_where_no_use_was_declared_nothing_is_told_of_patient_data(
    portfolio: Portfolio,
) -> None:
    declared = portfolio.rows("declarations", FULL)
    missing = [d | {"status": "not_declared", "has_patient_data": None} for d in declared]
    text = _rendered(portfolio, declarations=missing)
    assert "No privacy concern declared." not in text
    assert "Whether patient data were entered" not in text


def test_every_declaration_to_talk_about_is_named_and_paper_says_how_many_more(
    portfolio: Portfolio,
) -> None:
    declared = portfolio.rows("declarations", FULL)
    missing = [
        d | {"reconciliation": "missing", "title": f"Task {i}"} for i, d in enumerate(declared)
    ]
    text = _rendered(portfolio, declarations=missing)
    assert all(f'<span class="note">Task {i}' in text for i in range(len(missing)))
    assert f"and {len(missing) - 2} more on the page" in text


def test_exams_and_marked_work_are_counted_in_words_that_fit_both(portfolio: Portfolio) -> None:
    text = _rendered(portfolio)
    assert "on record, 1 of them not sat, latest" in text
    assert "sittings" not in text


def test_a_mark_that_the_source_reports_otherwise_stands_beside_that_of_the_items(
    portfolio: Portfolio,
) -> None:
    sittings = [r | {"reported_score": Decimal("70.5")} for r in portfolio.rows("sittings", FULL)]
    text = _rendered(portfolio, sittings=sittings)
    assert "; the source itself reports 70.5)" in text
    assert '<span class="note">the source reports 70.5</span>' in text


@pytest.mark.parametrize(
    ("of_items", "of_source", "words"),
    [
        (True, "40", ", but below it by the source’s own result, which the data point has"),
        (
            False,
            "70.5",
            ", but at or above it by the source’s own result, which the data point has",
        ),
        (True, "70.5", None),
    ],
)
def test_where_items_and_the_source_lie_on_two_sides_of_the_cut_score_the_page_says_so(
    portfolio: Portfolio, of_items: bool, of_source: str, words: str | None
) -> None:
    sittings = [
        r
        | {
            "reported_score": Decimal(of_source),
            "cut_score": Decimal("58.5"),
            "cut_share": Decimal("0.585"),
            "is_at_or_above_cut": of_items,
        }
        for r in portfolio.rows("sittings", FULL)
    ]
    text = _rendered(portfolio, sittings=sittings)
    assert (words in text) if words else ("by the source’s own result" not in text)


def test_a_cut_score_that_was_set_for_the_sitting_says_how_and_when(portfolio: Portfolio) -> None:
    sittings = [
        r | {"set_by_method": "borderline_regression", "set_on": date(2026, 7, 9)}
        for r in portfolio.rows("sittings", FULL)
    ]
    text = _rendered(portfolio, sittings=sittings)
    assert '<span class="note">borderline regression, set 2026-07-09</span>' in text


def test_a_result_that_the_cut_score_does_not_judge_says_so(portfolio: Portfolio) -> None:
    sittings = [
        r | {"cut_score": Decimal(6), "is_at_or_above_cut": None}
        for r in portfolio.rows("sittings", FULL)
    ]
    assert "not held against the cut-score" in _rendered(portfolio, sittings=sittings)


def test_the_latest_result_says_that_it_is_a_resit_or_was_carried_over(
    portfolio: Portfolio,
) -> None:
    sittings = [r | {"attempt": 2, "is_banked": True} for r in portfolio.rows("sittings", FULL)]
    text = _rendered(portfolio, sittings=sittings)
    assert re.search(r"latest [^<]+ \(attempt 2\): [^<]*, carried over", text)


def test_a_signal_names_a_scale_of_policies_as_the_rest_of_the_page_does(
    portfolio: Portfolio,
) -> None:
    signal = portfolio.rows("signals", FULL)[0] | {"sentence": "Beside (aias 2, level 1)."}
    text = _rendered(portfolio, signals=[signal])
    assert "Beside (AIAS 2, level 1)." in text
    assert "(aias 2" not in text


def test_a_status_is_explained_once_and_only_where_the_stage_asks_for_it(
    portfolio: Portfolio,
) -> None:
    short: dict[str, Any] = {
        "status": "not_enough_evidence",
        "status_reason": "Not enough evidence yet: 0 of 3 assessors.",
        "shortfall_codes": ["assessors"],
        "shortfalls": ["0 of 3 assessors"],
    }
    first, second = portfolio.rows("status", FULL)[:2]
    asked, unasked = first | short, second | short | {"is_required": False}
    how = _rendered(portfolio, status=[asked, unasked]).split("How this was computed")[-1]
    assert how.count("0 of 3 assessors") == 1
    assert "Not required now" not in how


def test_what_the_last_decision_asked_for_comes_before_other_actions_of_the_same_state(
    portfolio: Portfolio,
) -> None:
    for row in portfolio.learners:
        actions = portfolio.rows("actions", row["learner_key"])
        for before, after in pairwise(actions):
            if before["state"] == after["state"]:
                assert before["is_of_last_decision"] >= after["is_of_last_decision"]


def test_raw_stands_beside_adjusted_and_says_what_would_carry_further(
    portfolio: Portfolio,
) -> None:
    page = _page(portfolio, FULL)
    rated = [c for c in page.competencies if c.row.get("n_rated")]
    assert [p["competency_id"] for p in page.precision] == [c.competency_id for c in rated]
    for row, line in zip(page.precision, rated, strict=True):
        assert row["share_at_target"] == line.row["share_at_target"]
        assert row["is_reached"] == (row["n_more_ratings"] == 0)
    assert page.n_dependable == sum(line.row["n_rated"] >= 10 for line in rated)


def test_the_page_lists_the_conflicts_that_the_agenda_counts(
    portfolio: Portfolio, sql: duckdb.DuckDBPyConnection
) -> None:
    page = _page(portfolio, FULL)
    assert [row["conflict_kind"] for row in page.conflicts] == ["score_narrative", "stringency"]
    counted = _one(sql, "select count(*) from portfolio_conflict where learner_key = ?", FULL)
    assert len(page.conflicts) == counted


def test_how_learners_see_themselves_is_said_beside_multisource_feedback(
    portfolio: Portfolio,
) -> None:
    assert _page(portfolio, FULL).n_seen_otherwise == 1
    assert "; on 1 of them the learner’s own answer stands apart" in _rendered(portfolio)


def test_a_group_of_respondents_that_is_too_small_has_words_and_no_numbers(
    portfolio: Portfolio,
) -> None:
    (feedback,) = _page(portfolio, FULL).feedback
    assert [g["respondent_group"] for g in feedback.shown] == ["others", "nursing", "self"]
    (peer,) = feedback.withheld
    assert {peer[name] for name in ("n_respondents", "level_counts", "level_median")} == {None}
    assert peer["sentence"] == "Not shown: fewer than 5 respondents."


def test_growth_is_that_of_the_last_test(portfolio: Portfolio) -> None:
    (growth,) = _page(portfolio, FULL).growth
    assert "changed by 11.7 points" in growth["sentence"]


def test_an_exam_below_its_cut_score_stands_on_the_page_although_another_was_sat_since(
    portfolio: Portfolio,
) -> None:
    marked = {
        "series": "Written examination", "is_growth": False, "sitting_status": "scored",
        "max_score": Decimal(100), "cut_score": Decimal(60), "is_near_cut": False,
    }  # fmt: skip
    last = portfolio.rows("sittings", FULL)[-1]
    sittings = [
        last | marked | told
        for told in (
            _sat("Anatomy", date(2026, 3, 20), 48, False),
            _sat("Anatomy", date(2026, 4, 25), 64, True),
            _sat("Pharmacology", date(2026, 6, 20), 41, False) | {"is_below_cut_at_newest": True},
            _sat("Pathology", date(2026, 9, 20), 71, True),
        )
    ]
    text = _rendered(portfolio, sittings=sittings)
    line = text[text.index("Written examination: 4 on record") :].split("</p>")[0]
    assert "latest Pathology 2026-09-20: 71 of 100 (71 %), at or above the cut-score" in line
    assert (
        "; below the cut-score at its newest sitting: Pharmacology 2026-06-20 (41 of 100)" in line
    )
    assert "Anatomy" not in line
    own = Pages(portfolio).own(_told(portfolio, sittings=sittings), "my-words.csv")
    assert "<li>Pharmacology 2026-06-20: 41 of 100, cut-score 60" in own
    assert "<li>Anatomy" not in own


def test_the_table_of_sittings_has_no_column_that_holds_nothing(portfolio: Portfolio) -> None:
    none = dict.fromkeys(("n_right", "n_wrong", "n_dont_know", "n_omitted"))
    sittings = [row | none for row in portfolio.rows("sittings", FULL)]
    text = _rendered(portfolio, sittings=sittings)
    assert ">Right</th>" not in text
    assert ">Omitted</th>" not in text
    sittings[0] |= {"n_omitted": 3}
    text = _rendered(portfolio, sittings=sittings)
    assert ">Right</th>" not in text
    assert ">Omitted</th>" in text


def _sat(title: str, on: date, score: int, is_above: bool) -> dict[str, Any]:
    return {
        "task_id": title.lower(), "title": title, "occurred_on": on, "score": Decimal(score),
        "score_share": Decimal(score) / 100, "is_at_or_above_cut": is_above,
        "is_below_cut_at_newest": False,
    }  # fmt: skip


def test_what_the_last_decision_could_not_know_is_said_beside_it(portfolio: Portfolio) -> None:
    (decision,) = portfolio.rows("decisions", FULL)
    evidence = portfolio.rows("evidence", FULL)
    assert _page(portfolio, FULL).known_since == ()
    late = next(e for e in evidence if e["occurred_on"] < decision["decided_on"])
    told = [
        e | {"known_at": decision["decided_at"] + timedelta(days=20)} if e is late else e
        for e in evidence
    ]
    text = _rendered(portfolio, evidence=told)
    said = "1 data point of that day or before came to be known after the decision<span"
    assert said in text
    assert late["evidence_id"] in text[text.index(said) :].split("</p>")[0]
    before_the_log = [decision | {"is_since_first_arrival": False}]
    assert said not in _rendered(portfolio, evidence=told, decisions=before_the_log)


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ({"period_type": "leave", "ends_on": date(2026, 12, 31)}, ON_LEAVE),
        ({"period_type": "part_time", "full_time_share": HALF}, "part time 50 %</strong>"),
        ({"period_type": "leave", "ends_on": date(2026, 11, 27)}, None),
        ({"period_type": "leave", "is_planned": True}, None),
        ({"period_type": "rotation"}, None),
    ],
)  # fmt: skip
def test_the_page_says_whether_the_learner_is_away_or_part_time_now(
    portfolio: Portfolio, period: dict[str, Any], said: str | None
) -> None:
    blank = {"period_id": "p", "starts_on": date(2026, 11, 1), "ends_on": None, "is_planned": False}
    text = _rendered(portfolio, periods=[blank | {"full_time_share": None} | period])
    header = text[text.index("<header") : text.index("</header>")]
    assert said in header if said else "on leave" not in header
    waits = "Signals that ask for an assessment wait until the learner is back."
    assert (waits in text) == (said is not None and "leave" in said)


@pytest.mark.parametrize(
    ("quantiles", "said"),
    [
        (["1.644854"], "90 % interval"),
        (["1.959964"], "95 % interval"),
        (["1.64", "1.96"], "interval"),
    ],
)
def test_an_interval_is_named_by_the_quantile_of_the_rule_set_in_force(
    portfolio: Portfolio, quantiles: list[str], said: str
) -> None:
    (rule,) = (r for r in portfolio.of_programme["rules"] if r["rule_id"] == "interval")
    rules = [rule | {"threshold_value": Decimal(z)} for z in quantiles]
    told = replace(portfolio, of_programme={**portfolio.of_programme, "rules": rules})
    text = Pages(told).learner(_page(told, FULL))
    assert f">At target, {said}</th>" in text
    assert f">At target, raw ({said})</th>" in text


def test_a_status_names_its_target_and_how_many_ratings_were_given_under_another(
    portfolio: Portfolio,
) -> None:
    line = next(c for c in _page(portfolio, FULL).competencies if c.row["status_reason"])
    level = line.row["target_level"]
    how = _rendered(portfolio)
    how = how[how.index('id="h-how"') :]
    assert f"Target: level {level} (entrustment 5)." in how
    assert "while it was another level" not in how

    changed = set(line.points.ids[:2])
    evidence = [
        e | {"target_level": level - 1} if e["evidence_id"] in changed else e
        for e in portfolio.rows("evidence", FULL)
    ]
    how = _rendered(portfolio, evidence=evidence)
    said = f"Target: level {level} (entrustment 5); 2 ratings were given while it was another level"
    assert said in how[how.index('id="h-how"') :]


def test_rules_that_the_limit_of_signals_holds_back_are_named(portfolio: Portfolio) -> None:
    assert (
        'Held back by the limit<span class="screen-only"> of 1 signal a learner</span>: 1 rule'
        '<span class="screen-only inline"> (The newest evidence is old)</span>.'
    ) in _rendered(portfolio)
    own = Pages(portfolio).own(_page(portfolio, FULL), "my-words.csv")
    assert "(The newest evidence is old)" in own


def test_what_a_status_asks_for_is_told_apart_from_what_dependable_ratings_would_take(
    portfolio: Portfolio,
) -> None:
    own = Pages(portfolio).own(_page(portfolio, FULL), "my-words.csv")
    told = own[own.index('id="gaps"') : own.index('id="work"')]
    heads = re.findall(r'<th scope="col">(.*?)</th>', told)
    assert heads == ["Competency", "What a status asks for", "Beyond that: dependable ratings"]
    assert "No status waits for dependable ratings" in told
    assert "no status waits for it" in _rendered(portfolio)


def test_what_is_mandatory_granted_or_reported_stands_on_the_page(portfolio: Portfolio) -> None:
    text = _rendered(portfolio)
    told = text[text.index('id="h-standing"') : text.index('id="h-ai"')]
    plain = " ".join(re.sub("<.*?>", " ", told).split())
    assert "Mandatory: 1 of 3 requirements met or waived; Basic life support expired" in plain
    assert "Peripheral cannulation in progress , 12 of 20" in plain
    assert "a quarter more time from 2026-09-10 adjustment, accepted 2026-09-08" in plain
    assert "bereavement from 2026-09-10 mitigating circumstance, accepted 2026-09-08" in plain
    assert "Came late to three ward rounds." in plain
    assert "Left the ward without a handover." in plain
    assert plain.count("not shown to the learner") == 1
    assert (
        "1 of 3 requirements met or waived, 1 time away or part time, 2 circumstances and "
        "2 reports on conduct. Page 2."
    ) in plain


def test_leave_and_part_time_are_told_with_their_days(portfolio: Portfolio) -> None:
    periods = [
        {"period_type": kind, "period_id": None, "starts_on": starts, "ends_on": ends,
         "is_planned": planned, "full_time_share": share}
        for kind, starts, ends, planned, share in (
            ("leave", date(2026, 1, 1), date(2026, 2, 1), False, None),
            ("part_time", date(2027, 1, 1), None, True, Decimal("0.6")),
        )
    ]  # fmt: skip
    plain = re.sub("<.*?>", "", _rendered(portfolio, periods=periods))
    told = "Time: on leave 2026-01-01 to 2026-02-01; part time 60 % from 2027-01-01 (planned)."
    assert told in plain
