"""The accreditation binder of one year: what was published and decided, from snapshots alone.

Nothing is computed from the log of today. The editions of the year say what was known when, the
frozen packs what committees saw, and the last edition of the year what the programme was like.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.committee import programme
from pipelines.committee.edition import EditionError, Source, find
from pipelines.committee.freeze import EPOCH, Frozen, frozen_packs
from pipelines.committee.programme import Counted
from pipelines.committee.queries import open_edition, read
from pipelines.committee.release import Release, releases
from pipelines.committee.render import Pages, style_sheet
from pipelines.committee.roles import PROGRAMME, View
from pipelines.home import Home, write_atomically
from pipelines.warehouse.editions import Edition, editions


class BinderError(Exception):
    """The binder cannot be made; the message says why and what to do."""


@dataclass(frozen=True)
class Snapshot:
    """One edition of the year, with what its deliveries came to."""

    edition: Edition
    manifest_sha256: str
    outcomes: dict[str, int]

    @property
    def quarantined_share(self) -> float | None:
        """Return the share of records that waited for a person."""
        n = sum(self.outcomes.values())
        return self.outcomes.get("quarantined", 0) / n if n else None


@dataclass(frozen=True)
class Seen:
    """A pack that a committee saw, and what became of it."""

    frozen: Frozen
    answers: tuple[Release, ...]


@dataclass(frozen=True)
class Binder:
    """All that the binder shows."""

    year: int
    snapshots: tuple[Snapshot, ...]
    packs: tuple[Seen, ...]
    rule_changes: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    """For each edition in which rule sets came or went: its day, what came, what went."""
    decisions: tuple[Counted, ...]
    is_running: bool
    """Whether no edition is judged as of a day after the year: it may not be over."""
    least: int


def bind(home: Home, year: int, to: Path) -> Binder:
    """Write the binder of a year as one ZIP archive, the same bytes for the same snapshots.

    The decisions of a year that is over are those that the first edition after it knows. A year
    after which there is no edition is bound as one that still runs, and says so.

    Raises:
        BinderError: no edition was judged as of a day of that year, or one is not what was
            published.
    """
    of_year = [edition for edition in editions(home) if edition.as_of.year == year]
    if not of_year:
        years = sorted({edition.as_of.year for edition in editions(home)})
        told = ", ".join(map(str, years)) or "none"
        raise BinderError(f"no edition is judged as of a day of {year}; there are years: {told}")
    sources = [_verified(home, edition.edition_id) for edition in of_year]
    later = [edition for edition in editions(home) if edition.as_of.year > year]
    after = min(later, key=lambda edition: (edition.as_of, edition.created_at), default=None)
    binder = Binder(
        year,
        tuple(_snapshot(source) for source in sources),
        tuple(
            Seen(frozen, tuple(releases(home, frozen)))
            for frozen in frozen_packs(home)
            if frozen.edition_id in {edition.edition_id for edition in of_year}
        ),
        tuple(_rule_changes(of_year)),
        programme.of_running_year(sources[-1])
        if after is None
        else programme.of_year(_verified(home, after.edition_id), year),
        after is None,
        _least(sources[-1]),
    )
    archive = _archived(_files(sources[-1], binder))
    write_atomically(to, archive)
    return binder


def _least(source: Source) -> int:
    with open_edition(source) as connection:
        return programme.least_of(connection)


def _verified(home: Home, edition_id: str) -> Source:
    try:
        source = find(home, edition_id)
        source.verify()
    except EditionError as error:
        raise BinderError(str(error)) from None
    return source


def _snapshot(source: Source) -> Snapshot:
    names = ("accepted", "duplicate", "superseded", "voided", "quarantined")
    sums = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in names)
    with open_edition(source) as connection:
        row = connection.sql(f"select {sums} from programme_delivery").fetchall()[0]  # noqa: S608  our own names
    return Snapshot(source.edition, source.digest, dict(zip(names, row, strict=True)))


def _rule_changes(
    of_year: Sequence[Edition],
) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    before: set[str] = set()
    for edition in of_year:
        now = set(edition.inputs.rule_sets)
        if now != before:
            yield str(edition.as_of), tuple(sorted(now - before)), tuple(sorted(before - now))
        before = now


def _files(last: Source, binder: Binder) -> Iterator[tuple[str, bytes]]:
    portfolio = read(last, sections=("learners",))
    told = replace(programme.gather(last, portfolio), decisions=binder.decisions)
    pages = Pages(portfolio, View(PROGRAMME))
    yield "assets/pack.css", style_sheet()
    yield "index.html", pages.binder(binder).encode()
    yield "programme.html", pages.programme(told).encode()
    for table in told.tables:
        yield f"tables/{table.name}.csv", table.as_csv()
    yield "snapshots.json", json.dumps(_told(binder), indent=1, sort_keys=True).encode() + b"\n"


def _told(binder: Binder) -> dict[str, Any]:
    return {
        "year": binder.year,
        "is_running": binder.is_running,
        "decisions": [
            {
                "programme_id": counted.programme_id,
                "by": counted.what,
                "learners": counted.counts,
                "before": None if counted.before is None else str(counted.before),
            }
            for counted in binder.decisions
        ],
        "editions": [
            {
                "edition_id": s.edition.edition_id,
                "as_of": str(s.edition.as_of),
                "known_at": s.edition.known_at.isoformat() if s.edition.known_at else None,
                "edition_json_sha256": s.manifest_sha256,
                "audit": s.edition.audit.get("verdict"),
                "rule_sets": list(s.edition.inputs.rule_sets),
                "records": s.outcomes,
            }
            for s in binder.snapshots
        ],
        "packs": [
            {
                "meeting_id": p.frozen.meeting_id,
                "freeze_id": p.frozen.freeze_id,
                "edition_id": p.frozen.edition_id,
                "archive_sha256": p.frozen.archive_sha256,
                "frozen_at": p.frozen.frozen_at.isoformat(),
                "released": bool(p.answers) and p.answers[-1].is_released,
            }
            for p in binder.packs
        ],
    }


def _archived(files: Iterator[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    hashes = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            hashes[name] = hashlib.sha256(data).hexdigest()
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
        told = json.dumps(hashes, indent=1, sort_keys=True).encode() + b"\n"
        archive.writestr(zipfile.ZipInfo("manifest.json", EPOCH), told, zipfile.ZIP_DEFLATED)
    return out.getvalue()
