from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import great_expectations.expectations as gxe
import pytest

from expectations.data_docs import render
from expectations.engine import Engine
from expectations.registry import Suite, promise

LOADING = {"src", "srcset", "poster", "data", "background"}


class Requests(HTMLParser):
    """Collects what a browser would fetch on opening a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [f"{tag} {name}={given[name]}" for name in LOADING & given.keys()]
        if tag in {"link", "script", "iframe", "img", "base"}:
            self.found.append(f"{tag} {given}")
        if given.get("href", "").startswith(("http:", "https:", "//")):  # type: ignore[union-attr]
            self.found.append(f"{tag} href={given['href']}")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "data_docs"
    suites = [
        Suite(
            name,
            "select * from people",
            (
                promise(
                    gxe.ExpectColumnValuesToBeBetween,
                    rule=f"{name}.level",
                    severity="critical",
                    owner="assessment_unit",
                    words="Levels lie between 1 and 5.",
                    broken="{unexpected} of {n} levels lie outside.",
                    column="level",
                    min_value=1,
                    max_value=most,
                ),
                promise(
                    gxe.ExpectColumnValuesToBeInSet,
                    rule=f"{name}.who",
                    severity="warning",
                    owner="assessment_unit",
                    words="Nobody is named.",
                    broken="{unexpected} of {n} are named.",
                    column="who",
                    value_set=[],
                ),
            ),
        )
        for name, most in (("good", 5), ("bad", 1))
    ]
    with Engine() as engine:
        engine.execute("create table people as select 1 as level, 'Ann Other' as who")
        engine.execute("insert into people values (2, 'Bo Other')")
        findings = render(engine, suites, folder)
    assert [(f.rule, f.is_kept) for f in findings] == [
        ("good.level", True),
        ("good.who", False),
        ("bad.level", False),
        ("bad.who", False),
    ]
    return folder


def test_pages_ask_no_server(pages: Path) -> None:
    found = list(pages.rglob("*.html"))
    assert len(found) > 2
    for page in found:
        parser = Requests()
        text = page.read_text(encoding="utf-8")
        parser.feed(text)
        assert parser.found == []
        assert not re.search(r"url\(|@import|https?://", text)


def test_pages_say_what_was_promised_and_what_came_of_it(pages: Path) -> None:
    shown = "".join(page.read_text(encoding="utf-8") for page in pages.rglob("*.html"))
    assert "Levels lie between 1 and 5." in shown
    index = (pages / "index.html").read_text(encoding="utf-8")
    assert "4 promises were judged, 3 are broken." in index
    assert "1 of 2 levels lie outside." in index


def test_pages_hold_no_value_of_a_record(pages: Path) -> None:
    assert not any("Ann Other" in page.read_text("utf-8") for page in pages.rglob("*.html"))


def test_links_between_pages_lead_somewhere(pages: Path) -> None:
    for page in pages.rglob("*.html"):
        for href in re.findall(r'href="([^"#]+)"', page.read_text(encoding="utf-8")):
            assert (page.parent / href).exists(), f"{page.name} leads to {href}"


def test_data_docs_stay_small(pages: Path) -> None:
    assert sum(path.stat().st_size for path in pages.rglob("*") if path.is_file()) < 400_000
