"""Tell Airflow which files have arrived whole in the inbox."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Hashable
from pathlib import Path
from stat import S_ISREG
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from pipelines.settings import Settings

UNFINISHED = (".part", ".tmp")
NAMED_AT_MOST = 100

Look = dict[str, list[int]]
"""Size and time of change of every file, by its name relative to the inbox."""


class InboxTrigger(BaseEventTrigger):
    """Announce each file of the inbox once it looks the same twice in a row.

    The names are for people: intake lists and hashes the inbox itself, so an announcement that is
    lost or repeated does no harm.

    Args:
        directory: the folder to watch; default: the inbox of the home in the environment.
        seconds: the time between two looks.
    """

    def __init__(self, directory: str = "", seconds: float = 5.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.directory = directory
        self.seconds = seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what the triggerer needs to make this trigger again."""
        kind = type(self)
        arguments = {"directory": self.directory, "seconds": self.seconds}
        return f"{kind.__module__}.{kind.__qualname__}", arguments

    def shared_stream_key(self) -> Hashable:
        """Let triggers on the same folder share one listing."""
        return ("inbox", os.path.realpath(_inbox(self.directory)), self.seconds)

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Look]:
        """List the folder for as long as somebody listens."""
        while True:
            yield await asyncio.to_thread(look, _inbox(kwargs["directory"]))
            await asyncio.sleep(kwargs["seconds"])

    async def filter_shared_stream(
        self, shared_stream: AsyncIterator[Look]
    ) -> AsyncIterator[TriggerEvent]:
        """Yield the names of files that are new or changed, and lie still."""
        before: Look = {}
        announced: Look = {}
        remembered = await self._recall()
        async for now in shared_stream:
            still = {name: state for name, state in now.items() if before.get(name) == state}
            before = now
            if _digest(still) == remembered:
                announced = still
            new = sorted(name for name, state in still.items() if announced.get(name) != state)
            if new:
                announced = still
                remembered = await self._remember(still)
                payload = {"files": new[:NAMED_AT_MOST], "n_files": len(new)}
                yield TriggerEvent(payload)  # type: ignore[no-untyped-call]

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch alone, where nobody shares the listing."""
        async for event in self.filter_shared_stream(self.open_shared_stream(self.serialize()[1])):
            yield event

    async def _recall(self) -> str | None:
        if self.asset_state_store is None:
            return None
        return str(await self.asset_state_store.aget("announced", ""))

    async def _remember(self, still: Look) -> str:
        digest = _digest(still)
        if self.asset_state_store is not None:
            await self.asset_state_store.aset("announced", digest)
        return digest


def look(inbox: Path) -> Look:
    """Return the files of the inbox as they are now, those still being written left out."""
    found: Look = {}
    for path in inbox.rglob("*"):
        name = path.relative_to(inbox)
        if path.suffix in UNFINISHED or any(part.startswith(".") for part in name.parts):
            continue
        try:
            state = path.stat()
        except FileNotFoundError:
            continue
        if S_ISREG(state.st_mode):
            found[name.as_posix()] = [state.st_size, state.st_mtime_ns]
    return found


def _inbox(directory: str) -> Path:
    return Path(directory) if directory else Settings().home / "inbox"


def _digest(state: Look) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
