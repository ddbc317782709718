"""The files of a pack but its manifest, rendered from one edition, in workers where it is large."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from multiprocessing import get_context
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipelines.committee.edition import Source
from pipelines.committee.learner import assemble
from pipelines.committee.queries import EVERYONE, Portfolio, Share, read
from pipelines.committee.render import Pages, style_sheet
from pipelines.committee.reuse import Clocks, Previous, digests
from pipelines.committee.twin import schema, twin
from pipelines.committee.workbook import IN_WORKBOOK, workbook
from pipelines.home import link_or_copy
from pipelines.warehouse.tables import table_of

DATA = "data"
"""Where the tables of the edition lie in a pack, each as it lies in the edition."""
FOR_COMMITTEE = ("committee_", "dim_", "fct_", "portfolio_", "programme_")
SEEN_BY_NEED = {"dim_assessor", "programme_measurement", "programme_demographic_count"}
"""Marts that do not go out with the pack."""
LARGE = 2_000
"""From this many learners to render, sharing them among workers costs less than it saves."""
APART = 200
"""From this many learners on, the workbook is written by a worker of its own."""
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
    inputs: dict[str, str]
    """For each learner a digest of what the pages were made from."""


def write(
    source: Source,
    folder: Path,
    workers: int,
    version: str = "",
    previous: Previous | None = None,
) -> Written:
    """Write every page of an edition, its twins, tables and workbook below `folder`.

    The same edition gives the same bytes, however many workers share the learners, and whatever was
    taken over from a pack that stands.

    Args:
        source: the edition.
        folder: where to.
        workers: how many processes may share the work.
        version: which pages these are, for those who take them over later.
        previous: a pack from which pages of unchanged learners may be taken over.

    Raises:
        PackError: a learner's key cannot name a file.
    """
    files = link_tables(source, folder)
    inputs = digests(source, version)
    kept, taken = _take_over(source, folder, inputs, previous)
    files |= taken
    n_new = len(inputs) - len(kept)
    if workers == 1 or len(inputs) < APART:
        whole = read(source, Share(0, 1, kept))
        files |= write_all(folder, learner_pages(whole))
        files |= write_workbooks(source, folder)
        everyone = read(source, sections=("learners",))
        files |= write_all(folder, shared_pages(everyone))
    else:
        n = workers if n_new >= LARGE else 1
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            tasks = [pool.submit(write_workbooks, source, folder)]
            if n > 1:
                shares = [Share(number, n, kept) for number in range(n)]
                tasks += [pool.submit(write_learners, source, folder, share) for share in shares]
            else:
                files |= write_learners(source, folder, Share(0, 1, kept))
            everyone = read(source, sections=("learners",))
            files |= write_all(folder, shared_pages(everyone))
            for task in tasks:
                files |= task.result()
    return Written(
        everyone.as_of,
        everyone.known_at,
        len(everyone.learners),
        dict(sorted(files.items())),
        dict(sorted(inputs.items())),
    )


def _take_over(
    source: Source, folder: Path, inputs: Mapping[str, str], previous: Previous | None
) -> tuple[frozenset[str], dict[str, File]]:
    """Write the pages of learners about whom nothing changed, and return whose they are."""
    if previous is None:
        return frozenset(), {}
    now = Clocks(source.edition_id, source.edition.as_of, source.edition.known_at)
    files: dict[str, File] = {}
    kept: set[str] = set()
    for key in sorted(previous.unchanged(inputs)):
        pages = previous.pages(key, now)
        if pages is not None:
            files |= write_all(folder, pages)
            kept.add(key)
    return frozenset(kept), files


def write_learners(source: Source, folder: Path, share: Share = EVERYONE) -> dict[str, File]:
    """Write the pages of some of the learners."""
    return write_all(folder, learner_pages(read(source, share)))


def write_workbooks(source: Source, folder: Path) -> dict[str, File]:
    """Write the workbook of all learners."""
    return write_all(folder, workbooks(read(source, sections=IN_WORKBOOK)))


def link_tables(source: Source, folder: Path) -> dict[str, File]:
    """Lay the edition's tables that a committee may see beside the pages, as they are."""
    files = {}
    for name, digest in sorted(source.edition.files.items()):
        table = table_of(name)
        if table is not None and is_for_committee(table):
            to = f"{DATA}/{name}"
            place = folder / to
            place.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(source.path / name, place)
            files[to] = File(bytes=place.stat().st_size, sha256=digest)
    return files


def is_for_committee(table: str) -> bool:
    """Tell whether a mart goes out with the pack; how strict an assessor is does not."""
    return table.startswith(FOR_COMMITTEE) and table not in SEEN_BY_NEED


def workbooks(portfolio: Portfolio) -> Iterator[tuple[str, bytes]]:
    """Yield the workbook."""
    yield "workbook.xlsx", workbook(portfolio)


def shared_pages(portfolio: Portfolio) -> Iterator[tuple[str, bytes]]:
    """Yield what is not of one learner, as name and bytes."""
    rendered = Pages(portfolio)
    yield "assets/pack.css", style_sheet()
    yield "data/learner.schema.json", schema()
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
        for file, text in rendered.evidence(page):
            yield f"evidence/{file}", text.encode()
        yield f"data/learners/{key}.json", twin(portfolio, page).model_dump_json(indent=1).encode()


def write_all(folder: Path, pages: Iterable[tuple[str, bytes]]) -> dict[str, File]:
    """Write pages below a folder, and return them with their hashes."""
    files = {}
    for name, data in pages:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        files[name] = File(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    return files
