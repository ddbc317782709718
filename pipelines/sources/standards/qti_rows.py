"""The rows of QTI results: one for each test result, and one for each attempt at an item.

`entry` says what a row is: `test` or `item`, or `nothing` for a result that holds neither. The
reader makes:

- `sourced_id`, `test` (the item itself, where it was not part of a test), `item`, `datestamp`,
  `sequence_index`, `session_status`, `comment`;
- `attempt` and `is_last`: which attempt at the item it is, by `numAttempts` where every attempt has
  its own, else by their order; and whether it is the one that counts. Of a test, `attempt` is its
  `numAttempts`;
- `score` and `max_score`: `SCORE`, and `MAXSCORE` or else the `normalMaximum` of `SCORE`, to six
  places; `response` and `correct_response`: what was answered, cut where it is too long, and what
  would be right; `completion_status`; `n_items`;
- `session.NAME` for every session identifier, and `response.NAME`, `correct.NAME`,
  `outcome.NAME`, `template.NAME` and `context.NAME` for every variable, as they were written;
- `member`: the member of the archive; `notes`: what is worth knowing, such as `earlier_attempts`.

Several values of one variable are joined by the reader's `join`; in a record each is `name=value`.
"""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl

from pipelines.sources.readers.base import (
    LINE,
    ROW_PROBLEMS,
    SOURCE_ROW,
    Chunk,
    Unreadable,
    Wanted,
    no_problems,
)
from pipelines.sources.standards.qti import ATTEMPTS, Outcome, Result, Value, Variable, number
from pipelines.sources.standards.qti_check import Delivered

BUILT_IN = frozenset({ATTEMPTS, "duration"})
RESPONSE_LENGTH = 200
SIXTH = Decimal("0.000001")
LARGEST_EXPONENT = 20
"""Beyond it a number is left as it was written; no contract takes it."""
ROWS_AT_ONCE = 50_000
MADE = (
    "entry",
    "member",
    "sourced_id",
    "test",
    "item",
    "datestamp",
    "sequence_index",
    "session_status",
    "comment",
    "attempt",
    "is_last",
    "score",
    "max_score",
    "response",
    "correct_response",
    "completion_status",
    "n_items",
    "notes",
)

NOTHING = "nothing"
_DECLARED = re.compile(rb"<\?xml[^>]*\bencoding\s*=\s*[\"']([A-Za-z0-9._-]+)")

Cells = dict[str, str | None]


@dataclass
class _Batch:
    rows: list[Cells] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    problems: list[tuple[int, str, str]] = field(default_factory=list)
    lines: list[tuple[int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.numbers) + len(self.problems)


def chunks(
    results: Iterable[Delivered], join: str, wanted: Wanted, seen: set[str]
) -> Iterator[Chunk]:
    """Yield the rows of results; a result that is refused is one row that could not be read."""
    batch, row, n_results = _Batch(), 0, 0
    seen.update(MADE)
    for delivered in results:
        if delivered.result.errors:
            row, n_results = row + 1, n_results + 1
            first = delivered.result.errors[0]
            batch.problems.append((row, first.code, f"{first.message}; {first.suggestion}"))
            batch.lines.append((row, _text(delivered.data)))
            continue
        for cells in rows_of(delivered.result, delivered.member, join):
            row += 1
            n_results += cells["entry"] != NOTHING
            seen.update(cells)
            batch.numbers.append(row)
            batch.rows.append(cells)
        if len(batch) >= ROWS_AT_ONCE:
            yield _chunk(batch, wanted)
            batch = _Batch()
    if len(batch):
        yield _chunk(batch, wanted)
    if not n_results:
        raise Unreadable(
            "no_records",
            "The file holds no result: neither of a test nor of an item.",
            "Check the filter of the export; if nobody sat the test, nothing needs to be sent.",
        )


def _chunk(batch: _Batch, wanted: Wanted) -> Chunk:
    names = dict.fromkeys(MADE) | dict.fromkeys(sorted(wanted.columns))
    names |= dict.fromkeys(name for cells in batch.rows for name in cells)
    columns = [
        pl.Series(name, [cells.get(name) for cells in batch.rows], dtype=pl.String)
        for name in names
    ]
    rows = pl.DataFrame([pl.Series(SOURCE_ROW, batch.numbers, dtype=pl.Int64), *columns])
    if not batch.problems:
        return Chunk(rows, rows, no_problems())
    lines = pl.DataFrame(
        batch.lines, schema={SOURCE_ROW: pl.Int64(), LINE: pl.String()}, orient="row"
    )
    problems = pl.DataFrame(batch.problems, schema=ROW_PROBLEMS, orient="row")
    originals = pl.concat([rows, lines], how="diagonal").sort(SOURCE_ROW)
    return Chunk(rows, originals, problems)


def _text(data: bytes) -> str:
    """Return a document as people read it; what is in no known encoding comes with marks."""
    declared = _DECLARED.match(data)
    name = declared[1].decode() if declared else "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf-16"
    try:
        return data.decode(name, "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def rows_of(result: Result, member: str | None, join: str) -> Iterator[Cells]:
    """Return the rows of one result, the test first and then the items in order of the file."""
    shared: Cells = {"member": member, "sourced_id": result.sourced_id}
    noted: dict[str, list[str]] = defaultdict(list)
    for note in result.notes:
        noted["/".join(note.field.split("/")[:3])].append(note.code)
    if result.test is None and not result.items:
        yield shared | {"entry": NOTHING}
    for name, identifier in result.sessions:
        shared.setdefault(f"session.{name}", identifier)
    if result.test is not None:
        shared["test"] = result.test.identifier
        cells = shared | _cells(result.test, join) | {"entry": "test"}
        cells["n_items"] = str(len({item.identifier for item in result.items}))
        attempts = result.test.variable("response", ATTEMPTS)
        attempt = (_joined(attempts.values, join) or "").strip() if attempts else None
        yield cells | {"attempt": attempt or "1", "notes": _notes(noted, result.test, cells)}
    for item in result.items:
        cells = shared | _cells(item, join) | {"entry": "item", "item": item.identifier}
        cells.setdefault("test", item.identifier)
        cells |= {"attempt": str(item.attempt), "is_last": "true" if item.is_last else "false"}
        yield cells | {"notes": _notes(noted, item, cells)}


def _cells(outcome: Outcome, join: str) -> Cells:
    index = outcome.sequence_index
    cells: Cells = {
        "datestamp": outcome.datestamp,
        "sequence_index": None if index is None else str(index),
        "session_status": outcome.session_status,
        "comment": outcome.comment,
    }
    for variable in outcome.variables:
        cells.setdefault(f"{variable.kind}.{variable.identifier}", _joined(variable.values, join))
        if variable.correct:
            cells.setdefault(f"correct.{variable.identifier}", _joined(variable.correct, join))
    score = outcome.variable("outcome", "SCORE")
    cells["score"] = _score(cells.get("outcome.SCORE"))
    cells["max_score"] = _score(
        cells.get("outcome.MAXSCORE") or (score.maximum if score is not None else None)
    )
    cells["completion_status"] = cells.get("outcome.completionStatus")
    answered = _answered(outcome)
    if answered is not None:
        given = _joined(answered.values, join)
        cells["response"] = _cut(given)
        cells["correct_response"] = _cut(_joined(answered.correct, join))
    return cells


def _answered(outcome: Outcome) -> Variable | None:
    """Return the variable that holds the answer: RESPONSE, or the only one there is."""
    answers = [
        v for v in outcome.variables if v.kind == "response" and v.identifier not in BUILT_IN
    ]
    named = [v for v in answers if v.identifier == "RESPONSE"]
    if named or len(answers) == 1:
        return (named or answers)[0]
    return None


def _joined(values: tuple[Value, ...], join: str) -> str | None:
    texts = [value.text if value.name is None else f"{value.name}={value.text}" for value in values]
    return join.join(texts) if any(texts) else None


def _cut(text: str | None) -> str | None:
    if text is None:
        return None
    text = " ".join(text.split())
    if len(text) > RESPONSE_LENGTH:
        text = f"{text[: RESPONSE_LENGTH - 1]}…"
    return text or None


def _score(text: str | None) -> str | None:
    value = number(text)
    if value is None or value.adjusted() > LARGEST_EXPONENT:
        return text
    return f"{value.quantize(SIXTH, ROUND_HALF_EVEN).normalize():f}"


def _notes(noted: dict[str, list[str]], outcome: Outcome, cells: Cells) -> str | None:
    codes = list(noted.get(outcome.place, ()))
    written = number(cells.get("outcome.SCORE"))
    if written is not None and written != number(cells["score"]):
        codes.append("score_rounded")
    if str(cells.get("response") or "").endswith("…"):
        codes.append("response_shortened")
    if outcome.session_status not in {None, "final"}:
        codes.append("not_final")
    return " ".join(dict.fromkeys(codes)) or None
