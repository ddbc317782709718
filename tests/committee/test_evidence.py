"""What stands behind a number is shown as it was given."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.committee.evidence import data_points, form, of_stations


def station(competency: str | None, **fields: Any) -> dict[str, Any]:
    """Return what the stations about one competency gave in one sitting."""
    return {
        "evidence_id": "E-1",
        "kind": "exam_response",
        "competency_id": competency,
        "competency": competency,
        "title": "OSCE 2026",
        "level": None,
        "score": Decimal("14.000000"),
        "max_score": Decimal("20.000000"),
        "cut_score": None,
        "raw_label": "S1: pass",
        "examiner_keys": ["A-2"],
        "occurred_on": date(2026, 6, 1),
        "known_at": datetime(2026, 6, 2, 10, tzinfo=UTC),
    } | fields


def test_stations_of_one_exam_are_one_form_that_says_what_each_competency_got() -> None:
    shown = form(
        "exam_response",
        of_stations(
            [
                station("EPA01"),
                station(
                    "EPA02",
                    cut_score=Decimal("11.5"),
                    raw_label="S2: borderline; S3: pass",
                    examiner_keys=["A-1", "A-2"],
                ),
                station(None, score=None, max_score=None, raw_label=None, examiner_keys=None),
            ]
        ),
        "1 June 2026",
    )
    assert shown.title == "Stations of an exam"
    told = {field.label: field.value for field in shown.fields}
    assert told["Marks and global ratings"] == (
        "EPA01: 14 of 20 (S1: pass); "
        "EPA02: 14 of 20, cut-score 11.5 (S2: borderline; S3: pass); "
        "no competency named: no mark"
    )
    assert told["Examiners"] == "A-1, A-2"


def test_every_exam_that_stations_tell_of_is_one_form_beside_all_others() -> None:
    other = station("EPA01") | {"evidence_id": "E-2", "kind": "exam_result"}
    found = list(
        data_points(
            [station("EPA01"), other, station("EPA02"), station("EPA01") | {"evidence_id": "E-3"}]
        )
    )
    assert sorted(row["evidence_id"] for row in found) == ["E-1", "E-2", "E-3"]
    (circuit,) = [row for row in found if row["evidence_id"] == "E-1"]
    assert len(circuit["marks"]) == 2


def test_a_decision_that_was_corrected_says_so() -> None:
    lineage = dict.fromkeys(("delivery_id", "source_row", "source_cell", "known_at"))
    row: dict[str, Any] = {"evidence_id": "D-1", "standing": "stands"} | lineage
    for is_corrected, said in ((True, ["yes"]), (False, [])):
        told = form("decision", row | {"is_corrected": is_corrected}, "2026-03-15")
        assert [f.value for f in told.fields if f.label == "Corrected since"] == said


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"target_level": 4}, "3 (target 4, entrustment 5)"),
        ({"target_level": 4, "target_scale_version": "2"}, "3 (target 4, entrustment 5)"),
        ({}, "3 (no target, entrustment 5)"),
        ({"target_level": 4, "has_versions": True}, "3 (target 4, entrustment 5 version 2)"),
        ({"has_versions": True}, "3 (no target, entrustment 5 version 2)"),
        (
            {"target_scale_version": "1"},
            "3 (not compared, entrustment 5 version 2: the target is on version 1)",
        ),
    ],
)
def test_a_level_says_on_which_version_of_its_scale_it_and_its_target_are(
    fields: dict[str, Any], told: str
) -> None:
    row = station(
        "EPA01",
        **{
            "kind": "workplace_assessment",
            "level": 3,
            "scale_id": "entrustment_5",
            "scale_version": "2",
            "target_level": None,
            "target_scale_version": None,
        }
        | fields,
    )
    shown = form("workplace_assessment", row, "1 June 2026")
    assert told in [field.value for field in shown.fields]
