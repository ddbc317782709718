"""Portable records are what people decided, signed, and verified by programs that are not ours."""

from __future__ import annotations

import json
import shutil
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from openbadgeslib.ob3 import OB3VerificationError, OB3Verifier
from openbadgeslib.ob3.status import check_credential_status

from pipelines.committee import credentials
from pipelines.committee.edition import find
from pipelines.committee.people import Known
from pipelines.home import Home
from pipelines.identity.named import UnnamedError
from pipelines.identity.signing import KEY, Signer, SigningError, make_key, open_key
from tests.committee.edition import EMPTY, FULL

KEPT: dict[str, dict[str, int]] = {}
SCHEMAS = Path(__file__).parent / "schemas"
URL = "https://med.example.org/credentials"


@pytest.fixture(autouse=True)
def _known_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """The invented edition is of a day to come, and a list that begins then does not hold yet."""
    long_ago = datetime(2026, 6, 1, tzinfo=UTC)
    monkeypatch.setattr(credentials, "_known_since", lambda _: long_ago)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    home = Home.open(tmp_path_factory.mktemp("keys"))
    return make_key(home, "School of  Medicine", URL, "A. Muster")


@pytest.fixture(scope="module")
def issued(home: Home, signer: Signer) -> dict[str, bytes]:
    people = {FULL: Known("Nina Muster")}
    return dict(credentials.issue(find(home, None), signer, FULL, people, register(signer)))


def register(signer: Signer) -> Any:
    """Give places as the vault would, and the same ones again to the same badges."""
    kept = KEPT.setdefault(signer.key_id, {})

    def give(credential_ids: Sequence[str]) -> dict[str, int]:
        for credential_id in credential_ids:
            kept.setdefault(credential_id, 1_000 + 7 * len(kept))
        return {credential_id: kept[credential_id] for credential_id in credential_ids}

    return give


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


LATER = """
    insert into dim_competency by name
    select 'later' as competency_key, programme_id, framework_id,
    '2027' as framework_version, competency_id,
    'A later name' as title, sort_order from dim_competency;
    insert into dim_competency by name
    select 'dental' as competency_key, 'DENT' as programme_id, framework_id, framework_version,
    competency_id, 'Of another programme' as title, sort_order from dim_competency;
    insert into dim_scale_level by name
    select scale_id, '0' as scale_version, level + 5 as level from dim_scale_level
"""


def test_an_entrustment_has_the_name_and_the_levels_of_the_version_by_which_it_was_decided(
    of_its_own: Home, signer: Signer
) -> None:
    source = find(of_its_own, None)
    with duckdb.connect(str(source.database)) as connection:
        connection.execute(LATER)
        connection.execute("update fct_evidence set scale_version = '1' where scale_id is not null")
    people = {FULL: Known("Nina Muster")}
    later = dict(credentials.issue(find(of_its_own, None), signer, FULL, people, register(signer)))
    told = credentials.verify(later["badge-02.jwt"].decode(), signer.public_jwk)
    achievement = told["credentialSubject"]["achievement"]
    assert achievement["name"] == "Entrustment: Give or receive a patient handover"
    (levels,) = achievement["resultDescription"]
    assert levels["allowedValue"] == ["1", "2", "3", "4", "5"]


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


def _held_against(name: str, value: Any) -> list[str]:
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    checked = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    return [error.message for error in checked.iter_errors(value)]


def test_badges_and_record_hold_what_the_specifications_demand(issued: dict[str, bytes]) -> None:
    """By schemas that were written from the specifications; the published ones are no package."""
    record = json.loads(issued["clr.json"])
    assert _held_against("clr-2.0.written-from-the-specification.json", record) == []
    for badge in record["credentialSubject"]["verifiableCredential"]:
        assert _held_against("ob-3.0.written-from-the-specification.json", badge) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("issuer", "type"), ["Person"]),
        (("type",), ["VerifiableCredential"]),
        (("@context",), ["https://www.w3.org/ns/credentials/v2"]),
        (("validFrom",), "2026-11-30"),
        (("credentialSubject", "type"), ["ClrSubject"]),
        (("credentialSubject", "achievement", "criteria"), None),
        (("credentialSubject", "achievement", "achievementType"), "Decision"),
        (("credentialStatus", "type"), None),
        (("id",), "not a uri"),
    ],
)
def test_the_schema_refuses_what_the_specification_refuses(
    issued: dict[str, bytes], path: tuple[str, ...], value: Any
) -> None:
    record = json.loads(issued["clr.json"])
    badge = record["credentialSubject"]["verifiableCredential"][0]
    place = badge
    for name in path[:-1]:
        place = place[name]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    assert _held_against("ob-3.0.written-from-the-specification.json", badge)


@pytest.fixture
def of_its_own(home: Home, tmp_path: Path) -> Home:
    """The home of these tests, to change decisions in."""
    shutil.copytree(home.root, tmp_path / "own", symlinks=True)
    return Home.open(tmp_path / "own")


CORRECTED = "update fct_decision set is_corrected = true where learner_key = ?"
STRUCK = "delete from fct_decision where learner_key = ?"


@pytest.mark.parametrize("change", [CORRECTED, STRUCK])
def test_a_decision_that_was_corrected_or_struck_revokes_its_badge_and_no_other(
    of_its_own: Home, issued: dict[str, bytes], signer: Signer, change: str
) -> None:
    """An independent verifier fetches the list, checks who signed it, and refuses the badge."""
    places, source, pem = KEPT[signer.key_id], find(of_its_own, None), _pem(signer)
    verifier = OB3Verifier(pem)
    badges = [verifier.verify(issued[name].decode()) for name in sorted(issued) if "badge" in name]
    before, revoked = credentials.status_list(source, signer, places)
    assert revoked == ()
    for badge in badges:
        check(badge, before, pem)
    assert credentials.status_list(source, signer, places)[0] == before
    with duckdb.connect(str(source.database)) as connection:
        connection.execute(change, [FULL])
    after, revoked = credentials.status_list(find(of_its_own, None), signer, places)
    decided, entrusted = badges
    assert revoked == (decided.id,)
    check(entrusted, after, pem)
    with pytest.raises(OB3VerificationError, match="revo"):
        check(decided, after, pem)
    record = credentials.verify(issued["clr.jwt"].decode(), signer.public_jwk)
    found = credentials.revoked_within(record, after.decode(), signer.public_jwk)
    assert [badge["name"] for badge in found] == ["Progress decision: Targeted support: handover."]


def check(badge: Any, listed: bytes, pem: str) -> None:
    def fetched(address: str) -> bytes:
        assert address == f"{URL}/status.jwt"
        return listed

    check_credential_status(badge, fetched, verify_list=True, list_pubkey_pem=pem)


def test_a_list_of_another_key_or_another_institution_proves_nothing(
    home: Home, issued: dict[str, bytes], signer: Signer, tmp_path: Path
) -> None:
    badge = credentials.verify(issued["badge-01.jwt"].decode(), signer.public_jwk)
    other = make_key(Home.open(tmp_path / "other"), "Other", "https://other.example", "A. Muster")
    theirs = credentials.status_list(find(home, None), other, {})[0].decode()
    with pytest.raises(credentials.CredentialError, match="not what this key signed"):
        credentials.revoked_within(badge, theirs, signer.public_jwk)
    with pytest.raises(credentials.CredentialError, match="names another status list"):
        credentials.revoked_within(badge, theirs, other.public_jwk)
    with pytest.raises(credentials.CredentialError, match="is not a status list"):
        credentials.revoked_within(badge, issued["badge-01.jwt"].decode(), signer.public_jwk)
    ours = credentials.status_list(find(home, None), signer, {})[0].decode()
    with pytest.raises(credentials.CredentialError, match="is not a badge or a record"):
        credentials.verify(ours, signer.public_jwk)


def test_the_list_names_no_person_and_no_decision(home: Home, signer: Signer) -> None:
    token, _ = credentials.status_list(find(home, None), signer, {"urn:uuid:1": 5})
    told = json.loads(_unpacked(token.split(b".")[1]))
    assert set(told) == {
        "@context", "id", "type", "issuer", "validFrom", "credentialSubject", "iss", "jti", "nbf",
    }  # fmt: skip
    assert "urn:uuid" not in json.dumps(told)


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
    again = credentials.issue(find(home, None), signer, FULL, people, register(signer))
    assert dict(again) == issued


def test_no_status_and_no_rationale_goes_out(issued: dict[str, bytes]) -> None:
    text = issued["clr.json"].decode()
    for never in ("needs_discussion", "on_track", "Ratings of handover vary", "share", FULL):
        assert never not in text
    assert "Nina Muster" in text


def test_a_learner_about_whom_nothing_was_decided_has_nothing_to_carry(
    home: Home, signer: Signer
) -> None:
    with pytest.raises(credentials.CredentialError, match="nothing to issue yet"):
        list(credentials.issue(find(home, None), signer, EMPTY, {}, register(signer)))


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
