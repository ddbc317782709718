"""What a learner carries away: decisions and entrustments, as signed Open Badges 3.0 and a CLR 2.0.

Only what people decided goes out: a decision that stands and whose embargo is over, and a summative
entrustment. No status, no share and no signal of ours is ever turned into a credential. Each badge,
and the record that holds all of them, is a JWT (the VC-JWT proof of the standards) signed with the
institution's key.

A badge points to its place in the institution's status list (W3C Bitstring Status List). The list
is made from an edition: what was issued and would not be issued any more is marked as revoked.
"""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import duckdb
import jwt

from pipelines.committee import words
from pipelines.committee.edition import Source
from pipelines.committee.evidence import Row
from pipelines.committee.people import NOBODY, Everybody
from pipelines.committee.queries import open_edition
from pipelines.identity.issued import PLACES
from pipelines.identity.signing import ALGORITHM, Signer

VC = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
CLR = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
STATUS_LIST = "status.jwt"
REVOCATION = "revocation"
_NAMES = UUID("6f6b0c0e-6f2b-5a77-9d0c-0e4f5d6b7a31")
"""What ids of credentials are derived in, so that the same decision has the same id for ever."""

Claims = dict[str, Any]


class CredentialError(Exception):
    """Nothing can be issued, or what is held does not verify; the message says why."""


def issue(
    source: Source,
    signer: Signer,
    learner_key: str,
    people: Everybody,
    give_places: Callable[[Sequence[str]], Mapping[str, int]],
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of one learner's portable record, as name and bytes.

    Args:
        source: the edition that the decisions are read from.
        signer: the institution.
        learner_key: whose record.
        people: for the name on it; without one the record carries the key's id alone.
        give_places: gives each badge, by its id, its place in the status list.

    Raises:
        CredentialError: nothing was decided about this learner that could be carried away.
    """
    subject = _subject(learner_key, people.get(learner_key, NOBODY).name)
    with open_edition(source) as connection:
        badges = [
            *(_decided(row, signer, subject) for row in _decisions(connection, learner_key)),
            *(_entrusted(row, signer, subject) for row in _entrustments(connection, learner_key)),
        ]
    if not badges:
        raise CredentialError(
            f"edition {source.edition_id} holds no decision that stands and no summative "
            f"entrustment of {learner_key}: there is nothing to issue yet"
        )
    given = give_places([str(badge["id"]) for badge in badges])
    badges = [badge | _status(signer, given[badge["id"]]) for badge in badges]
    for number, badge in enumerate(badges, start=1):
        yield f"badge-{number:02d}.jwt", signer.sign(_registered(badge)).encode()
    record = _record(source, signer, subject, badges)
    yield "clr.jwt", signer.sign(_registered(record)).encode()
    yield "clr.json", _text(record)
    yield "issuer.jwk.json", _text(signer.public_jwk | {"kid": signer.key_id})


def status_list(
    source: Source, signer: Signer, places: Mapping[str, int]
) -> tuple[bytes, tuple[str, ...]]:
    """Return the signed status list by an edition, and the ids of the badges that it revokes.

    Revoked is what was issued and would not be issued any more: the decision was corrected or
    struck, or does not stand. The same edition and register give the same bytes.

    Args:
        source: the edition.
        signer: the institution.
        places: the place of every badge that was ever issued, by its id.
    """
    with open_edition(source) as connection:
        standing = {
            *(_decision_id(row) for row in _decisions(connection, None)),
            *(_entrustment_id(row) for row in _entrustments(connection, None)),
        }
    revoked = tuple(
        sorted(credential_id for credential_id in places if credential_id not in standing)
    )
    address = status_address(signer)
    listed: Claims = {
        "@context": [VC],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": signer.issuer_url,
        "validFrom": _instant(_known_since(source)),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": REVOCATION,
            "encodedList": _bits({places[credential_id] for credential_id in revoked}),
        },
    }
    begins = datetime.fromisoformat(listed["validFrom"])
    registered = {"iss": signer.issuer_url, "jti": address, "nbf": int(begins.timestamp())}
    return signer.sign(listed | registered).encode(), revoked


def status_address(signer: Signer) -> str:
    """Return where the institution publishes its status list."""
    return f"{signer.issuer_url.rstrip('/')}/{STATUS_LIST}"


def revoked_within(claims: Claims, token: str, jwk: dict[str, str]) -> list[Claims]:
    """Return the badges of a credential that a status list says are revoked.

    Args:
        claims: what the credential says, a badge or a record of badges.
        token: the status list, as the institution publishes it.
        jwk: the public key that the issuer publishes.

    Raises:
        CredentialError: the list is not what the key signed, or is not the one that is named.
    """
    listed = verify(token, jwk, of_list=True)
    subject = listed["credentialSubject"]
    bits = _unpacked(str(subject["encodedList"]))
    found = []
    for badge in badges_of(claims):
        status = badge.get("credentialStatus") or {}
        if status.get("statusListCredential") != listed["id"]:
            raise CredentialError(
                f"{badge['name']} names another status list: {status.get('statusListCredential')}"
            )
        place = int(status["statusListIndex"])
        if not 0 <= place < PLACES or bits[place // 8] >> (7 - place % 8) & 1:
            found.append(badge)
    return found


def badges_of(claims: Claims) -> list[Claims]:
    """Return the badges of a record; a badge is its own."""
    held: list[Claims] = claims["credentialSubject"].get("verifiableCredential", [claims])
    return held


def verify(token: str, jwk: dict[str, str], *, of_list: bool = False) -> Claims:
    """Return what a signed credential says, if it is what the holder of a key signed.

    Args:
        token: the JWT.
        jwk: the public key that the issuer publishes; the one within the token proves nothing.
        of_list: whether it has to be a status list, which is no record of a person.

    Raises:
        CredentialError: it is not.
    """
    try:
        claims: Claims = jwt.decode(token.strip(), jwt.PyJWK(jwk), algorithms=[ALGORITHM])
    except (jwt.InvalidTokenError, jwt.PyJWKError, KeyError, ValueError) as error:
        raise CredentialError(f"not what this key signed, or not a credential: {error}") from None
    if of_list != ("BitstringStatusListCredential" in (claims.get("type") or ())):
        wanted = "a status list" if of_list else "a badge or a record"
        raise CredentialError(f"it is signed, and is not {wanted}")
    issuer = claims.get("issuer")
    if claims.get("iss") != (issuer.get("id") if isinstance(issuer, dict) else issuer):
        raise CredentialError("who issued it and who signed it are not the same")
    return claims


def _decisions(connection: duckdb.DuckDBPyConnection, learner_key: str | None) -> Sequence[Row]:
    return _rows(
        connection,
        "select d.record_key, d.programme_id, d.committee_id, d.outcome, d.decided_at "
        "from fct_decision as d "
        "join committee_student_record as out on d.record_key = out.record_key and out.is_out "
        "where d.learner_key = coalesce($1, d.learner_key) "
        "and d.standing = 'stands' and not d.is_corrected "
        "order by d.decided_at, d.record_key",
        learner_key,
    )


def _entrustments(connection: duckdb.DuckDBPyConnection, learner_key: str | None) -> Sequence[Row]:
    return _rows(
        connection,
        "select e.record_key, e.programme_id, e.competency_id, e.scale_id, e.level, "
        "e.occurred_at as decided_at, c.title, "
        "(select list(distinct l.level order by l.level) from dim_scale_level as l "
        "where l.scale_id = e.scale_id "
        "and l.scale_version = coalesce(e.scale_version, newest.scale_version)) as levels "
        "from fct_evidence as e "
        "left join dim_competency as c on e.competency_key = c.competency_key "
        "left join newest_version() as newest on e.scale_id = newest.scale_id "
        "where e.learner_key = coalesce($1, e.learner_key) "
        "and e.decision_kind = 'summative' and e.level is not null "
        "and not coalesce(e.is_withheld, false) "
        "order by decided_at, e.record_key, e.competency_id",
        learner_key,
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str, key: str | None) -> Sequence[Row]:
    """Return the rows of a learner, or those of all."""
    rows: Sequence[Row] = connection.sql(query, params=[key]).pl().rows(named=True)
    return rows


def _subject(learner_key: str, name: str | None) -> Claims:
    subject: Claims = {"id": _urn("learner", learner_key)}
    if name is not None:
        subject["identifier"] = [
            {
                "type": "IdentityObject",
                "hashed": False,
                "identityHash": name,
                "identityType": "name",
            }
        ]
    return subject


def _decided(row: Row, signer: Signer, subject: Claims) -> Claims:
    outcome = str(row["outcome"])
    achievement: Claims = {
        "id": _urn("outcome", row["programme_id"], row["committee_id"], outcome),
        "type": ["Achievement"],
        "achievementType": "Assessment",
        "name": f"Progress decision: {outcome}",
        "description": f"A decision of the progress committee {row['committee_id']} in the "
        f"programme {row['programme_id']}.",
        "criteria": {
            "narrative": "Decided by entitled members of the committee, with quorum, from the "
            "evidence in the learner's portfolio."
        },
    }
    return _badge(row, signer, subject, achievement, _decision_id(row))


def _entrusted(row: Row, signer: Signer, subject: Claims) -> Claims:
    title = str(row["title"] or row["competency_id"])
    described = _urn("scale", row["scale_id"])
    achievement: Claims = {
        "id": _urn("entrustment", row["programme_id"], row["competency_id"]),
        "type": ["Achievement"],
        "achievementType": "Competency",
        "name": f"Entrustment: {title}",
        "description": f"A summative decision on how much supervision is needed: {title}.",
        "criteria": {"narrative": "Decided by named people who observed the learner at work."},
        "resultDescription": [
            {
                "id": described,
                "type": ["ResultDescription"],
                "name": f"Level of {words.plain(row['scale_id'])}",
                "resultType": "Result",
                "allowedValue": [str(level) for level in row["levels"] or [row["level"]]],
            }
        ],
    }
    result = [{"type": ["Result"], "resultDescription": described, "value": str(row["level"])}]
    return _badge(row, signer, subject | {"result": result}, achievement, _entrustment_id(row))


def _decision_id(row: Row) -> str:
    return _urn("credential", row["record_key"], "decision")


def _entrustment_id(row: Row) -> str:
    return _urn("credential", row["record_key"], row["competency_id"])


def _badge(
    row: Row, signer: Signer, subject: Claims, achievement: Claims, credential_id: str
) -> Claims:
    return {
        "@context": [VC, OPEN_BADGES],
        "id": credential_id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": achievement["name"],
        "issuer": _issuer(signer),
        "validFrom": _instant(row["decided_at"]),
        "credentialSubject": subject | {"type": ["AchievementSubject"], "achievement": achievement},
    }


def _known_since(source: Source) -> datetime:
    """Return from when a list by this edition holds."""
    return source.edition.known_at or source.edition.created_at


def _status(signer: Signer, place: int) -> Claims:
    address = status_address(signer)
    return {
        "credentialStatus": {
            "id": f"{address}#{place}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": REVOCATION,
            "statusListIndex": str(place),
            "statusListCredential": address,
        }
    }


def _bits(places: Collection[int]) -> str:
    """Return a list in which these places are set, as the standard packs it."""
    bits = bytearray(PLACES // 8)
    for place in places:
        bits[place // 8] |= 0x80 >> place % 8
    packed = urlsafe_b64encode(gzip.compress(bytes(bits), mtime=0)).decode()
    return f"u{packed.rstrip('=')}"


def _unpacked(encoded: str) -> bytes:
    packed = encoded.removeprefix("u")
    try:
        bits = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(
            urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), PLACES // 8
        )
    except (ValueError, zlib.error) as error:
        raise CredentialError(f"the status list cannot be unpacked: {error}") from None
    if len(bits) != PLACES // 8:
        raise CredentialError("the status list is shorter than the standard allows")
    return bits


def _record(source: Source, signer: Signer, subject: Claims, badges: Sequence[Claims]) -> Claims:
    return {
        "@context": [VC, CLR, OPEN_BADGES],
        "id": _urn("record", subject["id"], *(badge["id"] for badge in badges)),
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "Decisions and entrustments",
        "description": f"What was decided by {source.edition.as_of}, without the evidence.",
        "issuer": _issuer(signer),
        "validFrom": max(badge["validFrom"] for badge in badges),
        "credentialSubject": {
            name: subject[name] for name in ("id", "identifier") if name in subject
        }
        | {"type": ["ClrSubject"], "verifiableCredential": list(badges)},
    }


def _issuer(signer: Signer) -> Claims:
    return {
        "id": signer.issuer_url,
        "type": ["Profile"],
        "name": signer.issuer_name,
        "url": signer.issuer_url,
    }


def _registered(credential: Claims) -> Claims:
    """Return a credential with the registered claims of a JWT beside its own."""
    begins = datetime.fromisoformat(credential["validFrom"])
    return credential | {
        "iss": credential["issuer"]["id"],
        "sub": credential["credentialSubject"]["id"],
        "jti": credential["id"],
        "nbf": int(begins.timestamp()),
    }


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _urn(*parts: str | None) -> str:
    return uuid5(_NAMES, "\x1f".join(part or "" for part in parts)).urn


def _text(value: Claims) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
