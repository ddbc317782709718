"""A made-up cohort through the real pipeline, held against its truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from benchmarks.validity import ledger, published, ratings
from pipelines.home import Home
from pipelines.synth.request import Request

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def edition(school_home: Home) -> Iterator[published.Edition]:
    with published.opened(school_home.editions / "current") as opened:
        yield opened


@pytest.fixture(scope="module")
def truth(school_home: Home) -> Path:
    return school_home.root.parent / "truth"


def test_every_planted_fault_comes_out_as_it_should(
    edition: published.Edition, truth: Path
) -> None:
    told = ledger.check(edition, truth)
    faults = pl.DataFrame(told["faults"])
    wrong = faults.filter(pl.col("verdict") == ledger.DIFFERS)
    assert wrong.is_empty(), wrong.to_dicts()
    assert told["deliveries"]["differences"] == []
    assert faults["kind"].n_unique() > 30


def test_what_is_published_follows_the_truth(edition: published.Edition, truth: Path) -> None:
    told = ratings.compare(edition, [truth], Request().parameters)
    assert told["raw"]["learner and stage"]["correlation"] > 0.9
    assert told["coverage"]["all"]["n"] > 300
    assert told["coverage"]["all"]["value"] > 0.8


def test_every_kind_of_evidence_arrives(edition: published.Edition) -> None:
    for table in (
        "fct_evidence",
        "fct_ai_declaration",
        "fct_exam_sitting",
        "fct_reflection",
        "fct_meeting_note",
        "fct_decision",
        "fct_action",
        "fct_enrolment",
        "fct_learner_stage",
    ):
        assert edition.frame(f"select count(*) as n from {table}")["n"][0] > 0, table
    scales = edition.frame("select distinct scale_id from fct_evidence where level is not null")
    assert set(scales["scale_id"]) == {"entrustment_5", "mini_cex_9", "o_score_5", "msf_6"}


def test_every_decision_is_by_members_and_a_quorum(edition: published.Edition) -> None:
    standings = edition.frame("select distinct standing from fct_decision")["standing"].to_list()
    assert standings == ["stands"]


def test_nothing_of_the_truth_is_known_to_the_home(
    edition: published.Edition, school_home: Home
) -> None:
    told = edition.frame("select file from programme_delivery")["file"].to_list()
    assert told
    assert not [file for file in told if "truth" in file]
    assert not list(school_home.root.glob("log/**/*truth*"))
