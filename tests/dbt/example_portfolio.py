"""What the example school adds for portfolios: rules, a calibration, a well-observed learner."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pipelines.contracts import (
    Demographics,
    ExamResponse,
    ExamResult,
    Learner,
    LearnerStage,
    WorkplaceAssessment,
)
from pipelines.rules import load_catalogue
from tests.dbt.raw_builder import RawBuilder, digest

PROGRAMME = "MED"
CALIBRATION = "2026-01"
SEEN = "Took a history and explained the plan."
NEXT = "Next time, try to close the loop with the nurse."


def add_portfolio(school: RawBuilder) -> None:
    """Add the shipped rule sets, a calibration, and Cora, whose cells hold enough evidence."""
    school.table("rule_set", load_catalogue().rule_rows())
    _add_calibration(school)
    _add_cora(school)
    for number, (assessor_id, instrument_id, setting) in enumerate(
        (
            ("ward", "mini_cex", "ward"),
            ("nurse", "mini_cex", "clinic"),
            ("mentor", "cbd", "ward"),
            ("ward", "mini_cex", "clinic"),
            ("nurse", "cbd", "ward"),
            ("mentor", "mini_cex", "clinic"),
        )
    ):
        _observe(
            school,
            f"cora-{number}",
            "EPA01",
            4,
            assessor_id=assessor_id,
            instrument_id=instrument_id,
            setting=setting,
            narrative_strengths=SEEN,
            narrative_improvements=NEXT,
        )
    _refuse_correction(school, "cora-0")
    for sitting in range(4):
        _pass_essay(school, sitting)
    _sit_progress_test(school)
    _ask_respondents(school)
    _meet_stations(school)
    school.table(
        "cut_score",
        [
            {
                "cut_score_id": "c1",
                "programme_id": PROGRAMME,
                "task_id": "PROGRESS",
                "sitting_id": "P1",
                "method": "cohen",
                "cut_score": Decimal(38),
                "parameters": "{}",
                "panel": "{}",
                "sensitivity": "{}",
                "decided_by": "exam board",
                "source": "Cohen-Schotanus and van der Vleuten 2010",
                "known_at": school.known_at,
            }
        ],
    )
    for number in range(2):
        _observe(
            school,
            f"cora-conflict-{number}",
            "EPA02",
            4,
            assessor_id="ward",
            instrument_id="mini_cex",
            narrative_other="I had concerns: it needed prompting.",
        )


def _add_calibration(school: RawBuilder) -> None:
    school.table(
        "build_input",
        [
            {
                "build_id": "build-1",
                "as_of": school.as_of,
                "known_at": school.known_at,
                "time_zone": school.time_zone,
                "code_version": "test",
                "calibration_version": CALIBRATION,
            }
        ],
    )
    of = {
        "calibration_version": CALIBRATION,
        "programme_id": PROGRAMME,
        "scale_id": "entrustment_5",
    }
    school.table(
        "calibration_connectivity",
        [
            of
            | {
                "n_ratings": 90,
                "n_learners": 10,
                "n_assessors": 9,
                "n_blocks": 1,
                "is_connected": True,
                "is_estimated": True,
                "assessors_per_learner": Decimal(3),
                "ratings_per_assessor": Decimal(3),
                "sentence": "All ratings hang together.",
                "label": "estimated",
            }
        ],
    )
    school.table(
        "calibration_component",
        [
            of
            | {
                "block": 0,
                "component": component,
                "n_levels": n_levels,
                "variance": Decimal(share),
                "variance_share": Decimal(share),
            }
            for component, n_levels, share in (
                ("learner", 10, "0.31"),
                ("assessor", 9, "0.08"),
                ("learner_assessor", 60, "0.18"),
                ("residual", 90, "0.43"),
            )
        ],
    )

    school.table(
        "calibration_assessor",
        [
            of
            | {
                "block": 0,
                "assessor_key": "A-ward",
                "n_ratings": 30,
                "n_learners": 9,
                "raw_mean": Decimal("3.4"),
                "effect": Decimal("-0.3"),
                "standard_error": Decimal("0.1"),
            }
        ],
    )
    school.table(
        "calibration_target_effect",
        [
            of
            | {
                "target_level": 4,
                "block": 0,
                "component": component,
                "effect_id": effect_id,
                "effect": Decimal(effect),
                "label": "logistic",
            }
            for component, effect_id, effect in (
                ("mean", "mean", "0.5"),
                ("assessor", "A-ward", "-0.8"),
                ("assessor", "A-nurse", "0.4"),
            )
        ],
    )


def _add_cora(school: RawBuilder) -> None:
    school.add(
        Learner(
            programme_id=PROGRAMME,
            record_id="learner-cora",
            learner_id="cora",
            cohort_id="2024",
            mentor_id="mentor",
        ),
        source_id="roster",
    )
    school.add(
        LearnerStage(
            programme_id=PROGRAMME,
            record_id="cora-Y3",
            learner_id="cora",
            period_type="stage",
            period_id="Y3",
            starts_on=date(2025, 10, 1),
        ),
        source_id="roster",
    )
    school.add(
        Demographics(
            programme_id=PROGRAMME,
            record_id="demo-cora",
            learner_id="cora",
            attribute="age_band",
            value="20-30",
        ),
        source_id="roster",
    )


def _observe(
    school: RawBuilder, record_id: str, competency_id: str, level: int, **fields: Any
) -> None:
    observed_at = datetime(
        2026, 2, 1 + len(school.rows["workplace_assessment"]) % 20, 9, tzinfo=UTC
    )
    school.add(
        WorkplaceAssessment(
            programme_id=PROGRAMME,
            record_id=record_id,
            learner_id="cora",
            form_record_id=record_id,
            framework_id="epas",
            competency_id=competency_id,
            scale_id="entrustment_5",
            level=level,
            observed_at=observed_at,
            submitted_at=observed_at,
            **fields,
        ),
        source_id="wba",
        delivery_id="wba-1",
    )


def _pass_essay(school: RawBuilder, sitting: int) -> None:
    """Add open evidence, to be compared with what was observed."""
    school.add(
        ExamResult(
            programme_id=PROGRAMME,
            record_id=f"cora-essay-{sitting}",
            learner_id="cora",
            task_id="ESSAY",
            sitting_id=f"C{sitting}",
            instrument_id="coursework",
            result_status="scored",
            score=Decimal(15),
            max_score=Decimal(20),
            occurred_at=datetime(2026, 1, 5 + sitting, 9, tzinfo=UTC),
        ),
        source_id="results",
    )


def _sit_progress_test(school: RawBuilder) -> None:
    school.add(
        ExamResult(
            programme_id=PROGRAMME,
            record_id="cora-progress",
            learner_id="cora",
            task_id="PROGRESS",
            sitting_id="P1",
            instrument_id="progress_test",
            result_status="scored",
            score=Decimal(40),
            max_score=Decimal(100),
            occurred_at=datetime(2026, 1, 12, 9, tzinfo=UTC),
        ),
        source_id="results",
    )


def _meet_stations(school: RawBuilder) -> None:
    for station, competency_id, examiner_id in (
        ("history", "EPA01", "ward"),
        ("examination", "EPA01", "nurse"),
        ("counselling", "EPA02", "nurse"),
    ):
        school.add(
            ExamResponse(
                programme_id=PROGRAMME,
                record_id=f"cora-{station}",
                learner_id="cora",
                task_id="CIRCUIT",
                sitting_id="C1",
                item_id="checklist",
                station_id=station,
                competency_id=competency_id,
                examiner_id=examiner_id,
                response_status="scored",
                score=Decimal(12),
                max_score=Decimal(20),
                global_rating="pass",
                occurred_at=datetime(2026, 1, 14, 9, tzinfo=UTC),
            ),
            source_id="exam",
        )


def _ask_respondents(school: RawBuilder) -> None:
    """Add feedback about Cora by six nurses, one peer and herself."""
    roles = [("nurse", "nursing"), ("peer", "peer"), ("self", "self")]
    school.table(
        "assessor_role",
        [
            {
                "assessor_role": role,
                "title": role,
                "role_group": group,
                "source": "local choice",
            }
            for role, group in roles
        ],
    )
    for number, role in enumerate(["nurse"] * 6 + ["peer", "self"]):
        school.add(
            WorkplaceAssessment(
                programme_id=PROGRAMME,
                record_id=f"cora-msf-{number}",
                learner_id="cora",
                instrument_id="msf",
                form_record_id=f"cora-msf-{number}",
                framework_id="epas",
                competency_id="EPA02",
                scale_id="msf_6",
                level=4 + number % 3,
                assessor_role=role,
                narrative_strengths="Always kind.",
                observed_at=datetime(2026, 1, 20, 9, tzinfo=UTC),
            ),
            source_id="msf",
        )


def _refuse_correction(school: RawBuilder, record_id: str) -> None:
    """Add a newer version of an accepted record that was refused."""
    school.table(
        "refused",
        [
            {
                "delivery_id": "wba-1",
                "interpretation_id": "interp-1",
                "source_id": "wba",
                "source_row": 98,
                "kind": "workplace_assessment",
                "record_key": digest("workplace_assessment", PROGRAMME, "wba", record_id),
                "code": "bad_date",
                "field": "observed_at",
                "message": "the date is not a date",
                "value_masked": "3***",
                "suggestion": "write the day as in the other rows",
                "owner": "assessment_unit",
                "is_first": True,
            }
        ],
    )
