"""The gate before publication: the candidate edition is judged, and what was found is shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.contracts.problems import in_one_line
from pipelines.home import Home, write_atomically
from pipelines.settings import Settings
from pipelines.warehouse.build import audit_record, finished_build
from pipelines.warehouse.connection import WarehouseBusyError, WarehouseError
from pipelines.warehouse.editions import CURRENT, DATA_DOCS, MANIFEST

if TYPE_CHECKING:
    from expectations.edition import Candidate
    from pipelines.warehouse.inputs import BuildInputs

PATIENCE = 60.0

GREAT_LOSS = "edition.no_great_loss"
"""The promise that a person may let go."""


@dataclass(frozen=True)
class AuditReport:
    """What the audit found.

    Attributes:
        build_id: the build that was judged.
        verdict: `pass`, `warn` or `fail`; a build that fails is not published.
        n_promises: promises that were judged.
        broken: those that are not kept, gravest first.
    """

    build_id: str
    verdict: str
    n_promises: int
    broken: list[dict[str, Any]]


def audit(home: Home, settings: Settings, accept_loss: str | None = None) -> AuditReport:
    """Judge the build that stands in the warehouse, and write Data Docs beside it.

    Args:
        home: whose warehouse.
        settings: memory and workers.
        accept_loss: why it is meant that less stands than in the last edition, which the candidate
            is not held against then.

    Raises:
        WarehouseError: there is no finished build, or another process holds the warehouse.
    """
    from expectations import data_docs, edition
    from expectations.engine import Engine
    from expectations.outcome import verdict_of

    with home.writing(timeout=PATIENCE):
        inputs = finished_build(home)
        if inputs is None:
            raise WarehouseError("there is no finished build to audit: run `tessera run`")
        candidate = _candidate(home, inputs, accept_loss)
        with Engine(settings.memory_limit, settings.workers, home.spill) as engine:
            try:
                engine.attach(home.marts, candidate.database)
            except Exception as error:
                if "lock" not in str(error):
                    raise
                raise WarehouseBusyError(
                    f"another process holds {home.marts}: wait for it to end and try again"
                ) from None
            findings = data_docs.render(
                engine, edition.suites(candidate), home.warehouse.parent / DATA_DOCS
            )
        results = [finding.as_json() for finding in findings]
        verdict = verdict_of(findings)
        record = {"build_id": inputs.build_id, "verdict": verdict, "results": results}
        if accept_loss:
            record["accepted_loss"] = accept_loss
        write_atomically(
            audit_record(home), json.dumps(record, indent=2, ensure_ascii=False).encode() + b"\n"
        )
    gravity = ("critical", "warning", "info")
    broken = [finding for finding in results if not finding["is_kept"]]
    return AuditReport(
        build_id=inputs.build_id,
        verdict=verdict,
        n_promises=len(results),
        broken=sorted(broken, key=lambda finding: gravity.index(finding["severity"])),
    )


def refusal(home: Home, report: AuditReport) -> str:
    """Return why a candidate is not published, and what stands instead."""
    said = " ".join(f["sentence"] for f in report.broken if f["severity"] == "critical")
    stands = (
        "the last good edition stays current"
        if (home.editions / CURRENT / MANIFEST).exists()
        else "there is no edition yet"
    )
    remedy = (
        "Look for held and refused records with `tessera ledger` and `tessera quarantine list`, "
        "then run again"
    )
    if any(finding["rule"] == GREAT_LOSS for finding in report.broken):
        remedy += "; where the loss is meant: `tessera run --accept-loss WHY`"
    return in_one_line(f"the candidate failed its audit; {stands}", said, remedy)


def _candidate(home: Home, inputs: BuildInputs, accept_loss: str | None) -> Candidate:
    from expectations.edition import Candidate

    return Candidate(counts={} if accept_loss else _comparable_counts(home, inputs))


def _comparable_counts(home: Home, inputs: BuildInputs) -> dict[str, int]:
    """Return the counts of the current edition, unless the candidate looks further back.

    Marts that the candidate does not have, or that an edition has no counts of, are left out.
    """
    path = home.editions / CURRENT / MANIFEST
    if not path.exists():
        return {}
    last = json.loads(path.read_bytes())
    if inputs.as_of < date.fromisoformat(last["as_of"]) or _is_before(
        inputs.known_at, last.get("known_at")
    ):
        return {}
    with duckdb.connect(str(home.marts), read_only=True) as con:
        marts = con.execute("select table_name from duckdb_tables()").fetchall()
    standing = {name for (name,) in marts}
    return {mart: n for mart, n in last["counts"].items() if mart in standing}


def _is_before(instant: datetime | None, other: str | None) -> bool:
    """Return whether an instant comes before another one; none comes before all."""
    if other is None:
        return False
    return instant is None or instant < datetime.fromisoformat(other)
