"""One store of statements may serve several programmes: each record goes to its own."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from pipelines.settings import Settings
from pipelines.sources import catalogue
from pipelines.sources.faults import SourceError
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.load import load

EXTENSIONS = "https://w3id.org/tessera/xapi/extensions/"
SPEC = """
source: store
title: A store that serves two programmes
owner: assessment_unit
files: ["*.jsonl"]
reader:
  name: xapi
  prefixes: {tessera: "https://w3id.org/tessera/xapi/extensions/"}
  home_pages: ["https://id.example.edu"]
time_zone: UTC
records:
  - kind: workplace_assessment
    when:
      any:
        - {column: "context.extensions[tessera:programme]", is: [med, dent]}
        - {column: voids, is: true}
    record_id: "{record}"
    void: {when: {column: voids, is: true}, programmes: [MED, DENT]}
    fields:
      programme_id: {column: "context.extensions[tessera:programme]", map: {med: MED, dent: DENT}}
      learner_id: actor.person
      instrument_id: {value: mini_cex}
      competency_id: {value: EPA1}
      narrative_other: result.response
      observed_at: {column: timestamp, format: iso}
"""


def statement(number: int, programme: str | None) -> dict[str, Any]:
    extensions = {EXTENSIONS + "programme": programme} if programme else {EXTENSIONS + "site": "S"}
    return {
        "id": str(UUID(int=number, version=4)),
        "actor": {"account": {"homePage": "https://id.example.edu", "name": f"s{number}"}},
        "verb": {"id": "https://example.org/assessed"},
        "object": {"id": f"https://example.org/forms/{number}"},
        "result": {"response": "well seen"},
        "context": {"extensions": extensions},
        "timestamp": "2026-02-01T09:00:00Z",
    }


def void(number: int) -> dict[str, Any]:
    return statement(100 + number, None) | {
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": str(UUID(int=number, version=4))},
    }


FILES = {
    "a": [statement(1, "med"), statement(2, "dent")],
    "b": [void(2)],
    "c": [statement(3, "dent"), void(1)],
}


@pytest.mark.parametrize("order", list(permutations(FILES)))
def test_each_record_goes_to_its_programme_and_a_void_finds_it_there_in_any_order(
    clinic: Any, order: tuple[str, ...]
) -> None:
    clinic.spec("store", SPEC)
    for name in order:
        clinic.drop("store", f"{name}.jsonl", "\n".join(map(json.dumps, FILES[name])))
        clinic.take_in()
    assert clinic.totals() == {"accepted": 5, "voided": 2}
    load(clinic.home, clinic.settings)
    with open_warehouse(clinic.home, clinic.settings, read_only=True) as con:
        told = con.execute(
            "select programme_id, present_outcome, count(*) from raw.workplace_assessment "
            "group by all order by all"
        ).fetchall()
    assert told == [("DENT", "accepted", 1), ("DENT", "voided", 1), ("MED", "voided", 1)]


def test_a_spec_that_forgets_the_programmes_of_voids_is_refused_with_its_line(clinic: Any) -> None:
    clinic.spec("store", SPEC.replace(", programmes: [MED, DENT]", ""))
    with pytest.raises(SourceError, match=r"store\.yaml:\d+: records\.0\.void: a voiding"):
        catalogue.load(Settings(home=clinic.home.root, site=clinic.site))
