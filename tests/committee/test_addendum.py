"""What arrives after the freeze is an addendum with its own hash; the frozen pack stays."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.committee import addendum, freeze, proof
from pipelines.committee.addendum import Addendum, NothingArrivedError, differences
from pipelines.committee.freeze import FreezeError, Frozen, members
from pipelines.committee.queries import Portfolio
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import EMPTY, FULL, HOSTILE, publish_edition
from tests.committee.people import MEETING

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def small(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a home whose pack is frozen, to copy from."""
    copy = tmp_path_factory.mktemp("frozen") / "home"
    shutil.copytree(small, copy, symlinks=True)
    freeze.freeze(Home.open(copy), Settings(home=copy), MEETING, "the registrar")
    return copy


@pytest.fixture
def frozen(fresh: Home) -> Frozen:
    return freeze.frozen_pack(fresh, MEETING)


@pytest.fixture
def added(fresh: Home, frozen: Frozen) -> Addendum:
    publish_edition(fresh, 3, seed=8)
    return addendum.add(fresh, frozen, "the registrar")


def changed(portfolio: Portfolio, key: str, section: str, rows: list[Any]) -> Portfolio:
    of_learner = {**portfolio.of_learners[section], key: rows}
    return replace(portfolio, of_learners={**portfolio.of_learners, section: of_learner})


def test_what_arrived_was_replaced_or_was_withdrawn_is_told_apart(portfolio: Portfolio) -> None:
    first, second, *others = portfolio.rows("reflections", FULL)
    new = {**first, "evidence_id": "R-NEW"}
    moved = {**second, "delivery_id": "learners_words-ffff", "text": "Mended."}
    later = changed(portfolio, FULL, "reflections", [new, moved, *others])
    found = differences(portfolio, later, frozenset({FULL, HOSTILE, EMPTY}), MEETING)
    assert list(found) == [FULL]
    assert [(c.what, c.form.evidence_id) for c in found[FULL]] == [
        ("arrived", "R-NEW"),
        ("replaced", second["evidence_id"]),
        ("withdrawn", first["evidence_id"]),
    ]


def test_what_is_only_computed_is_no_evidence(portfolio: Portfolio) -> None:
    actions = [
        {**row, "n_done": 99, "is_overdue": False} for row in portfolio.rows("actions", FULL)
    ]
    later = changed(portfolio, FULL, "actions", actions)
    assert differences(portfolio, later, frozenset({FULL}), MEETING) == {}


def test_what_the_meeting_itself_decided_is_no_addendum_to_its_pack(portfolio: Portfolio) -> None:
    (last,) = portfolio.rows("decisions", FULL)
    own = {**last, "evidence_id": "D-OWN", "meeting_id": MEETING}
    later = changed(portfolio, FULL, "decisions", [own, last])
    agreed = {**portfolio.rows("actions", FULL)[0], "evidence_id": "A-OWN"}
    agreed |= {"decision_evidence_id": "D-OWN"}
    later = changed(later, FULL, "actions", [agreed, *portfolio.rows("actions", FULL)])
    assert differences(portfolio, later, frozenset({FULL}), MEETING) == {}
    (found,) = differences(portfolio, later, frozenset({FULL}), "another").values()
    assert {change.form.evidence_id for change in found} == {"D-OWN", "A-OWN"}


def test_learners_of_other_meetings_are_not_in_it(portfolio: Portfolio) -> None:
    later = changed(portfolio, FULL, "reflections", [])
    assert differences(portfolio, later, frozenset({HOSTILE}), MEETING) == {}


def test_an_addendum_has_a_hash_of_its_own_and_leaves_the_frozen_pack_alone(
    fresh: Home, frozen: Frozen, added: Addendum
) -> None:
    data = addendum.reprint(fresh, frozen, added)
    assert hashlib.sha256(data).hexdigest() == added.archive_sha256 != frozen.archive_sha256
    assert hashlib.sha256(freeze.reprint(fresh, frozen)).hexdigest() == frozen.archive_sha256
    files = dict(members(data))
    assert set(files) == {"addendum.html", "addendum.json", "assets/pack.css", "manifest.json"}
    told = json.loads(files["addendum.json"])
    assert len(told["changes"]) == added.n_changes > 0
    assert {c["learner_key"] for c in told["changes"]} == set(added.learners)
    page = files["addendum.html"].decode()
    assert all(f'id="{key}"' in page for key in added.learners)
    assert all(c["evidence_id"] in page for c in told["changes"])


def test_hostile_words_in_an_addendum_are_inert(
    fresh: Home, frozen: Frozen, added: Addendum
) -> None:
    assert HOSTILE in added.learners
    page = dict(members(addendum.reprint(fresh, frozen, added)))["addendum.html"].decode()
    assert "<script" not in page
    assert "<img" not in page


def test_the_same_later_edition_gives_the_addendum_that_stands(
    fresh: Home, frozen: Frozen, added: Addendum
) -> None:
    assert addendum.add(fresh, frozen, "somebody else") == added
    assert addendum.addenda(fresh, frozen) == [added]


def test_a_second_addendum_holds_only_what_came_since_the_first(
    fresh: Home, frozen: Frozen, added: Addendum
) -> None:
    publish_edition(fresh, 3, seed=9)
    second = addendum.add(fresh, frozen, "the registrar")
    assert second.since_edition_id == added.edition_id
    assert addendum.addenda(fresh, frozen) == [added, second]


def test_nothing_arrived_is_said_with_what_to_do(fresh: Home, frozen: Frozen) -> None:
    with pytest.raises(NothingArrivedError, match="tessera run publishes what has arrived"):
        addendum.add(fresh, frozen, "the registrar")
    assert addendum.addenda(fresh, frozen) == []


def test_a_frozen_pack_with_its_addenda_is_proved_and_every_break_is_found(
    fresh: Home, frozen: Frozen, added: Addendum
) -> None:
    assert list(proof.problems_of_frozen(fresh, frozen)) == []
    place = freeze.place_of(fresh, frozen)
    archive = addendum.archive_of(fresh, frozen, added)
    for path, code in (
        (place / freeze.ARCHIVE, "changed"),
        (archive, "changed"),
        (fresh.editions / frozen.edition_id / "edition.json", "edition"),
        (fresh.editions / added.edition_id / "tables" / "fct_evidence.parquet", "edition"),
    ):
        whole = path.read_bytes()
        path.write_bytes(whole[:-2])
        assert code in [p.code for p in proof.problems_of_frozen(fresh, frozen)], path
        path.write_bytes(whole)
    assert list(proof.problems_of_frozen(fresh, frozen)) == []


def test_a_changed_addendum_is_never_reprinted(
    fresh: Home, frozen: Frozen, added: Addendum
) -> None:
    path = addendum.archive_of(fresh, frozen, added)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(FreezeError, match="not what was frozen"):
        addendum.reprint(fresh, frozen, added)


def _tessera(home: Home, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["pack", *arguments, "--home", str(home.root), "--json"])
    return done.exit_code, done.stdout


def test_the_commands_add_reprint_and_verify(fresh: Home, frozen: Frozen, tmp_path: Path) -> None:
    asked = ("addendum", "--meeting", MEETING, "--by", "the registrar")
    assert _tessera(fresh, *asked)[0] == 1
    publish_edition(fresh, 3, seed=8)
    code, told = _tessera(fresh, *asked)
    assert code == 0
    made = json.loads(told)
    assert json.loads(_tessera(fresh, "list")[1])["addendum_ids"] == [made["addendum_id"]]
    reprinted = ("reprint", "--meeting", MEETING, "--out", str(tmp_path / "out"))
    assert _tessera(fresh, *reprinted, "--addendum", "no")[0] == 2
    assert _tessera(fresh, *reprinted, "--addendum", made["addendum_id"])[0] == 0
    assert (tmp_path / "out" / "addendum.html").exists()
    code, told = _tessera(fresh, "verify", "--meeting", MEETING)
    assert (code, json.loads(told)["summary"]["ok"]) == (0, True)
    (freeze.place_of(fresh, frozen) / freeze.ARCHIVE).write_bytes(b"")
    assert _tessera(fresh, "verify", "--meeting", MEETING)[0] == 3
    assert _tessera(fresh, "verify", "--meeting", "other")[0] == 2


def test_rendering_again_finds_what_was_changed_together_with_its_manifest(fresh: Home) -> None:
    assert _tessera(fresh, "build")[0] == 0
    pack = (fresh.packs / "current").resolve()
    assert _tessera(fresh, "verify", "--render")[0] == 0
    page = pack / "learners" / f"{FULL}.html"
    text = page.read_text(encoding="utf-8").replace("Targeted support", "No support")
    page.write_text(text, encoding="utf-8")
    manifest = json.loads((pack / "manifest.json").read_bytes())
    name = f"learners/{FULL}.html"
    data = page.read_bytes()
    manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (pack / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert _tessera(fresh, "verify")[0] == 0
    code, told = _tessera(fresh, "verify", "--render")
    assert code == 3
    assert json.loads(told.splitlines()[0])["file"] == name


def test_a_table_that_is_not_the_editions_is_found(fresh: Home) -> None:
    assert _tessera(fresh, "build")[0] == 0
    pack = (fresh.packs / "current").resolve()
    table = pack / "data" / "tables" / "fct_decision.parquet"
    data = table.read_bytes() + b" "
    table.unlink()
    table.write_bytes(data)
    manifest = json.loads((pack / "manifest.json").read_bytes())
    manifest["files"]["data/tables/fct_decision.parquet"]["sha256"] = hashlib.sha256(
        data
    ).hexdigest()
    (pack / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    code, told = _tessera(fresh, "verify")
    assert code == 3
    assert "not that of the edition" in told
