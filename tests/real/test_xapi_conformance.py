"""The conformance suite of others, verdict by verdict."""

from __future__ import annotations

import gzip
import json

import pytest

from pipelines.sources.xapi import values
from pipelines.sources.xapi.check import check
from pipelines.sources.xapi.shapes import is_number
from pipelines.sources.xapi.statements import check_statement
from tests.real.real_data import data_folder

FOLDER = data_folder() / "xapi"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the shared test data are not here"),
]


def _rows(name):
    with (FOLDER / name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_every_statement_of_the_suite_of_1_0_3_gets_its_verdict():
    cases = _rows("conformance_1.0.3.jsonl")
    wrong = [
        case["case_id"]
        for case in cases
        if (not check(json.dumps(case["statement"]).encode())) != case["valid"]
    ]
    assert len(cases) == 969
    assert wrong == []


def test_most_refusals_name_the_requirement_that_the_suite_tests():
    refused = [
        case for case in _rows("conformance_1.0.3.jsonl") if not case["valid"] and case["req_ids"]
    ]
    named = [
        any(
            requirement in fault.requirement
            for fault in check(json.dumps(case["statement"]).encode())
            for requirement in case["req_ids"]
        )
        for case in refused
    ]
    assert sum(named) >= 0.98 * len(named)


def test_scalar_values_get_the_verdicts_of_others():
    questions = {
        "duration": values.is_duration,
        "imt": values.is_media_type,
        "iri": values.is_iri,
        "language": values.is_language,
        "mailto": values.is_mailto,
        "sha1": values.is_sha1,
        "timestamp": values.is_iso_8601,
        "uuid": values.is_uuid,
        "version": values.is_version,
    }
    rows = _rows("learninglocker_scalar_verdicts_mit.jsonl")
    wrong = []
    for row in rows:
        value, kind = row["value"], row["type"]
        if kind in questions:
            found = isinstance(value, str) and bool(questions[kind](value))
        elif kind in ("integer", "number", "scaled"):
            found = is_number(value)
            found = found and (kind != "integer" or value == int(value))
            found = found and (kind != "scaled" or -1 <= value <= 1)
        else:
            known = {"string": str, "boolean": bool}
            found = (
                isinstance(value, known[kind]) if kind in known else not _interaction_faults(value)
            )
        if found != row["valid"]:
            wrong.append(row)
    assert len(rows) == 82
    assert wrong == []


def _interaction_faults(value):
    return check_statement(
        {
            "actor": {"mbox": "mailto:a@example.org"},
            "verb": {"id": "https://example.org/v"},
            "object": {"id": "https://example.org/a", "definition": {"interactionType": value}},
        }
    )


def test_examples_of_the_specification_are_right():
    examples = [row["statement"] for row in _rows("xapi_spec_1_0_3_examples_apache2.jsonl")]
    parts = [example for example in examples if example.get("objectType") == "SubStatement"]
    whole = [example for example in examples if example not in parts]
    assert (len(whole), len(parts)) == (8, 1)
    assert [fault for example in whole for fault in check_statement(example)] == []
    (part,) = parts
    assert (
        check_statement(whole[0] | {"verb": {"id": "https://example.org/v"}, "object": part}) == []
    )


def test_every_real_statement_of_a_mooc_is_right():
    with gzip.open(FOLDER / "fun_mooc_statements.jsonl.gz") as file:
        faults = [check(line) for line in file if line.strip()]
    assert len(faults) == 22_000
    assert not any(faults)
