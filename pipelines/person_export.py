"""Everything that is held on one person, for that person: records, ids, decisions, refusals.

What would give somebody else away stays behind, and is counted: single answers of multisource
feedback, and records that their source does not share with the learner. A person decides on those.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns
from pipelines.home import Home
from pipelines.identity.decisions import Identity
from pipelines.identity.people import Foldings
from pipelines.intake.erase_target import Target
from pipelines.intake.people import known_people
from pipelines.intake.records import IntakeRecord, active_records, segments
from pipelines.intake.segment import originals_path
from pipelines.settings import Settings
from pipelines.sources import catalogue

EPOCH = (1980, 1, 1, 0, 0, 0)
SINGLE_ANSWER = "single answers of multisource feedback, which would tell respondents apart"
NOT_SHARED = "records that their source does not share with the learner: ask who wrote them"


class ExportError(Exception):
    """There is nothing to export; the message says what to do."""


@dataclass
class Export:
    """What was found."""

    files: dict[str, bytes] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    """Records by kind."""
    withheld: Counter[str] = field(default_factory=Counter)
    """Records that stay behind, by reason."""

    def archive(self) -> bytes:
        """Return all files in one ZIP archive, with the hash of each."""
        told = {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items()}
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in [*sorted(self.files.items()), ("manifest.json", _text(told))]:
                archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
        return out.getvalue()


def export(home: Home, settings: Settings, identity: Identity, foldings: Foldings) -> Export:
    """Return everything that is held on the person whom an identity belongs to.

    Args:
        home: whose log and vault.
        settings: which site's code lists.
        identity: one id of the person.
        foldings: how the sources of each name space write ids.

    Raises:
        ExportError: no record names such a person.
    """
    in_force = list(active_records(home))
    records = [record for record in in_force if record.status == "committed"]
    registry = known_people(home, foldings, in_force)
    sets = registry.sets
    own = {sets.earliest(node) for node in sets.nodes_of(identity)}
    nodes = [(node, text) for node, text, _ in sets.met() if sets.earliest(node) in own]
    if not nodes:
        raise ExportError(f"no record names {identity.masked}: tessera identity list shows people")
    stretches = tuple(sorted({(text, *sets.validity(node)) for node, text in nodes}, key=str))
    target = Target(frozenset(), frozenset(), stretches, frozenset(), "", "")
    multisource, others = _instruments(settings)
    found = Export()
    for kind, frame in _about(home, records, target):
        kept = _without_others(kind, frame, multisource, found.withheld)
        found.counts[kind] += kept.height
        name = f"records/{kind}.jsonl"
        found.files[name] = found.files.get(name, b"") + _lines(kept)
    found.files["vault.json"] = _text(
        {
            "ids": sorted({f"{node.namespace}:{node.person_id}" for node, _ in nodes}),
            "sent": [
                {name: row[name] for name in ("given_name", "family_name", "email")}
                for row in registry.people.filter(pl.col("event_id").is_not_null())
                .sort("known_at", "event_id")
                .iter_rows(named=True)
                if sets.node_of(row) in {node for node, _ in nodes}
            ],
        }
    )
    ids = {node.person_id for node, _ in nodes}
    taken = [
        decision.model_dump(mode="json")
        for decision in registry.decisions
        if ids & {item.person_id for item in decision.identities}
    ]
    found.files["decisions_about_ids.json"] = _text(taken)
    refused = list(_refused(home, records, ids, others, found.withheld))
    found.counts["refused"] = len(refused)
    found.files["refused.json"] = _text(refused)
    found.files["withheld.json"] = _text(dict(sorted(found.withheld.items())))
    return found


def _instruments(settings: Settings) -> tuple[list[str], list[str]]:
    """Return the instruments of multisource feedback, and all others that are known."""
    instruments = catalogue.load(settings).codes["instruments"]
    is_multi = pl.col("method_family") == "multisource"
    multi = instruments.filter(is_multi)["instrument_id"]
    return sorted(multi), sorted(instruments.filter(~is_multi)["instrument_id"])


def _about(
    home: Home, records: list[IntakeRecord], target: Target
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the records of each delivery that are about the person or were made by them."""
    for record in records:
        folder = home.deliveries / record.delivery_id / record.interpretation_id
        for kind in record.accepted_events:
            frame = pl.read_parquet(segments(folder, kind))
            named = [
                column.stored_name
                for column in columns(CONTRACTS[kind])
                if column.is_person
                and column.stored_name in frame.columns
                and frame.schema[column.stored_name] == pl.String
            ]
            if not named or frame.is_empty():
                continue
            meant = pl.any_horizontal(
                target.is_about(kind, str(name), frame.columns).fill_null(value=False)
                for name in named
            )
            mine = frame.filter(meant)
            if not mine.is_empty():
                whose = pl.any_horizontal(
                    target.is_about(kind, str(name), frame.columns).fill_null(value=False)
                    for name in named[:1]
                )
                yield kind, mine.with_columns(is_about_the_person=whose)


def _without_others(
    kind: str, frame: pl.DataFrame, multisource: list[str], withheld: Counter[str]
) -> pl.DataFrame:
    """Take out what would give others away, and the ids of others; count what was taken."""
    about = pl.col("is_about_the_person")
    if kind == "workplace_assessment" and "instrument_id" in frame.columns:
        role = pl.col("assessor_role") if "assessor_role" in frame.columns else pl.lit(None)
        single = about & pl.col("instrument_id").is_in(multisource) & (role.fill_null("") != "self")
        frame = _counted(frame, single, SINGLE_ANSWER, withheld)
    if "is_shared_with_learner" in frame.columns:
        closed = about & ~pl.col("is_shared_with_learner").fill_null(value=True)
        frame = _counted(frame, closed, NOT_SHARED, withheld)
    return frame.select(pl.exclude("^.*_pseudonyms?$", "event_id", "content_hash"))


def _counted(
    frame: pl.DataFrame, condition: pl.Expr, reason: str, withheld: Counter[str]
) -> pl.DataFrame:
    kept = frame.filter(~condition)
    if kept.height < frame.height:
        withheld[reason] += frame.height - kept.height
    return kept


def _refused(
    home: Home,
    records: list[IntakeRecord],
    ids: set[str],
    instruments: list[str],
    withheld: Counter[str],
) -> Iterator[dict[str, Any]]:
    """Yield what was refused of the person as a learner, without the ids of others.

    Of other refused records that name the person, only the place is told, and so of an assessment
    that is not surely one of these instruments: it may be one respondent's answer.
    """
    for record in records:
        path = originals_path(home, record.delivery_id, record.interpretation_id)
        if not path.exists():
            continue
        frame = pl.read_parquet(path)
        quoted = "|".join(re.escape(json.dumps(i, ensure_ascii=False)) for i in sorted(ids))
        is_named = pl.any_horizontal(
            pl.col(name).str.contains(f"(?i){quoted}").fill_null(value=False)
            for name in ("record", "original")
        )
        for row in frame.filter(is_named).iter_rows(named=True):
            told = {"source_id": record.source_id, "delivery_id": record.delivery_id}
            told |= {"source_row": row["source_row"], "kind": row["kind"]}
            fields = _own_fields(row, {i.casefold() for i in ids})
            if fields and _may_be_single(row["kind"], fields["record"], instruments):
                withheld[SINGLE_ANSWER] += 1
                fields = {}
            yield told | fields


def _own_fields(row: dict[str, Any], ids: set[str]) -> dict[str, Any]:
    fields = json.loads(row["record"]) if row["record"] else {}
    if str(fields.get("learner_id", "")).casefold() not in ids or row["kind"] not in CONTRACTS:
        return {}
    others = {
        column.name
        for column in columns(CONTRACTS[row["kind"]])
        if column.is_person and column.name != "learner_id"
    }
    return {"record": {name: value for name, value in fields.items() if name not in others}}


def _may_be_single(kind: str, record: dict[str, Any], instruments: list[str]) -> bool:
    """Say whether a refused record may be one respondent's answer in multisource feedback."""
    return (
        kind == "workplace_assessment"
        and record.get("instrument_id") not in instruments
        and record.get("assessor_role") != "self"
    )


def _lines(frame: pl.DataFrame) -> bytes:
    rows = (
        {name: value for name, value in row.items() if value is not None}
        for row in frame.iter_rows(named=True)
    )
    return b"".join(
        json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n" for row in rows
    )


def _text(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n").encode()
