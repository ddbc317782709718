from __future__ import annotations

import dataclasses
import gc
import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.intake import check as check_module
from pipelines.intake.check import check
from pipelines.intake.staging import Staging
from pipelines.intake.validate import StageError
from pipelines.settings import Settings
from pipelines.sources import catalogue as catalogues
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.spec import Gates


@pytest.fixture(scope="module")
def declared() -> Catalogue:
    """The shipped specs, with one of them standing for the source `exams`."""
    shipped = catalogues.load(Settings())
    return dataclasses.replace(shipped, sources={"exams": next(iter(shipped.sources.values()))})


def gated(declared: Catalogue, **gates: Any) -> Catalogue:
    spec = declared.sources["exams"].model_copy(update={"gates": Gates(**gates)})
    return dataclasses.replace(declared, sources={"exams": spec})


def staged(school: Any, rows: list[dict[str, Any]]) -> str:
    school.drop("exams", "june.jsonl", rows)
    (delivery_id,) = school.receive().pending
    school.read(delivery_id)
    school.validate(delivery_id)
    return str(delivery_id)


def rows(result_row: Callable[..., dict[str, Any]], n: int = 4) -> list[dict[str, Any]]:
    return [
        result_row(f"r{i}", learner_id=f"s{i}", score=str(i), instrument_id="mcq") for i in range(n)
    ]


def judged(school: Any, delivery_id: str, declared: Catalogue) -> Any:
    return check(school.home, school.settings, delivery_id, feeds=school.feeds, catalogue=declared)


def test_a_good_delivery_passes_and_its_promises_are_on_record(
    school: Any, result_row: Any, declared: Catalogue
) -> None:
    delivery_id = staged(school, rows(result_row))
    report = judged(school, delivery_id, declared)
    assert report.verdict == "pass"
    assert report.hold is None
    staging: Staging = school.staging(delivery_id)
    assert json.loads(staging.check.read_text())["results"] == report.results
    assert {"delivery.balance", "exam_result.dates_plausible"} <= {
        finding["rule"] for finding in report.results
    }


def test_a_delivery_below_its_gate_is_held_with_rule_reason_and_owner(
    school: Any, result_row: Any, declared: Catalogue
) -> None:
    delivery_id = staged(school, rows(result_row))
    report = judged(school, delivery_id, gated(declared, min_rows=100))
    assert report.verdict == "hold"
    assert report.hold is not None
    assert report.hold.rule == "delivery.volume"
    assert report.hold.owner == school.feeds["exams"].owner
    assert report.hold.reason == "The delivery has 4 rows; at least 100 are expected."
    record = school.commit(delivery_id)
    assert record.status == "held"
    assert record.hold.rule == "delivery.volume"


def test_a_warning_holds_nothing(school: Any, result_row: Any, declared: Catalogue) -> None:
    unheard = [row | {"instrument_id": "unheard_of"} for row in rows(result_row)]
    report = judged(school, staged(school, unheard), declared)
    assert report.verdict == "warn"
    assert report.hold is None


def test_mostly_refused_deliveries_are_held(
    school: Any, result_row: Any, declared: Catalogue
) -> None:
    good = rows(result_row)
    refused = [row | {"record_id": f"x{i}", "score": "many"} for i, row in enumerate(2 * good)]
    report = judged(school, staged(school, good + refused), declared)
    assert report.hold is not None
    assert report.hold.rule == "delivery.refused_share"


def test_a_check_made_before_is_not_made_again(
    school: Any, result_row: Any, declared: Catalogue
) -> None:
    delivery_id = staged(school, rows(result_row))
    first = judged(school, delivery_id, declared)
    assert judged(school, delivery_id, gated(declared, min_rows=100)) == first


def test_an_unreadable_delivery_promises_nothing(school: Any, declared: Catalogue) -> None:
    school.drop_bytes("exams", "broken.jsonl", b"unreadable\n")
    (delivery_id,) = school.receive().pending
    school.read(delivery_id)
    school.validate(delivery_id)
    report = judged(school, delivery_id, declared)
    assert (report.verdict, report.results) == ("pass", [])
    assert school.commit(delivery_id).status == "unreadable"


def test_what_was_not_validated_cannot_be_checked(
    school: Any, result_row: Any, declared: Catalogue
) -> None:
    school.drop("exams", "june.jsonl", rows(result_row))
    (delivery_id,) = school.receive().pending
    with pytest.raises(StageError, match="has not been validated"):
        judged(school, delivery_id, declared)


def test_fewer_rows_than_the_manifest_says_hold_the_delivery_and_are_named_first(
    school: Any, result_row: Any, declared: Catalogue
) -> None:
    path = school.drop("exams", "june.jsonl", rows(result_row))
    path.with_name(f"{path.name}.manifest.json").write_text(json.dumps({"rows": 9}))
    (delivery_id,) = school.receive().pending
    school.read(delivery_id)
    school.validate(delivery_id)
    report = judged(school, delivery_id, gated(declared, min_rows=9))
    assert report.verdict == "hold"
    assert report.hold.rule == "delivery.manifest_rows"
    assert report.hold.reason.startswith("The manifest announces 9 rows, the file has 4")
    assert school.commit(delivery_id).hold == report.hold


def test_what_cannot_be_imported_ahead_is_left_to_whoever_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(check_module, "CHECKS", ("no_such_module", "colorsys"))
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    before = set(threading.enumerate())
    check_module.prepare.__wrapped__()
    for begun in set(threading.enumerate()) - before:
        begun.join()
    assert "colorsys" in sys.modules
    assert gc.isenabled()
