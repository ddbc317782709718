"""A frozen pack is released by a person who may, or kept with the reason why it was not.

Every answer is a record of its own beside the pack; none is changed. Silence is a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.committee.edition import find
from pipelines.committee.freeze import PATIENCE, Frozen
from pipelines.committee.people import open_registry
from pipelines.home import Home, write_atomically
from pipelines.identity.decisions import Identity, IdentityError
from pipelines.identity.named import NOBODY
from pipelines.settings import Settings
from pipelines.sources import codes

APPROVE = "Approve"
REJECT = "Reject"
_SHARED = re.compile(
    rf"(?:{'|'.join(sorted(NOBODY | {'airflow', 'default', 'guest', 'shared', 'svc'}))})"
    r"(?:[-_. ]?(?:account|user|\d+))*|(?:svc|service)[-_.].*",
    re.IGNORECASE,
)
"""Accounts that stand for nobody, or for several."""

PersonOf = Callable[[Home, Settings, str], str]


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
    is_released, because, person_key, role = _judge(
        home, settings, frozen, answer, person_of or person_behind
    )
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


def person_behind(home: Home, settings: Settings, identity: str) -> str:
    """Return the key of the person whom an identity belongs to.

    Raises:
        IdentityError: no record names such a person.
    """
    registry = open_registry(home, settings)
    wanted: Identity = registry.identity(identity)
    found = [person for person in registry.persons(wanted) if person.role == "assessor"]
    if not registry.is_met(wanted) or not found:
        raise IdentityError(f"no record names {wanted.masked}")
    return found[0].person_key


def _judge(
    home: Home, settings: Settings, frozen: Frozen, answer: Answer, person_of: PersonOf
) -> tuple[bool, str, str | None, str | None]:
    account = (answer.account or "").strip()
    if not account:
        return False, "nobody answered in time: silence is a refusal", None, None
    if _SHARED.fullmatch(account):
        return False, f"the account {account!r} stands for no single person", None, None
    accounts = codes.load(settings)["airflow_user"].filter(pl.col("airflow_user") == account)
    if accounts.is_empty():
        told = f"the account {account!r} is not in codes/airflow_user.csv of the site"
        return False, told, None, None
    try:
        person_key = person_of(home, settings, str(accounts["identity"].item()))
    except IdentityError as error:
        return False, f"the account {account!r} leads to no person: {error}", None, None
    on = answer.answered_at.date()
    role = _role_on(home, frozen, person_key, on)
    if role is None:
        told = (
            f"the account {account!r} holds no voting role on {on} in a committee of meeting "
            f"{frozen.meeting_id}, by this edition"
        )
        return False, told, person_key, None
    if answer.chosen != APPROVE:
        return False, answer.reason or "rejected, without a reason", person_key, role
    return True, f"approved by {account!r}, {role} on {on}", person_key, role


def _role_on(home: Home, frozen: Frozen, person_key: str, on: date) -> str | None:
    """Return a voting role of a person in a committee of the meeting on a day, the chair's first.

    An edition of a Tessera that did not publish the members yet knows of no role.
    """
    sql = """
        select member_role from committee_member
        where member_key = ? and ? between coalesce(term_from, date '1900-01-01')
            and coalesce(term_to, date '2199-12-31')
            and coalesce(is_voting, true)
            and committee_id in (
                select committee_id from committee_agenda where meeting_id = ?
            )
        order by member_role <> 'chair', member_role
    """
    database = find(home, frozen.edition_id).database
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        try:
            found: list[tuple[Any, ...]] = connection.execute(
                sql, [person_key, on, frozen.meeting_id]
            ).fetchall()
        except duckdb.CatalogException:
            return None
    return str(found[0][0]) if found else None


def _files(home: Home, frozen: Frozen) -> list[Path]:
    return sorted(_place(home, frozen).glob("release-*.json"))


def _place(home: Home, frozen: Frozen) -> Path:
    return home.packs / "frozen" / frozen.meeting_id / frozen.freeze_id
