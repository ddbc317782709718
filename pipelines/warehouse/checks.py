"""How many promises were kept: of deliveries, of the models, and of the edition."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.home import Home
from pipelines.intake.records import active_records
from pipelines.warehouse.build import audit_record, build_record

TESTS = ("test", "unit_test")


def checks(home: Home) -> dict[str, int]:
    """Return how many checks stand behind what is current, and how many passed."""
    findings = [
        finding for record in active_records(home) for finding in record.check.get("results", ())
    ]
    findings += _read(audit_record(home)).get("results", [])
    kept = sum(bool(finding["is_kept"]) for finding in findings)
    report = _read(build_record(home)).get("report", {})
    tests = sum(report.get("nodes", {}).get(kind, 0) for kind in TESTS)
    warned = len(report.get("warnings", ()))
    return {"passed": kept + tests, "total": len(findings) + tests + warned}


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
    return content
