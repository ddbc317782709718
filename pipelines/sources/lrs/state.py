"""What is known of a store between pulls, so that a crash loses nothing and doubles nothing.

All of it lies in one folder of the restricted part of the home. `state.json` is replaced by one
rename: what it does not name does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.home import Home, write_atomically

Mode = Literal["new", "full"]


class Going(BaseModel):
    """A pull that is under way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pull_id: str
    mode: Mode
    since: AwareDatetime | None = None
    started_at: AwareDatetime
    n_pages: int = 0
    more: str | None = None
    consistent_through: AwareDatetime | None = None
    """The earliest that any page told."""
    is_complete: bool = False


class State(BaseModel):
    """What was pulled so far."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: AwareDatetime | None = None
    """From where the next pull asks."""
    reconciled_at: AwareDatetime | None = None
    pulls: tuple[str, ...] = ()
    """Finished pulls that brought statements: their lists of ids count."""
    n_begun: int = 0
    """How many pulls were begun, so that each has a name of its own, whatever the clock says."""
    going: Going | None = None


class Shelf:
    """The folder of one source."""

    def __init__(self, home: Home, source: str) -> None:
        self.folder = home.restricted / "pulls" / source
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def lock(self) -> Path:
        """Return the file that keeps two pulls of one source apart."""
        return self.folder / ".lock"

    def state(self) -> State:
        """Return what is known."""
        path = self.folder / "state.json"
        return State.model_validate_json(path.read_bytes()) if path.exists() else State()

    def keep(self, state: State) -> None:
        """Remember: from here on this is what is known."""
        write_atomically(self.folder / "state.json", state.model_dump_json(indent=2).encode())

    def put_page(self, going: Going, statements: list[bytes]) -> None:
        """Keep the statements of the next page of a pull."""
        data = b"".join(line + b"\n" for line in statements)
        write_atomically(self._page(going.pull_id, going.n_pages + 1), data)

    def pages(self, going: Going) -> Iterator[bytes]:
        """Yield the statements of all pages of a pull."""
        for number in range(1, going.n_pages + 1):
            yield from self._page(going.pull_id, number).read_bytes().splitlines()

    def drop_pages(self) -> None:
        """Take away the pages of pulls that are done or given up."""
        for path in self.folder.glob("page-*.jsonl"):
            path.unlink()

    def known(self, state: State) -> set[str]:
        """Return the ids of all statements that were delivered."""
        ids: set[str] = set()
        for pull_id in state.pulls:
            ids.update(self._ids(pull_id).read_text(encoding="ascii").split())
        return ids

    def put_ids(self, pull_id: str, ids: Iterable[str]) -> None:
        """Keep the ids that a pull brought; they count when the state names the pull."""
        write_atomically(self._ids(pull_id), "".join(f"{key}\n" for key in ids).encode())

    def _page(self, pull_id: str, number: int) -> Path:
        return self.folder / f"page-{pull_id}-{number:06d}.jsonl"

    def _ids(self, pull_id: str) -> Path:
        return self.folder / f"ids-{pull_id}.txt"


def pull_id_of(moment: datetime, number: int) -> str:
    """Return the name of a pull, by when it began and which one it is."""
    return f"{moment:%Y%m%dT%H%M%SZ}-{number:06d}"
