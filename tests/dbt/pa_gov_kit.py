"""The governance kit's simulated programme as raw tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipelines.contracts import (
    AssessmentPlan,
    Framework,
    Learner,
    LearnerStage,
    WorkplaceAssessment,
)
from pipelines.rules import load_catalogue
from tests.dbt.raw_builder import RawBuilder

PROGRAMME = "PAGOV"
AS_OF = date(2026, 2, 21)
STAGES = {"PGY1": "PGY1", "PGY2": "PGY2", "PGY3+": "PGY3plus"}


def pa_gov_programme(folder: Path) -> RawBuilder:
    """Return the raw tables of the kit as of the day its expected results are for."""
    raw = RawBuilder(as_of=AS_OF, time_zone="UTC")
    raw.table("rule_set", load_catalogue().rule_rows())
    raw.table("instrument", [_instrument()])
    for epa in _rows(folder / "epas.csv"):
        _add_epa(raw, epa)
    for learner in _rows(folder / "learners.csv"):
        _add_learner(raw, learner)
    for number, observation in enumerate(_rows(folder / "observations.csv"), start=1):
        _add_observation(raw, number, observation)
    return raw


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _instrument() -> dict[str, Any]:
    return {
        "instrument_id": "epa_observation",
        "title": "EPA observation",
        "method_family": "direct_observation",
        "assurance_level": "observed",
        "source": "local choice",
    }


def _add_epa(raw: RawBuilder, epa: dict[str, str]) -> None:
    raw.add(
        Framework(
            programme_id=PROGRAMME,
            record_id=epa["EPA_ID"],
            framework_id="PAGOV-EPA",
            framework_version="1",
            entry_type="item",
            competency_id=epa["EPA_ID"],
            competency_type="epa",
            title=epa["EPA_Title"],
        )
    )
    for stage_id, suffix in STAGES.items():
        raw.add(
            AssessmentPlan(
                programme_id=PROGRAMME,
                record_id=f"{epa['EPA_ID']}/{stage_id}",
                plan_id="PAGOV",
                plan_version="1",
                stage_id=stage_id,
                competency_id=epa["EPA_ID"],
                target_scale_id="entrustment_5",
                target_level=int(epa[f"Expected_Level_{suffix}"]),
                source="governance kit, EPA master",
            )
        )


def _add_learner(raw: RawBuilder, learner: dict[str, str]) -> None:
    raw.add(
        Learner(
            programme_id=PROGRAMME,
            record_id=learner["Learner_ID"],
            learner_id=learner["Learner_ID"],
        )
    )
    raw.add(
        LearnerStage(
            programme_id=PROGRAMME,
            record_id=f"{learner['Learner_ID']}/{learner['Stage']}",
            learner_id=learner["Learner_ID"],
            period_type="stage",
            period_id=learner["Stage"],
        )
    )


def _add_observation(raw: RawBuilder, number: int, observation: dict[str, str]) -> None:
    raw.add(
        WorkplaceAssessment(
            programme_id=PROGRAMME,
            record_id=str(number),
            learner_id=observation["Learner_ID"],
            instrument_id="epa_observation",
            framework_id="PAGOV-EPA",
            competency_id=observation["EPA_ID"],
            scale_id="entrustment_5",
            level=int(observation["Entrustment_Level"]),
            assessor_id=observation["Assessor_ID"],
            assessor_role=observation["Assessor_Role"],
            setting=observation["Setting"] or None,
            case_type=observation["Case_Type"] or None,
            narrative_strengths=observation["Narrative_Positive"] or None,
            narrative_improvements=observation["Narrative_Improve"] or None,
            is_flagged=observation["Flag"] == "1",
            observed_at=datetime.fromisoformat(observation["Date"]).replace(tzinfo=UTC),
        )
    )
