"""A made-up school that went through the whole pipeline, shared by every test of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.run import Run, Wanted
from pipelines.settings import Settings
from pipelines.synth.cohort import make
from pipelines.synth.request import Request
from tests.longest import first
from tests.once import once


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    first(items)


@pytest.fixture(scope="session")
def school_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Home:
    """The home of 30 learners with every planted fault; the truth lies beside the home."""
    folder = once(tmp_path_factory, worker_id, "made-school", _publish_school)
    return Home.open(folder / "home")


def _publish_school(folder: Path) -> None:
    home = Home.open(folder / "home")
    make(Request(learners=30, seed=77), home.inbox, folder / "truth")
    Run(home, Settings(home=home.root), Wanted(pack=False)).go()
