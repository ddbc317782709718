"""A decision and the actions agreed, written into the inbox as a delivery like any other.

What is wrong with one record is said before anything is written. What only the committee's own
records can tell is judged when the next edition is built.
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

from pipelines.contracts import Action, Decision
from pipelines.contracts.base import Record
from pipelines.contracts.problems import Problem, describe, problems
from pipelines.home import Home, write_atomically
from pipelines.settings import Settings
from pipelines.sources import catalogue
from pipelines.sources.mapping.vocabularies import unknown_outcome

SOURCE = "committee_decisions"
MANIFEST_SUFFIX = ".manifest.json"
Line = dict[str, Any]


class RecordingError(Exception):
    """The decision cannot be recorded; `reasons` says why, a sentence each."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__("\n".join(reasons))


@dataclass(frozen=True)
class Recorded:
    """What was written, and where."""

    record_id: str
    n_actions: int
    path: Path


def record(
    home: Home, settings: Settings, decision: Line, actions: list[Line], by: str
) -> Recorded:
    """Write one decision with its actions into the inbox.

    The record id is made from what was decided: the same decision again is the same delivery.

    Args:
        home: whose inbox.
        settings: which site's vocabularies and sources.
        decision: the fields of the contract `decision`, without `record_id`.
        actions: the fields of the contract `action` that are the action's own.
        by: who records it; kept beside the decision.

    Raises:
        RecordingError: something is wrong with it; nothing was written.
        SourceError: the site's specs or code lists have faults.
    """
    known = catalogue.load(settings)
    decision = {name: value for name, value in decision.items() if value not in (None, [])}
    content = json.dumps([decision, actions], sort_keys=True, default=str)
    record_id = f"DEC-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    lines = lines_of(record_id, decision, actions)
    reasons = [
        f"{where}: {problem.message}. {problem.suggestion[:1].upper()}{problem.suggestion[1:]}"
        for where, problem in judge(lines, known)
    ]
    if reasons:
        raise RecordingError(reasons)
    return Recorded(record_id, len(actions), deliver(home, known, record_id, lines, by))


def lines_of(record_id: str, decision: Line, actions: Sequence[Line]) -> list[Line]:
    """Return a decision and the actions agreed as the lines of a delivery; what is empty is out."""
    decision = {name: value for name, value in decision.items() if value not in (None, [])}
    lines: list[Line] = [{"type": "decision", "record_id": record_id} | decision]
    shared = {name: decision[name] for name in _SHARED if name in decision}
    for number, action in enumerate(actions, start=1):
        own = {name: value for name, value in action.items() if value is not None}
        lines.append(
            {"type": "action", "record_id": f"{record_id}-A{number}"}
            | shared
            | {"decision_record_id": record_id, "status": "open"}
            | own
        )
    return lines


def judge(lines: Sequence[Line], known: catalogue.Catalogue) -> list[tuple[str, Problem]]:
    """Return what is wrong with the lines of one decision, each with the line that it is about."""
    return [
        (where, problem)
        for where, contract, line in _judged(lines)
        for problem in _problems(contract, line, known)
    ]


def deliver(
    home: Home, known: catalogue.Catalogue, name: str, lines: Sequence[Line], by: str
) -> Path:
    """Write lines into the inbox as one delivery, and return the file.

    What lies there with the same bytes is left alone, so that it was sent only once.
    """
    path = inbox_of(home, known) / f"{name}.jsonl"
    data = "".join(
        json.dumps(_COLUMNS | line | {"recorded_by": by}, ensure_ascii=False, default=str) + "\n"
        for line in lines
    ).encode()
    if path.exists() and path.read_bytes() == data:
        return path
    manifest = {
        "sent_at": datetime.now(UTC).isoformat(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "rows": len(lines),
    }
    write_atomically(path.with_name(path.name + MANIFEST_SUFFIX), json.dumps(manifest).encode())
    write_atomically(path, data)
    return path


def inbox_of(home: Home, known: catalogue.Catalogue) -> Path:
    """Return the folder of the inbox that decisions are delivered into."""
    return home.inbox / known.sources[SOURCE].inbox_folder


_COLUMNS: Line = dict.fromkeys(
    name
    for contract in (Decision, Action)
    for name in contract.model_fields
    if name not in ("source_version", "instrument_id", "done_on")
)
"""Every line names every field, so that a decision without actions is a whole file as well."""

_SHARED = ("programme_id", "site_id", "learner_id")


def _judged(lines: Sequence[Line]) -> list[tuple[str, type[Record], Line]]:
    contracts: dict[str, type[Record]] = {"decision": Decision, "action": Action}
    return [
        (
            "decision" if number == 0 else f"action {number}",
            contracts[line["type"]],
            {name: value for name, value in line.items() if name != "type"},
        )
        for number, line in enumerate(lines)
    ]


def _problems(contract: type[Record], line: Line, known: catalogue.Catalogue) -> list[Problem]:
    try:
        contract.model_validate(line)
    except ValidationError as error:
        return problems(contract, error)
    if contract is not Decision:
        return []
    found = unknown_outcome(
        known.codes["decision_outcomes"], line["vocabulary_id"], line["outcome"]
    )
    if found is None:
        return []
    code, field, value, suggestion = found
    return [describe(code, field, contract=contract, value=value, suggestion=suggestion)]
