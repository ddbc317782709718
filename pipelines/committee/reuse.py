"""Pages of learners about whom nothing changed, taken over from a pack that stands.

A learner's pages are made from the learner's rows, from what names and rules say, and from the
clocks of the edition. Where all but the clocks are the same, the bytes are the same but for the
clocks, and these are put in place; a test holds such a pack equal to one that is made anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl

from pipelines.committee import words
from pipelines.committee.edition import Source
from pipelines.committee.evidence import Row
from pipelines.committee.queries import OF_LEARNERS, frame_of, open_edition

ON_THE_PAGE = ("competencies", "scales", "freshness")
"""Sections about the programme that a learner's pages speak of."""

ON_THE_AGENDA_ALONE = ("agenda_order",)
"""Columns that no page of a learner shows, and that others can change."""

SEEDS = (3, 5)
"""Two of them: 128 bits tell rows apart for all that ever stand side by side."""


@dataclass(frozen=True)
class Clocks:
    """The edition that a pack was made from, and its times."""

    edition_id: str
    as_of: date
    known_at: datetime | None

    @property
    def in_header(self) -> bytes:
        """Return how the head of a learner's page tells them."""
        return (
            f"edition <code>{self.edition_id}</code> · as of {words.day(self.as_of)} · "
            f"evidence known to {words.instant(self.known_at)}</p>"
        ).encode()

    @property
    def in_footer(self) -> bytes:
        """Return how the foot of every page tells them."""
        return (
            f"<p>Edition <code>{self.edition_id}</code> · judged as of {words.day(self.as_of)} · "
            f"evidence known to {words.instant(self.known_at)}. "
        ).encode()

    @property
    def in_twin(self) -> bytes:
        """Return how a twin begins."""
        known = None if self.known_at is None else self.known_at.isoformat().replace("+00:00", "Z")
        return (
            f' "edition_id": {json.dumps(self.edition_id)},\n "as_of": "{self.as_of}",\n'
            f' "known_at": {json.dumps(known)},\n'
        ).encode()


@dataclass(frozen=True)
class Previous:
    """A pack that stands, and from which rows each learner's pages in it were made."""

    folder: Path
    clocks: Clocks
    inputs: Mapping[str, str]
    hashes: Mapping[str, str]
    """The SHA-256 of each file."""

    def unchanged(self, inputs: Mapping[str, str]) -> frozenset[str]:
        """Return the learners whose pages would be the same but for the clocks."""
        return frozenset(key for key, told in inputs.items() if self.inputs.get(key) == told)

    def pages(self, key: str, now: Clocks) -> list[tuple[str, bytes]] | None:
        """Return a learner's pages with the clocks put right; None where one is not as built."""
        found: list[tuple[str, bytes]] = []
        for name in self._names(key):
            try:
                data = (self.folder / name).read_bytes()
            except OSError:
                return None
            if hashlib.sha256(data).hexdigest() != self.hashes[name]:
                return None
            put = _put_right(name, data, self.clocks, now)
            if put is None:
                return None
            found.append((name, put))
        return found or None

    def _names(self, key: str) -> Iterator[str]:
        for name in (f"learners/{key}.html", f"data/learners/{key}.json"):
            if name in self.hashes:
                yield name
        number = 1
        while (name := f"evidence/{key}{f'-{number}' if number > 1 else ''}.html") in self.hashes:
            yield name
            number += 1


def digests(source: Source, pages_version: str) -> dict[str, str]:
    """Return for each learner a digest of all that their pages are made from but the clocks."""
    with open_edition(source) as connection:
        shared = hashlib.sha256(pages_version.encode())
        shared.update(f"{source.edition.as_of:%Y-%m}".encode())
        for section in ON_THE_PAGE:
            shared.update(str(_rows_of(connection, section)).encode())
        told: dict[str, hashlib._Hash] = {}
        for section in OF_LEARNERS:
            for key, digest in _by_learner(frame_of(connection, section)):
                told.setdefault(key, shared.copy()).update(f"{section}{digest}".encode())
        for row in _rows_of(connection, "periods"):
            if _moves(row, source.edition.as_of):
                told[row["learner_key"]].update(f"{source.edition.as_of}".encode())
    return {key: digest.hexdigest() for key, digest in told.items()}


def _rows_of(connection: duckdb.DuckDBPyConnection, section: str) -> list[Row]:
    return frame_of(connection, section).rows(named=True)


def _by_learner(frame: pl.DataFrame) -> Iterator[tuple[str, str]]:
    if frame.is_empty():
        return
    frame = frame.drop(ON_THE_AGENDA_ALONE, strict=False)
    hashed = pl.DataFrame(
        [
            frame["learner_key"],
            *(frame.hash_rows(seed).alias(f"hash_{seed}") for seed in SEEDS),
        ]
    ).group_by("learner_key", maintain_order=True)
    for row in hashed.agg(pl.exclude("learner_key")).iter_rows():
        yield str(row[0]), str(row[1:])


def _moves(period: Row, as_of: date) -> bool:
    """Say whether a period is drawn otherwise on another day of the month."""
    days = (period["starts_on"], period["ends_on"])
    return period["ends_on"] is None or any(
        day is not None and (day.year, day.month) == (as_of.year, as_of.month) for day in days
    )


def _put_right(name: str, data: bytes, old: Clocks, new: Clocks) -> bytes | None:
    """Return a page with its clocks replaced, where they are told and nowhere else."""
    if name.endswith(".json"):
        return _replaced_first(data, old.in_twin, new.in_twin)
    if name.startswith("learners/"):
        headed = _replaced_first(data, old.in_header, new.in_header)
        return None if headed is None else _replaced_last(headed, old.in_footer, new.in_footer)
    return _replaced_last(data, old.in_footer, new.in_footer)


def _replaced_first(data: bytes, old: bytes, new: bytes) -> bytes | None:
    head, found, tail = data.partition(old)
    return head + new + tail if found else None


def _replaced_last(data: bytes, old: bytes, new: bytes) -> bytes | None:
    head, found, tail = data.rpartition(old)
    return head + new + tail if found else None
