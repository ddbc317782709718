"""What keeps a home tidy and true: old work in progress goes, editions are read again."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.home import Home

KEPT_DAYS = 14
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Cleared:
    """Work in progress that was cleared away."""

    kept_days: int
    folders: list[str] = field(default_factory=list)
    n_bytes: int = 0


@dataclass(frozen=True)
class Verified:
    """What reading all editions again found."""

    editions: list[str] = field(default_factory=list)
    problems: dict[str, list[str]] = field(default_factory=dict)


def clear_leftovers(home: Home, kept_days: int = KEPT_DAYS) -> Cleared:
    """Remove what intake began and left in staging, where nothing has changed for some days.

    What was delivered is in the archive: intake begins such a delivery anew. Members of ZIP files
    that a killed process had unpacked go too.
    """
    before = time.time() - kept_days * 86_400
    folders, n_bytes = [], 0
    with home.writing(timeout=PATIENCE_SECONDS):
        for folder in (*sorted(home.staging.iterdir()), *_unpacked()):
            states = _states(folder)
            if max((state.st_mtime for state in states), default=before) < before:
                folders.append(folder.name)
                n_bytes += sum(state.st_size for state in states)
                shutil.rmtree(folder)
    return Cleared(kept_days, folders, n_bytes)


def _unpacked() -> list[Path]:
    """Return the folders that processes of this user unpacked files into."""
    from pipelines.sources.readers.zipped import UNPACKED

    return [
        folder
        for folder in sorted(Path(tempfile.gettempdir()).glob(f"{UNPACKED}*"))
        if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid()
    ]


def verify_editions(home: Home) -> Verified:
    """Read every edition again and hold it against its own record."""
    from pipelines.warehouse.editions import editions, verify

    found = [edition.edition_id for edition in editions(home)]
    problems = {name: verify(home.editions / name) for name in found}
    return Verified(found, {name: wrong for name, wrong in problems.items() if wrong})


def _states(folder: Path) -> list[os.stat_result]:
    states = []
    for path in [folder, *folder.rglob("*")]:
        with suppress(FileNotFoundError):  # intake is at work in it
            states.append(path.stat())
    return states
