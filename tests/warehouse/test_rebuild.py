"""An edition that follows from the log is proved; one that does not is told from one that moved."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.warehouse.build import build
from pipelines.warehouse.connection import WarehouseError
from pipelines.warehouse.editions import MANIFEST, folder_of, read_edition
from pipelines.warehouse.load import load
from pipelines.warehouse.publish import publish
from pipelines.warehouse.rebuild import rebuild
from tests.warehouse.small_project import day, fill, pass_audit

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shipped_project")]


@pytest.fixture
def published(home: Home, settings: Settings, log: Any) -> Iterator[Path]:
    fill(log)
    load(home, settings)
    build(home, settings)
    pass_audit(home)
    publish(home, settings)
    before = _contents(home)
    yield folder_of(home)
    assert _contents(home) == before, "rebuilding has changed the home"


def _contents(home: Home) -> set[Path]:
    return set(home.root.rglob("*"))


def test_an_edition_is_built_again_from_the_log_to_the_same_rows(
    home: Home, settings: Settings, published: Path
) -> None:
    found = rebuild(home, settings, published.name)
    assert found.is_proved
    assert found.equal == ("fct_score",)
    assert found.inputs == {}


def test_what_came_later_does_not_move_an_older_edition(
    home: Home, settings: Settings, published: Path, log: Any
) -> None:
    later = log.deliver(
        "later", known_at=day(20), exam_result=[{"record_id": "r9", "person": "p1", "score": 1}]
    )
    try:
        assert rebuild(home, settings).is_proved
    finally:
        _forget(home, later)


def test_an_edition_that_the_log_does_not_give_is_contradicted(
    home: Home, settings: Settings, published: Path
) -> None:
    manifest = published / MANIFEST
    text = manifest.read_text()
    digest = read_edition(published).files["tables/fct_score.parquet"]
    manifest.write_text(text.replace(digest, "0" * 64))
    found = rebuild(home, settings)
    assert found.differing == ("fct_score",)
    assert found.is_contradicted


def test_other_inputs_are_named_and_contradict_nothing(
    home: Home, settings: Settings, published: Path, project: Path
) -> None:
    model = next(project.rglob("fct_score.sql"))
    model.write_text(
        model.read_text().replace("score as score", "(score + 1)::decimal(18, 6) as score")
    )
    found = rebuild(home, settings)
    assert found.differing == ("fct_score",)
    assert list(found.inputs) == ["code_version"]
    assert not found.is_contradicted


def test_an_unknown_edition_is_refused(home: Home, settings: Settings) -> None:
    with pytest.raises(WarehouseError):
        rebuild(home, settings, "0123456789abcdef")


def _forget(home: Home, delivery_id: str) -> None:
    shutil.rmtree(home.deliveries / delivery_id)
    shutil.rmtree(home.receipts / delivery_id)
    for path in home.vault.rglob(f"*{delivery_id}*"):
        shutil.rmtree(path)
