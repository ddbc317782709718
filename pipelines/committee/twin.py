"""The JSON twin of a learner's page: what it shows, for programs, under a published schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from pipelines.committee.evidence import Row
from pipelines.committee.learner import LearnerPage
from pipelines.committee.queries import Portfolio

TWIN_VERSION = 2

Exact = Annotated[Decimal, PlainSerializer(str, return_type=str, when_used="json")]
"""A decimal number, written as text so that no digit is lost."""


class Part(BaseModel):
    """A part of the twin: made from a row by name, unchangeable."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Made = TypeVar("Made", bound=Part)


class Clocks(Part):
    """Where the learner is, and since when."""

    programme_id: str
    site_id: str | None
    cohort_id: str | None
    entered_on: date | None
    stage_id: str | None
    rotation_id: str | None
    rotation_starts_on: date | None
    rotation_ends_on: date | None
    enrolment_status: str | None
    n_days_leave: int | None
    meeting_id: str | None
    meets_on: date | None


class Decision(Part):
    """What a committee of named people decided."""

    evidence_id: str
    decision_kind: str
    committee_id: str
    meeting_id: str | None
    outcome: str
    rationale: str | None
    dissent: str | None
    appeal_status: str | None
    standing: str = Field(description="Whether it counts: `stands`, or why it does not.")
    agenda_list: str | None
    freeze_id: str | None
    decided_by_keys: tuple[str, ...]
    present_keys: tuple[str, ...] | None
    recused_keys: tuple[str, ...] | None
    dissent_by_keys: tuple[str, ...] | None
    pulled_by_keys: tuple[str, ...] | None
    addendum_ids: tuple[str, ...] | None
    is_corrected: bool
    is_latest: bool
    decided_on: date | None


class Action(Part):
    """What was agreed, and whether it was done."""

    evidence_id: str
    description: str
    owner_role: str
    competency_id: str | None
    instrument_id: str | None
    required_n: int | None
    n_done: int | None
    agreed_on: date | None
    due_on: date | None
    done_on: date | None
    state: str
    is_of_last_decision: bool
    n_days_overdue: int | None


class Competency(Part):
    """One line of the sufficiency grid: counts beside what the rule set asks for."""

    competency_id: str
    title: str
    status: str
    status_reason: str | None
    shortfalls: tuple[str, ...]
    rule_set_id: str | None = None
    rule_version: str | None = None
    n_data_points: int | None = None
    required_data_points: int | None = None
    n_assessors: int | None = None
    required_assessors: int | None = None
    n_methods: int | None = None
    required_methods: int | None = None
    n_contexts: int | None = None
    required_contexts: int | None = None
    n_recent: int | None = None
    required_recent: int | None = None
    n_flags: int | None = None
    target_scale_id: str | None = None
    target_scale_version: str | None = None
    target_level: int | None = None
    n_rated: int | None = None
    n_at_target: int | None = None
    share_at_target: Exact | None = None
    share_low: Exact | None = None
    share_high: Exact | None = None
    evidence_ids: tuple[str, ...]


class Conflict(Part):
    """Evidence that disagrees, with both sides."""

    conflict_kind: str
    competency_id: str | None
    sentence: str
    evidence_ids: tuple[str, ...]


class Comment(Part):
    """What an assessor wrote, word for word, and why it was picked."""

    evidence_id: str
    competency_ids: tuple[str, ...] | None
    instrument_id: str | None
    assessor_role: str | None
    setting: str | None
    scale_id: str | None
    level: int | None
    target_level: int | None
    is_flagged: bool
    is_picked: bool
    pick_reasons: tuple[str, ...] | None
    narrative_strengths: str | None
    narrative_improvements: str | None
    narrative_other: str | None
    occurred_on: date | None


class Reflection(Part):
    """The learner's own words."""

    evidence_id: str
    reflection_type: str
    competency_id: str | None
    about_evidence_id: str | None
    text: str | None
    dispute_status: str | None
    owner_role: str | None
    reply: str | None
    answered_at: datetime | None
    occurred_on: date | None
    due_on: date | None


class Meeting(Part):
    """A meeting with the mentor, or about progress."""

    evidence_id: str
    meeting_type: str
    text: str | None
    occurred_on: date | None
    next_on: date | None


class Sitting(Part):
    """One sitting of an exam; an absent one has no score."""

    evidence_id: str | None
    series: str
    task_id: str
    title: str | None
    sitting_id: str | None
    attempt: int | None
    occurred_on: date | None
    sitting_status: str
    is_banked: bool | None
    score: Exact | None
    max_score: Exact | None
    cut_score: Exact | None
    is_at_or_above_cut: bool | None
    is_below_cut_at_newest: bool | None = Field(
        description="Whether the exam is below its cut-score, this being its newest sitting."
    )
    is_near_cut: bool | None
    reliability: Exact | None
    sem: Exact | None
    cohort_n: int | None
    cohort_mean_share: Exact | None
    cohort_sd_share: Exact | None


class Precision(Part):
    """How far the ratings of a competency carry, and the raw share beside the adjusted one."""

    competency_id: str
    n_rated: int
    n_raters: int
    dependability: Exact | None
    wanted_dependability: Exact
    sem: Exact | None
    is_reached: bool | None
    is_calibrated: bool
    n_more_ratings: int | None
    n_more_assessors: int | None
    sentence: str
    share_at_target: Exact | None
    n_effective: Exact | None
    assessor_variance_share: Exact | None
    adjusted_share: Exact | None
    adjusted_low: Exact | None
    adjusted_high: Exact | None
    adjusted_status: str | None
    is_sensitive: bool | None
    label: str | None


class Feedback(Part):
    """A group of respondents on one item; a group that is too small has no numbers."""

    instrument_id: str
    competency_id: str
    scale_id: str | None
    respondent_group: str
    level_counts: str | None
    n_respondents: int | None
    n_wanted: int | None
    level_median: Exact | None
    self_level: Exact | None
    self_less_others: Exact | None
    is_self_apart: bool | None = Field(
        description="Whether the learner’s own answer stands apart from that of all others."
    )
    is_withheld: bool
    sentence: str


class FeedbackComment(Part):
    """What a respondent wrote, without group, day or answer."""

    instrument_id: str
    narrative_strengths: str | None
    narrative_improvements: str | None
    narrative_other: str | None


class Growth(Part):
    """The line through the progress tests that were sat."""

    sentence: str
    n_sittings: int
    n_sat: int
    n_absent: int
    cumulative_share: Exact | None
    growth_per_year: Exact | None
    growth_standard_error: Exact | None


class Declaration(Part):
    """A declaration of AI use beside the policy of its task; a gap has no evidence id."""

    evidence_id: str | None
    task_id: str | None
    status: str | None
    reconciliation: str
    sentence: str
    has_patient_data: bool | None
    declared_on: date | None


class Requirement(Part):
    """Where the learner stands with something mandatory."""

    evidence_id: str
    requirement_id: str
    requirement_type: str
    title: str | None
    stage_id: str | None
    state: str = Field(description="As of the day: a met one past its last day has expired.")
    n_done: int | None
    required_n: int | None
    attended_share: Exact | None
    issued_on: date | None
    expires_on: date | None
    counted_on: date | None


class Period(Part):
    """Leave, a stopped clock or part time, past or planned."""

    period_type: str
    starts_on: date | None
    ends_on: date | None
    is_planned: bool
    full_time_share: Exact | None


class Circumstance(Part):
    """A circumstance, or an adjustment without its reason."""

    evidence_id: str
    circumstance_type: str
    category: str | None
    adjustment: str | None
    task_id: str | None
    status: str
    starts_on: date | None
    ends_on: date | None
    disclosed_on: date
    decided_on: date | None


class Report(Part):
    """What was reported of the learner's conduct; only an upheld report is a finding."""

    evidence_id: str
    report_type: str
    category: str | None
    severity: str | None
    competency_id: str | None
    description: str
    learner_response: str | None
    status: str
    outcome: str | None
    is_shared_with_learner: bool
    occurred_on: date | None
    closed_on: date | None


class Signal(Part):
    """An open signal: what was seen, and which assessment would tell more."""

    signal_id: str
    rule_set_id: str
    rule_version: str
    rule_id: str
    severity: str
    title: str
    sentence: str
    recommendation: str
    owner_role: str
    due_on: date | None
    is_overdue: bool
    evidence_ids: tuple[str, ...]
    closes_when: str | None = Field(description="What evidence closes it, in words.")
    held_back_titles: tuple[str, ...] = Field(
        description="Rules that the limit of signals a learner holds back; on the last signal."
    )


class ClosedSignal(Part):
    """A signal that evidence closed lately: what it asked for came."""

    signal_id: str
    rule_set_id: str
    rule_version: str
    rule_id: str
    sentence: str
    raised_on: date
    closed_on: date
    closed_by_evidence_ids: tuple[str, ...]


class Written(Part):
    """A record as it was written, field by field, and where it came from."""

    evidence_id: str
    title: str
    fields: dict[str, str]
    delivery_id: str | None
    source_row: int | None
    source_cell: str | None
    is_flagged: bool


class Twin(Part):
    """Everything that a learner's page and the evidence behind it say."""

    twin_version: int = TWIN_VERSION
    edition_id: str
    as_of: date
    known_at: datetime | None
    learner_key: str
    clocks: Clocks
    one_look: tuple[str, ...] = Field(description="The grid in sentences; there is no score.")
    decisions: tuple[Decision, ...]
    actions: tuple[Action, ...]
    competencies: tuple[Competency, ...]
    conflicts: tuple[Conflict, ...]
    comments: tuple[Comment, ...]
    reflections: tuple[Reflection, ...]
    meetings: tuple[Meeting, ...]
    exams: tuple[Sitting, ...]
    growth: tuple[Growth, ...]
    precision: tuple[Precision, ...]
    feedback: tuple[Feedback, ...]
    feedback_comments: tuple[FeedbackComment, ...]
    requirements: tuple[Requirement, ...]
    time_out: tuple[Period, ...]
    circumstances: tuple[Circumstance, ...]
    reports: tuple[Report, ...]
    ai_use: tuple[Declaration, ...]
    signals: tuple[Signal, ...]
    closed_signals: tuple[ClosedSignal, ...]
    n_quarantined: int = Field(description="Rows of this learner that wait for a person.")
    evidence: tuple[Written, ...]


def twin(portfolio: Portfolio, page: LearnerPage) -> Twin:
    """Return the twin of a page."""
    return Twin(
        edition_id=portfolio.edition_id,
        as_of=portfolio.as_of,
        known_at=portfolio.known_at,
        learner_key=page.key,
        clocks=Clocks.model_validate(page.row),
        one_look=page.one_look,
        decisions=_each(Decision, page.decisions),
        actions=_each(Action, page.actions),
        competencies=tuple(_competency(line) for line in page.competencies),
        conflicts=_each(Conflict, page.conflicts),
        comments=_each(Comment, page.comments),
        reflections=_each(Reflection, page.reflections),
        meetings=_each(Meeting, page.meetings),
        exams=_each(Sitting, (s for series in page.exams for s in series.sittings)),
        growth=_each(Growth, page.growth),
        precision=_each(Precision, page.precision),
        feedback=_each(Feedback, portfolio.rows("feedback", page.key)),
        feedback_comments=_each(FeedbackComment, page.feedback_comments),
        requirements=_each(Requirement, page.requirements),
        time_out=_each(Period, page.time_out),
        circumstances=_each(Circumstance, page.circumstances),
        reports=_each(Report, page.reports),
        ai_use=_each(Declaration, portfolio.rows("declarations", page.key)),
        signals=_each(Signal, page.signals),
        closed_signals=_each(ClosedSignal, page.closed_signals),
        n_quarantined=page.row["n_quarantined"],
        evidence=tuple(
            Written(
                evidence_id=form.evidence_id,
                title=form.title,
                fields={field.label: field.value for field in form.fields},
                delivery_id=form.delivery_id,
                source_row=form.source_row,
                source_cell=form.source_cell,
                is_flagged=form.is_flagged,
            )
            for form in page.forms
        ),
    )


def schema() -> bytes:
    """Return the JSON Schema of a twin."""
    described = Twin.model_json_schema(mode="serialization")
    described["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(described, indent=1, sort_keys=True).encode() + b"\n"


def _each(part: type[Made], rows: Iterable[Row]) -> tuple[Made, ...]:
    return tuple(part.model_validate(row) for row in rows)


def _competency(line: Any) -> Competency:
    told = {name: value for name, value in line.row.items() if value is not None}
    return Competency.model_validate(
        told
        | {
            "competency_id": line.competency_id,
            "title": line.title,
            "status": line.status,
            "status_reason": line.row["status_reason"],
            "shortfalls": line.row["shortfalls"] or (),
            "evidence_ids": line.row["evidence_ids"] or (),
        }
    )
