"""Takes a person out of what was frozen: the files that hold them go, all others stay.

A frozen pack is the proof of what a meeting saw about everybody else. So only the files in which
the person is found leave it, and the manifest, which lists them; a record says which erasure it
was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from pipelines.committee import addendum as additions
from pipelines.committee.freeze import (
    ARCHIVE,
    RECORD,
    REMOVED,
    Frozen,
    Removal,
    archived,
    frozen_packs,
    members,
    place_of,
    removal_of,
)
from pipelines.committee.pack import MANIFEST
from pipelines.committee.release import Release
from pipelines.home import Home

MARK = "[erased]"

Holds = Callable[[str, bytes], bool]
"""Tells whether a file, by name and bytes, holds the person."""
Changed = Callable[[Path, bytes | None], None]
"""Writes a file, with old and new hash on record."""


def erase_from_frozen(
    home: Home,
    *,
    keys: Mapping[str, str],
    holds: Holds,
    scrub: Callable[[str], str],
    record_id: str,
    by: str,
    reason: str,
    erased_at: datetime,
    change: Changed,
) -> int:
    """Take a person out of every frozen pack, its addenda and its records.

    Args:
        home: whose packs; the caller holds its lock.
        keys: the person's keys, each with what stands in its place.
        holds: finds the person in a file.
        scrub: takes the person's words out of a text.
        record_id: the erasure that is on record.
        by: who answers for it.
        reason: why.
        erased_at: when it took place.
        change: writes a file.

    Returns:
        How many frozen packs held the person.
    """
    told = Removal(
        record_id=record_id,
        kind="erasure",
        reason=reason,
        removed_at=erased_at,
        removed_by=by,
        archive_sha256="",
    )
    n_packs = 0
    for frozen in frozen_packs(home):
        place = place_of(home, frozen)
        is_in_pack = _erase_from_pack(home, frozen, told, holds, change)
        is_in_addenda = [
            _erase_from_addendum(home, frozen, addendum, told, keys, holds, change)
            for addendum in additions.addenda(home, frozen)
        ]
        n_packs += is_in_pack or any(is_in_addenda)
        for path in sorted(place.glob("release-*.json")):
            _rewrite_release(path, keys, scrub, change)
        for path in (place / RECORD, *sorted(place.glob("addendum-*.json"))):
            _rewrite_text(path, keys, scrub, change)
    return n_packs


def _erase_from_pack(
    home: Home, frozen: Frozen, told: Removal, holds: Holds, change: Changed
) -> bool:
    place = place_of(home, frozen)
    earlier = removal_of(home, frozen)
    removal = _without(place / ARCHIVE, told, holds, change)
    if removal is None:
        return False
    if earlier is not None and earlier.n_files is not None:
        both = (removal.n_files or 0) + earlier.n_files
        removal = removal.model_copy(update={"n_files": both})
    name = REMOVED if earlier is None else f"removed-{told.record_id}.json"
    change(place / name, removal.model_dump_json(indent=1).encode() + b"\n")
    return True


def _erase_from_addendum(
    home: Home,
    frozen: Frozen,
    addendum: additions.Addendum,
    told: Removal,
    keys: Mapping[str, str],
    holds: Holds,
    change: Changed,
) -> bool:
    removal = _without(additions.archive_of(home, frozen, addendum), told, holds, change)
    learners = {key: n for key, n in addendum.learners.items() if key not in keys}
    if removal is None and learners == addendum.learners:
        return False
    now = addendum.model_copy(update={"learners": learners, "removal": removal or addendum.removal})
    change(additions.record_of(home, frozen, addendum), additions.to_json(now))
    return True


def _without(path: Path, told: Removal, holds: Holds, change: Changed) -> Removal | None:
    """Write an archive without the files that hold the person; None where none does."""
    if not path.exists():
        return None
    data = path.read_bytes()
    files = list(members(data))
    gone = {name for name, content in files if holds(name, content)}
    if not gone:
        return None
    gone |= {MANIFEST} & {name for name, _ in files}
    left = archived((name, content) for name, content in files if name not in gone)
    change(path, left)
    return told.model_copy(
        update={
            "archive_sha256": hashlib.sha256(data).hexdigest(),
            "n_files": len(gone),
            "remaining_sha256": hashlib.sha256(left).hexdigest(),
        }
    )


def _rewrite_release(
    path: Path, keys: Mapping[str, str], scrub: Callable[[str], str], change: Changed
) -> None:
    """Take who answered out of an answer, and leave what it did."""
    release = Release.model_validate_json(path.read_bytes())
    if release.person_key in keys:
        account = release.answer.account or MARK
        answer = release.answer.model_copy(update={"account": MARK})
        release = release.model_copy(
            update={
                "person_key": keys[str(release.person_key)],
                "answer": answer,
                "because": release.because.replace(account, MARK),
            }
        )
        change(path, release.model_dump_json(indent=1).encode() + b"\n")
    _rewrite_text(path, keys, scrub, change)


def _rewrite_text(
    path: Path, keys: Mapping[str, str], scrub: Callable[[str], str], change: Changed
) -> None:
    text = path.read_text(encoding="utf-8")
    clean = scrub(text)
    for key, stone in keys.items():
        clean = clean.replace(key, stone)
    if clean != text:
        change(path, clean.encode())
