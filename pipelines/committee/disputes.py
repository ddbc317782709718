"""Disputes of data points: listed with their owner, and answered through the inbox.

The data point stays as it is. The answer is a record of its own beside it, and reaches learner and
committee with the next edition.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipelines.committee.edition import Source
from pipelines.committee.evidence import Row
from pipelines.committee.people import NOBODY, Everybody
from pipelines.committee.queries import open_edition
from pipelines.contracts import Reflection
from pipelines.contracts.problems import problems
from pipelines.home import Home, write_atomically
from pipelines.intake.feeds import load_feeds
from pipelines.settings import Settings

SOURCE = "dispute_answers"
MANIFEST_SUFFIX = ".manifest.json"


class DisputeError(Exception):
    """The dispute cannot be answered; the message says why and what to do."""


@dataclass(frozen=True)
class Answered:
    """What was written, and where."""

    record_id: str
    learner_key: str
    path: Path


def disputes(source: Source) -> Sequence[Row]:
    """Return every dispute of an edition, those nobody has answered first, the oldest first."""
    with open_edition(source) as connection:
        rows: Sequence[Row] = (
            connection.sql(
                "select record_id, programme_id, learner_key, about_evidence_id, text, "
                "dispute_status, owner_key, owner_role, reply, occurred_on, answered_at "
                "from fct_reflection where reflection_type = 'dispute' "
                "order by dispute_status <> 'raised', occurred_at, record_id"
            )
            .pl()
            .rows(named=True)
        )
    return rows


def answer(
    home: Home,
    settings: Settings,
    source: Source,
    record_id: str,
    text: str,
    by: str,
    people: Everybody,
) -> Answered:
    """Write an answer into the inbox, as a delivery of the source `dispute_answers`.

    Args:
        home: whose inbox.
        settings: which site's sources.
        source: the edition that knows the dispute.
        record_id: the dispute, as `tessera dispute list` shows it.
        text: the answer, word for word.
        by: the id of the member of staff who answers, in the name space of the source.
        people: the vault's ids.

    Raises:
        DisputeError: there is no such dispute, or the answer is none; nothing was written.
    """
    found = [row for row in disputes(source) if row["record_id"] == record_id]
    if not found:
        raise DisputeError(
            f"edition {source.edition_id} knows no dispute {record_id!r}: "
            "`tessera dispute list` shows them"
        )
    if not text.strip():
        raise DisputeError("--text is empty: write what the learner is to read")
    (dispute,) = found
    feed = load_feeds(settings)[SOURCE]
    namespace = feed.namespace.name
    learner_id = people.get(dispute["learner_key"], NOBODY).ids.get(namespace)
    if learner_id is None:
        raise DisputeError(
            f"the vault has no id of {dispute['learner_key']} in the name space {namespace!r}: "
            f"put a spec {SOURCE}.yaml with another person_namespace into the site's overlay"
        )
    made = hashlib.sha256(f"{record_id}\x1f{text}\x1f{by}".encode()).hexdigest()[:12]
    line = {
        "record_id": f"answer-{made}",
        "programme_id": dispute["programme_id"],
        "learner_id": learner_id,
        "dispute": record_id,
        "answered_by": by,
        "text": text,
        "at": datetime.now(UTC).replace(microsecond=0).isoformat(),
    }
    _refuse_bad(line)
    folder = home.inbox / feed.inbox_folder
    path = folder / f"{line['record_id']}.jsonl"
    data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
    manifest = {"sent_at": line["at"], "sha256": hashlib.sha256(data).hexdigest(), "rows": 1}
    write_atomically(path.with_name(path.name + MANIFEST_SUFFIX), json.dumps(manifest).encode())
    write_atomically(path, data)
    return Answered(str(line["record_id"]), dispute["learner_key"], path)


def _refuse_bad(line: dict[str, Any]) -> None:
    record = {
        "record_id": line["record_id"],
        "programme_id": line["programme_id"],
        "learner_id": line["learner_id"],
        "reflection_type": "response",
        "in_reply_to_record_id": line["dispute"],
        "owner_id": line["answered_by"],
        "text": line["text"],
        "occurred_at": line["at"],
    }
    try:
        Reflection.model_validate(record)
    except ValidationError as error:
        told = "; ".join(f"{p.message}. {p.suggestion}" for p in problems(Reflection, error))
        raise DisputeError(told) from None
