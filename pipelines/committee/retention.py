"""The end of a frozen pack's time: it goes as a whole, with its addenda, and a record stays."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from pipelines.committee import addendum, freeze
from pipelines.committee.freeze import ARCHIVE, FreezeError, Frozen, Removal, place_of
from pipelines.committee.people import open_registry
from pipelines.home import Home
from pipelines.settings import Settings


class HeldError(FreezeError):
    """A legal hold forbids it; the message says on how many learners."""


def retire(home: Home, settings: Settings, frozen: Frozen, by: str, reason: str) -> Removal:
    """Remove what was frozen for a meeting, under the site's rules of retention.

    Args:
        home: whose packs.
        settings: which site's sources name people.
        frozen: the pack.
        by: who answers for it.
        reason: the rule of retention, in words.

    Raises:
        HeldError: a learner whose page it holds is under a legal hold.
        FreezeError: it was removed before.
    """
    archive = place_of(home, frozen) / ARCHIVE
    if not archive.exists():
        raise FreezeError(f"the pack of {frozen.meeting_id} is not there any more: nothing to do")
    held = {p.person_key for p in open_registry(home, settings).persons() if p.is_held}
    pages = {name for name, _ in freeze.members(archive.read_bytes())}
    n_held = sum(f"learners/{key}.html" in pages for key in held)
    if n_held:
        raise HeldError(
            f"{n_held} learners in the pack of {frozen.meeting_id} are under a legal hold: nothing "
            "was removed. Once it no longer stands: tessera identity release"
        )
    removal = Removal(
        record_id=secrets.token_hex(6),
        kind="retention",
        reason=reason,
        removed_at=datetime.now(UTC),
        removed_by=by,
        archive_sha256=frozen.archive_sha256,
    )
    freeze.remove(home, frozen, removal)
    addendum.remove(home, frozen, removal)
    return removal
