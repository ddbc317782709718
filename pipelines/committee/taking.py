"""A filled-in decision form becomes evidence: its good rows are one delivery of the inbox.

A row that cannot be taken is said with its row, field, masked value and what to do, and holds up no
other. Nothing is guessed: who decided, who was present and when is what people wrote.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from pipelines.committee import form as layout
from pipelines.committee.edition import EditionError, find
from pipelines.committee.form import FormError, seal_of
from pipelines.committee.form_answers import (
    Known,
    RefusedError,
    actions_of,
    decision_of,
    record_id_of,
)
from pipelines.committee.form_sheet import FilledRow, read
from pipelines.committee.people import people_of
from pipelines.committee.recording import SOURCE, Line, deliver, inbox_of, judge, lines_of
from pipelines.contracts.problems import mask
from pipelines.home import Home
from pipelines.identity.vault import Keys, open_keys
from pipelines.settings import Settings
from pipelines.sources import catalogue

FIELDS = {
    "outcome": layout.OUTCOME,
    "rationale": layout.RATIONALE,
    "decided_by": layout.DECIDED_BY,
    "pulled_by_id": layout.PULLED_BY,
    "recused": layout.RECUSED,
    "dissent": layout.DISSENT,
    "dissent_by": layout.DISSENT_BY,
    "present": layout.PRESENT,
    "quorum": layout.QUORUM,
    "decided_at": layout.DECIDED_AT,
    "addendum_ids": layout.ADDENDUM_SEEN,
    "appeal_status": layout.APPEAL,
    "corrects_record_id": layout.CORRECTS,
}
"""The column of the form that a field of the contract comes from."""


@dataclass(frozen=True)
class RowProblem:
    """Why a row was not taken."""

    row: int
    learner: str
    field: str
    code: str
    value: str | None
    """Masked."""
    message: str
    suggestion: str

    @property
    def told(self) -> str:
        """Return field, masked value, what is wrong and what to do."""
        shown = f" ({self.value.strip('()')})" if self.value else ""
        todo = self.suggestion[:1].upper() + self.suggestion[1:]
        return f"{self.field}{shown}: {self.message}. {todo}"

    def __str__(self) -> str:
        return f"row {self.row}, {self.learner}, {self.told}"


@dataclass(frozen=True)
class Decided:
    """A row that was taken."""

    row: int
    learner: str
    record_id: str
    n_actions: int


@dataclass(frozen=True)
class Taken:
    """What came of a form."""

    form_id: str
    decided: tuple[Decided, ...]
    problems: tuple[RowProblem, ...]
    warnings: tuple[str, ...]
    n_open: int
    """Rows about learners of whom nothing was decided."""
    path: Path | None
    """The delivery, where a row was taken."""


@dataclass(frozen=True)
class _Context:
    keys: Keys
    known: Known
    declared: catalogue.Catalogue
    voting: tuple[tuple[str, str, date, date], ...]
    """Committee, key of the member, first and last day."""
    earlier: Mapping[str, str]
    """Lines that an earlier taking delivered, by record id."""


def take(home: Home, settings: Settings, path: Path, by: str) -> Taken:
    """Read a form back and deliver what was decided into the inbox.

    The same form again is the same delivery. A row that was changed after it was taken is refused
    unless it says which record it corrects.

    Args:
        home: whose inbox and vault.
        settings: which site's vocabularies and sources.
        path: the file.
        by: who takes it; kept beside each decision.

    Raises:
        FormError: the file is no decision form, or every row of it is of another home.
        SourceError: the site's specs or code lists have faults.
    """
    return take_rows(home, settings, read(path), by, str(path))


def take_rows(
    home: Home, settings: Settings, rows: Sequence[FilledRow], by: str, where: str
) -> Taken:
    """Deliver what the rows of a form decided into the inbox.

    Args:
        home: whose inbox and vault.
        settings: which site's vocabularies and sources.
        rows: as they came back.
        by: who takes them; kept beside each decision.
        where: what the form is called in messages.

    Raises:
        FormError: the rows are of another home, or of several forms.
        SourceError: the site's specs or code lists have faults.
    """
    keys = open_keys(home)
    sealed = [row for row in rows if row.cells[layout.SEAL] == seal_of(row.cells, keys)]
    if not sealed:
        raise FormError(
            f"no row of {where} carries the seal of this home: the hidden columns were changed, or "
            "another home made the form. Make it again with `tessera decision form`, and copy the "
            "answers into it"
        )
    forms = {row.cells["form_id"] for row in sealed}
    if len(forms) > 1:
        raise FormError(f"{where} holds rows of {len(forms)} forms: take each form by itself")
    first = sealed[0].cells
    context = _context(home, settings, keys, first)
    for_all = next((r.cells for r in sealed if r.cells[layout.LEARNER] == layout.ALL), {})
    twice = Counter(row.cells["learner_key"] for row in sealed)
    decided: list[Decided] = []
    problems = [_broken_seal(row) for row in rows if row not in sealed]
    lines: list[Line] = []
    warnings: list[str] = []
    n_open = 0
    for row in sealed:
        if row.cells[layout.LEARNER] == layout.ALL:
            problems += _too_much_for_all(row)
            continue
        if not any(row.cells[name] for name in layout.ASKED):
            n_open += 1
            continue
        if twice[row.cells["learner_key"]] > 1:
            problems.append(_given_twice(row))
            continue
        found, made, told = _judge(row, for_all, context)
        problems += found
        warnings += told
        if made:
            lines += made
            record_id = str(made[0]["record_id"])
            decided.append(Decided(row.number, row.cells[layout.LEARNER], record_id, len(made) - 1))
    delivery = None
    if lines:
        text = json.dumps(lines, sort_keys=True, default=str)
        name = f"FORM-{first['form_id']}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        delivery = deliver(home, context.declared, name, lines, by)
    problems.sort(key=lambda problem: problem.row)
    return Taken(
        first["form_id"], tuple(decided), tuple(problems), tuple(warnings), n_open, delivery
    )


def _context(home: Home, settings: Settings, keys: Keys, first: Mapping[str, str]) -> _Context:
    declared = catalogue.load(settings)
    people = people_of(home, settings, declared.sources[SOURCE].namespace)
    zone = ZoneInfo("UTC")
    voting: tuple[tuple[str, str, date, date], ...] = ()
    try:
        source = find(home, first["edition_id"])
        zone = ZoneInfo(source.edition.inputs.time_zone)
        voting = _terms(source.database)
    except EditionError:
        pass  # the build judges who was entitled; only the warning is lost
    earlier = _delivered(inbox_of(home, declared), first["form_id"])
    return _Context(keys, Known(people, zone), declared, voting, earlier)


def _terms(database: Path) -> tuple[tuple[str, str, date, date], ...]:
    """Return who votes, where and when; nothing where the edition does not say it any more."""
    sql = """
        select committee_id, member_key, coalesce(term_from, date '1900-01-01'),
            coalesce(term_to, date '2199-12-31')
        from committee_member
        where member_key is not null and coalesce(is_voting, true)
    """
    try:
        with closing(duckdb.connect(str(database), read_only=True)) as connection:
            return tuple(connection.execute(sql).fetchall())
    except duckdb.Error:
        return ()


def _delivered(folder: Path, form_id: str) -> dict[str, str]:
    """Return what earlier takings of a form delivered, by record id, without who recorded it."""
    found = {}
    for path in sorted(folder.glob(f"FORM-{form_id}-*.jsonl")):
        for text in path.read_text(encoding="utf-8").splitlines():
            line = {name: value for name, value in json.loads(text).items() if value is not None}
            line.pop("recorded_by", None)
            found[str(line["record_id"])] = _as_text(line)
    return found


def _as_text(line: Line) -> str:
    return json.dumps(line, sort_keys=True, default=str)


def _judge(
    row: FilledRow, for_all: Mapping[str, str], context: _Context
) -> tuple[list[RowProblem], list[Line], list[str]]:
    """Return what is wrong with a row, or its lines, and what a person should know of it."""
    cells = row.cells
    learner_id = context.known.people.ids.get(cells["learner_key"])
    if learner_id is None:
        told = (
            f"the learner has no id in the name space {context.known.people.namespace!r} of the "
            f"source {SOURCE}"
        )
        todo = "let a roster link one, or name another name space in the site's spec of it"
        return [_problem(row, layout.LEARNER, "no_id", told, todo)], [], []
    try:
        decision = decision_of(cells, for_all, context.known) | {"learner_id": learner_id}
        actions = list(actions_of(cells, str(decision["decided_at"])[:10]))
    except RefusedError as refused:
        return [_refused(row, refused)], [], []
    corrects = decision.get("corrects_record_id")
    record_id = record_id_of(cells, corrects)
    lines = lines_of(record_id, decision, actions)
    problems = [
        RowProblem(
            row.number,
            cells[layout.LEARNER],
            _column(problem.field, where),
            problem.code,
            problem.value_masked,
            problem.message,
            problem.suggestion,
        )
        for where, problem in judge(lines, context.declared)
    ]
    if not problems:
        problems = list(_changed_since(row, lines, context))
    if problems:
        return problems, [], []
    return [], lines, list(_who_may_not(row, decision, context))


def _changed_since(
    row: FilledRow, lines: Sequence[Line], context: _Context
) -> Iterator[RowProblem]:
    """Yield that a row was taken before with other words, and says not what it corrects."""
    record_id = str(lines[0]["record_id"])
    was = {i: text for i, text in context.earlier.items() if i.startswith(record_id)}
    if was and was != {str(line["record_id"]): _as_text(line) for line in lines}:
        yield _problem(
            row,
            layout.CORRECTS,
            "recorded_otherwise",
            f"this row is on record as {record_id} with other words",
            f"nothing is overwritten: write {record_id} into 'Corrects record' to correct it, or "
            "put back what stood there",
        )


def _who_may_not(row: FilledRow, decision: Line, context: _Context) -> Iterator[str]:
    """Yield who decided and was no voting member on that day, by the edition of the form."""
    if not context.voting:
        return
    on = datetime.fromisoformat(str(decision["decided_at"])).astimezone(context.known.zone).date()
    committee = decision["committee_id"]
    entitled = {
        key for of, key, first, last in context.voting if of == committee and first <= on <= last
    }
    strange = [i for i in decision["decided_by"] if context.known.key_of.get(i) not in entitled]
    if len(strange) == len(decision["decided_by"]):
        yield (
            f"row {row.number}, {row.cells[layout.LEARNER]}: nobody who decided was a voting "
            f"member of {committee} on {on}, by the edition of the form: the decision is kept, and "
            "does not stand until a term that covers that day arrives"
        )


def _broken_seal(row: FilledRow) -> RowProblem:
    return _problem(
        row,
        layout.SEAL,
        "seal_broken",
        "the hidden cells of this row are not those that the form was made with",
        "make the form again with `tessera decision form`, and copy the answers into it",
    )


def _given_twice(row: FilledRow) -> RowProblem:
    return _problem(
        row,
        layout.LEARNER,
        "given_twice",
        "two rows are about this learner, so neither was taken",
        "leave one of them",
    )


def _too_much_for_all(row: FilledRow) -> Iterator[RowProblem]:
    for name in layout.ASKED:
        if row.cells[name] and name not in layout.FOR_ALL:
            yield _problem(
                row,
                name,
                "not_for_all",
                "no answer of this kind is the same for all learners, and it was not used",
                "write it into the rows of the learners it is about",
            )


def _refused(row: FilledRow, refused: RefusedError) -> RowProblem:
    personal = refused.column in layout.PEOPLE
    value = mask(refused.value, personal=personal) if refused.value else None
    return RowProblem(
        row.number,
        row.cells[layout.LEARNER],
        refused.column,
        refused.code,
        value,
        refused.message,
        refused.todo,
    )


def _problem(row: FilledRow, column: str, code: str, message: str, todo: str) -> RowProblem:
    return RowProblem(row.number, row.cells[layout.LEARNER], column, code, None, message, todo)


def _column(name: str, where: str) -> str:
    """Return the column of the form that a field of a decision or an action comes from."""
    if not where.startswith("action"):
        return FIELDS.get(name, name)
    what, owner, due = layout.action_columns(int(where.split()[1]))
    return {"description": what, "owner_role": owner, "due_on": due}.get(name, what)
