"""Which place of the institution's status list belongs to which credential that was issued.

A reader finds in the list whether a credential still stands. Places are drawn at random, so that
neighbours tell nothing of each other, and are kept in the vault: a place once given is never given
to another credential. The register holds ids of credentials alone, and no person.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable

from pipelines.home import PRIVATE, Home, write_atomically

REGISTER = "issued.json"
PLACES = 131_072
"""How long the list is: the least that the standard allows, so that it hides who is looked up."""
PATIENCE = 60.0


class RegisterError(Exception):
    """The register cannot be read, or is full; the message says what to do."""


def places(home: Home) -> dict[str, int]:
    """Return the place of every credential that was ever issued, by its id.

    Raises:
        RegisterError: the register is damaged.
    """
    path = home.vault / REGISTER
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        told = None
    if not isinstance(told, dict) or not all(isinstance(place, int) for place in told.values()):
        raise RegisterError(
            f"{path} cannot be read: restore it from the backup of the vault, since what was "
            "issued points to its places"
        )
    return told


def give_places(home: Home, credential_ids: Iterable[str]) -> dict[str, int]:
    """Return the place of each credential; one that has none yet is given one, for ever.

    Raises:
        RegisterError: the register is damaged, or there is no place left.
        HomeError: another process is writing.
    """
    wanted = list(dict.fromkeys(credential_ids))
    known = places(home)
    if all(credential_id in known for credential_id in wanted):
        return {credential_id: known[credential_id] for credential_id in wanted}
    with home.writing(timeout=PATIENCE):
        known = places(home)
        taken = set(known.values())
        for credential_id in wanted:
            if credential_id not in known:
                known[credential_id] = _free(taken)
                taken.add(known[credential_id])
        data = json.dumps(known, indent=0, sort_keys=True).encode()
        write_atomically(home.vault / REGISTER, data, PRIVATE)
    return {credential_id: known[credential_id] for credential_id in wanted}


def _free(taken: set[int]) -> int:
    if len(taken) >= PLACES:
        raise RegisterError(
            f"all {PLACES} places of the status list are given: make a new key under an address "
            "of its own, which begins a new list"
        )
    while (place := secrets.randbelow(PLACES)) in taken:
        pass
    return place
