"""Neutral words for codes, and one way to write days, instants, shares and counts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

NOTHING = "–"

STATUS = {
    "not_enough_evidence": "Not enough evidence",
    "needs_discussion": "Needs discussion",
    "developing": "Developing",
    "on_track": "On track",
    "at_or_above_target": "At or above target",
    "not_required": "Not required now",
}
"""The status of a competency, in the order in which the page speaks of them."""

GROUPS = {
    "discuss": "To discuss",
    "data": "Picture incomplete",
    "consent": "For consent: each still needs a named member’s confirmation",
}
"""The groups of the agenda, in its order."""

RECONCILIATION = {
    "within": "within the task’s policy",
    "differs": "differs from the task’s policy",
    "unclear": "does not say for what",
    "missing": "required and not yet given",
    "not_required": "not required by the task",
    "exempt": "accessibility exemption",
    "no_policy": "task without a policy on that day",
}
"""How a declaration stands to the policy of its task at that time."""

DECLARED = {
    "used": "use declared",
    "not_used": "declared as not used",
    "not_declared": "asked for, not declared",
    "not_required": "not required",
}

CLOCKS = {
    "leave": "on leave",
    "intercalation": "in intercalation",
    "clock_stop": "clock stopped",
    "part_time": "part time",
}
"""How a learner's clock runs, where it does not run in full."""

REFLECTIONS = {
    "reflection": "Reflection",
    "self_assessment": "Self-assessment",
    "goal": "Goal",
    "response": "Response",
    "dispute": "Disputes a data point",
}

DISPUTES = {
    "raised": "not answered yet",
    "answered": "answered",
    "upheld": "upheld",
    "dismissed": "not upheld",
    "withdrawn": "withdrawn by the learner",
}
"""How a dispute of a data point stands."""

CIRCUMSTANCES = {
    "mitigating": "mitigating circumstance",
    "adjustment": "adjustment",
}

REPORTS = {
    "professionalism": "Report on professionalism",
    "incident": "Report of an incident",
    "commendation": "Commendation",
}
"""What was reported of a learner's conduct; only an upheld report is a finding."""

KINDS = {
    "workplace_assessment": "Workplace assessment",
    "exam_result": "Exam result",
    "exam_response": "Stations of an exam",
    "ai_use_declaration": "AI-use declaration",
    "reflection": "Learner’s words",
    "meeting_note": "Meeting note",
    "decision": "Decision",
    "action": "Action",
    "requirement": "Mandatory requirement",
    "circumstance": "Circumstance",
    "professionalism_report": "Report on conduct",
}


AS_PEOPLE_WRITE = {
    "acat": "ACAT",
    "ai": "AI",
    "aias": "AIAS",
    "cbd": "CbD",
    "dops": "DOPS",
    "epa": "EPA",
    "mcq": "MCQ",
    "mini cex": "mini-CEX",
    "msf": "MSF",
    "o score": "O-SCORE",
    "osce": "OSCE",
}
"""Abbreviations of the field, by how their codes read."""
_ABBREVIATED = re.compile(rf"\b(?:{'|'.join(AS_PEOPLE_WRITE)})\b")


def plain(code: str | None) -> str:
    """Return a code as people write it: `mini_cex_9` becomes `mini-CEX 9`."""
    if not code:
        return NOTHING
    return abbreviated(code.replace("_", " "))


def abbreviated(text: str) -> str:
    """Return a sentence with the abbreviations of the field as people write them."""
    return _ABBREVIATED.sub(lambda found: AS_PEOPLE_WRITE[found[0]], text)


def reconciled(code: str, n: int) -> str:
    """Return how `n` declarations stand to the policies of their tasks, in words after the n."""
    told = RECONCILIATION.get(code, plain(code))
    return told if n == 1 else told.replace("differs", "differ", 1)


def sentence(text: str | None) -> str:
    """Return what to do as a sentence begins, without the marks of a terminal."""
    if not text:
        return NOTHING
    return f"{text[0].upper()}{text[1:]}".replace("`", "")


def day(value: date | None) -> str:
    """Return a day as ISO writes it: unambiguous in every country."""
    if value is None:
        return NOTHING
    return (value.date() if isinstance(value, datetime) else value).isoformat()


def instant(value: datetime | None) -> str:
    """Return an instant in UTC, to the minute."""
    if value is None:
        return NOTHING
    return _utc(value).strftime("%Y-%m-%d %H:%M UTC")


def clock(value: datetime | None) -> str:
    """Return an instant in UTC, where the page has said that all its times are."""
    return instant(value).removesuffix(" UTC")


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def number(value: Decimal | float | int | None) -> str:
    """Return a number without padding zeros, a sign at nothing, and more than two places."""
    if value is None:
        return NOTHING
    text = f"{Decimal(str(value)):z.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(value: Decimal | float | None) -> str:
    """Return a share as whole per cent."""
    return NOTHING if value is None else f"{_per_cent(value)} %"


def interval(low: Decimal | float | None, high: Decimal | float | None) -> str:
    """Return an interval of shares as whole per cent."""
    if low is None or high is None:
        return NOTHING
    return f"{_per_cent(low)}–{_per_cent(high)}"


def _per_cent(value: Decimal | float) -> int:
    return int((Decimal(str(value)) * 100).to_integral_value("ROUND_HALF_UP"))


def count(n: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 action`, `2 actions`."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def listed(parts: Iterable[str]) -> str:
    """Return parts as a sentence lists them: `a, b and c`."""
    items = list(parts)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def weeks(days: int) -> str:
    """Return a stretch of days in whole weeks where it is a week or longer."""
    return count(days, "day") if days < 7 else count(round(days / 7), "week")
