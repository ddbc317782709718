"""What the evidence log holds, as far as the warehouse needs to know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.home import Home


@dataclass(frozen=True)
class Interpretation:
    """One reading of one delivery, as its intake record tells it."""

    folder: Path
    record: dict[str, Any]

    @property
    def delivery_id(self) -> str:
        """Return the delivery that was read."""
        return str(self.record["delivery_id"])

    @property
    def interpretation_id(self) -> str:
        """Return which reading this is."""
        return str(self.record["interpretation_id"])

    @property
    def key(self) -> tuple[str, str]:
        """Return delivery and interpretation."""
        return self.delivery_id, self.interpretation_id

    @property
    def is_committed(self) -> bool:
        """Return whether its events count."""
        return bool(self.record["status"] == "committed")

    @property
    def rank(self) -> tuple[bool, str, str]:
        """Return what orders the readings of one delivery: the greatest one is in force."""
        return self.is_committed, str(self.record["interpreted_at"]), self.interpretation_id

    def contract_version(self, kind: str) -> int:
        """Return the contract version that the segments of `kind` were written under."""
        return int(self.record["contract_versions"][kind])

    def segment(self, kind: str) -> Path:
        """Return the file of the events of `kind`."""
        return self.folder / f"{kind}.parquet"


def interpretations_in_force(home: Home) -> list[Interpretation]:
    """Return one interpretation a delivery, in order of delivery.

    That is the newest committed one; where none is committed, the newest of the others, whose
    refused records are told but whose events do not count.
    """
    newest: dict[str, Interpretation] = {}
    for interpretation in _interpretations(home):
        standing = newest.get(interpretation.delivery_id)
        if standing is None or interpretation.rank > standing.rank:
            newest[interpretation.delivery_id] = interpretation
    return [newest[delivery_id] for delivery_id in sorted(newest)]


def receipts(home: Home) -> list[dict[str, Any]]:
    """Return every arrival, in order of its id."""
    found = (
        json.loads(path.read_text(encoding="utf-8")) for path in home.receipts.rglob("[!.]*.json")
    )
    return sorted(found, key=lambda receipt: str(receipt["receipt_id"]))


def _interpretations(home: Home) -> Iterator[Interpretation]:
    for path in home.deliveries.glob("*/[!.]*/intake.json"):
        yield Interpretation(path.parent, json.loads(path.read_text(encoding="utf-8")))
