"""What the pages hold, in which order, and that nothing people wrote becomes markup."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from pipelines.committee import learner
from pipelines.committee.queries import Portfolio
from pipelines.committee.render import Agenda, Pages
from tests.committee.edition import EMPTY, FULL, HOSTILE, HOSTILE_TEXTS, STRAY
from tests.committee.markup import Page

READING_ORDER = (
    "Last meeting",
    "In one look",
    "Sufficiency and trend",
    "Conflicts",
    "In their words",
    "Learner’s words",
    "Exams",
    "AI use, as declared",
    "Open signals",
    "Caveats of the data",
    "Decision",
    "Every comment",
    "How this was computed",
)


def _pages(built: Path) -> list[Page]:
    return [Page(path) for path in sorted(built.rglob("*.html"))]


@pytest.mark.parametrize("key", [FULL, HOSTILE, EMPTY, STRAY])
def test_a_page_follows_the_reading_order(built: Path, key: str) -> None:
    text = (built / "learners" / f"{key}.html").read_text(encoding="utf-8")
    headings = [re.sub("<.*?>", "", h) for h in re.findall(r"<h2[^>]*>(.*?)</h2>", text)]
    places = [
        next(i for i, heading in enumerate(headings) if heading.startswith(wanted))
        for wanted in READING_ORDER
    ]
    assert places == sorted(places)


def test_a_page_opens_with_what_was_agreed_and_whether_it_was_done(built: Path) -> None:
    text = Page(built / "learners" / f"{FULL}.html").text
    assert "Targeted support: handover." in text
    assert "overdue 12 days" in text
    assert "3 of 3 seen, done 2026-09-03" in text
    assert text.index("Targeted support") < text.index("In one look")


def test_a_page_names_its_edition_and_its_clocks(built: Path, portfolio: Portfolio) -> None:
    text = Page(built / "learners" / f"{FULL}.html").text
    assert f"edition {portfolio.edition_id}" in text
    assert "as of 2026-11-28" in text
    assert "known to 2026-11-28 00:00 UTC" in text
    assert "6 weeks of time out so far" in text


def test_leave_intercalation_and_stopped_clocks_are_told_together_as_time_out(built: Path) -> None:
    text = Page(built / "learners" / f"{FULL}.html").text
    assert "6 weeks of time out" in text
    assert "of leave" not in text


def test_every_link_of_every_page_leads_somewhere(built: Path) -> None:
    ids = {page.path.resolve(): set(page.ids) for page in _pages(built)}
    for page in _pages(built):
        for link in page.links:
            target, _, anchor = link.partition("#")
            path = (page.path.parent / unquote(target)).resolve() if target else page.path.resolve()
            assert path.exists(), f"{page.path.name}: {link}"
            if anchor and anchor != "trend":
                assert anchor in ids[path], f"{page.path.name}: {link}"


def test_ids_are_used_once_on_a_page(built: Path) -> None:
    for page in _pages(built):
        assert len(page.ids) == len(set(page.ids)), page.path.name


def test_every_number_of_the_grid_leads_to_the_evidence_behind_it(built: Path) -> None:
    text = (built / "learners" / f"{FULL}.html").read_text(encoding="utf-8")
    table = text[text.index('<table class="sufficiency">') : text.index("</table>")]
    body = table[table.index("<tbody>") :]
    numbers = re.findall(r'class="n[ "]', body)
    linked = re.findall(rf'<a class="n" href="\.\./evidence/{FULL}\.html#c\d+', body)
    zeros = re.findall(r'<span class="n none">0</span>', body)
    assert len(linked) > 50
    assert len(numbers) == len(linked) + len(zeros)


def test_hostile_words_are_text_and_nothing_else(built: Path) -> None:
    for page in _pages(built):
        scripts = page.tags.count("script")
        assert scripts == (1 if page.path.name == "index.html" else 0)
        assert "img" not in page.tags
        assert not [name for name, _ in page.attributes if name.startswith("on")]
        assert not [name for name, _ in page.attributes if name == "style"]
        assert not [link for link in page.links if ":" in link]


def test_hostile_words_survive_word_for_word(built: Path, portfolio: Portfolio) -> None:
    raw = Page(built / "evidence" / f"{HOSTILE}.html").raw_text
    written = {
        e[name]
        for e in portfolio.rows("evidence", HOSTILE)
        for name in ("narrative_strengths", "narrative_improvements")
        if e[name]
    }
    assert written <= set(HOSTILE_TEXTS)
    assert len(written) > 5
    for text in written:
        assert text in raw


def test_pages_ask_for_nothing_from_outside(built: Path) -> None:
    for page in _pages(built):
        text = page.path.read_text(encoding="utf-8")
        assert "http://" not in text
        assert "https://" not in text
        assert "default-src 'none'" in text


def test_not_enough_evidence_is_neutral(built: Path) -> None:
    css = (built / "assets" / "pack.css").read_text(encoding="utf-8")
    assert ".sufficiency .not-enough-evidence .status { color: var(--muted); }" in css
    assert not re.search(r"(?<![-\w])red(?![-\w])", css)


def test_pages_speak_neutrally(built: Path) -> None:
    never = re.compile(r"cheat|suspect|misconduct|detector|percentile|ranking", re.IGNORECASE)
    for key in (FULL, EMPTY, STRAY):
        assert not never.search(Page(built / "learners" / f"{key}.html").text)


def test_a_learner_without_evidence_reads_as_missing_and_not_as_zero(built: Path) -> None:
    text = Page(built / "learners" / f"{EMPTY}.html").text
    assert "No decision on record." in text
    assert "No exam on record." in text
    assert "A missing declaration is not a declaration of no use." in text
    assert "No evidence has arrived" in Page(built / "evidence" / f"{EMPTY}.html").text


def test_an_interval_and_its_n_stand_beside_every_share(built: Path) -> None:
    text = (built / "learners" / f"{FULL}.html").read_text(encoding="utf-8")
    cells = re.findall(r'<td class="num share">(.*?)</td>', text, re.DOTALL)
    shares = [re.sub("<.*?>", "", cell) for cell in cells]
    assert len(shares) == 13
    for share in shares:
        assert re.fullmatch(r"–|\d+ of \d+ · \d+ % \(\d+–\d+\)", share.strip())


def test_the_agenda_lists_the_whole_cohort_by_reason(built: Path, portfolio: Portfolio) -> None:
    page = Page(built / "index.html")
    listed = [link for link in page.links if link.startswith("learners/")]
    assert sorted(listed) == sorted(f"learners/{r['learner_key']}.html" for r in portfolio.learners)
    assert page.text.index("To discuss") < page.text.index("Picture incomplete")


def test_what_a_status_counts_does_not_sort_the_agenda() -> None:
    sortable = {label for label, kind in Agenda([]).columns if kind}
    assert "Enough evidence" not in sortable


def test_data_quality_shows_ledger_reasons_freshness_measurement_and_rules(built: Path) -> None:
    text = Page(built / "quality.html").text
    assert "10 deliveries, 1784 records read: 1604 accepted, 54 duplicate" in text
    assert "unknown label" in text
    assert "1 delivery is held" in text
    assert "dependability of a mean is 0.68" in text
    assert "Moonen-van Loon et al. 2013" in text
    assert "No source is called <b>unknown</b>." in text


def test_error_dependability_adjustment_and_feedback_stand_on_the_page(built: Path) -> None:
    text = Page(built / "learners" / f"{FULL}.html").text
    for said in (
        "standard error 5.75",
        "bar on a point = its standard error to each side",
        "Growth: Over 8 tests",
        "A dependability of 0.70 takes",
        "Adjusted is an approximation (Logistic model, by Laplace approximation)",
        "status would be developing",
        "all others that show6/154:2 5:4",
        "Not shown: fewer than 5 respondents.",
        "from a minimum number of respondents on",
        "(8 %, 57)",
    ):
        assert said in text, said


def test_a_page_stays_small(built: Path) -> None:
    for path in built.rglob("*.html"):
        assert path.stat().st_size < 400_000, path.name


def test_much_evidence_stands_on_several_pages_and_every_link_finds_its_form(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learner, "A_PAGE", 40)
    (row,) = (r for r in portfolio.learners if r["learner_key"] == FULL)
    page = learner.assemble(portfolio, row)
    pages = dict(Pages(portfolio).evidence(page))
    assert len(pages) > 2
    assert list(pages)[:2] == [f"{FULL}.html", f"{FULL}-2.html"]
    ids = {file: set(re.findall(r' id="([^"]+)"', text)) for file, text in pages.items()}
    assert sum(text.count("<article") for text in pages.values()) == len(page.forms)
    for file, text in pages.items():
        for target, anchor in re.findall(r'href="([^"#/]*)#([^"]+)"', text):
            assert anchor == "main" or anchor in ids[target or file], (file, target, anchor)
    shown = Pages(portfolio).learner(page)
    for target, anchor in re.findall(r'href="\.\./evidence/([^"#]+)#([^"]+)"', shown):
        assert anchor in ids[target], (target, anchor)


def test_an_unknown_field_in_a_template_is_an_error(portfolio: Portfolio) -> None:
    from jinja2 import UndefinedError

    pages = Pages(portfolio)
    with pytest.raises(UndefinedError):
        pages._render("quality.html", root="")
