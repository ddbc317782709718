"""The key that signs what a learner carries away: made by a person, kept in the vault, never shown.

Only the public half leaves this module as text; editions, packs and logs hold neither.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import OKPAlgorithm

from pipelines.home import Home
from pipelines.identity.named import named

ALGORITHM = "EdDSA"
KEY = "signing.json"


class SigningError(Exception):
    """There is no key to sign with, or it cannot be made; the message says what to do."""


@dataclass(frozen=True)
class Signer:
    """Who signs, and with what."""

    issuer_url: str
    issuer_name: str
    private: Ed25519PrivateKey

    @property
    def key_id(self) -> str:
        """Return the name of the public key, below the issuer's address."""
        return f"{self.issuer_url}#tessera-{self.public_jwk['x'][:8]}"

    @property
    def public_jwk(self) -> dict[str, str]:
        """Return the public key, to be published by the issuer."""
        jwk: dict[str, Any] = OKPAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {name: str(jwk[name]) for name in ("kty", "crv", "x")}

    def sign(self, claims: dict[str, Any]) -> str:
        """Return claims as a compact JWT; Ed25519 gives the same text for the same claims."""
        headers = {"kid": self.key_id, "jwk": self.public_jwk}
        return jwt.encode(claims, self.private, algorithm=ALGORITHM, headers=headers)


def make_key(home: Home, issuer_name: str, issuer_url: str, by: str) -> Signer:
    """Make the key of an institution, once.

    Args:
        home: whose vault.
        issuer_name: the institution's name, as it stands on what is signed.
        issuer_url: an https address of the institution, where it publishes the public key.
        by: the person who makes it.

    Raises:
        SigningError: there is a key already, or the address is none.
        UnnamedError: `by` names nobody.
    """
    person = named(by)
    address = urlsplit(issuer_url)
    if address.scheme != "https" or not address.hostname or address.fragment:
        raise SigningError(
            f"{issuer_url!r} is no https address: give the one where the institution publishes "
            "its public key, such as https://med.example.org/credentials"
        )
    key = Ed25519PrivateKey.generate()
    told = {
        "issuer_name": " ".join(issuer_name.split()),
        "issuer_url": issuer_url,
        "made_at": datetime.now(UTC).isoformat(),
        "made_by": person,
        "private_key": key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ).decode(),
    }
    home.vault.mkdir(parents=True, exist_ok=True)
    path = home.vault / KEY
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SigningError(
            f"there is a key already, in {path}: what it signed would no longer verify by a new "
            "one. To change it, publish both public keys, and move the file away yourself"
        ) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(told, file)
        file.flush()
        os.fsync(file.fileno())
    return open_key(home)


def open_key(home: Home) -> Signer:
    """Return the signer of a home.

    Raises:
        SigningError: there is none.
    """
    try:
        told = json.loads((home.vault / KEY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SigningError(
            "there is no key to sign with: make it with `tessera credential key --issuer NAME "
            "--url https://... --by PERSON`"
        ) from None
    private = load_pem_private_key(told["private_key"].encode(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningError(f"{home.vault / KEY} holds no Ed25519 key: restore it from a backup")
    return Signer(told["issuer_url"], told["issuer_name"], private)
