"""Any order, repetition, split or kill between steps: the same tables, and a balanced ledger.

Everything from receive to load is the code that runs; only the delivery check is not run twice on
the same delivery: its verdict, which depends on the delivery alone, is kept from the first time.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines.home import Home
from pipelines.intake import check, present, read, receive, segment, validate
from pipelines.intake.feeds import load_feeds
from pipelines.intake.ledger import ledger
from pipelines.intake.staging import Staging
from pipelines.settings import Settings
from pipelines.sources import catalogue
from pipelines.warehouse import load as loading
from pipelines.warehouse import reference
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.hashing import table_hash
from tests.small_world import EXAMPLE, Sent, open_home, write_site

STAGES = ("read", "validate", "check", "segment")
WORLDS = (
    EXAMPLE,
    EXAMPLE[:4],
    EXAMPLE[3:],
    (
        *EXAMPLE[5:],
        Sent("register", 3, EXAMPLE[5].rows),
        Sent("register", 4, (("r1", "s1", "9", ""),)),
        Sent("register", 5, (("r1", "s1", "x", ""), ("r2", "s2", "1", ""))),
    ),
    (
        Sent("marks", 2, (("m1", "s1", "1", ""), ("m1", "s1", "1", ""), ("m1", "s1", "2", ""))),
        Sent("marks", 1, (("m1", "s1", "2", ""), ("m2", "s2", "1", ""))),
        Sent("marks", 3, (("m2", "s2", "", "withdrawn"), ("m2", "s2", "7", ""))),
        Sent("entries", 3, (("e1", "s1", "1", ""), ("e1", "s1", "2", ""), ("", "s1", "3", ""))),
    ),
)


class Town:
    """What all homes share: the site, and verdicts that are known already."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.n = folder, 0
        self.site = write_site(folder / "site")
        self.declared = catalogue.load(self.settings(folder / "none"))
        self.feeds = load_feeds(self.settings(folder / "none"))
        self.verdicts: dict[tuple[str, str], bytes] = {}

    def settings(self, root: Path) -> Settings:
        return Settings(home=root, site=self.site, workers=1, memory_limit="1GB")

    def home(self) -> Home:
        self.n += 1
        root = self.folder / f"home-{self.n}"
        shutil.rmtree(root, ignore_errors=True)
        return open_home(root)

    def step(self, home: Home, stage: str, delivery_id: str) -> None:
        to, feeds = self.settings(home.root), self.feeds
        if stage == "read":
            read.read(home, to, delivery_id, self.declared)
        elif stage == "validate":
            validate.validate(home, to, delivery_id, feeds=feeds)
        elif stage == "check":
            self.check(home, delivery_id)
        else:
            segment.commit(home, to, delivery_id, feeds=feeds)

    def check(self, home: Home, delivery_id: str) -> None:
        source = delivery_id.rpartition("-")[0]
        staging = Staging.of(home, delivery_id, self.feeds[source].interpretation_id)
        known = (delivery_id, staging.validated.read_text())
        if known in self.verdicts:
            staging.check.write_bytes(self.verdicts[known])
            return
        check.check(
            home,
            self.settings(home.root),
            delivery_id,
            feeds=self.feeds,
            catalogue=self.declared,
        )
        self.verdicts[known] = staging.check.read_bytes()

    def receive(self, home: Home) -> list[str]:
        to = self.settings(home.root)
        return receive.receive(home, to, feeds=self.feeds, settle=0).pending

    def take_in(self, home: Home, kill_at: int | None = None) -> None:
        """Work through what is pending; stop dead before a step, as a kill would."""
        n = 0
        for delivery_id in self.receive(home):
            for stage in STAGES:
                if n == kill_at:
                    return
                self.step(home, stage, delivery_id)
                n += 1

    def load(self, home: Home) -> None:
        loading.load(home, self.settings(home.root))

    def tables(self, home: Home, *, lineage: bool) -> dict[str, Any]:
        """Return the hashes of raw tables; without lineage, what stands and how often."""
        with open_warehouse(home, self.settings(home.root), read_only=True) as con:
            if lineage:
                names = ("exam_result", "void", "refused", "note", "identity", "intake_record")
                return {name: table_hash(con, f'raw."{name}"') for name in names}
            return {
                name: con.execute(
                    f"select record_key, content_hash, known_at from raw.{name} "
                    "where present_outcome = 'accepted' order by all"
                ).fetchall()
                for name in ("exam_result", "void")
            }


def assert_balanced(home: Home) -> None:
    entries = ledger(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(present, "AT_ONCE", 0)
        assert ledger(home) == entries, "many events are resolved to something else than few"
    for entry in entries:
        outcomes = entry.accepted + entry.duplicate + entry.superseded + entry.voided
        assert outcomes + entry.quarantined == entry.rows_read, entry


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Return a town whose code lists and rules are read from disk once."""
    memory = Path("/dev/shm")
    base = memory if memory.is_dir() else tmp_path_factory.getbasetemp()
    folder = base / f"tessera-any-order-{tmp_path_factory.getbasetemp().parent.name}"
    made = Town(folder)
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((reference, "load_catalogue"), (reference.code_lists, "load")):
            patch.setattr(module, name, once(getattr(module, name)))
        yield made
    shutil.rmtree(folder)


def once(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    kept: dict[str, Any] = {}

    def call(argument: Any) -> Any:
        if function.__name__ not in kept:
            kept[function.__name__] = function(argument)
        return kept[function.__name__]

    return call


@pytest.fixture(scope="module")
def undisturbed(town: Town) -> Callable[[int, bool], dict[str, Any]]:
    """Return a function that gives the tables of a world that came in one go, in order."""

    @cache
    def tables(world: int, lineage: bool) -> dict[str, Any]:
        home = town.home()
        for sent in sorted(WORLDS[world], key=lambda one: one.day):
            sent.drop(home.inbox, f"f{WORLDS[world].index(sent)}")
        town.take_in(home)
        town.load(home)
        assert_balanced(home)
        found = town.tables(home, lineage=lineage)
        shutil.rmtree(home.root)
        return found

    return tables


def in_this_order(data: st.DataObject, world: int, town: Town) -> dict[str, Any]:
    """Return the tables of a world whose files came in any order, again, and with kills between."""
    home = town.home()
    stream = data.draw(st.permutations(WORLDS[world]))
    for number, sent in enumerate(stream):
        sent.drop(home.inbox, f"f{WORLDS[world].index(sent)}")
        if data.draw(st.booleans()):
            town.take_in(home, data.draw(st.none() | st.integers(0, 9)))
        if number and data.draw(st.integers(0, 5)) == 0:
            town.load(home)
    town.take_in(home)
    for again in data.draw(st.lists(st.sampled_from(stream), max_size=2)):
        again.drop(home.inbox, f"f{WORLDS[world].index(again)}")
        town.take_in(home)
    town.load(home)
    assert_balanced(home)
    found = town.tables(home, lineage=True)
    shutil.rmtree(home.root)
    return found


HOW = {
    "deadline": None,
    "phases": [Phase.explicit, Phase.reuse, Phase.generate],
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@pytest.mark.slow
@settings(max_examples=8, **HOW)
@given(data=st.data(), world=st.integers(0, len(WORLDS) - 1))
def test_any_order_repetition_and_kill_between_steps_gives_the_same_tables(
    data: st.DataObject, world: int, town: Town, undisturbed: Callable[..., dict[str, Any]]
) -> None:
    assert in_this_order(data, world, town) == undisturbed(world, True)


@pytest.mark.soak
@settings(max_examples=250, **HOW)
@given(data=st.data(), world=st.integers(0, len(WORLDS) - 1))
def test_hundreds_of_orders_repetitions_and_kills_give_the_same_tables(
    data: st.DataObject, world: int, town: Town, undisturbed: Callable[..., dict[str, Any]]
) -> None:
    assert in_this_order(data, world, town) == undisturbed(world, True)


@pytest.mark.slow
@settings(max_examples=8, **HOW)
@given(data=st.data(), world=st.integers(0, len(WORLDS) - 1))
def test_any_split_of_an_append_source_gives_the_same_records(
    data: st.DataObject, world: int, town: Town, undisturbed: Callable[..., dict[str, Any]]
) -> None:
    home = town.home()
    for number, sent in enumerate(WORLDS[world]):
        cuts = [0, len(sent.rows)]
        # rows of one file are ordered by their place in it, so a split keeps records of one id
        # together where they differ
        ids = [row[0] for row in sent.rows]
        if sent.source != "register" and len(ids) == len(set(ids)):
            cuts = sorted({*cuts, data.draw(st.integers(0, len(sent.rows)))})
        for part, (start, end) in enumerate(pairwise(cuts)):
            piece = Sent(sent.source, sent.day, sent.rows[start:end])
            piece.drop(home.inbox, f"f{number}-{part}")
    town.take_in(home, data.draw(st.none() | st.integers(0, 20)))
    town.take_in(home)
    town.load(home)
    assert_balanced(home)
    assert town.tables(home, lineage=False) == undisturbed(world, False)
    shutil.rmtree(home.root)
