from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.committee.picture import HEIGHTS
from tests.chromium import playwright_or_skip
from tests.committee.edition import EMPTY, FULL, HOSTILE

if TYPE_CHECKING:
    from tests.browser.conftest import Watched

pytestmark = pytest.mark.slow

HAS_ARIAL_METRICS = """
() => {
  const drawing = document.createElement("canvas").getContext("2d");
  drawing.font = '100px Arial, "Helvetica Neue", "Liberation Sans"';
  return Math.abs(drawing.measureText("m").width - 83.3) < 0.5;
}
"""
"""Whether the page is set in the letters that it is laid out for."""


def _learners(page: Any) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        "#agenda tbody tr:not(.group):not([hidden]) th a",
        "links => links.filter(a => !a.closest('tbody').hidden).map(a => a.textContent)",
    )
    return found


def test_every_page_opens_from_disk_without_a_request_leaving_or_a_complaint(
    built: Path, watched: Watched
) -> None:
    for path in sorted(built.rglob("*.html")):
        watched.open(path)
    assert watched.complaints == []
    assert watched.requests
    assert {url.split(":")[0] for url in watched.requests} == {"file"}
    assert all(url.startswith(built.as_uri()) for url in watched.requests)


def test_the_style_sheet_is_used_and_the_page_does_not_scroll_sideways(
    built: Path, watched: Watched
) -> None:
    page = watched.open(built / "learners" / f"{FULL}.html")
    assert page.evaluate("getComputedStyle(document.body).maxWidth") == "1120px"
    for width in (1180, 900, 420):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_agenda_sorts_both_ways_and_back_to_the_proposed_order(
    built: Path, watched: Watched
) -> None:
    page = watched.open(built / "index.html")
    proposed = _learners(page)
    button = page.get_by_role("button", name="Learner")
    button.click()
    ascending = _learners(page)
    assert page.locator("th[aria-sort=ascending]").count() == 1
    button.click()
    assert _learners(page) != ascending
    button.click()
    assert _learners(page) == proposed


def test_sorting_works_from_the_keyboard_and_never_mixes_the_groups(
    built: Path, watched: Watched
) -> None:
    page = watched.open(built / "index.html")
    groups = page.locator("#agenda tr.group").all_inner_texts()
    page.get_by_role("button", name="Actions open").focus()
    page.keyboard.press("Enter")
    assert page.locator("#agenda tr.group").all_inner_texts() == groups
    firsts = page.eval_on_selector_all(
        "#agenda tbody", "bodies => bodies.map(b => b.rows[0].className)"
    )
    assert set(firsts) == {"group"}


def test_the_agenda_filters_by_words_and_by_reason(built: Path, watched: Watched) -> None:
    page = watched.open(built / "index.html")
    everyone = _learners(page)
    page.get_by_label("Find").fill("4f7k")
    assert _learners(page) == [FULL]
    assert page.locator("#shown").inner_text() == "1 learner"
    page.get_by_label("Find").fill("")
    page.get_by_label("Reason").select_option("action_overdue")
    assert _learners(page) == [FULL]
    page.get_by_label("Reason").select_option("")
    assert _learners(page) == everyone
    page.get_by_label("Find").fill("nobody is called this")
    assert _learners(page) == []
    assert page.get_by_text("No learner matches.").is_visible()


def test_a_number_leads_to_evidence_ids_and_an_id_to_its_form(
    built: Path, watched: Watched
) -> None:
    page = watched.open(built / "index.html")
    page.get_by_role("link", name=FULL).click()
    number = page.locator(".sufficiency td.share a.n").first
    n = int(number.inner_text())
    number.click()
    behind = page.locator(":target")
    ids = behind.locator("a.id").all_inner_texts()
    assert len(ids) == n
    behind.locator("a.id").first.click()
    form = page.locator("article:target")
    assert form.locator("h3").inner_text().startswith(ids[0])
    assert "delivery" in form.locator("p").last.inner_text()
    form.locator("p a").click()
    assert page.locator("tr:target").count() == 1


def test_the_trend_is_drawn_in_each_line_and_said_in_words(built: Path, watched: Watched) -> None:
    page = watched.open(built / "learners" / f"{FULL}.html")
    strips = page.locator("td.trend svg[role=img]")
    assert strips.count() == 12
    assert re.match(r"\d+ ratings? from \d{4}", strips.first.get_attribute("aria-label"))
    box = strips.first.bounding_box()
    assert box["width"] > 200
    assert box["height"] > 20


def test_hostile_words_do_nothing(built: Path, watched: Watched) -> None:
    for name in ("learners", "evidence"):
        page = watched.open(built / name / f"{HOSTILE}.html")
        assert "owned" not in page.title()
        assert page.locator("main h1").count() == 1
        assert page.locator("img").count() == 0
    watched.open(built / "index.html")
    assert watched.page.title() == "Agenda"
    assert watched.complaints == []


def test_a_script_that_slipped_in_would_not_run(built: Path, watched: Watched) -> None:
    page = watched.open(built / "learners" / f"{FULL}.html")
    page.evaluate(
        "const s = document.createElement('script');"
        "s.textContent = \"document.title = 'owned'\"; document.body.append(s)"
    )
    assert page.title() != "owned"
    assert "Content Security Policy" in " ".join(watched.complaints)


ACROSS, ALONG = 741, 1069
"""What of an A4 side lies within the margins, in pixels."""


def _on_paper(watched: Watched, path: Path, width: int = ACROSS) -> Any:
    """Open a page as it is printed."""
    page = watched.open(path)
    if not page.evaluate(HAS_ARIAL_METRICS):
        pytest.skip("no font with Arial's metrics: install the Debian package fonts-liberation")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": width, "height": 1054})
    return page


IN_A_DRAWING = """
() => [...document.querySelectorAll(".essentials svg text")].map((text) => {
  const drawn = text.closest("svg").getBoundingClientRect().width;
  const across = text.closest("svg").viewBox.baseVal.width;
  return parseFloat(getComputedStyle(text).fontSize) * drawn / across;
});
"""
"""How large the letters of the drawings come out, in pixels."""

OF_THE_AXIS = """
() => {
  const size = parseFloat(getComputedStyle(document.querySelector("#trend text")).fontSize);
  const head = document.querySelector(".sufficiency thead svg");
  return size * head.getBoundingClientRect().width / head.viewBox.baseVal.width;
}
"""

CUT = """
() => [...document.querySelectorAll(".sufficiency th, .sufficiency td")]
  .filter((cell) => cell.getClientRects().length)
  .filter((cell) => {
    const words = document.createRange();
    words.selectNodeContents(cell);
    const inner = words.getBoundingClientRect(), outer = cell.getBoundingClientRect();
    const next = cell.nextElementSibling?.getBoundingClientRect();
    const cuts = getComputedStyle(cell).overflow !== "visible";
    return !cell.matches(".trend") && (
      (cuts && (inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1)) ||
      (cell.matches("th[scope=row], .status") && inner.right > (next ?? outer).left + 1)
    );
  })
  .map((cell) => cell.textContent.trim());
"""
"""The cells of the grid whose words are cut off, or run into the next cell."""

HALF_SHOWN = """
() => {
  const list = document.querySelector(".essentials .comments");
  if (!list) return [];
  const box = list.getBoundingClientRect();
  return [...list.children].map((one) => one.getBoundingClientRect())
    .filter((one) => one.left < box.right && one.bottom > box.bottom + 1).map((one) => one.top);
}
"""


def test_on_paper_every_name_is_whole_and_no_letter_is_smaller_than_nine_points(
    built: Path, watched: Watched
) -> None:
    n_drawn = n_names = 0
    for path in sorted((built / "learners").glob("*.html")):
        page = _on_paper(watched, path)
        assert page.evaluate(CUT) == [], path.stem
        assert page.evaluate(HALF_SHOWN) == [], path.stem
        names = page.locator(".sufficiency tbody th").all_inner_texts()
        n_names += len(names)
        assert not [name for name in names if "…" in name]
        if page.locator("#trend text").count():
            assert page.evaluate(OF_THE_AXIS) >= 11.9
        drawn = page.evaluate(IN_A_DRAWING)
        n_drawn += len(drawn)
        assert min(drawn, default=12) >= 11.9, path.stem
    assert n_names > 50
    assert n_drawn > 20


def test_a_name_that_is_cut_on_paper_is_found(built: Path, watched: Watched) -> None:
    page = _on_paper(watched, built / "learners" / f"{FULL}.html")
    page.eval_on_selector(
        ".sufficiency tbody th",
        "e => { e.style.whiteSpace = 'nowrap'; e.textContent += e.textContent; }",
    )
    assert len(page.evaluate(CUT)) == 1
    page.eval_on_selector("#trend text", "e => { e.style.fontSize = '11px'; }")
    assert page.evaluate(OF_THE_AXIS) < 11.9


def test_the_essentials_of_every_learner_end_on_the_first_side(
    built: Path, watched: Watched
) -> None:
    for path in sorted((built / "learners").glob("*.html")):
        page = _on_paper(watched, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 741, path.stem
        top, bottom = page.eval_on_selector_all(*EDGES)
        assert bottom - top <= 279 / 25.4 * 96, path.stem


EDGES = (
    ".essentials > .who, .essentials > .decision",
    "parts => [parts[0].getBoundingClientRect().top, parts[1].getBoundingClientRect().bottom]",
)


@pytest.mark.parametrize("key", [FULL, HOSTILE, EMPTY])
def test_the_essentials_print_on_one_side_at_nine_points(
    built: Path, watched: Watched, tmp_path: Path, key: str
) -> None:
    page = _on_paper(watched, built / "learners" / f"{key}.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= 741
    sizes = page.eval_on_selector_all(
        ".essentials *",
        "all => all.filter(e => !e.closest('svg') && e.childNodes.length && [...e.childNodes]"
        ".some(n => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize))",
    )
    assert min(sizes) >= 12
    top, bottom = page.eval_on_selector_all(*EDGES)
    assert bottom - top <= 279 / 25.4 * 96
    strips = page.eval_on_selector_all(
        ".sufficiency tbody tr",
        "rows => rows.map(r => [...r.querySelectorAll('svg.draw')]"
        ".filter(s => s.getClientRects().length).length)",
    )
    assert max(strips, default=0) <= 1
    printed = tmp_path / "page.pdf"
    page.pdf(path=str(printed), prefer_css_page_size=True)
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not here: the PDF itself was not read (package poppler-utils)")
    first = _text(printed, 1)
    for part in ("IN ONE LOOK", "CAVEATS", "DECISION", "Present, recused, dissent"):
        assert part in first
    assert "EVERY COMMENT" not in first
    assert "EVERY COMMENT" in _text(printed, 2)


BROKEN = """
() => {
  const broken = [];
  for (const cell of document.querySelectorAll(".scroll th, .scroll td")) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      if (text.parentElement.closest("a, .id, .delivery, .verbatim")) continue;
      for (const word of text.textContent.matchAll(/[^\\s-]+/g)) {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        const tops = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
        if (tops.size > 1) broken.push(word[0]);
      }
    }
  }
  return broken;
}
"""
"""The words and numbers of tables that are broken from one line to the next."""


def test_on_paper_no_table_breaks_a_word_or_a_number_or_is_wider_than_the_side(
    built: Path, shown: Path, watched: Watched
) -> None:
    upright = [
        built / "index.html",
        built / "evidence" / f"{FULL}.html",
        *sorted((built / "learners").glob("*.html")),
    ]
    wide = [built / "quality.html", *shown.glob("programme/*/index.html")]
    for paths, width in ((upright, ACROSS), (wide, ALONG)):
        for path in paths:
            page = _on_paper(watched, path, width)
            assert page.evaluate(BROKEN) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_number_that_is_broken_on_paper_is_found(built: Path, watched: Watched) -> None:
    page = _on_paper(watched, built / "learners" / f"{FULL}.html")
    page.eval_on_selector(
        ".precision td.num",
        "e => { e.style.display = 'block'; e.style.width = '1px'; e.style.whiteSpace = 'normal';"
        " e.style.overflowWrap = 'anywhere'; e.textContent = '0.3456'; }",
    )
    assert page.evaluate(BROKEN) == ["0.3456"]


def _text(printed: Path, side: int) -> str:
    command = ["pdftotext", "-f", str(side), "-l", str(side), str(printed), "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(built: Path, watched: Watched, scheme: str) -> None:
    page = watched.page
    page.emulate_media(color_scheme=scheme)
    for path in (built / "index.html", built / "learners" / f"{FULL}.html", built / "quality.html"):
        watched.open(path)
        assert page.evaluate(CONTRAST) >= 4.5


CONTRAST = """
() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => {
      const c = v / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = light(parse(getComputedStyle(document.body).backgroundColor));
  const seen = [...document.querySelectorAll("main *, nav *, footer *")].filter(
    (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())
  );
  return Math.min(...seen.map((e) => {
    const ink = light(parse(getComputedStyle(e).color));
    return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
  }));
}
"""


def test_everything_can_be_reached_by_keyboard_and_is_named(built: Path, watched: Watched) -> None:
    page = watched.open(built / "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    for path in (built / "index.html", built / "learners" / f"{FULL}.html"):
        watched.open(path)
        unnamed = page.eval_on_selector_all(
            "a, button, input, select, [role=img], [role=region]",
            "all => all.filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') "
            "|| e.getAttribute('aria-labelledby') || e.labels?.length)).length",
        )
        assert unnamed == 0


def test_the_pictures_of_the_documentation_can_be_taken(
    built: Path, shown: Path, tmp_path: Path
) -> None:
    playwright_or_skip()
    asked = [str(built), str(tmp_path), str(shown)]
    command = [sys.executable, "-m", "pipelines.committee.picture", *asked]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in tmp_path.iterdir()} == set(HEIGHTS)
