"""Twenty pages drawn anew in each run: take away what SQL says, and no digit is left."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.committee import words
from tests.committee.edition import FULL

PROVED_ELSEWHERE = {"sufficiency", "precision", ""}
"""Tables whose every cell `test_numbers.py` holds against SQL; the sittings have no class."""

IDS = {
    "D": "fct_decision",
    "A": "fct_action",
    "M": "fct_meeting_note",
    "R": "fct_reflection",
    "U": "fct_ai_declaration",
    "Q": "fct_requirement",
    "K": "fct_circumstance",
    "P": "fct_professionalism_report",
}
"""What stands before the ids of records that are no assessments, and where these lie."""
SHORTENED = (
    ("fct_reflection", 2, "more under"),
    ("fct_action", 5, "more on the page"),
    ("portfolio_conflict", 4, "more on the page"),
    ("portfolio_signal", 3, "more on the page"),
)
"""What is listed up to a number, and how the rest is told."""
FORMULAS = ("n ÷ (1 + r × (Σm² ÷ n − 1))", "r = 2 ÷ π × arcsin ρ")  # noqa: RUF001
CONSTANT = ("90 % interval", "90 % ", *FORMULAS)
VERSION = re.compile(r"\bv(\d+)\b")
DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b(?: \d{2}:\d{2} UTC)?")
MORE = re.compile(r"\band (\d+) more\b")


class Prose(HTMLParser):
    """The text of a page's main part, but drawings and the tables that are proved elsewhere."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._inside = False
        self._skipping: list[str] = []
        self._parts: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        text = " ".join("".join(self._parts).split())
        self.text = text.replace(f"edition {path.parents[1].name}", "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs).get("class") or ""
        if tag == "main":
            self._inside = True
        if self._skipping:
            self._skipping += [tag] if tag == self._skipping[0] else []
        elif tag == "svg" or (tag in {"thead", "tbody"} and self._table in PROVED_ELSEWHERE):
            self._skipping.append(tag)
        elif tag == "table":
            self._table = named
        self._parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self._inside = False
        if self._skipping and tag == self._skipping[0]:
            self._skipping.pop()

    def handle_data(self, data: str) -> None:
        if self._inside and not self._skipping:
            self._parts.append(data)


def test_no_number_is_left_when_those_of_the_edition_are_taken_away(
    drawn: list[Path], con: duckdb.DuckDBPyConnection
) -> None:
    n_taken = 0
    for path in drawn:
        page = Prose(path).text
        left, n = take_away(page, path.stem, con)
        assert not re.search(r"\d", left), (path.stem, around(left))
        n_taken += n
    assert n_taken > 1000


@pytest.mark.parametrize(
    ("shown", "wrong"),
    [
        (r"(\d+) of (\d+) competenc", r"1\1 of \2 competenc"),
        (r"(\d+) forms with words", r"1\1 forms with words"),
        (r"level (\d) \(target (\d)\)", r"level 1\1 (target \2)"),
        (r"(\d+) on record", r"1\1 on record"),
        (r"(\d+) of them not sat", r"1\1 of them not sat"),
        (r"latest ([^:]+): (\d+)", r"latest \1: 1\2"),
        (r"due (\d{4})", r"due 1\1"),
        (r"(\d+) within the task", r"1\1 within the task"),
        (r"Growth: Over (\d+)", r"Growth: Over 1\1"),
        (r" v(\d)", r" v1\1"),
    ],
)
def test_a_number_that_the_edition_does_not_say_is_left(
    drawn: list[Path], con: duckdb.DuckDBPyConnection, shown: str, wrong: str
) -> None:
    path = drawn[0].with_name(f"{FULL}.html")
    page = Prose(path).text
    changed = re.sub(shown, wrong, page, count=1)
    assert changed != page
    left, _ = take_away(changed, path.stem, con)
    assert re.search(r"\d", left)


def around(text: str) -> list[str]:
    """Return what is written around the digits that are left."""
    return [text[max(m.start() - 40, 0) : m.end() + 40] for m in re.finditer(r"\d+", text)][:25]


def take_away(page: str, key: str, con: duckdb.DuckDBPyConnection) -> tuple[str, int]:
    """Take away whatever SQL says of a learner that holds a digit; return the rest, and how much.

    Whole sentences go first, then what a page puts together, then days and versions.
    """
    n = 0

    def without(found: str) -> None:
        nonlocal page, n
        shown = " ".join(found.split())
        if re.search(r"\d", shown) and shown in page:
            n += page.count(shown)
            page = page.replace(shown, " ")

    texts, days, versions, lengths = told(key, con)
    for text in sorted(texts, key=len, reverse=True):
        without(text)
    for text in sorted(composed(key, con), key=len, reverse=True):
        without(text)
    for pattern, allowed in ((DAY, days), (VERSION, versions), (MORE, lengths)):
        found = {m[0]: m for m in pattern.finditer(page)}
        for match in sorted(found.values(), key=lambda m: len(m[0]), reverse=True):
            said = match[match.re.groups]
            if said in allowed:
                n += 1
                page = re.sub(rf"(?<![\w-]){re.escape(match[0])}(?![\w-])", " ", page)
    for constant in CONSTANT:
        page = page.replace(constant, " ")
    return page, n


def told(key: str, con: duckdb.DuckDBPyConnection) -> tuple[set[str], set[str], set[str], set[str]]:
    """Return texts, days, rule versions and lengths of lists in all rows about a learner."""
    tables = con.execute(
        "select table_name, bool_or(column_name = 'learner_key') from duckdb_columns() "
        "where not internal group by table_name order by table_name"
    ).fetchall()
    texts: set[str] = set()
    days: set[str] = set()
    versions: set[str] = set()
    lengths: set[str] = set()
    for table, is_about_people in tables:
        where = "where learner_key = ?" if is_about_people else ""
        cursor = con.execute(f'select * from "{table}" {where}', [key] if where else [])
        names = [column[0] for column in cursor.description or ()]
        for row in cursor.fetchall():
            for name, value in zip(names, row, strict=True):
                if isinstance(value, str) and name == "rule_version":
                    versions.add(value)
                elif isinstance(value, str) and re.search(r"[^\W\d]", value):
                    texts |= {value, words.plain(value)}
                elif isinstance(value, list):
                    texts |= {text for text in value if isinstance(text, str)}
                    lengths |= {str(len(value) - shown) for shown in (2, 3, 4, 6)}
                elif isinstance(value, datetime):
                    days |= {words.instant(value), words.day(value)}
                elif isinstance(value, date):
                    days.add(words.day(value))
    return {t for t in texts if len(t) > 3}, days, versions, lengths


def composed(key: str, con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield what a page puts together from several cells, each by a query of its own."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        return con.execute(query, [key] * query.count("?")).fetchall()

    for prefix, table in IDS.items():
        query = f"select upper(record_key[1:12]) from {table} where learner_key = ?"
        yield from (f"{prefix}-{told}" for (told,) in ask(query))
    for table, shown, told in SHORTENED:
        ((n,),) = ask(f"select count(*) from {table} where learner_key = ?")
        yield f"{n - shown} {told}"
    for (n,) in ask("select count(*) from portfolio_signal_closed where learner_key = ?"):
        yield f"came: {words.count(n, 'signal')}"
    for n, held_back in ask(
        "select count(*), sum(len(held_back_titles)) from portfolio_signal where learner_key = ?"
    ):
        limit = f"limit of {words.count(n, 'signal')} a learner"
        yield f"{limit}: {words.count(held_back or 0, 'rule')}"
    yield from of_requirements(ask)
    yield from of_the_grid(ask)
    yield from of_the_words(ask)
    yield from of_exams(ask)
    for n, code in ask(
        "select count(*), reconciliation from fct_ai_declaration "
        "where learner_key = ? and not is_amended group by all"
    ):
        yield f"{n} {words.reconciled(code, n)}"
    for n in ask(
        "select count(*) from fct_ai_declaration where learner_key = ? and not is_amended "
        "and has_patient_data"
    ):
        yield f"Patient data entered into a tool, as declared: {n[0]} ."
    for required, done, overdue in ask(
        "select required_n, n_done, n_days_overdue from fct_action where learner_key = ?"
    ):
        yield f"{done} of {required} seen"
        yield f"overdue {words.count(overdue or 0, 'day')}"
    for cohort, leave, held in ask(
        "select l.cohort_id, l.n_days_leave, a.n_quarantined from dim_learner as l "
        "left join committee_agenda as a using (learner_key) where l.learner_key = ?"
    ):
        yield f"cohort {cohort}"
        yield f"{words.weeks(leave or 0)} of time out so far"
        yield f"{words.count(held or 0, 'row')} of this learner"


def of_the_grid(ask: Any) -> Iterator[str]:
    """Yield the sentences of the first look."""
    mine = (
        "from portfolio_competency_status where learner_key = ? and is_default and is_current_stage"
    )
    n = Counter(dict(ask(f"select status, count(*) {mine} and is_required group by all")))
    whole, missing = n.total(), n["not_enough_evidence"]
    yield f"{whole - missing} of {words.count(whole, 'competency', 'competencies')}"
    yield f"{missing} do"
    for code, many in n.items():
        verb = "is" if many == 1 else "are"
        need = f"need{'s' if many == 1 else ''} discussion"
        is_open = code == "needs_discussion"
        yield f"{many} {need if is_open else f'{verb} {words.STATUS[code].lower()}'}"
    for (level,) in ask(f"select distinct target_level {mine}"):
        yield f"Target: level {level}"
    for (many,) in ask(
        "select count(*) from portfolio_competency_status as s join fct_evidence as e "
        "on s.learner_key = e.learner_key and list_contains(s.evidence_ids, e.evidence_id) "
        "where s.learner_key = ? and s.is_default and s.is_current_stage and e.level is not null "
        "and s.target_scale_id = e.scale_id and s.target_level <> e.target_level "
        "group by s.competency_id"
    ):
        yield words.count(many, "rating was", "ratings were")
    for wanted, reached, rated in ask(
        "select max(wanted_dependability), count(*) filter (is_reached), count(*) "
        "from portfolio_dependability as d join portfolio_competency_status as s "
        "using (learner_key, stage_id, competency_id) "
        "where d.learner_key = ? and s.is_default and s.is_current_stage"
    ):
        competencies = words.count(rated, "competency", "competencies")
        yield f"dependability of {figure(wanted)} on {reached} of {competencies}"
    for items, apart in ask(
        "select count(distinct (instrument_id, coalesce(competency_id, ''), scale_id)), "
        "count(*) filter (is_self_apart) from portfolio_msf where learner_key = ?"
    ):
        yield f"{words.count(items, 'item')} by groups"
        yield f"on {apart} of them the learner"


def of_requirements(ask: Any) -> Iterator[str]:
    """Yield how many mandatory requirements are met, and how far one has come."""
    for met, many in ask(
        "select count(*) filter (state in ('met', 'waived')), count(*) from fct_requirement "
        "where learner_key = ?"
    ):
        yield f"Mandatory: {met} of {words.count(many, 'requirement')}"
    for done, required in ask(
        "select n_done, required_n from fct_requirement where learner_key = ? and n_done >= 0"
    ):
        yield f"{done} of {required}"
    yield f"{met} of {words.count(many, 'requirement')} met or waived"
    yield "Page 2."
    for table, one, several in (
        ("fct_circumstance", "circumstance", "circumstances"),
        ("fct_professionalism_report", "report on conduct", "reports on conduct"),
    ):
        ((n,),) = ask(f"select count(*) from {table} where learner_key = ?")
        yield words.count(n, one, several)
    ((n,),) = ask(
        "select count(*) from fct_learner_stage where learner_key = ? and period_type in "
        "('leave', 'intercalation', 'clock_stop', 'part_time')"
    )
    yield words.count(n, "time away or part time", "times away or part time")


def of_the_words(ask: Any) -> Iterator[str]:
    """Yield how many comments there are, and in which context each was made."""
    for picked, whole, flagged in ask(
        "select count(picks.comment_key), count(*), count(*) filter (is_flagged) "
        "from portfolio_narrative as comments "
        "left join portfolio_narrative_pick as picks using (learner_key, comment_key) "
        "where learner_key = ?"
    ):
        yield f"{picked} of {words.count(whole, 'form with words', 'forms with words')}"
        yield f"page 2, {flagged} of them"
    yield "page 2"
    for level, target in ask(
        "select distinct level, target_level from portfolio_narrative where learner_key = ?"
    ):
        yield f"level {level} (target {target})"
        yield f"level {level}"
    for shown, wanted, counts, middle, sentence in ask(
        "select n_respondents, n_wanted, level_counts, level_median, sentence from portfolio_msf "
        "where learner_key = ?"
    ):
        yield f"feedback: {sentence[:1].lower()}{sentence[1:]}"
        beside = "" if wanted is None else f" /{wanted}"
        yield f" {figure(shown)}{beside} {counts or '–'} {figure(middle)} "


def of_exams(ask: Any) -> Iterator[str]:
    """Yield what is said of the latest sitting of each series, and how many there were."""
    for on, points, most, share, sem in ask(
        "select occurred_on, points, max_points, score_share, sem from portfolio_exam "
        "where learner_key = ?"
    ):
        if share is not None:
            cent = int((share * 100).quantize(Decimal(1), ROUND_HALF_UP))
            yield f"{on}: {figure(points)} of {figure(most)} ({cent} %)"
            yield f"{on} ({figure(points)} of {figure(most)})"
        yield f"standard error {figure(sem)}"
    for (n,) in ask(
        "select count(*) from portfolio_exam where learner_key = ? "
        "group by case when is_progress_test then 'progress' else task_id end"
    ):
        yield f"{n} on record"
    for (n,) in ask(
        "select count(*) from portfolio_exam where learner_key = ? group by instrument_id"
    ):
        yield f"{n} on record"
    for (n,) in ask(
        "select count(*) from portfolio_exam where learner_key = ? "
        "and sitting_status = 'absent' group by instrument_id"
    ):
        yield f"{n} of them not sat"


def figure(value: Any) -> str:
    if value is None:
        return "–"
    return f"{Decimal(str(value)).quantize(Decimal('0.01')).normalize():f}"
