"""A glance at the inbox, before anything is read or imported that takes long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pipelines.home import Home


def largest_newcomer(home: Home, inbox: Path | None = None) -> int:
    """Return about how many bytes the largest file has that came since the last arrival was noted.

    This is no more than a hint: what came, receiving tells.
    """
    is_first = next(home.receipts.iterdir(), None) is None
    noted = 0 if is_first else home.receipts.stat().st_mtime_ns
    return max(_newer(inbox or home.inbox, noted), default=0)


def _newer(inbox: Path, noted: int) -> Iterator[int]:
    for path in inbox.rglob("*"):
        with suppress(OSError):  # gone since it was listed
            found = path.stat()
            if found.st_ctime_ns > noted:
                yield found.st_size
