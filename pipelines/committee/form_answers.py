"""What the cells of one row of a decision form say, as the fields of a decision and its actions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from pipelines.committee import form as layout
from pipelines.committee.form_sheet import SEPARATOR
from pipelines.committee.people import People
from pipelines.committee.recording import Line

Cells = Mapping[str, str]


@dataclass(frozen=True)
class Known:
    """What cells are read against."""

    people: People
    zone: ZoneInfo
    """Of times without an offset."""
    key_of: Mapping[str, str] = field(init=False)
    """The keys of those who are no learners, by id."""

    def __post_init__(self) -> None:
        others = {i: k for k, i in self.people.ids.items() if not k.startswith("L-")}
        object.__setattr__(self, "key_of", others)


class RefusedError(Exception):
    """A cell that cannot be read."""

    def __init__(self, column: str, code: str, message: str, todo: str, value: str = "") -> None:
        self.column, self.code, self.message, self.todo, self.value = (
            column, code, message, todo, value,
        )  # fmt: skip
        super().__init__(message)


_LABELLED = re.compile(r"\[([^\[\]]+)\]$")
_LOCAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{1,2}:\d{2}(:\d{2})?")


def decision_of(cells: Cells, for_all: Cells, known: Known) -> Line:
    """Return the fields of the decision that a row tells, but for the learner's id.

    Args:
        cells: the row.
        for_all: the row that says what is the same for all.
        known: who may be named, and in which zone times are.

    Raises:
        RefusedError: a cell cannot be read, or is missing.
    """
    if not cells[layout.OUTCOME]:
        raise RefusedError(
            layout.OUTCOME,
            "missing",
            "the outcome is missing",
            "choose one, or empty the row where nothing was decided",
        )
    pulled_by = _pulled_by(cells, known)
    decided_by, recused = _who_decided(cells, for_all, known)

    def either(column: str) -> dict[str, str]:
        return {column: cells[column] or for_all.get(column, "")}

    return {
        "programme_id": cells["programme_id"],
        "site_id": cells["site_id"] or None,
        "decision_kind": cells["decision_kind"],
        "committee_id": cells["committee_id"],
        "meeting_id": cells["meeting_id"] or None,
        "decided_by": decided_by,
        "present": _people(either(layout.PRESENT), layout.PRESENT, known),
        "recused": recused,
        "quorum": _number(either(layout.QUORUM)),
        "vocabulary_id": cells["vocabulary_id"],
        "outcome": cells[layout.OUTCOME],
        "rationale": cells[layout.RATIONALE] or None,
        "dissent": cells[layout.DISSENT] or None,
        "dissent_by": _people(cells, layout.DISSENT_BY, known),
        "appeal_status": cells[layout.APPEAL] or "none",
        "decided_at": _time(either(layout.DECIDED_AT)[layout.DECIDED_AT], known.zone),
        "corrects_record_id": _corrects(cells),
        "agenda_list": _agenda_list(cells, pulled_by),
        "pulled_by_id": pulled_by,
        "freeze_id": cells["freeze_id"] or None,
        "addendum_ids": _addenda_seen(cells),
    }


def _pulled_by(cells: Cells, known: Known) -> str | None:
    """Return who pulled a learner from the consent list; what stays on it has to be confirmed."""
    is_consent = cells["agenda_group"] == layout.CONSENT
    pulled_by = _person(cells, layout.PULLED_BY, known)
    if pulled_by and not is_consent:
        raise RefusedError(
            layout.PULLED_BY,
            "not_on_consent_list",
            "only a learner on the consent list can be pulled",
            "empty the cell: this learner is discussed anyway",
            cells[layout.PULLED_BY],
        )
    if is_consent and not pulled_by and not cells[layout.DECIDED_BY]:
        raise RefusedError(
            layout.DECIDED_BY,
            "not_confirmed",
            "an item of the consent list needs the name of a member who confirms it, in its row",
            "write who confirms it, or write into 'Pulled by' who wants to talk about it",
        )
    return pulled_by


def _who_decided(cells: Cells, for_all: Cells, known: Known) -> tuple[list[str], list[str]]:
    """Return who decided, and who was recused: by the row, or else by the row for all."""
    recused = _people(cells, layout.RECUSED, known) or []
    recused += [i for i in _people(for_all, layout.RECUSED, known) or [] if i not in recused]
    decided_by = _people(cells, layout.DECIDED_BY, known)
    if decided_by is None:
        all_of_them = _people(for_all, layout.DECIDED_BY, known) or []
        decided_by = [person for person in all_of_them if person not in recused]
    if not decided_by:
        raise RefusedError(
            layout.DECIDED_BY,
            "nobody_decided",
            "nobody is named who decided and was not recused",
            "a decision needs at least one person: write who decided, here or in the first row",
        )
    return decided_by, recused


def _agenda_list(cells: Cells, pulled_by: str | None) -> str | None:
    """Return the list of the agenda that a decision was made from; the chair's are on none."""
    if cells["decision_kind"] == layout.CHAIR:
        return None
    is_by_consent = cells["agenda_group"] == layout.CONSENT and not pulled_by
    return "consent" if is_by_consent else "discussion"


def actions_of(cells: Cells, agreed_on: str) -> Iterator[Line]:
    """Yield the actions that a row tells.

    Raises:
        RefusedError: a cell is missing.
    """
    for number in range(1, layout.N_ACTIONS + 1):
        what, owner, due = layout.action_columns(number)
        if not cells[what]:
            if cells[owner] or cells[due]:
                raise RefusedError(
                    what,
                    "missing",
                    "an owner or a day is given, and not what was agreed",
                    f"fill {what}, or empty {owner} and {due}",
                )
            continue
        if not cells[owner]:
            raise RefusedError(
                owner, "missing", "an action needs an owner", "write whose it is, such as mentor"
            )
        yield {
            "description": cells[what],
            "owner_role": cells[owner],
            "agreed_on": agreed_on,
            "due_on": cells[due] or None,
        }


def _people(cells: Cells, column: str, known: Known) -> list[str] | None:
    """Return the ids of people whom a cell names, None where it names nobody."""
    written = [part.strip() for part in cells.get(column, "").split(SEPARATOR) if part.strip()]
    return list(dict.fromkeys(_id(part, column, known) for part in written)) or None


def _person(cells: Cells, column: str, known: Known) -> str | None:
    found = _people(cells, column, known) or []
    if len(found) > 1:
        raise RefusedError(
            column, "not_exactly_one", "the cell names several people", "write one", cells[column]
        )
    return found[0] if found else None


def _id(written: str, column: str, known: Known) -> str:
    labelled = _LABELLED.search(written)
    wanted = labelled[1] if labelled else written
    if wanted in known.key_of:
        return wanted
    folded = {person_id.casefold(): person_id for person_id in known.key_of}
    if wanted.casefold() in folded:
        return folded[wanted.casefold()]
    near = get_close_matches(wanted.casefold(), sorted(folded), n=1, cutoff=0.5)
    raise RefusedError(
        column,
        "unknown_person",
        "the cell names somebody whom no record of the home names",
        f"{'did you mean ' + folded[near[0]] + '? ' if near else ''}choose from the list, or write "
        f"an id; several are separated by '{SEPARATOR}'",
        wanted,
    )


def _number(cells: Cells) -> int | str | None:
    text = cells[layout.QUORUM]
    return int(text) if text.isascii() and text.isdigit() else text or None


def _time(text: str, zone: ZoneInfo) -> str:
    """Return when it was decided; without an offset, it is the programme's own time."""
    if _LOCAL_TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(_padded(text)).replace(tzinfo=zone).isoformat()
        except ValueError:
            pass
    try:
        read_as = datetime.fromisoformat(text)
    except ValueError:
        read_as = None
    if read_as is None or read_as.tzinfo is None:
        raise RefusedError(
            layout.DECIDED_AT,
            "not_a_time" if text else "missing",
            "when it was decided is not said as day and time" if text else "when is missing",
            "write 2026-11-28 15:00, in the time of the programme, here or in the first row",
            text,
        )
    return read_as.isoformat()


def _padded(text: str) -> str:
    day, clock = text[:10], text[11:]
    return f"{day} {clock.zfill(len(clock) + 1) if clock[1] == ':' else clock}"


def _corrects(cells: Cells) -> str | None:
    written = cells[layout.CORRECTS]
    own = [record_id_of(cells, None), cells["last_record_id"]]
    if written and not written.startswith("DEC-") and written not in own:
        raise RefusedError(
            layout.CORRECTS,
            "unknown_record",
            "no decision about this learner has this record id",
            f"write {' or '.join(filter(None, own))}, as the form and the taking of it show",
            written,
        )
    return written or None


def _addenda_seen(cells: Cells) -> list[str] | None:
    there_are, answer = cells["addendum_ids"].split(), cells[layout.ADDENDUM_SEEN].casefold()
    if answer not in ("", layout.YES, layout.NO):
        raise RefusedError(
            layout.ADDENDUM_SEEN, "not_yes_or_no", "the cell is neither yes nor no",
            "write yes or no", answer,
        )  # fmt: skip
    if there_are and not answer:
        raise RefusedError(
            layout.ADDENDUM_SEEN,
            "addendum_not_said",
            "evidence arrived after the pack was frozen, and the row does not say that it was seen",
            "read the addendum and write yes; write no where it was decided without it",
        )
    return there_are if answer == layout.YES and there_are else None


def record_id_of(cells: Cells, corrects: str | None) -> str:
    """Return the id of a row's decision: one a form, learner, and record that it corrects."""
    named = "\n".join((cells["form_id"], cells["learner_key"], corrects or ""))
    return f"DEC-{hashlib.sha256(named.encode()).hexdigest()[:16]}"
