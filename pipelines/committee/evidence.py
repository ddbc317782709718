"""What stands behind the numbers: lists of evidence ids, and each form as it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.committee import words

Row = dict[str, Any]


@dataclass(frozen=True)
class Behind:
    """The evidence behind one number; `anchor` is its place on the evidence page."""

    anchor: str
    title: str
    ids: tuple[str, ...]

    @property
    def n(self) -> int:
        """Return how many pieces of evidence there are."""
        return len(self.ids)


@dataclass(frozen=True)
class Field:
    """One field of a form; words are shown exactly as they were written."""

    label: str
    value: str
    is_verbatim: bool = False


@dataclass(frozen=True)
class Form:
    """One piece of evidence as it was written, and where it came from."""

    evidence_id: str
    title: str
    on: str
    fields: tuple[Field, ...]
    delivery_id: str | None
    source_row: int | None
    source_cell: str | None
    known_at: str
    is_flagged: bool = False


_Shown = tuple[str, str, Callable[[Any], str]]


def _text(value: Any) -> str:
    return str(value)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _only_yes(value: bool) -> str:
    return "yes" if value else ""


def _listed(listed: Mapping[str, str]) -> Callable[[str], str]:
    """Return what tells a code in the words that are listed for it, or plainly where none are."""
    return lambda code: listed.get(code, words.plain(code))


def _joined(value: Sequence[Any]) -> str:
    return ", ".join(map(str, value))


def _joined_by_semicolon(value: Sequence[Any]) -> str:
    return "; ".join(map(str, value))


SHOWN: dict[str, tuple[_Shown, ...]] = {
    "workplace_assessment": (
        ("form_id", "Form", _text),
        ("instrument_id", "Instrument", words.plain),
        ("competency", "Competency", _text),
        ("task_id", "Task", _text),
        ("raw_label", "Rating as written", _text),
        ("level_in_words", "Level", _text),
        ("assessor_key", "Assessor", _text),
        ("assessor_role", "Role", words.plain),
        ("setting", "Setting", words.plain),
        ("case_type", "Case", words.plain),
        ("complexity", "Complexity", words.plain),
        ("assurance_level", "Assurance", words.plain),
        ("stake", "Stake", words.number),
        ("occurred_at", "Observed", words.clock),
        ("submitted_at", "Submitted", words.clock),
        ("timing_note", "Timing", words.plain),
    ),
    "exam_result": (
        ("title", "Exam", _text),
        ("task_id", "Task", _text),
        ("sitting_id", "Sitting", _text),
        ("attempt", "Attempt", words.number),
        ("instrument_id", "Instrument", words.plain),
        ("competency", "Competency", _text),
        ("result_status", "Result", words.plain),
        ("grade", "Grade", _text),
        ("score", "Score", words.number),
        ("max_score", "Maximum", words.number),
        ("cut_score", "Cut-score", words.number),
        ("is_banked", "Carried over from an earlier sitting", _only_yes),
        ("assurance_level", "Assurance", words.plain),
        ("occurred_on", "Day", words.day),
        ("is_late", "After the due day", _only_yes),
        ("timing_note", "Timing", words.plain),
    ),
    "exam_response": (
        ("title", "Exam", _text),
        ("task_id", "Task", _text),
        ("sitting_id", "Sitting", _text),
        ("attempt", "Attempt", words.number),
        ("instrument_id", "Instrument", words.plain),
        ("marks", "Marks and global ratings", _joined_by_semicolon),
        ("examiners", "Examiners", _joined),
        ("result_status", "Result", words.plain),
        ("assurance_level", "Assurance", words.plain),
        ("occurred_on", "Sat on", words.day),
        ("is_late", "After the due day", _only_yes),
        ("timing_note", "Timing", words.plain),
    ),
    "ai_use_declaration": (
        ("task_id", "Task", _text),
        ("title", "Title", _text),
        ("status", "Declared", _listed(words.DECLARED)),
        ("tools", "Tools", _text),
        ("purposes", "Purposes", _joined),
        ("stages", "Stages of work", _joined),
        ("extent", "Extent", words.plain),
        ("is_verified", "Output verified", _yes),
        ("has_patient_data", "Patient data entered", _yes),
        ("has_accessibility_exemption", "Accessibility exemption", _yes),
        (
            "reconciliation",
            "Against the policy",
            _listed(words.RECONCILIATION),
        ),
        ("sentence", "In words", words.plain),
        ("declared_on", "Declared on", words.day),
    ),
    "reflection": (
        ("reflection_type", "Kind", _listed(words.REFLECTIONS)),
        ("competency", "Competency", _text),
        ("about_record_id", "About", _text),
        ("about_evidence_id", "Data point", _text),
        ("dispute_status", "Dispute", _listed(words.DISPUTES)),
        ("owner_role", "Seen to by", words.plain),
        ("occurred_on", "Written on", words.day),
        ("answered_at", "Answered", words.clock),
        ("due_on", "Due", words.day),
    ),
    "meeting_note": (
        ("meeting_type", "Meeting", words.plain),
        ("mentor_key", "Mentor", _text),
        ("occurred_on", "Held on", words.day),
        ("next_on", "Next", words.day),
    ),
    "decision": (
        ("decision_kind", "Kind", words.plain),
        ("committee_id", "Committee", _text),
        ("meeting_id", "Meeting", _text),
        ("outcome", "Outcome", _text),
        ("decided_by_keys", "Decided by", _joined),
        ("present_keys", "Present", _joined),
        ("recused_keys", "Recused", _joined),
        ("dissent_by_keys", "Disagreed", _joined),
        ("agenda_list", "Taken by", words.plain),
        ("pulled_by_keys", "Pulled from the consent list by", _joined),
        ("decided_on", "Decided on", words.day),
        ("appeal_status", "Appeal", words.plain),
        ("standing", "Standing", words.plain),
        ("corrects_record_id", "Corrects", _text),
        ("is_corrected", "Corrected since", _only_yes),
        ("freeze_id", "Pack seen", _text),
        ("addendum_ids", "Addenda seen", _joined),
    ),
    "action": (
        ("owner_role", "Owner", words.plain),
        ("competency", "Competency", _text),
        ("instrument_id", "Instrument", words.plain),
        ("required_n", "How many", words.number),
        ("n_done", "Evidence since", words.number),
        ("agreed_on", "Agreed on", words.day),
        ("due_on", "Due", words.day),
        ("status", "State", words.plain),
        ("done_on", "Done on", words.day),
    ),
    "requirement": (
        ("requirement_type", "Kind", words.plain),
        ("title", "Requirement", _text),
        ("requirement_id", "Id", _text),
        ("stage_id", "Stage", words.plain),
        ("state", "State", words.plain),
        ("n_done", "Done", words.number),
        ("required_n", "Required", words.number),
        ("attended_share", "Attended", words.share),
        ("issued_on", "Issued on", words.day),
        ("expires_on", "Holds until", words.day),
        ("reference", "Proof", _text),
        ("verified_by_key", "Confirmed by", _text),
        ("counted_on", "Counted on", words.day),
    ),
    "circumstance": (
        (
            "circumstance_type",
            "Kind",
            _listed(words.CIRCUMSTANCES),
        ),
        ("category", "Category", words.plain),
        ("adjustment", "Granted", _text),
        ("task_id", "Task", _text),
        ("status", "State", words.plain),
        ("starts_on", "From", words.day),
        ("ends_on", "Until", words.day),
        ("disclosed_on", "Disclosed on", words.day),
        ("decided_on", "Decided on", words.day),
    ),
    "professionalism_report": (
        ("report_type", "Kind", _listed(words.REPORTS)),
        ("category", "Category", words.plain),
        ("severity", "Severity, as reported", words.plain),
        ("competency", "Competency", _text),
        ("setting", "Setting", words.plain),
        ("reporter_key", "Reporter", _text),
        ("reporter_role", "Role", words.plain),
        ("status", "State", words.plain),
        ("outcome", "Outcome", _text),
        ("is_shared_with_learner", "Shown to the learner", _yes),
        ("occurred_on", "Happened on", words.day),
        ("closed_on", "Closed on", words.day),
    ),
}
"""The fields of each kind that a form shows, where they hold something."""

VERBATIM: dict[str, tuple[tuple[str, str], ...]] = {
    "workplace_assessment": (
        ("narrative_strengths", "Done well"),
        ("narrative_improvements", "To improve"),
        ("narrative_other", "Other words"),
    ),
    "exam_result": (),
    "exam_response": (),
    "ai_use_declaration": (
        ("output_changes", "How the output was changed"),
        ("verification", "How it was verified"),
    ),
    "reflection": (("text", "In the learner’s words"), ("reply", "Answer")),
    "meeting_note": (("text", "Note"),),
    "decision": (("rationale", "Rationale"), ("dissent", "Dissent")),
    "action": (("description", "Agreed"),),
    "requirement": (),
    "circumstance": (),
    "professionalism_report": (
        ("description", "What was reported"),
        ("learner_response", "What the learner said"),
    ),
}
"""What people wrote, word for word."""


def form(kind: str, row: Row, on: str) -> Form:
    """Return a record as a form: what is empty is left out, words stay as they are."""
    row = row | {"level_in_words": _level(row)}
    fields = [
        Field(label, text)
        for name, label, write in SHOWN[kind]
        if row.get(name) is not None and (text := write(row[name]))
    ]
    fields += [
        Field(label, row[name], is_verbatim=True) for name, label in VERBATIM[kind] if row.get(name)
    ]
    return Form(
        evidence_id=row["evidence_id"],
        title=words.KINDS[kind],
        on=on,
        fields=tuple(fields),
        delivery_id=row.get("delivery_id"),
        source_row=row.get("source_row"),
        source_cell=row.get("source_cell"),
        known_at=words.clock(row.get("known_at")),
        is_flagged=bool(row.get("is_flagged")),
    )


def _level(row: Row) -> str | None:
    """Return a level with its target and scale, which it says nothing without."""
    if row.get("level") is None:
        return None
    target, scale = row["target_level"], words.plain(row["scale_id"])
    named = f"{scale} version {row['scale_version']}" if row.get("has_versions") else scale
    if target is not None:
        return f"{row['level']} (target {target}, {named})"
    if row["target_scale_version"] is None:
        return f"{row['level']} (no target, {named})"
    return (
        f"{row['level']} (not compared, {scale} version {row['scale_version']}: the target is on "
        f"version {row['target_scale_version']})"
    )


def of_stations(rows: Sequence[Row]) -> Row:
    """Return the rows of a sitting that its stations tell of as one: what each competency got."""
    marks = [
        f"{row['competency'] or row['competency_id'] or 'no competency named'}: {_mark(row)}"
        for row in rows
    ]
    examiners = sorted({key for row in rows for key in row["examiner_keys"] or ()})
    return rows[0] | {"marks": marks, "examiners": examiners}


def data_points(evidence: Iterable[Row]) -> Iterator[Row]:
    """Yield rows of evidence; those of a sitting that its stations tell of come as one."""
    circuits: dict[str, list[Row]] = {}
    for e in evidence:
        if e["kind"] == "exam_response":
            circuits.setdefault(e["evidence_id"], []).append(e)
        else:
            yield e
    yield from map(of_stations, circuits.values())


def _mark(row: Row) -> str:
    score = "no mark" if row["score"] is None else words.number(row["score"])
    most = "" if row["max_score"] is None else f" of {words.number(row['max_score'])}"
    cut = "" if row["cut_score"] is None else f", cut-score {words.number(row['cut_score'])}"
    return f"{score}{most}{cut}" + (f" ({row['raw_label']})" if row["raw_label"] else "")


def ids(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the evidence ids of rows, each once, in their order."""
    return tuple(dict.fromkeys(row["evidence_id"] for row in rows if row["evidence_id"]))
