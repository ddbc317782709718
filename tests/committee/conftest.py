"""One published edition and its pack, made once for all tests that only read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.committee import pack
from pipelines.committee.edition import find
from pipelines.committee.queries import Portfolio, read
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import publish_edition


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with an edition of six learners, current."""
    home = Home.open(tmp_path_factory.mktemp("home"))
    publish_edition(home, 6)
    return home


@pytest.fixture(scope="session")
def portfolio(home: Home) -> Portfolio:
    """What that edition says."""
    return read(find(home, None))


@pytest.fixture(scope="session")
def built(home: Home) -> Path:
    """The pack of that edition."""
    return pack.build(home, Settings(home=home.root))


@pytest.fixture
def fresh(tmp_path: Path) -> Home:
    """A home of its own, with an edition of four learners, for tests that break things."""
    home = Home.open(tmp_path / "home")
    publish_edition(home, 4)
    return home
