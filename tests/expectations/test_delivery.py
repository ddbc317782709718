from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from expectations.delivery import SUITES, Delivery, suites
from expectations.engine import Engine
from expectations.outcome import verdict_of
from expectations.registry import Suite
from pipelines.contracts import CONTRACTS

KINDS_WITH_TIME = {
    "workplace_assessment": "observed_at",
    "exam_result": "occurred_at",
    "exam_response": "occurred_at",
    "ai_use_declaration": "declared_at",
    "reflection": "occurred_at",
    "meeting_note": "occurred_at",
    "demographics": "stated_on",
    "decision": "decided_at",
    "action": "agreed_on",
    "circumstance": "disclosed_on",
    "requirement": "occurred_at",
    "professionalism_report": "occurred_at",
    "void": "voided_at",
}


@dataclass
class Breaker:
    """A kind of record, and what breaks one rule of it."""

    kind: str
    change: Callable[[pl.DataFrame], pl.DataFrame] = lambda frame: frame
    facts: dict[str, Any] = field(default_factory=dict)


def put(share: float = 1.0, **values: Any) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Return a change that puts values into the first rows."""

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        is_first = pl.int_range(pl.len()) < share * frame.height
        return frame.with_columns(
            pl.when(is_first)
            .then(pl.lit(value, dtype=frame.schema[name]))
            .otherwise(pl.col(name))
            .alias(name)
            for name, value in values.items()
        )

    return change


def linked(frame: pl.DataFrame, children: str, parents: str) -> pl.DataFrame:
    """Return a framework of nothing but links, each child under the parent of its place."""
    links = put(
        programme_id="MED",
        framework_id="F",
        framework_version="1",
        entry_type="link",
        link_type="is_child_of",
        target_framework_id=None,
        target_framework_version=None,
    )(frame.head(len(parents)))
    return links.with_columns(
        competency_id=pl.Series(list(children)), target_competency_id=pl.Series(list(parents))
    )


def into_future(name: str, share: float) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def change(frame: pl.DataFrame) -> pl.DataFrame:
        is_first = pl.int_range(pl.len()) < share * frame.height
        later = pl.col(name) + timedelta(days=400)
        return frame.with_columns(pl.when(is_first).then(later).otherwise(pl.col(name)).alias(name))

    return change


def twice(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame])


def only(suite: Suite, rule: str) -> Suite:
    """Return a suite with one promise left."""
    kept = tuple(item for item in suite.expectations if item.meta["rule"] == rule)
    return dataclasses.replace(suite, expectations=kept)


BREAKERS = {
    "delivery.volume": Breaker("task", lambda frame: frame.head(0)),
    "delivery.refused_share": Breaker("task", facts={"n_refused": 60}),
    "delivery.balance": Breaker("task", facts={"rows_read": 41}),
    "delivery.repeated_share": Breaker("task", twice),
    "delivery.noted_share": Breaker("task", facts={"n_noted": 30}),
    "delivery.freshness": Breaker("exam_result", facts={"max_age_days": 0}),
    "delivery.manifest_rows": Breaker("task", facts={"manifest_rows": 41}),
    "workplace_assessment.instrument_known": Breaker(
        "workplace_assessment", put(0.1, instrument_id="unheard_of")
    ),
    "workplace_assessment.level_known": Breaker("workplace_assessment", put(0.1, level=9)),
    "workplace_assessment.assessor_named": Breaker(
        "workplace_assessment", put(0.8, assessor_pseudonym=None)
    ),
    "workplace_assessment.assessor_role_known": Breaker(
        "workplace_assessment", put(0.1, assessor_role="porter")
    ),
    "workplace_assessment.levels_spread": Breaker("workplace_assessment", put(level=3)),
    "workplace_assessment.is_flagged": Breaker("workplace_assessment", put(0.9, is_flagged=True)),
    "exam_result.instrument_known": Breaker("exam_result", put(0.1, instrument_id="unheard_of")),
    "exam_result.scores_spread": Breaker(
        "exam_result", put(score=5, task_id="t", instrument_id="dops")
    ),
    "exam_result.scored": Breaker("exam_result", put(0.95, result_status="absent")),
    "exam_response.answered": Breaker("exam_response", put(0.95, response_status="omitted")),
    "exam_response.answers_spread": Breaker(
        "exam_response", put(response="A", score=1, task_id="t")
    ),
    "ai_use_declaration.declared": Breaker("ai_use_declaration", put(0.95, status="not_declared")),
    "ai_use_declaration.one_a_submission": Breaker(
        "ai_use_declaration",
        put(0.1, learner_pseudonym="l", task_id="t", submission_id="s"),
    ),
    "reflection.texts_differ": Breaker("reflection", put(0.6, text="see attached")),
    "meeting_note.texts_differ": Breaker("meeting_note", put(0.6, text="see attached")),
    "learner.one_record_each": Breaker(
        "learner", put(0.05, learner_pseudonym="l", programme_id="MED")
    ),
    "learner.cohort_id_filled": Breaker("learner", put(0.6, cohort_id=None)),
    "learner_stage.starts_on_filled": Breaker("learner_stage", put(0.6, starts_on=None)),
    "demographics.groups": Breaker(
        "demographics", lambda frame: frame.with_columns(value=pl.col("record_id"))
    ),
    "consent.one_at_a_time": Breaker(
        "consent",
        lambda frame: pl.concat([frame, frame.with_columns(status=pl.lit("withdrawn"))]),
    ),
    "assessor.one_record_each": Breaker(
        "assessor", put(0.05, assessor_pseudonym="a", programme_id="MED")
    ),
    "assessor.assessor_role_known": Breaker("assessor", put(0.1, assessor_role="porter")),
    "task.instrument_known": Breaker("task", put(0.1, instrument_id="unheard_of")),
    "task.policies_apart": Breaker(
        "task",
        lambda frame: put(programme_id="MED", task_id="t")(frame).with_columns(
            ai_policy_level=pl.int_range(pl.len(), dtype=pl.Int64)
        ),
    ),
    "framework.links_known": Breaker(
        "framework", put(0.1, entry_type="link", target_framework_id=None)
    ),
    "framework.no_circle": Breaker("framework", lambda frame: linked(frame, "abc", "bca")),
    "assessment_plan.instrument_known": Breaker(
        "assessment_plan", put(0.1, instrument_id="unheard_of")
    ),
    "assessment_plan.level_known": Breaker("assessment_plan", put(0.1, target_level=7)),
    "committee.quorum_reachable": Breaker("committee", put(0.1, quorum=100)),
    "committee.attendance_of_members": Breaker(
        "committee", put(0.1, entry_type="attendance", member_pseudonym="somebody")
    ),
    "circumstance.kept_close": Breaker("circumstance", put(need_to_know="mentor")),
    "requirement.met_as_counted": Breaker(
        "requirement", put(0.1, status="met", n_done=1, required_n=2)
    ),
    "requirement.one_a_learner": Breaker(
        "requirement",
        put(
            0.1,
            programme_id="MED",
            learner_pseudonym="p1",
            requirement_id="sutures",
            requirement_type="procedure",
            stage_id="year_1",
        ),
    ),
    "professionalism_report.kept_close": Breaker(
        "professionalism_report", put(need_to_know="mentor")
    ),
    "professionalism_report.texts_differ": Breaker(
        "professionalism_report", put(0.6, description="see attached")
    ),
    "decision.made_by_people": Breaker("decision", put(0.1, decided_by_pseudonyms=["p1"])),
    "action.due_on_filled": Breaker("action", put(0.6, due_on=None)),
    "action.texts_differ": Breaker("action", put(0.6, description="see attached")),
    "void.kinds_known": Breaker("void", put(0.1, target_kind="horoscope")),
    **{
        f"{kind}.not_in_future": Breaker(kind, into_future(name, 0.05))
        for kind, name in KINDS_WITH_TIME.items()
    },
    **{
        f"{kind}.dates_plausible": Breaker(kind, into_future(name, 0.5))
        for kind, name in KINDS_WITH_TIME.items()
    },
}


def test_every_kind_of_record_has_a_suite() -> None:
    assert set(SUITES) == set(CONTRACTS)


def test_every_promise_has_a_breaker_and_an_owner(good_delivery) -> None:
    promised = [
        item.meta
        for kind in CONTRACTS
        for suite in suites(good_delivery(kind))
        for item in suite.expectations
    ]
    assert {meta["rule"] for meta in promised} == set(BREAKERS)
    assert {meta["owner"] for meta in promised} == {"assessment_unit"}


@pytest.mark.parametrize("kind", sorted(CONTRACTS))
def test_a_good_delivery_keeps_every_promise(engine: Engine, good_delivery, kind: str) -> None:
    findings = engine.validate(suites(good_delivery(kind)))
    assert [finding.sentence for finding in findings if not finding.is_kept] == []
    assert verdict_of(findings) == "pass"


@pytest.mark.parametrize("rule", sorted(BREAKERS))
def test_broken_data_break_the_promise(engine: Engine, good_delivery, rule: str) -> None:
    breaker = BREAKERS[rule]
    delivery = good_delivery(breaker.kind, breaker.change, **breaker.facts)
    suite = next(
        suite
        for suite in suites(delivery)
        if any(item.meta["rule"] == rule for item in suite.expectations)
    )
    (finding,) = engine.validate([only(suite, rule)])
    assert not finding.is_kept
    assert "Could not be judged" not in finding.sentence
    assert "{" not in finding.sentence
    assert "None" not in finding.sentence


def test_a_level_counts_only_on_its_own_scale_and_version(engine: Engine, good_delivery) -> None:
    delivery = good_delivery("workplace_assessment", put(0.1, scale_version="2"))
    findings = {f.rule: f for f in engine.validate(suites(delivery))}
    assert not findings["workplace_assessment.level_known"].is_kept
    assert "4 records" in findings["workplace_assessment.level_known"].sentence


def test_a_level_that_no_scale_has_is_told_with_its_row_and_what_is_known(
    engine: Engine, good_delivery
) -> None:
    delivery = good_delivery("workplace_assessment", put(0.2, level=9))
    findings = {f.rule: f for f in engine.validate(suites(delivery))}
    told = findings["workplace_assessment.level_known"].sentence
    assert "has (row 0, scale_id entrustment_5, scale_version 1, level 9; row 1, " in told
    assert "; and more; known of entrustment_5: version 1 with levels 1, 2, 3, 4, 5)" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"target_scale_version": "2"},
            "4 records have a level that no scale of the code list has (row 0, target_scale_id "
            "entrustment_5, target_scale_version 2, target_level 4; row 1, ",
        ),
        ({"target_level": 9}, "row 0, target_scale_id entrustment_5, target_scale_version 1, "),
        ({"target_scale_id": "ward"}, "known of ward: nothing)"),
    ],
)
def test_a_target_without_such_a_scale_version_or_level_is_told_with_its_row_and_what_is_known(
    engine: Engine, good_delivery, change: dict[str, Any], told: str
) -> None:
    delivery = good_delivery("assessment_plan", put(0.1, **change))
    findings = {f.rule: f for f in engine.validate(suites(delivery))}
    finding = findings["assessment_plan.level_known"]
    assert not finding.is_kept
    assert told in finding.sentence
    known = "known of entrustment_5: version 1 with levels 1, 2, 3, 4, 5"
    assert (known in finding.sentence) is ("target_scale_id" not in change)


def test_a_target_may_name_no_version_of_its_scale(engine: Engine, good_delivery) -> None:
    delivery = good_delivery("assessment_plan", put(target_scale_version=None))
    assert verdict_of(engine.validate(suites(delivery))) == "pass"


def test_small_deliveries_are_not_judged_by_their_distribution(
    engine: Engine, good_delivery
) -> None:
    def few(frame: pl.DataFrame) -> pl.DataFrame:
        return put(level=3, is_flagged=True)(frame.head(5))

    assert verdict_of(engine.validate(suites(good_delivery("workplace_assessment", few)))) == "pass"


def test_policies_one_after_the_other_do_not_overlap(engine: Engine, good_delivery) -> None:
    def two(frame: pl.DataFrame) -> pl.DataFrame:
        return put(programme_id="MED", task_id="t")(frame.head(2)).with_columns(
            ai_policy_level=pl.Series([1, 2], dtype=pl.Int64),
            policy_from=pl.Series([date(2026, 1, 1), date(2026, 2, 1)]),
            policy_to=pl.Series([date(2026, 1, 31), None]),
        )

    assert verdict_of(engine.validate(suites(good_delivery("task", two)))) == "pass"


@pytest.mark.parametrize(
    ("column", "values"),
    [("ai_policy_scale", ["aias", "two_lane"]), ("ai_policy_scale_version", ["1", "2"])],
)
def test_one_level_of_two_scales_or_versions_of_a_scale_is_two_policies(
    engine: Engine, good_delivery, column: str, values: list[str]
) -> None:
    def two(frame: pl.DataFrame) -> pl.DataFrame:
        return put(
            programme_id="MED", task_id="t", ai_policy_level=2, policy_from=None, policy_to=None
        )(frame.head(2)).with_columns(pl.Series(column, values))

    findings = {f.rule: f for f in engine.validate(suites(good_delivery("task", two)))}
    assert not findings["task.policies_apart"].is_kept


def test_findings_hold_no_value_of_a_record(engine: Engine, good_delivery) -> None:
    delivery: Delivery = good_delivery("workplace_assessment", put(0.5, instrument_id="Ann Other"))
    findings = engine.validate(suites(delivery))
    assert not all(finding.is_kept for finding in findings)
    assert "Ann Other" not in str([finding.as_json() for finding in findings])


def test_ai_policies_that_overlap_are_told_with_task_rows_and_days(
    engine: Engine, good_delivery
) -> None:
    def overlapping(frame: pl.DataFrame) -> pl.DataFrame:
        return put(programme_id="MED", task_id="{essay}", policy_to=None)(frame).with_columns(
            ai_policy_level=pl.when(pl.int_range(pl.len()) < 2).then(pl.int_range(pl.len())),
            policy_from=date(2026, 1, 1),
        )

    delivery = good_delivery("task", overlapping)
    finding = {f.rule: f for f in engine.validate(suites(delivery))}["task.policies_apart"]
    assert (finding.is_kept, finding.severity) == (False, "critical")
    rows = pl.read_parquet(list(delivery.accepted["task"])).filter(
        pl.col("ai_policy_level").is_not_null()
    )
    told = " and ".join(str(row) for row in sorted(rows["source_row"].to_list()))
    assert f"(task {{essay}}, rows {told}, 2026-01-01 to the end): give each" in finding.sentence


def test_several_ways_to_one_parent_are_no_circle(engine: Engine, good_delivery) -> None:
    delivery = good_delivery("framework", lambda frame: linked(frame, "aabc", "bcdd"))
    findings = {f.rule: f for f in engine.validate(suites(delivery))}
    assert findings["framework.no_circle"].is_kept


def test_a_circle_is_told_with_the_rows_of_its_links_and_what_to_do(
    engine: Engine, good_delivery
) -> None:
    delivery = good_delivery("framework", lambda frame: linked(frame, "abcd", "bcae"))
    findings = {f.rule: f for f in engine.validate(suites(delivery))}
    circle = findings["framework.no_circle"]
    assert (circle.is_kept, circle.severity) == (False, "critical")
    rows = pl.read_parquet(list(delivery.accepted["framework"])).filter(
        (pl.col("entry_type") == "link") & pl.col("competency_id").is_in(["a", "b", "c"])
    )
    told = ", ".join(str(row) for row in sorted(rows["source_row"].to_list()))
    assert f"(rows {told} of the file): take out the link" in circle.sentence
