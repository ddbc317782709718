"""Statements to start from; tests change one thing in a copy."""

from __future__ import annotations

import copy
from typing import Any

AGENT: dict[str, Any] = {"objectType": "Agent", "mbox": "mailto:learner@example.org"}
ACTIVITY: dict[str, Any] = {
    "objectType": "Activity",
    "id": "https://example.org/cases/7",
    "definition": {
        "name": {"en": "A case", "de-AT": "Ein Fall"},
        "description": {"en": "One of many"},
        "type": "https://example.org/types/case",
        "moreInfo": "https://example.org/cases/7/more",
        "extensions": {"https://example.org/ext/ward": {"floor": 3, "side": None}},
    },
}
FULL: dict[str, Any] = {
    "id": "0b6a5f0e-6f5a-4d0e-8a3a-1f1f6f2d9a01",
    "actor": AGENT,
    "verb": {"id": "https://example.org/verbs/saw", "display": {"en": "saw"}},
    "object": ACTIVITY,
    "result": {
        "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10},
        "success": True,
        "completion": False,
        "response": "well: done",
        "duration": "PT1H30M",
        "extensions": {"https://example.org/ext/level": 3},
    },
    "context": {
        "registration": "0b6a5f0e-6f5a-4d0e-8a3a-1f1f6f2d9a02",
        "instructor": {"account": {"homePage": "https://example.org", "name": "a7"}},
        "contextActivities": {
            "parent": {"id": "https://example.org/rotations/1"},
            "category": [{"id": "https://example.org/profiles/1"}],
        },
        "revision": "2",
        "platform": "a form",
        "language": "en-GB",
        "statement": {
            "objectType": "StatementRef",
            "id": "0b6a5f0e-6f5a-4d0e-8a3a-1f1f6f2d9a03",
        },
        "extensions": {"https://example.org/ext/epa": "EPA-1"},
    },
    "timestamp": "2026-01-12T10:30:00.5+01:00",
    "stored": "2026-01-12T10:30:01Z",
    "authority": {"openid": "https://example.org/openid/forms"},
}
SHORT: dict[str, Any] = {
    "actor": {"mbox_sha1sum": "cd9b00a5611f94eaa7b1661edab976068e364975"},
    "verb": {"id": "https://example.org/verbs/saw"},
    "object": {"id": "urn:uuid:a4942cbb-aabf-526f-8f69-379f265416b5"},
}
ATTACHMENT: dict[str, Any] = {
    "usageType": "https://example.org/usage/letter",
    "display": {"en": "A letter"},
    "contentType": "text/plain; charset=ascii",
    "length": 27,
    "sha2": "495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a",
    "fileUrl": "https://example.org/letter.txt",
}
GROUP: dict[str, Any] = {"objectType": "Group", "member": [AGENT]}
SUB: dict[str, Any] = {"objectType": "SubStatement", **SHORT}
REFERENCE: dict[str, Any] = {
    "objectType": "StatementRef",
    "id": "0b6a5f0e-6f5a-4d0e-8a3a-1f1f6f2d9a09",
}


def changed(base: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy in which the value stands at a dotted path; `...` takes the property out."""
    made = copy.deepcopy(base)
    *parents, last = path.split(".")
    inner = made
    for key in parents:
        inner = inner.setdefault(key, {})
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return made
