"""A pull: from where the last one ended, page by page, to one delivery in the inbox."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict

from pipelines.home import Home
from pipelines.sources.lrs.client import Client, ExpiredError, PullError
from pipelines.sources.lrs.delivery import Delivery
from pipelines.sources.lrs.profiles import PROFILES, Profile
from pipelines.sources.lrs.state import Going, Mode, Shelf, State, pull_id_of
from pipelines.sources.spec import Pull, SourceSpec

SLACK = timedelta(seconds=1)
"""`since` leaves out what was stored at that very moment, and clocks are cut at milliseconds."""

Clock = Callable[[], datetime]


class PullReport(BaseModel):
    """What a pull brought."""

    model_config = ConfigDict(frozen=True)

    source_id: str
    mode: Mode
    since: datetime | None
    n_pages: int
    n_statements: int
    n_new: int
    n_known: int
    file: str | None
    """The delivery, named relative to the inbox; None where nothing was new."""
    next_since: datetime | None


Progress = Callable[[int], None]
"""Called with how many statements this pull has brought since it began or went on."""


class _Head(msgspec.Struct):
    id: Any = None
    stored: Any = None
    timestamp: Any = None


_head = msgspec.json.Decoder(_Head).decode


def pull(
    home: Home,
    spec: SourceSpec,
    client: Client,
    *,
    full: bool = False,
    now: Clock = lambda: datetime.now(UTC),
    progress: Progress | None = None,
) -> PullReport:
    """Bring what is new in a store into the inbox.

    A pull that was broken off goes on where it stopped.

    Args:
        home: where the inbox and the state of pulls are.
        spec: the source, with its `pull`.
        client: asks the store.
        full: ask for everything, whatever is known.
        now: the clock.
        progress: told how many statements are here.

    Raises:
        PullError: the store cannot be pulled from, or another pull of it is running.
    """
    if spec.pull is None:
        raise PullError(f"the source {spec.source} has no `pull` in its spec")
    shelf = Shelf(home, spec.source)
    try:
        with FileLock(shelf.lock, timeout=0):
            pulling = _Pulling(home, spec, spec.pull, shelf, client, now, progress)
            return pulling.run(full=full)
    except Timeout:
        raise PullError(f"another pull of {spec.source} is running: wait for it to end") from None


class _Pulling:
    def __init__(
        self,
        home: Home,
        spec: SourceSpec,
        wish: Pull,
        shelf: Shelf,
        client: Client,
        now: Clock,
        progress: Progress | None = None,
    ) -> None:
        self.progress = progress
        self.home, self.spec, self.wish, self.shelf = home, spec, wish, shelf
        self.client, self.now = client, now
        self.profile: Profile = PROFILES[wish.lrs]
        self.state = shelf.state()

    def run(self, *, full: bool) -> PullReport:
        going = self.state.going
        if going is None or (full and going.mode == "new"):
            going = self._begin("full" if full or self._is_reconcile_due() else "new")
        try:
            going = self._fetch(going)
        except ExpiredError:
            going = self._fetch(self._begin(going.mode))
        return self._finish(going)

    def _is_reconcile_due(self) -> bool:
        last = self.state.reconciled_at
        days = self.wish.reconcile_days
        every = self.profile.reconcile_every if days is None else timedelta(days=days)
        return last is None or self.state.since is None or self.now() - last >= every

    def _begin(self, mode: Mode) -> Going:
        self.shelf.drop_pages()
        moment = self.now()
        since = self.state.since if mode == "new" else None
        number = self.state.n_begun + 1
        self.state = self.state.model_copy(update={"n_begun": number})
        pull_id = pull_id_of(moment, number)
        going = Going(pull_id=pull_id, mode=mode, since=since, started_at=moment)
        self._keep(going)
        return going

    def _keep(self, going: Going) -> None:
        self.state = self.state.model_copy(update={"going": going})
        self.shelf.keep(self.state)

    def _fetch(self, going: Going) -> Going:
        """Bring the pages that are not here yet; each is kept before the next is asked for."""
        asked: set[str] = set()
        n_here = 0
        while not going.is_complete:
            if going.more is None:
                page = self.client.first(self._query(going))
            elif going.more in asked:
                raise PullError("the store names the same page again and again")
            else:
                asked.add(going.more)
                page = self.client.next(going.more)
            self.shelf.put_page(going, page.statements)
            n_here += len(page.statements)
            if self.progress is not None:
                self.progress(n_here)
            told = [_moment(page.consistent_through), going.consistent_through]
            going = going.model_copy(
                update={
                    "n_pages": going.n_pages + 1,
                    "more": page.more,
                    "consistent_through": min(filter(None, told), default=None),
                    "is_complete": page.more is None,
                }
            )
            self._keep(going)
        return going

    def _query(self, going: Going) -> dict[str, str]:
        query = {"ascending": "true", "limit": str(self.wish.page_size), **self.wish.filters}
        if going.since is not None:
            query["since"] = going.since.isoformat().replace("+00:00", "Z")
        return query

    def _finish(self, going: Going) -> PullReport:
        """Deliver what is new, then remember it: both can be done again."""
        known = self.shelf.known(self.state)
        new: dict[str, None] = {}
        last: datetime | None = None
        n_statements = 0
        name = f"{self.spec.inbox_folder}/{self.spec.source}-{going.pull_id}.jsonl"
        with Delivery(self.home.inbox / name) as delivery:
            for line in self.shelf.pages(going):
                n_statements += 1
                head = _read_head(line)
                if (moment := _moment(getattr(head, self.profile.since_on))) is not None:
                    last = moment if last is None else max(last, moment)
                if (key := _key(line, head)) not in known and key not in new:
                    new[key] = None
                    delivery.write(line)
            if new:
                delivery.send(going.started_at)
                self.shelf.put_ids(going.pull_id, new)
        self.state = State(
            since=self._next_since(going, last),
            reconciled_at=going.started_at if going.mode == "full" else self.state.reconciled_at,
            pulls=(*self.state.pulls, *([going.pull_id] if new else [])),
            n_begun=self.state.n_begun,
        )
        self.shelf.keep(self.state)
        self.shelf.drop_pages()
        return PullReport(
            source_id=self.spec.source,
            mode=going.mode,
            since=going.since,
            n_pages=going.n_pages,
            n_statements=n_statements,
            n_new=len(new),
            n_known=n_statements - len(new),
            file=name if new else None,
            next_since=self.state.since,
        )

    def _next_since(self, going: Going, last: datetime | None) -> datetime | None:
        """Return from where the next pull asks.

        What the store says to be complete is; without that word, the last statement less the
        overlap, in which a slow transaction may still put earlier ones. No clock of ours is asked,
        but to keep a time in the future from hiding what comes until then.
        """
        if going.consistent_through is not None and self.profile.since_on == "stored":
            return going.consistent_through - SLACK
        if last is None:
            return self.state.since
        found = min(last, going.started_at) - timedelta(minutes=self.wish.overlap_minutes)
        return max(filter(None, [found, going.since]))


def _read_head(line: bytes) -> _Head:
    try:
        return _head(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Head()


def _key(line: bytes, head: _Head) -> str:
    """Return what makes two statements the same: their id, or else their bytes."""
    if isinstance(head.id, str) and head.id.isascii() and head.id.strip():
        return "".join(head.id.lower().split())
    return "sha256:" + hashlib.sha256(line).hexdigest()


def _moment(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
