"""The files of a pack but its manifest, rendered from one edition, in workers where it is large."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from multiprocessing import get_context
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipelines.committee.edition import Source
from pipelines.committee.learner import assemble
from pipelines.committee.queries import EVERYONE, Portfolio, Share, count_learners, read
from pipelines.committee.render import Pages, style_sheet

LARGE = 2_000
"""From this many learners, starting workers costs less than it saves."""
_SAFE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class PackError(Exception):
    """The pack cannot be made or read; the message says why and what to do."""


class File(BaseModel):
    """A file as it was built."""

    model_config = ConfigDict(frozen=True)

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Written:
    """What was written of an edition."""

    as_of: date
    known_at: datetime | None
    n_learners: int
    files: dict[str, File]


def write(source: Source, folder: Path, workers: int) -> Written:
    """Write every page of an edition below `folder`.

    The same edition gives the same bytes, however many workers share the learners.

    Raises:
        PackError: a learner's key cannot name a file.
    """
    if workers == 1 or count_learners(source) < LARGE:
        whole = read(source)
        files = _write_all(folder, (*shared_pages(whole), *learner_pages(whole)))
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            shares = [Share(number, workers) for number in range(workers)]
            tasks = [pool.submit(write_learners, source, folder, share) for share in shares]
            whole = read(source, sections=("learners",))
            files = _write_all(folder, shared_pages(whole))
            for task in tasks:
                files |= task.result()
    return Written(whole.as_of, whole.known_at, len(whole.learners), dict(sorted(files.items())))


def write_learners(source: Source, folder: Path, share: Share = EVERYONE) -> dict[str, File]:
    """Write the pages of some of the learners."""
    return _write_all(folder, learner_pages(read(source, share)))


def shared_pages(portfolio: Portfolio) -> Iterator[tuple[str, bytes]]:
    """Yield what is not of one learner, as name and bytes."""
    rendered = Pages(portfolio)
    yield "assets/pack.css", style_sheet()
    yield "quality.html", rendered.quality().encode()
    yield "index.html", rendered.index().encode()


def learner_pages(portfolio: Portfolio) -> Iterator[tuple[str, bytes]]:
    """Yield the page of each learner and the page of the evidence behind it."""
    rendered = Pages(portfolio)
    for row in portfolio.learners:
        key = str(row["learner_key"])
        if not _SAFE_KEY.fullmatch(key):
            raise PackError(
                f"the learner key {key!r} cannot name a file: keys come from the vault, "
                "so rebuild the edition with `tessera run --full-refresh`"
            )
        page = assemble(portfolio, row)
        yield f"learners/{key}.html", rendered.learner(page).encode()
        yield f"evidence/{key}.html", rendered.evidence(page).encode()


def _write_all(folder: Path, pages: Iterable[tuple[str, bytes]]) -> dict[str, File]:
    files = {}
    for name, data in pages:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        files[name] = File(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    return files
