from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from pipelines.sources.standards import Judgement


def codes(judgements: list[Judgement]) -> dict[int, list[str]]:
    """Return the codes of what is wrong, by row."""
    return {j.row: [e.code for e in j.errors] for j in judgements if j.errors}


def notes(judgements: list[Judgement]) -> set[str]:
    """Return the codes of what was noted anywhere."""
    return {note.code for j in judgements for note in j.notes}


def uuid(n: int) -> str:
    return f"{n:08x}-0000-4000-8000-000000000000"


def entry(n: int, **properties: Any) -> dict[str, Any]:
    return {
        "identifier": uuid(n),
        "uri": f"https://school.example/{n}",
        "lastChangeDateTime": "2024-03-01T10:00:00+00:00",
        **properties,
    }


def link(n: int, origin: int, destination: int, kind: str = "isChildOf") -> dict[str, Any]:
    def node(m: int) -> dict[str, str]:
        return {"title": f"node {m}", "identifier": uuid(m), "uri": f"https://school.example/{m}"}

    return entry(
        n, associationType=kind, originNodeURI=node(origin), destinationNodeURI=node(destination)
    )


PACKAGE: dict[str, Any] = {
    "CFDocument": entry(1, creator="School", title="Entrustable activities"),
    "CFItems": [
        entry(2, fullStatement="Take a history", humanCodingScheme="EPA1"),
        entry(3, fullStatement="Examine a patient", humanCodingScheme="EPA2"),
        entry(4, fullStatement="Explain a finding", humanCodingScheme="EPA2.1"),
    ],
    "CFAssociations": [link(11, 2, 1), link(12, 3, 1), link(13, 4, 3), link(14, 4, 2)],
    "CFDefinitions": {"CFItemTypes": [entry(21, title="EPA", hierarchyCode="1")]},
}


@pytest.fixture
def package() -> dict[str, Any]:
    return copy.deepcopy(PACKAGE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "delivered"
