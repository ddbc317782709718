"""A frozen pack is released by a person who may, or kept with the reason why it was not.

Every answer is a record of its own beside the pack; none is changed. Silence is a refusal.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.committee.accounts import (
    AccountError,
    PersonOf,
    committees_of,
    person_of_account,
    role_on,
)
from pipelines.committee.edition import find
from pipelines.committee.freeze import PATIENCE, Frozen
from pipelines.home import Home, write_atomically
from pipelines.settings import Settings

APPROVE = "Approve"
REJECT = "Reject"


class Answer(BaseModel):
    """What came back from the person who was asked, or from nobody."""

    model_config = ConfigDict(frozen=True)

    chosen: str
    account: str | None = None
    """The account in Airflow that answered; none where nobody did in time."""
    answered_at: AwareDatetime
    reason: str | None = None


class Release(BaseModel):
    """What became of one answer."""

    model_config = ConfigDict(frozen=True)

    freeze_id: str
    meeting_id: str
    edition_id: str
    archive_sha256: str
    is_released: bool
    because: str
    """Why it was released, or why not, as a sentence."""
    answer: Answer
    person_key: str | None = None
    member_role: str | None = None
    recorded_at: AwareDatetime


def settle(
    home: Home,
    settings: Settings,
    frozen: Frozen,
    answer: Answer,
    person_of: PersonOf | None = None,
) -> Release:
    """Put on record what an answer does; the same answer again gives the record that stands.

    Args:
        home: where the pack is kept.
        settings: whose site says which account is whom.
        frozen: the pack that was asked about.
        answer: what came back.
        person_of: finds the person behind an identity; by default the vault does.

    Raises:
        SourceError: the site's code lists have faults.
        EditionError: the edition that the pack was made from is not there any more.
    """
    for earlier in releases(home, frozen):
        if earlier.answer == answer:
            return earlier
    is_released, because, person_key, role = _judge(home, settings, frozen, answer, person_of)
    release = Release(
        freeze_id=frozen.freeze_id,
        meeting_id=frozen.meeting_id,
        edition_id=frozen.edition_id,
        archive_sha256=frozen.archive_sha256,
        is_released=is_released,
        because=because,
        answer=answer,
        person_key=person_key,
        member_role=role,
        recorded_at=datetime.now(UTC),
    )
    with home.writing(timeout=PATIENCE):
        number = len(_files(home, frozen)) + 1
        target = _place(home, frozen) / f"release-{number:04}.json"
        write_atomically(target, release.model_dump_json(indent=1).encode() + b"\n")
    return release


def releases(home: Home, frozen: Frozen) -> list[Release]:
    """Return every answer about a frozen pack, the oldest first."""
    return [Release.model_validate_json(path.read_bytes()) for path in _files(home, frozen)]


def is_released(home: Home, frozen: Frozen) -> bool:
    """Tell whether the newest answer about a frozen pack released it."""
    answers = releases(home, frozen)
    return bool(answers) and answers[-1].is_released


def _judge(
    home: Home,
    settings: Settings,
    frozen: Frozen,
    answer: Answer,
    person_of: PersonOf | None,
) -> tuple[bool, str, str | None, str | None]:
    account = (answer.account or "").strip()
    if not account:
        return False, "nobody answered in time: silence is a refusal", None, None
    try:
        person_key = person_of_account(home, settings, account, person_of)
    except AccountError as error:
        return False, str(error), None, None
    on = answer.answered_at.date()
    database = find(home, frozen.edition_id).database
    committees = committees_of(database, frozen.meeting_id)
    role = role_on(database, person_key, on, committees, is_voting=True)
    if role is None:
        told = (
            f"the account {account!r} holds no voting role on {on} in a committee of meeting "
            f"{frozen.meeting_id}, by this edition"
        )
        return False, told, person_key, None
    if answer.chosen != APPROVE:
        return False, answer.reason or "rejected, without a reason", person_key, role
    return True, f"approved by {account!r}, {role} on {on}", person_key, role


def _files(home: Home, frozen: Frozen) -> list[Path]:
    return sorted(_place(home, frozen).glob("release-*.json"))


def _place(home: Home, frozen: Frozen) -> Path:
    return home.packs / "frozen" / frozen.meeting_id / frozen.freeze_id
