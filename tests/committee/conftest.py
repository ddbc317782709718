"""One published edition and its pack, made once for all tests that only read them."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.committee import pack
from pipelines.committee.edition import find
from pipelines.committee.queries import Portfolio, read
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import database_of, publish_edition


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


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a home with an edition of two learners, to copy from."""
    home = Home.open(tmp_path_factory.mktemp("small"))
    publish_edition(home, 2)
    return home.root


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with an edition of thirty learners, from whose pages some are drawn."""
    home = Home.open(tmp_path_factory.mktemp("large"))
    publish_edition(home, 30, seed=29)
    return home


@pytest.fixture(scope="session")
def drawn(large: Home) -> list[Path]:
    """Twenty pages of learners, others in each run."""
    folder = pack.build(large, Settings(home=large.root))
    seed = random.SystemRandom().randrange(10**6)
    sys.stdout.write(f"pages drawn with seed {seed}\n")
    return random.Random(seed).sample(sorted((folder / "learners").glob("*.html")), 20)


@pytest.fixture(scope="session")
def con(large: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of that edition."""
    with duckdb.connect(str(database_of(large)), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


@pytest.fixture
def fresh(small: Path, tmp_path: Path) -> Home:
    """A home of its own, for tests that break things."""
    shutil.copytree(small, tmp_path / "home", symlinks=True)
    return Home.open(tmp_path / "home")
