"""Portable records are what people decided, signed, and verified by programs that are not ours."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from openbadgeslib.ob3 import OB3VerificationError, OB3Verifier

from pipelines.committee import credentials
from pipelines.committee.edition import find
from pipelines.committee.people import Known
from pipelines.home import Home
from pipelines.identity.named import UnnamedError
from pipelines.identity.signing import KEY, Signer, SigningError, make_key, open_key
from tests.committee.edition import EMPTY, FULL

URL = "https://med.example.org/credentials"


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    home = Home.open(tmp_path_factory.mktemp("keys"))
    return make_key(home, "School of  Medicine", URL, "A. Muster")


@pytest.fixture(scope="module")
def issued(home: Home, signer: Signer) -> dict[str, bytes]:
    people = {FULL: Known("Nina Muster")}
    return dict(credentials.issue(find(home, None), signer, FULL, people))


def _unpacked(part: bytes) -> bytes:
    return urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def _pem(signer: Signer) -> str:
    public = signer.private.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_an_independent_verifier_of_open_badges_takes_every_badge(
    issued: dict[str, bytes], signer: Signer
) -> None:
    verifier = OB3Verifier(_pem(signer))
    badges = [data.decode() for name, data in issued.items() if name.startswith("badge-")]
    found = [verifier.verify(token) for token in badges]
    assert [badge.achievement.name for badge in found] == [
        "Progress decision: Targeted support: handover.",
        "Entrustment: Give or receive a patient handover",
    ]
    assert {badge.issuer.name for badge in found} == {"School of Medicine"}


def test_an_independent_verifier_refuses_a_badge_with_one_letter_changed(
    issued: dict[str, bytes], signer: Signer
) -> None:
    head, body, signature = issued["badge-01.jwt"].decode().split(".")
    forged = ".".join((head, body[:-2] + ("A" if body[-2] != "A" else "B") + body[-1], signature))
    with pytest.raises(OB3VerificationError):
        OB3Verifier(_pem(signer)).verify(forged)
    with pytest.raises(credentials.CredentialError, match="not what this key signed"):
        credentials.verify(forged, signer.public_jwk)


def test_the_record_is_signed_and_holds_every_badge(
    issued: dict[str, bytes], signer: Signer
) -> None:
    head, body, signature = issued["clr.jwt"].split(b".")
    signer.private.public_key().verify(_unpacked(signature), head + b"." + body)
    told: dict[str, Any] = json.loads(_unpacked(body))
    assert json.loads(_unpacked(head))["alg"] == "EdDSA"
    written = json.loads(issued["clr.json"])
    assert {name: told[name] for name in written} == written
    assert told["type"] == ["VerifiableCredential", "ClrCredential"]
    held = told["credentialSubject"]["verifiableCredential"]
    assert len(held) == 2
    assert told["iss"] == told["issuer"]["id"] == URL
    assert told["sub"] == told["credentialSubject"]["id"]


def test_every_term_of_badge_and_record_is_one_of_their_contexts(
    issued: dict[str, bytes],
) -> None:
    """A term that no context defines would be dropped by a JSON-LD reader without a word."""
    import openbadgeslib

    folder = Path(openbadgeslib.__file__).parent / "ob3" / "contexts"
    known: set[str] = set()
    for name in ("credentials-v2.json", "ob-v3p0-context-3.0.3.json", "clr_context_2.0.1.json"):
        known |= _terms(json.loads((folder / name).read_text(encoding="utf-8")))
    used = _names(json.loads(issued["clr.json"])) - {"@context"}
    assert used <= known
    assert {"OpenBadgeCredential", "ClrCredential", "ClrSubject", "Achievement"} <= known


def _terms(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {term for inner in value.values() for term in _terms(inner)}
    if isinstance(value, list):
        return {term for inner in value for term in _terms(inner)}
    return set()


def _names(value: Any) -> set[str]:
    return _terms(value)


def test_the_same_decision_gives_the_same_bytes(
    home: Home, signer: Signer, issued: dict[str, bytes]
) -> None:
    people = {FULL: Known("Nina Muster")}
    assert dict(credentials.issue(find(home, None), signer, FULL, people)) == issued


def test_no_status_and_no_rationale_goes_out(issued: dict[str, bytes]) -> None:
    text = issued["clr.json"].decode()
    for never in ("needs_discussion", "on_track", "Ratings of handover vary", "share", FULL):
        assert never not in text
    assert "Nina Muster" in text


def test_a_learner_about_whom_nothing_was_decided_has_nothing_to_carry(
    home: Home, signer: Signer
) -> None:
    with pytest.raises(credentials.CredentialError, match="nothing to issue yet"):
        list(credentials.issue(find(home, None), signer, EMPTY, {}))


def test_the_key_is_made_once_by_a_person_and_kept_in_the_vault(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    with pytest.raises(SigningError, match="tessera credential key"):
        open_key(home)
    with pytest.raises(UnnamedError):
        make_key(home, "School", URL, "admin")
    with pytest.raises(SigningError, match="no https address"):
        make_key(home, "School", "http://med.example.org", "A. Muster")
    made = make_key(home, "School", URL, "A. Muster")
    assert open_key(home).public_jwk == made.public_jwk
    assert (home.vault / KEY).stat().st_mode & 0o077 == 0
    with pytest.raises(SigningError, match="there is a key already"):
        make_key(home, "School", URL, "A. Muster")


def test_the_private_key_is_in_no_file_that_goes_out(
    issued: dict[str, bytes], signer: Signer
) -> None:
    secret = signer.private.private_bytes_raw()
    for data in issued.values():
        assert secret not in data
        assert urlsafe_b64encode(secret).rstrip(b"=") not in data
        assert b"PRIVATE" not in data
