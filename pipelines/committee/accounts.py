"""Who stands behind an account of Airflow, and what they may do in a committee on a day.

A site's `codes/airflow_user.csv` says whose an account is. Accounts that stand for nobody, or for
several, lead to nobody, whatever that list says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.committee.people import open_registry
from pipelines.home import Home
from pipelines.identity.decisions import Identity, IdentityError
from pipelines.identity.named import NOBODY
from pipelines.settings import Settings
from pipelines.sources import codes

PersonOf = Callable[[Home, Settings, str], str]
"""Finds the key of the person whom an identity belongs to."""

_SHARED = re.compile(
    rf"(?:{'|'.join(sorted(NOBODY | {'airflow', 'default', 'guest', 'shared', 'svc'}))})"
    r"(?:[-_. ]?(?:account|user|\d+))*|(?:svc|service)[-_.].*",
    re.IGNORECASE,
)


class AccountError(Exception):
    """No single person stands behind an account; the message says why."""


def person_of_account(
    home: Home, settings: Settings, account: str, person_of: PersonOf | None = None
) -> str:
    """Return the key of the person whom an account belongs to.

    Args:
        home: whose vault.
        settings: whose site says which account is whom.
        account: as Airflow calls it.
        person_of: finds the person behind an identity; by default the vault does.

    Raises:
        AccountError: the account is shared, is not listed, or leads to no person.
        SourceError: the site's code lists have faults.
    """
    if _SHARED.fullmatch(account):
        raise AccountError(f"the account {account!r} stands for no single person")
    listed = codes.load(settings)["airflow_user"].filter(pl.col("airflow_user") == account)
    if listed.is_empty():
        raise AccountError(f"the account {account!r} is not in codes/airflow_user.csv of the site")
    try:
        return (person_of or person_behind)(home, settings, str(listed["identity"].item()))
    except IdentityError as error:
        raise AccountError(f"the account {account!r} leads to no person: {error}") from None


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


def role_on(
    database: Path,
    person_key: str,
    on: date,
    committee_ids: Collection[str],
    *,
    is_voting: bool,
) -> str | None:
    """Return a role of a person in one of some committees on a day, the chair's first.

    An edition of a Tessera that did not publish the members yet knows of no role.

    Args:
        database: the edition's tables.
        person_key: who.
        on: when the term has to run.
        committee_ids: in which committees.
        is_voting: whether only roles with a vote are looked for.
    """
    sql = """
        select member_role from committee_member
        where member_key = ? and ? between coalesce(term_from, date '1900-01-01')
            and coalesce(term_to, date '2199-12-31')
            and (coalesce(is_voting, true) or not ?)
            and committee_id in (select unnest(?))
        order by member_role <> 'chair', member_role
    """
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        try:
            found: list[tuple[Any, ...]] = connection.execute(
                sql, [person_key, on, is_voting, sorted(committee_ids)]
            ).fetchall()
        except duckdb.CatalogException:
            return None
    return str(found[0][0]) if found else None


def committees_of(database: Path, meeting_id: str) -> set[str]:
    """Return the committees that hold a meeting, by the agenda of an edition."""
    sql = """
        select distinct committee_id from committee_agenda
        where meeting_id = ? and committee_id is not null
    """
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        return {str(row[0]) for row in connection.execute(sql, [meeting_id]).fetchall()}
