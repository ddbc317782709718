"""The form that comes with a learner's view: what they fill in comes back through the inbox.

A line for each data point that may be disputed, each decision that may be answered, and free lines
for reflections and goals. Lines without words are not taken. A line keeps its id from edition to
edition: what is sent again under it is a new version of the same words.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from pipelines.committee import words
from pipelines.committee.learner import LearnerPage
from pipelines.committee.queries import Portfolio

SOURCE = "learner_words"
NAME = "my-words.csv"
COLUMNS = ("Line", "Programme", "Learner", "Kind", "Record", "About", "Day", "Made", "Your words")
FREE = ("reflection", "reflection", "goal")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")


def answer_form(portfolio: Portfolio, page: LearnerPage, learner_id: str) -> bytes:
    """Return the form of one learner, ready to be opened by a spreadsheet.

    Args:
        portfolio: what the edition says.
        page: the learner's own page.
        learner_id: the learner's id in the name space of the source `learner_words`.
    """
    made = portfolio.known_at.isoformat() if portfolio.known_at else f"{portfolio.as_of}T00:00Z"
    programme = str(page.row["programme_id"])
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line, kind, record, about, day in _lines(portfolio, page):
        writer.writerow(
            (line, programme, learner_id, kind, record, plain_text(about), day, made, "")
        )
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _lines(portfolio: Portfolio, page: LearnerPage) -> Iterator[tuple[str, str, str, str, str]]:
    for row in page.decisions:
        about = f"Decision: {row['outcome']}"
        yield (
            f"response-{row['evidence_id']}", "response", row["evidence_id"], about,
            words.day(row["decided_on"]),
        )  # fmt: skip
    for number, kind in enumerate(FREE, start=1):
        yield f"{page.key}-{portfolio.as_of}-{kind}-{number}", kind, "", "", ""
    for form in page.forms:
        if form.evidence_id.startswith("E-"):
            about = f"{form.title}: {_told(form.fields)}"
            yield f"dispute-{form.evidence_id}", "dispute", form.evidence_id, about, form.on


def _told(fields: tuple[object, ...]) -> str:
    shown = {getattr(f, "label", ""): getattr(f, "value", "") for f in fields}
    names = ("Instrument", "Exam", "Competency", "Setting")
    return ", ".join(shown[name] for name in names if name in shown)


def plain_text(text: str) -> str:
    """Return text that no spreadsheet takes for a formula; a negative number stays a number."""
    line = " ".join(text.split())
    is_formula = line.startswith(_FORMULA) and _NUMBER.fullmatch(line) is None
    return f"'{line}" if is_formula else line
