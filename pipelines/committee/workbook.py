"""The pack as a workbook: what a committee sorts and filters, one sheet a question.

Every text is written as text, so that no spreadsheet takes what somebody wrote for a formula or a
link. The same portfolio gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from pipelines.committee import words
from pipelines.committee.evidence import Row
from pipelines.committee.grid import NOT_REQUIRED, shown_status
from pipelines.committee.queries import OF_LEARNERS, Portfolio

CELL_MOST = 32_767
"""As many characters as a cell of a workbook holds."""
CUT = " […] the whole text stands on the evidence page"
WIDEST = 60
HOW_TO_READ = (
    "Not enough evidence says something about the evidence, not about the learner. Nothing here "
    "ranks learners or adds up to a score."
)
WHAT_IS_BEHIND = (
    "Evidence ids lead to the forms as they were written: evidence/<learner>.html in this pack."
)

Column = tuple[str, str]
"""The name of a column in the rows, and its heading."""


@dataclass(frozen=True)
class Sheet:
    """One table of the workbook: its rows are those of a section of the portfolio."""

    title: str
    section: str
    columns: tuple[Column, ...]


SHEETS = (
    Sheet(
        "Agenda",
        "learners",
        (
            ("learner_key", "Learner"),
            ("programme_id", "Programme"),
            ("stage_id", "Stage"),
            ("cohort_id", "Cohort"),
            ("agenda_group", "Group"),
            ("reason_text", "Reasons to talk"),
            ("last_decision_outcome", "Last decision"),
            ("last_decided_on", "Decided on"),
            ("n_actions_open", "Actions open"),
            ("n_actions_overdue", "Actions overdue"),
            ("n_competencies", "Competencies required"),
            ("n_enough_evidence", "With enough evidence"),
            ("n_quarantined", "Rows in quarantine"),
            ("minutes", "Minutes"),
        ),
    ),
    Sheet(
        "Sufficiency",
        "status",
        (
            ("learner_key", "Learner"),
            ("stage_id", "Stage"),
            ("competency_title", "Competency"),
            ("status", "Status"),
            ("status_reason", "Why"),
            ("n_data_points", "Data points"),
            ("required_data_points", "Asked for"),
            ("n_assessors", "Assessors"),
            ("required_assessors", "Asked for"),
            ("n_methods", "Methods"),
            ("required_methods", "Asked for"),
            ("n_contexts", "Contexts"),
            ("required_contexts", "Asked for"),
            ("n_rated", "Rated"),
            ("n_at_target", "At or above target"),
            ("share_at_target", "Share"),
            ("share_low", "Interval from"),
            ("share_high", "Interval to"),
            ("shortfalls", "Short of"),
            ("rule_set_id", "Rule set"),
            ("rule_version", "Version"),
            ("evidence_ids", "Evidence"),
        ),
    ),
    Sheet(
        "Dependability",
        "precision",
        (
            ("learner_key", "Learner"),
            ("competency", "Competency"),
            ("n_rated", "Ratings"),
            ("n_raters", "Assessors"),
            ("dependability", "Dependability"),
            ("wanted_dependability", "Wanted"),
            ("sem", "Standard error"),
            ("n_more_ratings", "More ratings to reach it"),
            ("n_more_assessors", "By more assessors"),
            ("sentence", "In words"),
            ("share_at_target", "Share at target, raw"),
            ("share_low", "Interval from"),
            ("share_high", "Interval to"),
            ("adjusted_share", "Adjusted for stringency, about"),
            ("adjusted_low", "Interval from"),
            ("adjusted_high", "Interval to"),
            ("adjusted_status", "Status would be"),
        ),
    ),
    Sheet(
        "Comments",
        "comments",
        (
            ("learner_key", "Learner"),
            ("occurred_on", "Day"),
            ("competency", "Competency"),
            ("instrument_id", "Instrument"),
            ("assessor_role", "Role"),
            ("setting", "Setting"),
            ("level", "Level"),
            ("target_level", "Target"),
            ("is_flagged", "Flagged"),
            ("pick_reasons", "Picked because"),
            ("narrative_strengths", "Done well"),
            ("narrative_improvements", "To improve"),
            ("narrative_other", "Other words"),
            ("evidence_id", "Evidence"),
        ),
    ),
    Sheet(
        "Conflicts",
        "conflicts",
        (
            ("learner_key", "Learner"),
            ("conflict_kind", "Kind"),
            ("competency", "Competency"),
            ("sentence", "In words"),
            ("evidence_ids", "Evidence"),
        ),
    ),
    Sheet(
        "Multisource feedback",
        "feedback",
        (
            ("learner_key", "Learner"),
            ("instrument_id", "Instrument"),
            ("competency", "Competency"),
            ("respondent_group", "Group"),
            ("n_respondents", "Respondents"),
            ("n_wanted", "Wanted"),
            ("level_counts", "Levels"),
            ("level_median", "Middle"),
            ("self_level", "The learner says"),
            ("is_self_apart", "The learner stands apart"),
            ("is_withheld", "Not shown"),
            ("sentence", "In words"),
        ),
    ),
    Sheet(
        "Words of learners",
        "reflections",
        (
            ("learner_key", "Learner"),
            ("occurred_on", "Day"),
            ("reflection_type", "Kind"),
            ("competency", "Competency"),
            ("text", "In the learner's words"),
            ("about_evidence_id", "About"),
            ("dispute_status", "Dispute"),
            ("owner_role", "Seen to by"),
            ("reply", "Answer"),
            ("answered_at", "Answered"),
            ("evidence_id", "Evidence"),
        ),
    ),
    Sheet(
        "Signals",
        "signals",
        (
            ("learner_key", "Learner"),
            ("title", "Signal"),
            ("sentence", "In words"),
            ("severity", "Severity"),
            ("recommended_instrument_id", "Instrument"),
            ("recommended_competency", "Competency"),
            ("recommended_setting", "Setting"),
            ("recommended_assessor", "Assessor"),
            ("recommended_from_on", "Possible from"),
            ("closes_when", "Closes when"),
            ("owner_role", "Owner"),
            ("due_on", "Due"),
            ("rule_id", "Rule"),
            ("rule_version", "Version"),
            ("evidence_ids", "Evidence"),
            ("held_back_titles", "Held back by the limit"),
        ),
    ),
    Sheet(
        "Closed signals",
        "closed_signals",
        (
            ("learner_key", "Learner"),
            ("sentence", "What came"),
            ("raised_on", "Raised on"),
            ("closed_on", "Closed on"),
            ("rule_id", "Rule"),
            ("rule_version", "Version"),
            ("closed_by_evidence_ids", "Closed by"),
        ),
    ),
    Sheet(
        "Decisions",
        "decisions",
        (
            ("learner_key", "Learner"),
            ("decided_on", "Decided on"),
            ("decision_kind", "Kind"),
            ("meeting_id", "Meeting"),
            ("outcome", "Outcome"),
            ("rationale", "Rationale"),
            ("dissent", "Dissent"),
            ("appeal_status", "Appeal"),
            ("standing", "Standing"),
            ("is_corrected", "Corrected since"),
            ("evidence_id", "Evidence"),
        ),
    ),
    Sheet(
        "Actions",
        "actions",
        (
            ("learner_key", "Learner"),
            ("description", "Agreed"),
            ("owner_role", "Owner"),
            ("state", "State"),
            ("due_on", "Due"),
            ("done_on", "Done on"),
            ("n_days_overdue", "Days overdue"),
            ("required_n", "How many"),
            ("n_done", "Evidence since"),
            ("evidence_id", "Evidence"),
        ),
    ),
    Sheet(
        "Exams",
        "sittings",
        (
            ("learner_key", "Learner"),
            ("series", "Series"),
            ("title", "Exam"),
            ("sitting_id", "Sitting"),
            ("attempt", "Attempt"),
            ("occurred_on", "Day"),
            ("sitting_status", "State"),
            ("score", "Score"),
            ("max_score", "Maximum"),
            ("cut_score", "Cut-score"),
            ("is_at_or_above_cut", "At or above"),
            ("is_below_cut_at_newest", "Below at newest sitting"),
            ("is_banked", "Carried over"),
            ("evidence_id", "Evidence"),
        ),
    ),
    Sheet(
        "Requirements",
        "requirements",
        (
            ("learner_key", "Learner"),
            ("title", "Requirement"),
            ("requirement_id", "Id"),
            ("requirement_type", "Kind"),
            ("stage_id", "Stage"),
            ("state", "State"),
            ("n_done", "Done"),
            ("required_n", "Required"),
            ("attended_share", "Attended"),
            ("issued_on", "Issued on"),
            ("expires_on", "Holds until"),
            ("evidence_id", "Evidence"),
        ),
    ),
    Sheet(
        "Circumstances",
        "circumstances",
        (
            ("learner_key", "Learner"),
            ("circumstance_type", "Kind"),
            ("category", "Category"),
            ("adjustment", "Granted"),
            ("task_id", "Task"),
            ("state", "State"),
            ("starts_on", "From"),
            ("ends_on", "Until"),
            ("disclosed_on", "Disclosed on"),
            ("decided_on", "Decided on"),
            ("evidence_id", "Evidence"),
        ),
    ),
    Sheet(
        "Reports on conduct",
        "reports",
        (
            ("learner_key", "Learner"),
            ("occurred_on", "Day"),
            ("report_type", "Kind"),
            ("category", "Category"),
            ("severity", "Severity"),
            ("state", "State"),
            ("outcome", "Outcome"),
            ("description", "What was reported"),
            ("learner_response", "What the learner said"),
            ("is_shared_with_learner", "Shown to the learner"),
            ("closed_on", "Closed on"),
            ("evidence_id", "Evidence"),
        ),
    ),
    Sheet(
        "AI use",
        "declarations",
        (
            ("learner_key", "Learner"),
            ("task_id", "Task"),
            ("title", "Title"),
            ("declared", "Declared"),
            ("reconciliation", "Against the policy"),
            ("sentence", "In words"),
            ("tools", "Tools"),
            ("has_patient_data", "Patient data entered"),
            ("declared_on", "Declared on"),
            ("evidence_id", "Evidence"),
        ),
    ),
    Sheet(
        "Data quality",
        "quality",
        (
            ("source_id", "Source"),
            ("kind", "Kind"),
            ("code", "Reason"),
            ("n", "Records"),
            ("is_quarantined", "In quarantine"),
            ("sentence", "In words"),
            ("suggestion", "What to do"),
            ("owner", "Owner"),
        ),
    ),
    Sheet(
        "Rules",
        "rules",
        (
            ("rule_set_id", "Rule set"),
            ("rule_version", "Version"),
            ("rule_id", "Rule"),
            ("stage_id", "Stage"),
            ("words", "In words"),
            ("threshold_name", "Threshold"),
            ("threshold_value", "Value"),
            ("unit", "Unit"),
            ("source", "Source"),
            ("is_default", "Default"),
        ),
    ),
)
"""Every sheet, in the order of the workbook."""

CODES = {
    "status",
    "instrument_id",
    "recommended_instrument_id",
    "recommended_setting",
    "respondent_group",
    "requirement_type",
    "category",
    "assessor_role",
    "setting",
    "severity",
    "owner",
    "owner_role",
    "rule_id",
    "conflict_kind",
    "decision_kind",
    "standing",
    "sitting_status",
    "state",
    "kind",
    "code",
}
"""Columns whose codes are shown in words."""

SENTENCES = {"sentence", "words", "recommended_assessor"}
"""Columns that hold sentences, with abbreviations in them."""


OF_REQUIRED = (
    "status_reason", "required_data_points", "required_assessors", "required_methods",
    "required_contexts", "shortfalls",
)  # fmt: skip
"""Columns that say what a required competency lacks."""

IN_WORKBOOK = tuple(sheet.section for sheet in SHEETS if sheet.section in OF_LEARNERS)
"""The sections of learners that the workbook holds."""


def workbook(portfolio: Portfolio) -> bytes:
    """Return the workbook of an edition."""
    out = io.BytesIO()
    made_at = (portfolio.known_at or datetime(2000, 1, 1)).replace(tzinfo=None)  # noqa: DTZ001
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(
        out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"} | options
    ) as book:
        book.set_properties(
            {"title": f"Committee pack of edition {portfolio.edition_id}", "created": made_at}
        )
        heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        plain = book.add_format({"valign": "top", "text_wrap": True})
        day = book.add_format({"valign": "top", "num_format": "yyyy-mm-dd"})
        _about(book.add_worksheet("About"), portfolio, heading, plain)
        for sheet in SHEETS:
            _fill(
                book.add_worksheet(sheet.title), sheet, _rows(portfolio, sheet), heading, plain, day
            )
    return out.getvalue()


def _about(page: Worksheet, portfolio: Portfolio, heading: Format, plain: Format) -> None:
    page.set_column(0, 0, 24)
    page.set_column(1, 1, 100)
    known = words.instant(portfolio.known_at) if portfolio.known_at else "nothing"
    lines = (
        ("Edition", portfolio.edition_id),
        ("Judged as of", words.day(portfolio.as_of)),
        ("Evidence known to", known),
        ("Learners", str(len(portfolio.learners))),
        ("How to read it", HOW_TO_READ),
        ("What is behind it", WHAT_IS_BEHIND),
    )
    for number, (name, told) in enumerate(lines):
        page.write_string(number, 0, name, heading)
        page.write_string(number, 1, told, plain)


def _rows(portfolio: Portfolio, sheet: Sheet) -> Iterable[Row]:
    if sheet.section == "learners":
        return sorted(
            portfolio.learners,
            key=lambda r: (
                r["programme_id"],
                r["agenda_order"] or len(portfolio.learners),
                r["learner_key"],
            ),
        )
    if sheet.section in portfolio.of_programme:
        return portfolio.of_programme[sheet.section]
    by_learner: Mapping[str, Sequence[Row]] = portfolio.of_learners[sheet.section]
    rows = (row for key in sorted(by_learner) for row in by_learner[key])
    return (_as_on_the_page(portfolio, sheet.section, row) for row in rows)


def _as_on_the_page(portfolio: Portfolio, section: str, row: Row) -> Row:
    """Return a row in the words of the pages: titles of competencies, codes as they are said."""
    row = row | {
        "competency": portfolio.title(row),
        "recommended_competency": portfolio.title(row, "recommended_competency_id"),
    }
    if section == "declarations":
        return row | {
            "declared": words.DECLARED.get(row["status"], row["status"]),
            "reconciliation": words.reconciled(row["reconciliation"], 1),
        }
    if section == "sittings":
        return row | {"attempt": row["attempt"] or None}
    if section == "circumstances":
        kind = words.CIRCUMSTANCES.get(row["circumstance_type"])
        return row | {"circumstance_type": kind, "state": row["status"]}
    if section == "reports":
        return row | {
            "report_type": words.REPORTS.get(row["report_type"]),
            "state": row["status"],
        }
    if section == "reflections":
        return row | {
            "reflection_type": words.REFLECTIONS.get(row["reflection_type"]),
            "dispute_status": words.DISPUTES.get(row["dispute_status"]),
        }
    if section != "status":
        return row
    shown = row | {"status": shown_status(row)}
    return shown | dict.fromkeys(OF_REQUIRED) if shown["status"] == NOT_REQUIRED else shown


def _fill(
    page: Worksheet, sheet: Sheet, rows: Iterable[Row], heading: Format, plain: Format, day: Format
) -> None:
    page.freeze_panes(1, 1)
    for place, (_, title) in enumerate(sheet.columns):
        page.set_column(place, place, min(WIDEST, max(10, len(title) + 2)))
        page.write_string(0, place, title, heading)
    number = 0
    for number, row in enumerate(rows, start=1):
        for place, (name, _) in enumerate(sheet.columns):
            _cell(page, number, place, _shown(name, row.get(name)), plain, day)
    page.autofilter(0, 0, max(number, 1), len(sheet.columns) - 1)


def _shown(name: str, value: Any) -> Any:
    if value is None or value == ():
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(words.plain(v) if name == "pick_reasons" else str(v) for v in value)
    if name in SENTENCES:
        return words.abbreviated(value)
    if name == "agenda_group":
        return words.GROUPS.get(value, value)
    if name in {"status", "adjusted_status"}:
        return words.STATUS.get(value, words.plain(value))
    return words.plain(value) if name in CODES and isinstance(value, str) else value


def _cell(page: Worksheet, row: int, column: int, value: Any, plain: Format, day: Format) -> None:
    if value is None:
        return
    if isinstance(value, datetime):
        page.write_string(row, column, words.instant(value), plain)
    elif isinstance(value, date):
        page.write_datetime(row, column, datetime.combine(value, time()), day)
    elif isinstance(value, int | float | Decimal):
        page.write_number(row, column, float(value), plain)
    else:
        text = str(value)
        page.write_string(
            row,
            column,
            text if len(text) <= CELL_MOST else text[: CELL_MOST - len(CUT)] + CUT,
            plain,
        )
