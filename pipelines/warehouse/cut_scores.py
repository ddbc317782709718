"""Cut-scores as records: set once by a named body for one sitting, kept, and never changed.

A standard is data: method, parameters, panel, standard error and what the method reports beside it.
It belongs to a sitting, not to the name of a test. Each lies under `calibrations/cut_scores/`,
named by the hash of what it says; a newer one for the same sitting takes over from the day it
became known.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pipelines.home import Home, write_atomically

FOLDER = "cut_scores"
PLACES = 6


class CutScore(BaseModel):
    """One cut-score of a sitting, or of one of its stations.

    Attributes:
        method: how it was set, such as `angoff`.
        parameters: what the method was given.
        panel: what judges said, by judge; empty where there is no panel.
        sensitivity: the cut-score under other assumptions, by name.
        decided_by: the body that decided, such as an exam board; no name of a person.
        source: the publication of the method.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    programme_id: str = Field(min_length=1)
    task_id: str = Field(min_length=1)
    sitting_id: str = Field(min_length=1)
    station_id: str | None = None
    method: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    cut_score: float = Field(allow_inf_nan=False)
    max_score: float | None = Field(default=None, allow_inf_nan=False)
    standard_error: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    n_judges: int | None = None
    n_examinees: int | None = None
    rmse: float | None = None
    r_squared: float | None = None
    slope: float | None = None
    parameters: dict[str, Any] = {}
    panel: dict[str, float] = {}
    sensitivity: dict[str, float] = {}
    decided_by: str = Field(min_length=1)
    source: str = Field(min_length=3)


class KeptCutScore(CutScore):
    """A cut-score on record."""

    cut_score_id: str
    known_at: AwareDatetime


def keep(home: Home, standards: Sequence[CutScore], now: datetime | None = None) -> list[str]:
    """Keep cut-scores and return their ids; one that stands already is left as it is."""
    known_at = now or datetime.now(UTC)
    ids = []
    with home.writing(timeout=60):
        for standard in standards:
            content = json.dumps(standard.model_dump(mode="json"), sort_keys=True)
            cut_score_id = hashlib.sha256(content.encode()).hexdigest()[:16]
            path = _folder(home) / f"{cut_score_id}.json"
            if not path.exists():
                kept = KeptCutScore(
                    **standard.model_dump(), cut_score_id=cut_score_id, known_at=known_at
                )
                write_atomically(path, (kept.model_dump_json(indent=2) + "\n").encode())
            ids.append(cut_score_id)
    return ids


def kept(home: Home, known_at: datetime | None = None) -> list[KeptCutScore]:
    """Return the cut-scores that were known by then, by id."""
    found = [
        KeptCutScore.model_validate_json(path.read_bytes())
        for path in sorted(_folder(home).glob("*.json"))
    ]
    return [one for one in found if known_at is None or one.known_at <= known_at]


def rows(home: Home, known_at: datetime | None = None) -> list[dict[str, Any]]:
    """Return the rows of `raw.cut_score`."""
    return [
        {name: _raw(value) for name, value in one.model_dump().items()}
        for one in kept(home, known_at)
    ]


def _raw(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    if isinstance(value, float):
        return Decimal(str(round(value, PLACES)))
    return value


def _folder(home: Home) -> Path:
    return home.calibrations / FOLDER
