"""One file of statements put into the inbox, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pipelines.home import write_atomically

MANIFEST_SUFFIX = ".manifest.json"


class Delivery:
    """A delivery being written: nobody sees it before it is sent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.n_rows = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}")
        self._file = self._temporary.open("wb")
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        """Return the delivery."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take away what was not sent."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def write(self, line: bytes) -> None:
        """Add a statement."""
        self.n_rows += 1
        for part in (line, b"\n"):
            self._file.write(part)
            self._digest.update(part)

    def send(self, sent_at: datetime) -> None:
        """Put it into the inbox: the manifest first, then the file by one rename.

        A file that is there already and holds the same is left alone, so that a pull that was
        broken off here makes no second arrival.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        digest = self._digest.hexdigest()
        if _digest_of(self.path) == digest:
            return
        manifest = {"sent_at": sent_at.isoformat(), "sha256": digest, "rows": self.n_rows}
        beside = self.path.with_name(self.path.name + MANIFEST_SUFFIX)
        write_atomically(beside, json.dumps(manifest, indent=2).encode())
        self._temporary.replace(self.path)


def _digest_of(path: Path) -> str | None:
    if not path.exists():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
