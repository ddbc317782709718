"""The JSON twin says what the page says, under the schema that lies beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelines.committee import twin
from pipelines.committee.learner import LearnerPage, assemble
from pipelines.committee.queries import Portfolio
from tests.committee.edition import EMPTY, FULL, HOSTILE


def _page(portfolio: Portfolio, key: str) -> LearnerPage:
    return assemble(portfolio, next(r for r in portfolio.learners if r["learner_key"] == key))


def _twin(portfolio: Portfolio, key: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(twin.twin(portfolio, _page(portfolio, key)).model_dump_json())
    return told


@pytest.mark.parametrize("key", [FULL, HOSTILE, EMPTY])
def test_every_twin_keeps_the_published_schema(portfolio: Portfolio, key: str) -> None:
    schema = json.loads(twin.schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(_twin(portfolio, key), schema)


def test_the_schema_refuses_a_twin_without_a_part(portfolio: Portfolio) -> None:
    told = _twin(portfolio, FULL)
    del told["competencies"]
    with pytest.raises(jsonschema.ValidationError, match="competencies"):
        jsonschema.validate(told, json.loads(twin.schema()))


def test_counts_statuses_and_ids_are_those_of_the_page(portfolio: Portfolio) -> None:
    page, told = _page(portfolio, FULL), _twin(portfolio, FULL)
    assert [c["status"] for c in told["competencies"]] == [c.status for c in page.competencies]
    assert [tuple(c["evidence_ids"]) for c in told["competencies"]] == [
        c.points.ids for c in page.competencies
    ]
    assert len(told["evidence"]) == len(page.forms) > 0
    assert len(told["signals"]) == len(page.signals)


def test_shares_are_text_so_that_no_digit_is_lost(portfolio: Portfolio) -> None:
    shares = [c["share_at_target"] for c in _twin(portfolio, FULL)["competencies"]]
    assert any(shares)
    assert all(share is None or isinstance(share, str) for share in shares)


def test_words_are_kept_as_they_were_written(portfolio: Portfolio) -> None:
    written = {c["narrative_strengths"] for c in portfolio.rows("comments", HOSTILE)}
    told = {c["narrative_strengths"] for c in _twin(portfolio, HOSTILE)["comments"]}
    assert told == written
    assert any("<script" in (text or "") for text in told)


def test_a_twin_says_whether_a_decision_stands_and_which_actions_it_asked_for(
    portfolio: Portfolio,
) -> None:
    told = _twin(portfolio, FULL)
    assert [d["standing"] for d in told["decisions"]] == ["stands"]
    assert [a["is_of_last_decision"] for a in told["actions"]] == [True, False]


def test_a_learner_without_evidence_has_a_twin_that_says_so(portfolio: Portfolio) -> None:
    told = _twin(portfolio, EMPTY)
    assert told["evidence"] == []
    assert told["one_look"]


def test_a_twin_lies_beside_every_page(built: Path) -> None:
    pages = {path.stem for path in (built / "learners").glob("*.html")}
    assert {path.stem for path in (built / "data" / "learners").glob("*.json")} == pages
    assert (built / "data" / "learner.schema.json").read_bytes() == twin.schema()
