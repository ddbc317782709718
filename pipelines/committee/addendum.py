"""What arrived after a pack was frozen: an addendum beside it, with a hash of its own.

The frozen pack stays as the meeting got it. An addendum holds the evidence of its learners that a
later edition has and the frozen one, or the addendum before, did not: as it was written, with what
was replaced and what was withdrawn. A decision says which addenda were seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.committee.edition import Source, find
from pipelines.committee.evidence import Form
from pipelines.committee.freeze import (
    PATIENCE,
    FreezeError,
    Frozen,
    Removal,
    RemovedError,
    archived,
    checked,
    place_of,
)
from pipelines.committee.learner import assemble
from pipelines.committee.queries import Portfolio, read
from pipelines.committee.render import Pages, style_sheet
from pipelines.home import Home, write_atomically

ADDENDUM_VERSION = 1
PAGE, DATA, MANIFEST = "addendum.html", "addendum.json", "manifest.json"

What = Literal["arrived", "replaced", "withdrawn"]
HEADINGS: Mapping[What, str] = {
    "arrived": "Arrived since",
    "replaced": "Replaced since",
    "withdrawn": "No longer counts",
}


class NothingArrivedError(FreezeError):
    """There is nothing to add to the frozen pack; the message says since when."""


class NoAddendumError(FreezeError):
    """There is no such addendum; the message names those there are."""


class Addendum(BaseModel):
    """What arrived about the learners of one frozen pack, up to one later edition."""

    model_config = ConfigDict(frozen=True)

    addendum_id: str
    freeze_id: str
    meeting_id: str
    since_edition_id: str
    """What it was held against: the edition that was frozen, or that of the addendum before."""
    edition_id: str
    edition_hash: str
    manifest_sha256: str
    archive_sha256: str
    learners: dict[str, int]
    """How many changes there are, by the key of the learner."""
    made_at: AwareDatetime
    made_by: str
    removal: Removal | None = None
    """What the law removed from it since."""

    @property
    def n_changes(self) -> int:
        """Return how many changes there are in all."""
        return sum(self.learners.values())


@dataclass(frozen=True)
class Change:
    """One piece of evidence that is not as it was."""

    what: What
    form: Form

    @property
    def heading(self) -> str:
        """Return what happened, in words."""
        return HEADINGS[self.what]


Changes = dict[str, tuple[Change, ...]]
"""By the key of the learner; those only about whom something changed."""


def add(home: Home, frozen: Frozen, by: str, edition_id: str | None = None) -> Addendum:
    """Make the addendum of what a later edition knows about the learners of a frozen pack.

    The same later edition again gives the record that stands.

    Args:
        home: whose packs and editions.
        frozen: the pack.
        by: who makes it; goes on record.
        edition_id: the later edition; the current one by default.

    Raises:
        NothingArrivedError: the later edition knows nothing else about these learners.
        FreezeError: the later edition is not later.
        EditionError: an edition is not there, or not what was published.
    """
    earlier = addenda(home, frozen)
    later = find(home, edition_id)
    standing = [a for a in earlier if a.edition_id == later.edition_id]
    if standing:
        return standing[-1]
    since = find(home, earlier[-1].edition_id if earlier else frozen.edition_id)
    for source in (since, later):
        source.verify()
    _refuse_older(since, later, frozen)
    before, now = read(since), read(later)
    changes = differences(before, now, _learners(home, frozen, before), frozen.meeting_id)
    if not changes:
        raise NothingArrivedError(
            f"nothing arrived about the learners of meeting {frozen.meeting_id} between edition "
            f"{since.edition_id} and {later.edition_id}: the frozen pack is all there is"
        )
    files = _files(frozen, since, now, changes)
    manifest = dict(files)[MANIFEST]
    digest = hashlib.sha256(manifest).hexdigest()
    data = archived(files)
    addendum = Addendum(
        addendum_id=hashlib.sha256(f"{frozen.freeze_id}\n{digest}".encode()).hexdigest()[:16],
        freeze_id=frozen.freeze_id,
        meeting_id=frozen.meeting_id,
        since_edition_id=since.edition_id,
        edition_id=later.edition_id,
        edition_hash=later.digest,
        manifest_sha256=digest,
        archive_sha256=hashlib.sha256(data).hexdigest(),
        learners={key: len(found) for key, found in changes.items()},
        made_at=datetime.now(UTC),
        made_by=by,
    )
    with home.writing(timeout=PATIENCE):
        write_atomically(archive_of(home, frozen, addendum), data)
        write_atomically(record_of(home, frozen, addendum), to_json(addendum))
    return addendum


def addenda(home: Home, frozen: Frozen) -> list[Addendum]:
    """Return the addenda to a frozen pack, the oldest first."""
    found = [
        Addendum.model_validate_json(path.read_bytes())
        for path in place_of(home, frozen).glob("addendum-*.json")
    ]
    return sorted(found, key=lambda addendum: (addendum.made_at, addendum.addendum_id))


def find_addendum(home: Home, frozen: Frozen, addendum_id: str) -> Addendum:
    """Return one addendum to a frozen pack.

    Raises:
        NoAddendumError: there is none of this id.
    """
    found = {a.addendum_id: a for a in addenda(home, frozen)}
    if addendum_id not in found:
        raise NoAddendumError(
            f"there is no addendum {addendum_id} to the pack of {frozen.meeting_id}; there are: "
            f"{', '.join(found) or 'none'}"
        )
    return found[addendum_id]


def reprint(home: Home, frozen: Frozen, addendum: Addendum) -> bytes:
    """Return the archive of an addendum, byte for byte as it was made.

    Raises:
        RemovedError: the law removed some of it; `remaining` is what is left.
        FreezeError: it is not there, or not as it was made.
    """
    path, removal = archive_of(home, frozen, addendum), addendum.removal
    if removal is None:
        return checked(path, addendum.archive_sha256)
    left = removal.remaining_sha256
    raise RemovedError(
        removal.told(f"the addendum {addendum.addendum_id}"),
        None if left is None else checked(path, left),
    )


def remove(home: Home, frozen: Frozen, removal: Removal) -> int:
    """Take the addenda to a frozen pack away under law; each record says so. Return how many."""
    found = addenda(home, frozen)
    with home.writing(timeout=PATIENCE):
        for addendum in found:
            told = removal.model_copy(update={"archive_sha256": addendum.archive_sha256})
            gone = addendum.model_copy(update={"removal": told})
            write_atomically(record_of(home, frozen, addendum), to_json(gone))
            archive_of(home, frozen, addendum).unlink(missing_ok=True)
    return len(found)


def archive_of(home: Home, frozen: Frozen, addendum: Addendum) -> Path:
    """Return where the archive of an addendum lies."""
    return place_of(home, frozen) / f"addendum-{addendum.addendum_id}.zip"


def record_of(home: Home, frozen: Frozen, addendum: Addendum) -> Path:
    """Return where the record of an addendum lies."""
    return place_of(home, frozen) / f"addendum-{addendum.addendum_id}.json"


def to_json(addendum: Addendum) -> bytes:
    """Return an addendum's record as it is stored."""
    return addendum.model_dump_json(indent=1).encode() + b"\n"


def differences(
    before: Portfolio, now: Portfolio, learner_keys: frozenset[str], meeting_id: str
) -> Changes:
    """Return what one portfolio knows of learners that an earlier one did not, and the reverse.

    Evidence is another one where another row of another delivery stands for it. What is only
    computed, such as how far an action has come, is no evidence and is left out, and so is what
    the meeting itself decided.
    """
    was = _forms(before, learner_keys, meeting_id)
    is_now = _forms(now, learner_keys, meeting_id)
    found: Changes = {}
    for key in sorted(is_now):
        old, new = was.get(key, {}), is_now[key]
        changes = [
            *(Change("arrived", f) for i, f in new.items() if i not in old),
            *(Change("replaced", f) for i, f in new.items() if i in old and _moved(old[i], f)),
            *(Change("withdrawn", f) for i, f in old.items() if i not in new),
        ]
        if changes:
            found[key] = tuple(changes)
    return found


def _learners(home: Home, frozen: Frozen, before: Portfolio) -> frozenset[str]:
    """Return who is on the agenda that was frozen, whatever became of it since."""
    first = before
    if before.edition_id != frozen.edition_id:
        first = read(find(home, frozen.edition_id), sections=("learners",))
    return frozenset(
        str(r["learner_key"]) for r in first.learners if r["meeting_id"] == frozen.meeting_id
    )


def _forms(
    portfolio: Portfolio, learner_keys: frozenset[str], meeting_id: str
) -> dict[str, dict[str, Form]]:
    """Return what is known of each learner, but for what the meeting itself decided."""
    found = {}
    for row in portfolio.learners:
        if row["learner_key"] in learner_keys:
            page = assemble(portfolio, row)
            own = {d["evidence_id"] for d in page.decisions if d["meeting_id"] == meeting_id}
            own |= {a["evidence_id"] for a in page.actions if a["decision_evidence_id"] in own}
            found[page.key] = {f.evidence_id: f for f in page.forms if f.evidence_id not in own}
    return found


def _moved(old: Form, new: Form) -> bool:
    return _origin(old) != _origin(new)


def _origin(form: Form) -> tuple[str | None, int | None, str | None]:
    return form.delivery_id, form.source_row, form.source_cell


def _refuse_older(since: Source, later: Source, frozen: Frozen) -> None:
    if since.edition_id == later.edition_id:
        raise NothingArrivedError(
            f"the pack of meeting {frozen.meeting_id} was frozen from edition {later.edition_id}, "
            "and there is no later one: tessera run publishes what has arrived"
        )
    known, before = later.edition.known_at, since.edition.known_at
    if known is not None and before is not None and known < before:
        raise FreezeError(
            f"edition {later.edition_id} knows less than {since.edition_id} did: an addendum is "
            "made from a later edition"
        )


def _files(
    frozen: Frozen, since: Source, now: Portfolio, changes: Changes
) -> list[tuple[str, bytes]]:
    page = Pages(now).addendum(frozen.meeting_id, frozen.freeze_id, since.edition_id, changes)
    files = [
        (PAGE, page.encode()),
        (DATA, _data(frozen, since, now, changes)),
        ("assets/pack.css", style_sheet()),
    ]
    told: dict[str, Any] = {
        "manifest_version": 1,
        "freeze_id": frozen.freeze_id,
        "since_edition_id": since.edition_id,
        "edition_id": now.edition_id,
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files
        },
    }
    return [*files, (MANIFEST, json.dumps(told, indent=1).encode() + b"\n")]


def _data(frozen: Frozen, since: Source, now: Portfolio, changes: Changes) -> bytes:
    told = {
        "addendum_version": ADDENDUM_VERSION,
        "freeze_id": frozen.freeze_id,
        "meeting_id": frozen.meeting_id,
        "since_edition_id": since.edition_id,
        "edition_id": now.edition_id,
        "as_of": now.as_of.isoformat(),
        "known_at": now.known_at.isoformat() if now.known_at else None,
        "changes": list(_rows(changes)),
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"


def _rows(changes: Changes) -> Iterator[dict[str, Any]]:
    for key, found in changes.items():
        for change in found:
            form = change.form
            yield {
                "learner_key": key,
                "what": change.what,
                "evidence_id": form.evidence_id,
                "title": form.title,
                "on": form.on,
                "fields": {field.label: field.value for field in form.fields},
                "delivery_id": form.delivery_id,
                "source_row": form.source_row,
                "source_cell": form.source_cell,
                "known_at": form.known_at,
            }
