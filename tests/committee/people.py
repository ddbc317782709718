"""Stands in for the vault: who is who in the invented edition."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pipelines.committee import asking, form, taking
from pipelines.committee.people import People
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import EMPTY, FULL, HOSTILE, STRAY

MEETING = "M-2026-11"
IDS = {
    FULL: "s1",
    HOSTILE: "s2",
    EMPTY: "s3",
    STRAY: "s4",
    "A-01ASSESSOR": "m1",
    "A-02ASSESSOR": "m2",
    "A-03ASSESSOR": "m3",
    "A-04SECRETARY": "m4",
    "A-05FORMER": "m5",
}


def know_everybody(monkeypatch: pytest.MonkeyPatch, without: Iterable[str] = ()) -> None:
    """Give the commands people with ids, as the vault would."""
    ids = {key: written for key, written in IDS.items() if key not in set(without)}

    def people_of(_home: Home, _settings: Settings, namespace: str) -> People:
        return People(namespace, ids, {"A-01ASSESSOR": "Ada Muster"})

    monkeypatch.setattr(asking, "people_of", people_of)
    monkeypatch.setattr(form, "people_of", people_of)
    monkeypatch.setattr(taking, "people_of", people_of)
