"""The vault: secret keys, and for each interpretation the persons that it names.

Only this package reads it. Keys are made at first use and are never written anywhere else.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.home import Home

_LINK = pl.Struct({"namespace": pl.String, "person_id": pl.String})

PERSON_SCHEMA: dict[str, pl.DataType] = {
    "namespace": pl.String(),
    "role": pl.String(),
    "person_id": pl.String(),
    "pseudonym": pl.String(),
    "known_at": pl.Datetime("us", "UTC"),
    "event_id": pl.String(),
    "given_name": pl.String(),
    "family_name": pl.String(),
    "email": pl.String(),
    "links": pl.List(_LINK),
}
"""One row per identity met, and one per record that names a person (those have an `event_id`)."""


@dataclass(frozen=True)
class Keys:
    """The secrets of one home."""

    pseudonym: bytes
    """Makes pseudonyms out of source ids."""
    person: bytes
    """Makes learner and assessor keys out of identities."""
    generation: int

    def pseudonym_of(self, namespace: str, person_id: str) -> str:
        """Return the pseudonym of one identity."""
        return _keyed(self.pseudonym, namespace, person_id).hex()[:32]

    def person_key_of(self, role: str, namespace: str, person_id: str) -> str:
        """Return the key of the person whose earliest identity this is."""
        letters = base64.b32encode(_keyed(self.person, role, namespace, person_id)).decode()
        return f"{role[0].upper()}-{letters[:10]}"

    def content_of(self, namespace: str, person_id: str) -> str:
        """Return what stands for an identity in the hash of a record's content.

        It outlives the key of the pseudonyms: a record that is sent again after a rotation is
        still the same record.
        """
        return _keyed(self.person, "content", namespace, person_id).hex()[:32]

    def seal(self, text: str) -> str:
        """Return a keyed digest of a text that only the vault may hold."""
        return _keyed(self.person, "vaulted", text).hex()[:32]


def _keyed(secret: bytes, *parts: str) -> bytes:
    return hmac.digest(secret, "\x1f".join(parts).encode(), "sha256")


def open_keys(home: Home) -> Keys:
    """Return the keys of a home, made where there are none yet."""
    path = home.vault / "keys.json"
    if not path.exists():
        _make_keys(path)
    stored = json.loads(path.read_text(encoding="utf-8"))
    newest = max(stored["generations"], key=lambda item: int(item["generation"]))
    return Keys(
        pseudonym=bytes.fromhex(newest["pseudonym_secret"]),
        person=bytes.fromhex(stored["person_secret"]),
        generation=newest["generation"],
    )


def _make_keys(path: Path) -> None:
    keys = {
        "person_secret": secrets.token_hex(32),
        "generations": [{"generation": 1, "pseudonym_secret": secrets.token_hex(32)}],
    }
    temporary = _written_apart(path, keys)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass  # another process was first; its keys count
    finally:
        temporary.unlink()


def _written_apart(path: Path, keys: dict[str, Any]) -> Path:
    temporary = path.with_name(f".keys.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(keys, file)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def rotate_keys(home: Home) -> int:
    """Make a new key for pseudonyms and return its generation; the keys of persons stay.

    What was written before keeps its pseudonyms: the bridge knows both.
    """
    open_keys(home)
    path = home.vault / "keys.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    generation = 1 + max(int(item["generation"]) for item in stored["generations"])
    made = {"generation": generation, "pseudonym_secret": secrets.token_hex(32)}
    stored["generations"].append(made)
    temporary = _written_apart(path, stored)
    temporary.replace(path)
    return generation


def persons_path(home: Home, delivery_id: str, interpretation_id: str) -> Path:
    """Return where the persons of one interpretation are kept."""
    return home.vault / "persons" / delivery_id / f"{interpretation_id}.parquet"


def persons(
    home: Home,
    interpretations: Iterable[tuple[str, str]],
    known_earlier: Mapping[str, tuple[datetime, datetime]] | None = None,
) -> pl.DataFrame:
    """Return the persons that the given (delivery, interpretation) pairs name.

    Args:
        home: whose vault.
        interpretations: the pairs.
        known_earlier: for deliveries of which an earlier arrival came to light since they were
            read: the known-at that was written down, and the one that holds.
    """
    moved = known_earlier or {}
    pairs = [pair for pair in sorted(interpretations) if persons_path(home, *pair).exists()]
    frames = [
        pl.read_parquet(persons_path(home, *pair)).with_columns(
            pl.col("known_at").replace(*moved[pair[0]])
        )
        for pair in pairs
        if pair[0] in moved
    ]
    usual = [persons_path(home, *pair) for pair in pairs if pair[0] not in moved]
    if usual:
        frames.append(pl.read_parquet(usual))
    return pl.concat([pl.DataFrame(schema=PERSON_SCHEMA), *frames])
