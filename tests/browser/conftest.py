"""A pack opened from disk in a real Chromium; without one these tests skip and say why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.committee import pack, views
from pipelines.committee.picture import FLAGS, chromium
from pipelines.home import Home
from pipelines.settings import Settings
from tests.chromium import playwright_or_skip
from tests.committee.edition import publish_edition


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium that ends with these tests, since its driver keeps an event loop running."""
    playwright = playwright_or_skip()
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with an edition of eight learners."""
    home = Home.open(tmp_path_factory.mktemp("home"))
    publish_edition(home, 8)
    return home


@pytest.fixture(scope="module")
def built(home: Home) -> Path:
    """The pack of that edition."""
    return pack.build(home, Settings(home=home.root))


@pytest.fixture(scope="module")
def shown(home: Home) -> Path:
    """The views of learners, mentors and the programme."""
    for role in ("learner", "mentor", "programme"):
        views.build(home, Settings(home=home.root), role)
    return home.views


class Watched:
    """A page, with all that it asked for and complained about."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))

    def open(self, path: Path, anchor: str = "") -> Any:
        """Go to a page on disk."""
        self.page.goto(path.as_uri() + anchor)
        return self.page


@pytest.fixture
def watched(browser: Any) -> Iterator[Watched]:
    """A fresh page on a desk-sized window."""
    context = browser.new_context(viewport={"width": 1180, "height": 900})
    yield Watched(context.new_page())
    context.close()
