"""Pulling: watermark, pages, busy stores, crashes; nothing lost, nothing double."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.home import Home
from pipelines.intake import receive as receiving
from pipelines.sources.lrs import delivery as deliveries
from pipelines.sources.lrs.access import Access
from pipelines.sources.lrs.client import TRIES, Client, PullError
from pipelines.sources.lrs.pull import PullReport, pull
from pipelines.sources.lrs.state import Shelf
from pipelines.sources.spec import SourceSpec
from tests.sources.lrs.store import Store, running, statement

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)


def at(minutes: float) -> str:
    return (NOON + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def spec(**wish: Any) -> SourceSpec:
    return SourceSpec.model_validate(
        {
            "source": "lrs",
            "title": "A store",
            "owner": "assessment_unit",
            "files": "*.jsonl",
            "reader": {"name": "xapi"},
            "time_zone": "UTC",
            "records": [{"kind": "ai_use_declaration", "record_id": "{record}"}],
            "pull": wish,
        }
    )


class Puller:
    """Pulls one store into one home, at times of its own."""

    def __init__(self, home: Home, store: Store) -> None:
        self.home, self.store = home, store
        self.now = NOON
        self.waited: list[float] = []

    def __call__(self, *, full: bool = False, **wish: Any) -> PullReport:
        self.now += timedelta(minutes=1)
        access = Access(self.store.endpoint, "key", "secret")
        with Client(access, "1.0.3", sleep=self.waited.append) as client:
            return pull(self.home, spec(**wish), client, full=full, now=lambda: self.now)

    def delivered(self) -> list[dict[str, Any]]:
        """Return every statement of every delivery, in order of arrival."""
        files = sorted((self.home.inbox / "lrs").glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]

    def numbers(self) -> list[int]:
        return [int(item["id"][-12:]) for item in self.delivered()]


@pytest.fixture(scope="module")
def served() -> Iterator[Store]:
    with running(Store()) as store:
        yield store


@pytest.fixture
def store(served: Store) -> Store:
    """Return the one store, emptied."""
    endpoint = served.endpoint
    served.__init__()
    served.endpoint = endpoint
    return served


@pytest.fixture
def puller(store: Store, tmp_path: Path) -> Puller:
    return Puller(Home.open(tmp_path / "home"), store)


def test_all_pages_become_one_delivery_with_its_manifest(puller: Puller, store: Store) -> None:
    store.statements = [statement(n, at(n)) for n in range(7)]
    report = puller()
    assert (report.mode, report.n_pages, report.n_new, report.n_known) == ("full", 3, 7, 0)
    assert puller.numbers() == list(range(7))
    assert store.headers[0]["X-Experience-API-Version"] == "1.0.3"
    assert store.headers[0]["Authorization"].startswith("Basic ")
    assert store.asked[0]["ascending"] == "true"
    path = puller.home.inbox / str(report.file)
    manifest = json.loads(path.with_name(path.name + deliveries.MANIFEST_SUFFIX).read_text())
    assert manifest["rows"] == 7
    assert deliveries.MANIFEST_SUFFIX == receiving.MANIFEST_SUFFIX


def test_the_next_pull_asks_from_what_the_store_says_is_complete(
    puller: Puller, store: Store
) -> None:
    store.statements = [statement(n, at(n)) for n in range(3)]
    store.consistent_through = at(1.5)
    puller()
    store.statements += [statement(3, at(1.6)), statement(4, at(9))]
    store.consistent_through = at(10)
    report = puller()
    assert report.mode == "new"
    assert store.asked[-1]["since"] == at(1.5 - 1 / 60)
    assert puller.numbers() == [0, 1, 2, 3, 4]
    assert puller().n_new == 0


def test_without_a_watermark_an_overlap_is_asked_again_and_nothing_counts_twice(
    puller: Puller, store: Store
) -> None:
    store.statements = [statement(n, at(-100 + n)) for n in range(5)]
    puller(overlap_minutes=10)
    store.statements.append(statement(9, at(-100 - 5)))  # committed late, within the overlap
    report = puller(overlap_minutes=10)
    assert report.since == NOON + timedelta(minutes=-96 - 10)
    assert (report.n_new, report.n_known) == (1, 5)
    assert sorted(puller.numbers()) == [0, 1, 2, 3, 4, 9]


def test_a_time_in_the_future_hides_nothing(puller: Puller, store: Store) -> None:
    store.statements = [statement(1, at(60 * 24 * 365))]
    puller(overlap_minutes=1)
    store.statements.append(statement(2, at(5)))
    assert puller(overlap_minutes=1).n_new == 1


def test_everything_is_asked_again_when_it_is_time_or_when_told(
    puller: Puller, store: Store
) -> None:
    store.statements = [statement(n, at(n)) for n in range(3)]
    store.consistent_through = at(500)
    puller(reconcile_days=7)
    store.statements.append(statement(9, at(-9999)))
    assert puller(reconcile_days=7).n_new == 0
    puller.now += timedelta(days=7)
    report = puller(reconcile_days=7)
    assert (report.mode, report.n_new, report.n_known) == ("full", 1, 3)
    store.statements.append(statement(10, at(-9999)))
    assert puller(reconcile_days=7).n_new == 0
    assert puller(full=True, reconcile_days=7).n_new == 1
    assert sorted(puller.numbers()) == [0, 1, 2, 9, 10]


def test_a_store_that_filters_on_the_time_of_the_experience_is_asked_for_all_daily(
    puller: Puller, store: Store
) -> None:
    store.since_on = "timestamp"
    store.statements = [statement(n, at(n)) for n in range(3)]
    puller(lrs="ralph", overlap_minutes=0)
    store.statements.append(statement(9, at(700), timestamp=at(-9999)))
    assert puller(lrs="ralph", overlap_minutes=0).n_new == 0
    puller.now += timedelta(days=1)
    assert puller(lrs="ralph", overlap_minutes=0).n_new == 1
    assert puller.numbers() == [0, 1, 2, 9]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_store_is_asked_again_with_longer_waits(
    puller: Puller, store: Store, status: int
) -> None:
    store.statements = [statement(1, at(1))]
    store.moods = [(status, {}), (status, {"Retry-After": "7"})]
    assert puller().n_new == 1
    assert len(puller.waited) == 2
    assert puller.waited[1] == 7


def test_a_wait_until_a_moment_is_kept_and_never_too_long(puller: Puller, store: Store) -> None:
    store.statements = [statement(1, at(1))]
    store.moods = [(503, {"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"})]
    assert puller().n_new == 1
    assert puller.waited == [60.0]


def test_a_store_that_stays_busy_ends_the_pull_and_loses_nothing(
    puller: Puller, store: Store
) -> None:
    store.statements = [statement(1, at(1))]
    store.moods = [(503, {})] * TRIES
    with pytest.raises(PullError, match="busy"):
        puller()
    assert puller.delivered() == []
    assert puller().n_new == 1


@pytest.mark.parametrize(
    ("status", "words"), [(401, "key and secret"), (403, "key and secret"), (400, "filters")]
)
def test_a_refusal_is_said_at_once_with_what_to_see_to(
    puller: Puller, store: Store, status: int, words: str
) -> None:
    store.moods = [(status, {})]
    with pytest.raises(PullError, match=words):
        puller()
    assert puller.waited == []


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"statements": 1}', b"\xff"])
def test_an_answer_that_is_no_statement_result_is_said(
    puller: Puller, store: Store, body: bytes
) -> None:
    store.bodies = [body]
    with pytest.raises(PullError, match="StatementResult"):
        puller()


def test_a_store_that_cannot_be_reached_is_said(puller: Puller) -> None:
    puller.store = Store(endpoint="http://127.0.0.1:9/xapi")
    with pytest.raises(PullError, match="cannot be reached"):
        puller()
    assert len(puller.waited) == TRIES - 1


def test_more_is_never_followed_to_another_server(puller: Puller, store: Store) -> None:
    store.statements = [statement(n, at(n)) for n in range(4)]
    store.more = "https://elsewhere.example/statements?"
    with pytest.raises(PullError, match="another server"):
        puller()


def test_a_store_that_names_the_same_page_for_ever_is_stopped(puller: Puller, store: Store) -> None:
    page = json.dumps({"statements": [statement(1, at(1))], "more": "/deep/xapi/statements?x=1"})
    store.bodies = [page.encode()] * 5
    with pytest.raises(PullError, match="again and again"):
        puller()


def test_a_pull_that_broke_off_goes_on_with_its_next_page(puller: Puller, store: Store) -> None:
    store.statements = [statement(n, at(n)) for n in range(7)]
    store.fail_at_page, store.failing = 2, 503
    with pytest.raises(PullError, match="busy"):
        puller()
    assert puller.delivered() == []
    store.fail_at_page = None
    n_asked = len(store.asked)
    report = puller()
    assert [query.get("page") for query in store.asked[n_asked:]] == ["2"]
    assert (report.n_pages, report.n_new) == (3, 7)
    assert puller.numbers() == list(range(7))


def test_a_page_that_the_store_has_forgotten_begins_the_pull_again(
    puller: Puller, store: Store
) -> None:
    store.statements = [statement(n, at(n)) for n in range(7)]
    store.fail_at_page, store.failing = 1, 503
    with pytest.raises(PullError, match="busy"):
        puller()
    store.fail_at_page = None
    store.moods = [(404, {})]
    assert puller().n_new == 7
    assert puller.numbers() == list(range(7))


STEPS = ("put_page", "keep", "put_ids", "drop_pages")


@pytest.mark.parametrize("before", [True, False], ids=["before", "behind"])
@pytest.mark.parametrize("nth", range(1, 5))
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_loses_nothing_and_doubles_nothing(
    puller: Puller,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    nth: int,
    before: bool,
) -> None:
    store.statements = [statement(n, at(n)) for n in range(5)]
    calls = 0
    original: Callable[..., Any] = getattr(Shelf, step)

    def crashing(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth and before:
            raise KeyboardInterrupt
        result = original(*arguments)
        if calls == nth:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(Shelf, step, crashing)
    try:
        puller(overlap_minutes=100_000)
    except KeyboardInterrupt:
        monkeypatch.setattr(Shelf, step, original)
        files = {path: path.stat().st_mtime_ns for path in _files(puller)}
        puller(overlap_minutes=100_000)
        assert all(path.stat().st_mtime_ns == seen for path, seen in files.items())
    monkeypatch.setattr(Shelf, step, original)
    store.statements.append(statement(5, at(5)))
    puller(overlap_minutes=100_000)
    assert sorted(puller.numbers()) == list(range(6))


def _files(puller: Puller) -> list[Path]:
    return sorted((puller.home.inbox / "lrs").glob("*.jsonl"))


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    batches=st.lists(st.integers(0, 6), min_size=1, max_size=5),
    size=st.integers(1, 4),
    watermark=st.booleans(),
    seed=st.integers(0, 99),
)
def test_whatever_comes_between_pulls_everything_arrives_once(
    store: Store,
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[int],
    size: int,
    watermark: bool,
    seed: int,
) -> None:
    chance = random.Random(seed)
    endpoint = store.endpoint
    store.__init__(page_size=size)
    store.endpoint = endpoint
    puller = Puller(Home.open(tmp_path_factory.mktemp("home")), store)
    minute = 0
    for n in batches:
        for _ in range(n):
            minute += 1
            store.statements.append(statement(minute, at(minute - chance.randint(0, 5))))
        store.consistent_through = at(minute - 6) if watermark else None
        puller.now = NOON + timedelta(minutes=minute + 1)
        puller(overlap_minutes=6)
    assert sorted(puller.numbers()) == list(range(1, minute + 1))


def test_two_pulls_of_one_source_do_not_run_at_once(puller: Puller, store: Store) -> None:
    with FileLock(Shelf(puller.home, "lrs").lock), pytest.raises(PullError, match="running"):
        puller()


def test_pages_lie_in_the_restricted_folder_and_are_gone_when_done(
    puller: Puller, store: Store
) -> None:
    store.statements = [statement(n, at(n)) for n in range(7)]
    store.fail_at_page, store.failing = 2, 503
    with pytest.raises(PullError):
        puller()
    pages = list(puller.home.restricted.rglob("page-*"))
    assert len(pages) == 2
    store.fail_at_page = None
    puller()
    assert not list(puller.home.restricted.rglob("page-*"))
    assert not [path for path in (puller.home.inbox / "lrs").iterdir() if path.name[0] == "."]


def test_statements_without_id_are_known_by_their_bytes(puller: Puller, store: Store) -> None:
    first = statement(1, at(1))
    del first["id"]
    store.statements = [first]
    puller(overlap_minutes=100)
    assert puller(overlap_minutes=100).n_new == 0


def test_two_pulls_at_one_moment_make_two_deliveries(puller: Puller, store: Store) -> None:
    store.statements = [statement(1, at(1))]
    puller(overlap_minutes=100)
    store.statements.append(statement(2, at(2)))
    puller.now -= timedelta(minutes=1)
    puller(overlap_minutes=100)
    assert puller.numbers() == [1, 2]
