"""Outcomes of decisions come from the vocabulary that the decision names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipelines.sources import codes
from pipelines.sources.mapping.vocabularies import unknown_outcome

from .conftest import Result

Read = Callable[..., Result]

BODY = """
reader: {name: delimited}
values: {programme_id: MED, decision_kind: meeting, committee_id: PC, meeting_id: M}
records:
  - kind: decision
    record_id: "{id}"
    fields:
      learner_id: id
      decided_by: {value: '["a1"]'}
      vocabulary_id: vocabulary
      outcome: outcome
      rationale: {value: "Why."}
      decided_at: {value: "2026-03-01T10:00:00Z"}
"""


def decided(read_bytes: Read, *rows: tuple[str, str]) -> Result:
    lines = [f"{n},{vocabulary},{outcome}" for n, (vocabulary, outcome) in enumerate(rows, 1)]
    return read_bytes("\n".join(["id,vocabulary,outcome", *lines]) + "\n", BODY)


def test_an_outcome_of_its_vocabulary_is_taken(read_bytes: Read) -> None:
    found = decided(read_bytes, ("arcp", "7.2"), ("royal_college", "inactive"))
    assert found.problems("decision") == []


def test_an_outcome_that_its_vocabulary_lacks_is_refused_with_the_nearest(
    read_bytes: Read,
) -> None:
    found = decided(
        read_bytes,
        ("local_1", "targeted suport"),
        ("local_1", "targeted support"),
        ("local_1", "targeted suport"),
        ("arcp", "progressing as expected"),
        ("arpc", "1"),
        ("local_1", ""),
    )
    assert found.problems("decision") == [
        (1, "unknown_outcome", "outcome"),
        (3, "unknown_outcome", "outcome"),
        (4, "unknown_outcome", "outcome"),
        (5, "unknown_vocabulary", "vocabulary_id"),
    ]
    (first,) = found.records("decision")["problems"][0]
    assert "Did you mean targeted support?" in first["suggestion"]
    (last,) = found.records("decision")["problems"][4]
    assert "Did you mean arcp?" in last["suggestion"]


def test_a_site_adds_a_vocabulary_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "decision_outcomes.csv").write_text(
        "vocabulary_id,outcome,title,source\nours,go on,Goes on,local choice\n", encoding="utf-8"
    )
    outcomes = codes.load_folders([codes.SHIPPED, tmp_path])["decision_outcomes"]
    assert unknown_outcome(outcomes, "ours", "go on") is None
    assert unknown_outcome(outcomes, "arcp", "1") is None
    assert unknown_outcome(outcomes, "ours", "go of") == (
        "unknown_outcome",
        "outcome",
        "go of",
        "Did you mean go on? Correct it, or add it to codes/decision_outcomes.csv of the site.",
    )


@pytest.mark.parametrize("vocabulary", ["arcp", "royal_college", "local_1"])
def test_every_shipped_vocabulary_names_its_source(
    vocabulary: str, code_lists: dict[str, pl.DataFrame]
) -> None:
    of_it = code_lists["decision_outcomes"].filter(pl.col("vocabulary_id") == vocabulary)
    assert of_it.height >= 5
    assert of_it["source"].null_count() == 0
