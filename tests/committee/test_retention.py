"""A frozen pack whose time is over goes with its addenda; its record stays; a hold forbids it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.committee import addendum, freeze, proof, retention
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import FULL, publish_edition
from tests.committee.people import MEETING

WHY = "retention of ten years is over"


def hold(monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    people = [SimpleNamespace(person_key=key, is_held=True) for key in keys]
    registry: Any = SimpleNamespace(persons=lambda: people)
    monkeypatch.setattr(retention, "open_registry", lambda *_: registry)


def command(home: Home, *more: str) -> tuple[int, str]:
    given = ["pack", "retire", "--meeting", MEETING, "--by", "A. Muster", "--reason", WHY, *more]
    done = CliRunner().invoke(app, [*given, "--home", str(home.root), "--json"])
    return done.exit_code, done.output


def test_pack_and_addenda_go_and_the_record_is_named(
    fresh: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(monkeypatch, "L-SOMEBODYELSE")
    frozen = freeze.freeze(fresh, Settings(home=fresh.root), MEETING, "the registrar")
    publish_edition(fresh, 2, seed=8)
    addendum.add(fresh, frozen, "the registrar")
    assert command(fresh)[0] == 1
    assert freeze.reprint(fresh, frozen)
    code, said = command(fresh, "--yes")
    assert code == 0, said
    record_id = json.loads(said)["record_id"]
    with pytest.raises(freeze.RemovedError, match=f"by retention record {record_id}: {WHY}"):
        freeze.reprint(fresh, frozen)
    (added,) = addendum.addenda(fresh, frozen)
    with pytest.raises(freeze.RemovedError, match=f"by retention record {record_id}"):
        addendum.reprint(fresh, frozen, added)
    assert not list(freeze.place_of(fresh, frozen).glob("*.zip"))
    assert list(proof.problems_of_frozen(fresh, frozen)) == []
    assert command(fresh, "--yes")[0] == 2


def test_a_legal_hold_on_a_learner_forbids_it(fresh: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(monkeypatch, FULL)
    frozen = freeze.freeze(fresh, Settings(home=fresh.root), MEETING, "the registrar")
    code, said = command(fresh, "--yes")
    assert code == 3
    assert "1 learners in the pack" in " ".join(said.split())
    assert freeze.reprint(fresh, frozen)


def test_nobody_removes_what_was_frozen(fresh: Home) -> None:
    freeze.freeze(fresh, Settings(home=fresh.root), MEETING, "the registrar")
    done = CliRunner().invoke(
        app,
        ["pack", "retire", "--meeting", MEETING, "--by", "admin", "--reason", WHY, "--yes",
         "--home", str(fresh.root)],
    )  # fmt: skip
    assert done.exit_code == 2
