"""A small made-up school in which every kind of record, and every oddity, occurs once or twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pipelines.contracts import (
    Action,
    AiUseDeclaration,
    AssessmentPlan,
    Assessor,
    Circumstance,
    Committee,
    Consent,
    Decision,
    Demographics,
    ExamResponse,
    ExamResult,
    Framework,
    Learner,
    LearnerStage,
    MeetingNote,
    ProfessionalismReport,
    Reflection,
    Requirement,
    Task,
    Void,
    WorkplaceAssessment,
)
from tests.dbt.example_portfolio import add_portfolio
from tests.dbt.raw_builder import RawBuilder

PROGRAMME = "MED"


def at(year: int, month: int, day: int, hour: int = 10) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


def example_school() -> RawBuilder:
    """Return the raw tables of the school."""
    school = RawBuilder()
    _add_code_lists(school)
    _add_programme(school)
    _add_people(school)
    _add_workplace_assessments(school)
    _add_exams(school)
    _add_declarations(school)
    _add_words_and_decisions(school)
    add_portfolio(school)
    _add_log(school)
    return school


def _add_code_lists(school: RawBuilder) -> None:
    labels = ("Observe only", "Direct", "Indirect", "Unsupervised", "Supervises others")
    school.table(
        "scale_level",
        [
            {
                "scale_id": "entrustment_5",
                "scale_version": "1",
                "level": level,
                "level_label": label,
                "is_target": level == 4,
                "direction": "retrospective",
                "source": "local choice",
            }
            for level, label in enumerate(labels, start=1)
        ],
    )
    instruments = (
        ("mini_cex", "direct_observation", "0.2", "observed"),
        ("cbd", "case_discussion", "0.2", "observed"),
        ("mcq", "written_exam", "0.6", "secured"),
        ("osce", "performance_exam", "0.7", "secured"),
        ("coursework", "written_work", "0.3", "open"),
        ("progress_test", "written_exam", "0.4", "secured"),
        ("msf", "multisource", "0.2", "observed"),
    )
    school.table(
        "instrument",
        [
            {
                "instrument_id": instrument_id,
                "title": instrument_id,
                "method_family": family,
                "stake": Decimal(stake),
                "assurance_level": assurance,
                "direction": "retrospective",
                "source": "local choice",
            }
            for instrument_id, family, stake, assurance in instruments
        ],
    )
    school.table(
        "ai_policy_level",
        [
            {
                "ai_policy_scale": "aias",
                "ai_policy_scale_version": version,
                "title": "AI Assessment Scale",
                "effective_from": effective_from,
                "known_from": effective_from,
                "level": level,
                "level_label": label,
                "words": label,
                "allows_use": level > 1,
                "requires_declaration": level > 1,
                "max_extent": "moderate" if level == 3 else None,
                "allowed_stages": ["ideas", "planning"] if level == 2 else None,
                "source": "local choice",
            }
            for version, effective_from in (("1", date(2023, 1, 1)), ("2", date(2024, 1, 1)))
            for level, label in enumerate(("No AI", "Planning", "Collaboration", "Full AI"), 1)
        ],
    )


def _add_programme(school: RawBuilder) -> None:
    epas = (("EPA01", "Handover"), ("EPA02", "Prescribing"))
    for number, (competency_id, title) in enumerate(epas, start=1):
        school.add(
            Framework(
                **_ids(f"fw-{competency_id}"),
                framework_id="epas",
                framework_version="2025",
                entry_type="item",
                competency_id=competency_id,
                competency_type="epa",
                title=title,
                sort_order=number,
            ),
            source_id="programme",
        )
        school.add(
            Framework(
                **_ids(f"fw-{competency_id}-parent"),
                framework_id="epas",
                framework_version="2025",
                entry_type="link",
                competency_id=competency_id,
                link_type="is_child_of",
                target_competency_id="ALL",
            ),
            source_id="programme",
        )
        for stage_id, target in (("Y2", 3), ("Y3", 4)):
            school.add(
                AssessmentPlan(
                    **_ids(f"plan-{stage_id}-{competency_id}"),
                    plan_id="main",
                    plan_version="1",
                    stage_id=stage_id,
                    competency_id=competency_id,
                    required_n=4,
                    required_assessors=2,
                    target_scale_id="entrustment_5",
                    target_level=target,
                    source="local choice",
                ),
                source_id="programme",
            )
    for task in _tasks():
        school.add(task, source_id="programme")
    for number, member in enumerate(("chair", "ward", "clinic"), start=1):
        school.add(
            Committee(
                **_ids(f"member-{number}"),
                committee_id="progress",
                entry_type="member",
                member_id=member,
                member_role="chair" if number == 1 else "member",
                term_from=date(2025, 1, 1),
            ),
            source_id="committee",
        )
    for meeting_id, meets_on in (("M1", date(2025, 11, 30)), ("M2", date(2026, 3, 2))):
        school.add(
            Committee(
                **_ids(f"meeting-{meeting_id}"),
                committee_id="progress",
                entry_type="meeting",
                meeting_id=meeting_id,
                meets_on=meets_on,
                quorum=3,
            ),
            source_id="committee",
        )


def _tasks() -> list[Task]:
    essay: dict[str, Any] = {
        "task_id": "ESSAY",
        "module_id": "ETHICS-2026",
        "title": "Essay",
        "modality": "essay",
        "instrument_id": "coursework",
        "assurance_level": "open",
        "competency_ids": ["EPA01", "EPA02"],
        "due_on": date(2026, 1, 31),
        "max_score": Decimal(20),
        "cut_score": Decimal(10),
        "ai_policy_scale": "aias",
    }
    return [
        Task(**_ids("task-essay-1"), **essay, ai_policy_level=2, policy_to=date(2025, 12, 31)),
        Task(**_ids("task-essay-2"), **essay, ai_policy_level=4, policy_from=date(2026, 1, 1)),
        Task(
            **_ids("task-mcq"),
            task_id="MCQ",
            modality="written_exam",
            instrument_id="mcq",
            assurance_level="secured",
            scoring_rule="formula",
            points_right=Decimal(2),
            points_wrong=Decimal("-0.5"),
            cut_score=Decimal(1),
            cut_score_method="number_right",
        ),
        Task(
            **_ids("task-sets"),
            task_id="SETS",
            modality="written_exam",
            instrument_id="mcq",
            due_on=date(2026, 1, 20),
            n_options=4,
        ),
        *(
            Task(
                **_ids(f"task-item-{item}"),
                task_id=f"SETS-{item}",
                parent_task_id="SETS",
                modality="item",
                scoring_rule=rule,  # type: ignore[arg-type]
                answer_key=key,
            )
            for item, key, rule in (
                ("1", "A", "symmetric_difference"),
                ("2", "BD", "symmetric_difference"),
                ("3", "BD", "exact_set"),
            )
        ),
        Task(
            **_ids("task-osce"),
            task_id="OSCE",
            modality="osce",
            instrument_id="osce",
            due_on=date(2026, 1, 15),
        ),
        Task(
            **_ids("task-progress"),
            task_id="PROGRESS",
            modality="progress_test",
            instrument_id="progress_test",
            due_on=date(2026, 1, 12),
        ),
        Task(
            **_ids("task-unused"),
            task_id="UNUSED",
            modality="essay",
            instrument_id="coursework",
            due_on=date(2026, 1, 1),
        ),
    ]


def _add_people(school: RawBuilder) -> None:
    for learner_id in ("ana", "ben"):
        school.add(
            Learner(
                **_ids(f"learner-{learner_id}"),
                learner_id=learner_id,
                cohort_id="2024",
                mentor_id="mentor",
                entered_on=date(2024, 10, 1),
            ),
            source_id="roster",
        )
        for stage_id, starts_on, ends_on in (
            ("Y2", date(2024, 10, 1), date(2025, 9, 30)),
            ("Y3", date(2025, 10, 1), None),
        ):
            school.add(
                LearnerStage(
                    **_ids(f"{learner_id}-{stage_id}"),
                    learner_id=learner_id,
                    period_type="stage",
                    period_id=stage_id,
                    starts_on=starts_on,
                    ends_on=ends_on,
                ),
                source_id="roster",
            )
    periods: list[dict[str, Any]] = [
        {
            "learner_id": "ana",
            "period_type": "rotation",
            "period_id": "surgery",
            "starts_on": date(2025, 11, 1),
            "ends_on": date(2026, 1, 31),
        },
        {
            "learner_id": "ana",
            "period_type": "rotation",
            "period_id": "emergency",
            "starts_on": date(2026, 2, 1),
            "ends_on": date(2026, 3, 31),
            "is_planned": True,
        },
        {
            "learner_id": "ana",
            "period_type": "leave",
            "period_id": "illness",
            "starts_on": date(2025, 3, 1),
            "ends_on": date(2025, 3, 20),
        },
        {
            "learner_id": "ana",
            "period_type": "leave",
            "period_id": "family",
            "starts_on": date(2025, 3, 15),
            "ends_on": date(2025, 3, 31),
        },
        {
            "learner_id": "ana",
            "period_type": "enrolment",
            "period_id": "ETHICS-2026",
            "starts_on": date(2025, 12, 1),
            "status": "active",
        },
        {
            "learner_id": "ana",
            "period_type": "enrolment",
            "period_id": "LAW-2026",
            "starts_on": date(2025, 12, 1),
            "status": "completed",
        },
        {
            "learner_id": "ben",
            "period_type": "enrolment",
            "period_id": "ETHICS-2026",
            "ends_on": date(2026, 2, 1),
            "status": "completed",
        },
        {
            "learner_id": "ben",
            "period_type": "enrolment",
            "period_id": "LAW-2026",
            "starts_on": date(2025, 12, 1),
            "status": "withdrawn",
        },
    ]
    for number, period in enumerate(periods):
        school.add(LearnerStage(**_ids(f"period-{number}"), **period), source_id="roster")
    school.add(
        Demographics(**_ids("demo-ana"), learner_id="ana", attribute="age_band", value="20-30"),
        source_id="roster",
    )
    school.add(
        Consent(
            **_ids("consent-ana"),
            learner_id="ana",
            purpose="research",
            status="given",
            effective_at=at(2025, 10, 1),
        ),
        source_id="roster",
    )
    school.add(
        Circumstance(
            **_ids("case-ana"),
            learner_id="ana",
            circumstance_type="adjustment",
            adjustment="a quarter more time",
            status="accepted",
            disclosed_on=date(2025, 10, 1),
            decided_on=date(2025, 10, 8),
            decided_by_id="mentor",
            need_to_know="committee",
        ),
        source_id="support",
    )
    school.add(
        Requirement(
            **_ids("certificate-ana"),
            learner_id="ana",
            requirement_id="basic_life_support",
            requirement_type="certificate",
            status="met",
            issued_on=date(2025, 10, 1),
            verified_by_id="ward",
        ),
        source_id="support",
    )
    school.add(
        ProfessionalismReport(
            **_ids("report-ben"),
            learner_id="ben",
            report_type="professionalism",
            severity="low",
            description="Came late to the handover twice.",
            reporter_id="nurse",
            status="raised",
            occurred_at=at(2025, 11, 3),
            need_to_know="committee",
        ),
        source_id="support",
    )
    for assessor_id, role in (("ward", "consultant"), ("nurse", "nurse"), ("mentor", "mentor")):
        school.add(
            Assessor(
                **_ids(f"assessor-{assessor_id}"),
                assessor_id=assessor_id,
                assessor_role=role,
                is_trained=True,
                active_from=date(2024, 1, 1),
            ),
            source_id="roster",
        )


def _add_workplace_assessments(school: RawBuilder) -> None:
    forms: tuple[tuple[str, str, str, int | None, datetime, str], ...] = (
        ("f1", "ana", "EPA01", 4, at(2025, 11, 12), "ward"),
        ("f2", "ana", "EPA01", 3, at(2026, 1, 15), "nurse"),
        ("f3", "ana", "EPA02", None, at(2026, 2, 10), "ward"),
        ("f4", "ana", "EPA01", 4, at(2025, 5, 2), "ward"),
        ("f5", "ben", "EPA01", 2, at(2026, 2, 3), "ward"),
        ("f6", "guest", "EPA99", 3, at(2026, 2, 4), "visitor"),
    )
    for form, learner_id, competency_id, level, observed_at, assessor_id in forms:
        school.add(
            WorkplaceAssessment(
                **_ids(form),
                learner_id=learner_id,
                instrument_id="home_grown" if form == "f6" else "mini_cex",
                form_record_id=form,
                framework_id="epas",
                competency_id=competency_id,
                scale_id=None if level is None else "entrustment_5",
                raw_label=None if level is None else f"Level {level}",
                level=level,
                assessor_id=assessor_id,
                assessor_role="nurse" if assessor_id == "nurse" else None,
                setting="ward",
                complexity="medium",
                narrative_strengths="Clear and calm handover.",
                narrative_improvements="Say the open questions first, then the plan.",
                is_flagged=form == "f5",
                observed_at=observed_at,
                submitted_at=observed_at,
            ),
            source_id="wba",
            delivery_id="wba-1",
        )
    for outcome in ("superseded", "duplicate", "voided"):
        school.add(
            WorkplaceAssessment(
                **_ids("f1"),
                learner_id="ana",
                instrument_id="mini_cex",
                competency_id="EPA01",
                scale_id="entrustment_5",
                level=1,
                observed_at=at(2025, 11, 12),
            ),
            source_id="wba",
            delivery_id="wba-0",
            outcome=outcome,
        )
    school.add(
        Void(**_ids("f0"), target_kind="workplace_assessment", reason="entered twice"),
        source_id="wba",
    )


def _add_exams(school: RawBuilder) -> None:
    essays: tuple[tuple[str, dict[str, Any]], ...] = (
        ("ana", {"score": Decimal(15), "occurred_at": at(2026, 2, 2)}),
        ("ben", {"score": Decimal(8), "occurred_at": at(2026, 2, 5)}),
        ("guest", {"result_status": "not_scored", "occurred_at": at(2026, 1, 30)}),
        ("ana", {"score": Decimal(12), "occurred_at": at(2025, 11, 1), "is_banked": True}),
    )
    for number, (learner_id, fields) in enumerate(essays):
        school.add(
            ExamResult(
                **_ids(f"essay-{number}"),
                learner_id=learner_id,
                task_id="ESSAY",
                sitting_id=f"S{number}",
                instrument_id="coursework",
                **({"result_status": "scored", "max_score": Decimal(20)} | fields),
            ),
            source_id="results",
        )
    school.add(
        ExamResult(
            **_ids("viva"),
            learner_id="ben",
            task_id="VIVA",
            sitting_id="S1",
            instrument_id="osce",
            result_status="scored",
            score=Decimal(7),
            max_score=Decimal(10),
            occurred_at=at(2026, 1, 5),
        ),
        source_id="results",
    )
    mcq = {"ana": ("right", "wrong", "omitted"), "ben": ("wrong", "dont_know", "not_presented")}
    for learner_id, statuses in mcq.items():
        for item, status in enumerate(statuses, start=1):
            _respond(school, learner_id, "MCQ", f"Q{item}", status)
    for item, answer in (("1", None), ("2", "b, d"), ("3", "B")):
        status = "omitted" if answer is None else "answered"
        _respond(school, "ana", "SETS", f"SETS-{item}", status, response=answer)
    for examiner_id, items in (("ward", ("I1", "I2")), ("nurse", ("I1",))):
        for item in items:
            _respond(
                school,
                "ana",
                "OSCE",
                item,
                "scored",
                score=Decimal(2 if examiner_id == "ward" else 1),
                max_score=Decimal(3),
                examiner_id=examiner_id,
                record_id=f"osce-{item}-{examiner_id}",
            )


def _respond(
    school: RawBuilder, learner_id: str, task_id: str, item_id: str, status: str, **fields: Any
) -> None:
    record_id = fields.pop("record_id", f"{task_id}-{item_id}-{learner_id}")
    school.add(
        ExamResponse(
            **_ids(record_id),
            learner_id=learner_id,
            task_id=task_id,
            sitting_id="S1",
            item_id=item_id,
            response_status=status,  # type: ignore[arg-type]
            occurred_at=at(2026, 1, 10),
            **fields,
        ),
        source_id="exam",
        source_cell=item_id,
    )


def _add_declarations(school: RawBuilder) -> None:
    used: dict[str, Any] = {
        "status": "used",
        "tools": [{"name": "Example Assistant", "version": "4"}],
        "statement_accepted_at": at(2025, 12, 20),
        "is_verified": True,
        "has_patient_data": False,
    }
    declarations: tuple[tuple[str, dict[str, Any]], ...] = (
        ("ana", used | {"stages": ["planning", "drafting"], "declared_at": at(2025, 12, 20)}),
        ("ana", used | {"stages": ["planning", "drafting"], "declared_at": at(2026, 1, 20)}),
        ("ben", {"status": "not_declared", "declared_at": at(2026, 2, 5)}),
        ("ben", {"status": "not_required", "declared_at": at(2026, 2, 6)}),
        ("ben", used | {"has_accessibility_exemption": True, "declared_at": at(2026, 2, 7)}),
    )
    for number, (learner_id, fields) in enumerate(declarations):
        school.add(
            AiUseDeclaration(
                **_ids(f"ai-{number}"), learner_id=learner_id, task_id="ESSAY", **fields
            ),
            source_id="declarations",
        )
    school.add(
        AiUseDeclaration(
            **_ids("ai-mcq"),
            learner_id="ana",
            task_id="MCQ",
            status="not_used",
            statement_accepted_at=at(2026, 1, 10),
            declared_at=at(2026, 1, 10),
        ),
        source_id="declarations",
    )


def _add_words_and_decisions(school: RawBuilder) -> None:
    school.add(
        Reflection(
            **_ids("reflection-1"),
            learner_id="ana",
            reflection_type="dispute",
            about_record_id="f2",
            competency_id="EPA01",
            text="I was asked to leave in the middle.",
            occurred_at=at(2026, 1, 20),
        ),
        source_id="reflections",
    )
    school.add(
        MeetingNote(
            **_ids("note-1"),
            learner_id="ana",
            meeting_type="mentor",
            mentor_id="mentor",
            text="Agreed to practise handover.",
            occurred_at=at(2026, 1, 22),
            next_on=date(2026, 3, 1),
        ),
        source_id="meetings",
    )
    decision: dict[str, Any] = {
        "learner_id": "ana",
        "decision_kind": "meeting",
        "committee_id": "progress",
        "meeting_id": "M1",
        "decided_by": ["chair", "ward"],
        "present": ["chair", "ward", "clinic"],
        "recused": ["mentor"],
        "vocabulary_id": "local",
        "rationale": "Handover needs practice.",
    }
    school.add(
        Decision(
            **_ids("decision-1"), **decision, outcome="as expected", decided_at=at(2025, 11, 30)
        ),
        source_id="decisions",
    )
    school.add(
        Decision(
            **_ids("decision-2"),
            **decision,
            outcome="targeted support",
            decided_at=at(2025, 12, 1),
            corrects_record_id="decision-1",
            agenda_list="discussion",
            pulled_by_id="ward",
            freeze_id="0123456789abcdef",
            addendum_ids=["89abcdef01234567"],
        ),
        source_id="decisions",
    )
    school.add(
        Action(
            **_ids("action-1"),
            learner_id="ana",
            decision_record_id="decision-2",
            description="Three observed handovers",
            owner_role="mentor",
            owner_id="mentor",
            competency_id="EPA01",
            required_n=3,
            agreed_on=date(2025, 12, 1),
            due_on=date(2026, 2, 1),
            status="open",
        ),
        source_id="decisions",
    )


def _add_log(school: RawBuilder) -> None:
    school.table("refused", [_refused_label()])
    events = Counter(
        (row["source_id"], row["delivery_id"])
        for rows in school.rows.values()
        for row in rows
        if "event_id" in row
    )
    refused = Counter(row["delivery_id"] for row in school.rows["refused"])
    for number, ((source_id, delivery_id), n_events) in enumerate(sorted(events.items())):
        arrival = {
            "delivery_id": delivery_id,
            "source_id": source_id,
            "file": f"{source_id}/export.csv",
            "sha256": f"{number:064d}",
            "known_at": school.known_at,
        }
        n_refused = refused[delivery_id]
        school.table(
            "receipt",
            [arrival | {"receipt_id": f"r{number}", "bytes": 100, "status": "received"}],
        )
        school.table(
            "intake_record",
            [
                arrival
                | {
                    "interpretation_id": "interp-1",
                    "status": "committed",
                    "check_verdict": "pass",
                    "source_rows": n_events + n_refused,
                    "rows_read": n_events + n_refused,
                    "n_accepted_events": n_events,
                    "n_refused": n_refused,
                    "accepted_events": "{}",
                    "reasons": "{}",
                    "notes": "{}",
                    "check_results": "[]",
                    "contract_versions": "{}",
                    "created_by_code_version": "test",
                }
            ],
        )
    first_form = school.rows["workplace_assessment"][0]["record_key"]
    school.note("workplace_assessment", first_form, "label_repaired", "one space too many")
    banked = school.rows["exam_result"][3]["record_key"]
    school.note("exam_result", banked, "banked", "is_banked is 1")


def _refused_label() -> dict[str, Any]:
    return {
        "delivery_id": "wba-1",
        "interpretation_id": "interp-1",
        "source_id": "wba",
        "source_row": 99,
        "kind": "workplace_assessment",
        "code": "unknown_label",
        "field": "level",
        "message": "the label is not on the scale",
        "value_masked": "L***",
        "suggestion": "add the label to the crosswalk",
        "owner": "assessment_unit",
        "is_first": True,
    }


def _ids(record_id: str) -> dict[str, str]:
    return {"programme_id": PROGRAMME, "record_id": record_id}
