"""What a learner carries away: decisions and entrustments, as signed Open Badges 3.0 and a CLR 2.0.

Only what people decided goes out: a decision that stands and whose embargo is over, and a summative
entrustment. No status, no share and no signal of ours is ever turned into a credential. Each badge,
and the record that holds all of them, is a JWT (the VC-JWT proof of the standards) signed with the
institution's key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
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
from pipelines.identity.signing import ALGORITHM, Signer

VC = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
CLR = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
_NAMES = UUID("6f6b0c0e-6f2b-5a77-9d0c-0e4f5d6b7a31")
"""What ids of credentials are derived in, so that the same decision has the same id for ever."""

Claims = dict[str, Any]


class CredentialError(Exception):
    """Nothing can be issued, or what is held does not verify; the message says why."""


def issue(
    source: Source, signer: Signer, learner_key: str, people: Everybody
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of one learner's portable record, as name and bytes.

    Args:
        source: the edition that the decisions are read from.
        signer: the institution.
        learner_key: whose record.
        people: for the name on it; without one the record carries the key's id alone.

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
    for number, badge in enumerate(badges, start=1):
        yield f"badge-{number:02d}.jwt", signer.sign(_registered(badge)).encode()
    record = _record(source, signer, subject, badges)
    yield "clr.jwt", signer.sign(_registered(record)).encode()
    yield "clr.json", _text(record)
    yield "issuer.jwk.json", _text(signer.public_jwk | {"kid": signer.key_id})


def verify(token: str, jwk: dict[str, str]) -> Claims:
    """Return what a signed credential says, if it is what the holder of a key signed.

    Args:
        token: the JWT.
        jwk: the public key that the issuer publishes; the one within the token proves nothing.

    Raises:
        CredentialError: it is not.
    """
    try:
        claims: Claims = jwt.decode(token.strip(), jwt.PyJWK(jwk), algorithms=[ALGORITHM])
    except (jwt.InvalidTokenError, jwt.PyJWKError, KeyError, ValueError) as error:
        raise CredentialError(f"not what this key signed, or not a credential: {error}") from None
    if claims.get("iss") != (claims.get("issuer") or {}).get("id"):
        raise CredentialError("who issued it and who signed it are not the same")
    return claims


def _decisions(connection: duckdb.DuckDBPyConnection, learner_key: str) -> Sequence[Row]:
    return _rows(
        connection,
        "select d.record_key, d.programme_id, d.committee_id, d.outcome, d.decided_at "
        "from fct_decision as d "
        "join committee_student_record as out on d.record_key = out.record_key and out.is_out "
        "where d.learner_key = ? and d.standing = 'stands' and not d.is_corrected "
        "order by d.decided_at, d.record_key",
        learner_key,
    )


def _entrustments(connection: duckdb.DuckDBPyConnection, learner_key: str) -> Sequence[Row]:
    return _rows(
        connection,
        "select e.record_key, e.programme_id, e.competency_id, e.scale_id, e.level, "
        "e.occurred_at as decided_at, any_value(c.title) as title, "
        "(select list(distinct l.level order by l.level) from dim_scale_level as l "
        "where l.scale_id = e.scale_id) as levels "
        "from fct_evidence as e left join dim_competency as c "
        "on e.competency_id = c.competency_id "
        "where e.learner_key = ? and e.decision_kind = 'summative' and e.level is not null "
        "and not coalesce(e.is_withheld, false) "
        "group by all order by decided_at, e.record_key, e.competency_id",
        learner_key,
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str, key: str) -> Sequence[Row]:
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
    return _badge(row, signer, subject, achievement, "decision")


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
    return _badge(row, signer, subject | {"result": result}, achievement, row["competency_id"])


def _badge(
    row: Row, signer: Signer, subject: Claims, achievement: Claims, what: str | None
) -> Claims:
    return {
        "@context": [VC, OPEN_BADGES],
        "id": _urn("credential", row["record_key"], what or ""),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": achievement["name"],
        "issuer": _issuer(signer),
        "validFrom": _instant(row["decided_at"]),
        "credentialSubject": subject | {"type": ["AchievementSubject"], "achievement": achievement},
    }


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
