"""The decision form: one row a learner of a meeting's agenda, for people to fill in.

Nothing is filled in by the system but what says which learner a row is about. These cells carry a
seal, so that a row that was moved onto another learner is found when the form comes back. The same
pack gives the same form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from pipelines.committee import words
from pipelines.committee.addendum import Addendum, addenda
from pipelines.committee.edition import Source, find
from pipelines.committee.evidence import Row
from pipelines.committee.freeze import Frozen, frozen_pack, frozen_packs
from pipelines.committee.pack import PackError
from pipelines.committee.people import People, people_of
from pipelines.committee.queries import Portfolio, read
from pipelines.committee.recording import SOURCE
from pipelines.home import Home
from pipelines.identity.vault import Keys, open_keys
from pipelines.settings import Settings
from pipelines.sources import catalogue
from pipelines.sources.faults import known

ALL = "(all learners)"
"""Stands for the learner in the row that says what is the same for every row."""
N_ACTIONS = 3
CONSENT = "consent"
MEETING, CHAIR = "meeting", "chairs_action"

SEALED = (
    "form_id",
    "decision_kind",
    "programme_id",
    "site_id",
    "committee_id",
    "meeting_id",
    "meets_on",
    "edition_id",
    "freeze_id",
    "vocabulary_id",
    "learner_key",
    "agenda_group",
    "last_record_id",
    "addendum_ids",
)
"""Hidden cells of a row, in the order in which its seal covers them."""
SEAL = "seal"
LEARNER = "Learner"
SHOWN = (LEARNER, "List", "Reasons to talk", "Last decision", "Since the freeze")

OUTCOME, RATIONALE, DECIDED_BY = "Outcome", "Rationale", "Decided by"
PULLED_BY, RECUSED, DISSENT, DISSENT_BY = "Pulled by", "Recused", "Dissent", "Dissent by"
PRESENT, QUORUM, DECIDED_AT = "Present", "Quorum", "Decided at"
ADDENDUM_SEEN, APPEAL, CORRECTS = "Addendum seen", "Appeal", "Corrects record"


def action_columns(number: int) -> tuple[str, str, str]:
    """Return the columns of one action: what, whose, and by when."""
    return f"Action {number}", f"Owner {number}", f"Due {number}"


ASKED = (
    OUTCOME,
    RATIONALE,
    DECIDED_BY,
    PULLED_BY,
    RECUSED,
    DISSENT,
    DISSENT_BY,
    *(column for number in range(1, N_ACTIONS + 1) for column in action_columns(number)),
    ADDENDUM_SEEN,
    APPEAL,
    CORRECTS,
    PRESENT,
    QUORUM,
    DECIDED_AT,
)
"""What people fill in."""

FOR_ALL = (DECIDED_BY, RECUSED, PRESENT, QUORUM, DECIDED_AT)
"""What the row for all learners may say, and every other row may say for itself."""

PEOPLE = (DECIDED_BY, PULLED_BY, RECUSED, DISSENT_BY, PRESENT)
YES, NO = "yes", "no"
APPEALS = ("none", "lodged", "upheld", "dismissed")
OWNERS = ("learner", "mentor", "supervisor", "programme director", "committee")
"""Suggestions; another role may be written."""


class FormError(PackError):
    """There is no form to make; the message says why and what to do."""


@dataclass(frozen=True)
class Member:
    """A member of the committee who holds a term on the day of the meeting."""

    label: str
    person_id: str
    role: str
    is_voting: bool


@dataclass(frozen=True)
class Form:
    """A form as it is written: its rows, and what its cells offer."""

    form_id: str
    title: str
    rows: tuple[dict[str, str], ...]
    outcomes: tuple[str, ...]
    outcome_titles: tuple[str, ...]
    members: tuple[Member, ...]
    unnamed: int
    """Members without an id in the name space of decisions, who cannot be chosen."""


def make(
    home: Home,
    settings: Settings,
    *,
    vocabulary_id: str,
    meeting_id: str | None = None,
    learner_keys: Sequence[str] = (),
    freeze_id: str | None = None,
) -> Form:
    """Make the form of a meeting, or that of a chair's action.

    Args:
        home: whose packs.
        settings: which site's vocabularies and sources.
        vocabulary_id: which outcomes may be chosen.
        meeting_id: whose agenda; without it, the form is for a chair's action.
        learner_keys: only these learners; a chair's action names at least one.
        freeze_id: which frozen pack of the meeting; the newest by default.

    Raises:
        FormError: nobody is on the agenda, a learner is not known, or a vocabulary is not.
        SourceError: the site's specs or code lists have faults.
        EditionError: there is no edition, or it is not what was published.
    """
    declared = catalogue.load(settings)
    outcomes = _outcomes(declared, vocabulary_id)
    frozen = _frozen(home, meeting_id, freeze_id)
    source = find(home, frozen.edition_id if frozen else None)
    source.verify()
    portfolio = read(source, sections=("learners", "decisions"))
    learners = _chosen(portfolio, meeting_id, learner_keys)
    later = addenda(home, frozen) if frozen else []
    keys = open_keys(home)
    basis = frozen.freeze_id if frozen else source.edition_id
    named = "\n".join((meeting_id or CHAIR, basis, vocabulary_id))
    form_id = hashlib.sha256(named.encode()).hexdigest()[:16]
    shared = {
        "form_id": form_id,
        "decision_kind": MEETING if meeting_id else CHAIR,
        "meeting_id": meeting_id or "",
        "edition_id": source.edition_id,
        "freeze_id": frozen.freeze_id if frozen else "",
        "vocabulary_id": vocabulary_id,
    }
    people = people_of(home, settings, declared.sources[SOURCE].namespace)
    on = next((row["meets_on"] for row in learners if row["meets_on"]), source.edition.as_of)
    committees = {row["committee_id"] for row in learners if row["committee_id"]}
    members, unnamed = _members(source, people, on, committees)
    rows = [_row_for_all(shared, learners, keys)]
    rows += [_row(shared, row, later, last, keys) for row, last in _with_last(portfolio, learners)]
    title = f"Meeting {meeting_id}" if meeting_id else "Chair’s action"
    return Form(
        form_id=form_id,
        title=title,
        rows=tuple(rows),
        outcomes=tuple(outcomes["outcome"].to_list()),
        outcome_titles=tuple(outcomes["title"].to_list()),
        members=tuple(members),
        unnamed=unnamed,
    )


def seal_of(cells: dict[str, str], keys: Keys) -> str:
    """Return the seal over the cells that say which learner a row is about."""
    return keys.seal("\x1f".join((cells[LEARNER], *(cells[name] for name in SEALED))))


def _outcomes(declared: catalogue.Catalogue, vocabulary_id: str) -> pl.DataFrame:
    listed = declared.codes["decision_outcomes"]
    outcomes = listed.filter(pl.col("vocabulary_id") == vocabulary_id)
    if outcomes.is_empty():
        remedy = known(listed["vocabulary_id"].unique().to_list(), vocabulary_id)
        raise FormError(
            f"there is no vocabulary {vocabulary_id!r}. {remedy} A site adds its own in "
            "codes/decision_outcomes.csv"
        )
    return outcomes


def _frozen(home: Home, meeting_id: str | None, freeze_id: str | None) -> Frozen | None:
    """Return the frozen pack of a meeting; None where none was frozen yet."""
    if meeting_id is None or (freeze_id is None and not frozen_packs(home, meeting_id)):
        return None
    return frozen_pack(home, meeting_id, freeze_id)


def _chosen(portfolio: Portfolio, meeting_id: str | None, learner_keys: Sequence[str]) -> list[Row]:
    everyone = portfolio.learners
    if meeting_id is None and not learner_keys:
        raise FormError("a chair’s action is about learners who are named: add --learner KEY")
    on_agenda = [r for r in everyone if meeting_id is None or r["meeting_id"] == meeting_id]
    if not on_agenda:
        meetings = sorted({str(r["meeting_id"]) for r in everyone if r["meeting_id"]})
        raise FormError(
            f"edition {portfolio.edition_id} has nobody on the agenda of meeting {meeting_id}: "
            f"there is nothing to decide. {known(meetings, meeting_id or '')} Meetings come in "
            "with the committee's source"
        )
    found = [row for row in on_agenda if not learner_keys or row["learner_key"] in learner_keys]
    strange = sorted(set(learner_keys) - {row["learner_key"] for row in found})
    if strange:
        where = f"on the agenda of {meeting_id}" if meeting_id else "in the edition"
        raise FormError(f"no learner {', '.join(strange)} is {where}: keys are as on the pages")
    return sorted(
        found,
        key=lambda r: (r["programme_id"], r["agenda_order"] or len(found), r["learner_key"]),
    )


def _with_last(portfolio: Portfolio, learners: Sequence[Row]) -> Iterator[tuple[Row, str]]:
    """Yield each learner with the record id of the last decision that stands, or an empty text."""
    for row in learners:
        own = portfolio.rows("decisions", row["learner_key"])
        yield row, next((str(d["record_id"] or "") for d in own if d["is_latest"]), "")


def _members(
    source: Source, people: People, on: date, committees: set[str]
) -> tuple[list[Member], int]:
    """Return who holds a term on a day, the chair first, and how many have no id to choose."""
    sql = """
        select member_key, min_by(member_role, member_role <> 'chair') as role,
            bool_or(coalesce(is_voting, true)) as is_voting
        from committee_member
        where member_key is not null
            and $1 between coalesce(term_from, date '1900-01-01')
                and coalesce(term_to, date '2199-12-31')
            and (len($2) = 0 or committee_id in (select unnest($2)))
        group by member_key
        order by role <> 'chair', role, member_key
    """
    with closing(duckdb.connect(str(source.database), read_only=True)) as connection:
        try:
            found = connection.execute(sql, [on, sorted(committees)]).fetchall()
        except duckdb.CatalogException:
            found = []
    members = [
        Member(label, people.ids[key], words.plain(role), bool(is_voting))
        for key, role, is_voting in found
        if (label := people.label(key)) is not None
    ]
    return members, len(found) - len(members)


def _row_for_all(shared: dict[str, str], learners: Sequence[Row], keys: Keys) -> dict[str, str]:
    first = learners[0]
    sealed = dict.fromkeys(SEALED, "") | shared | {"meets_on": _day(first["meets_on"])}
    shown = dict.fromkeys(SHOWN, "") | {LEARNER: ALL, "List": "the same for all rows below"}
    return _sealed(sealed | shown, keys)


def _row(
    shared: dict[str, str], row: Row, later: Sequence[Addendum], last: str, keys: Keys
) -> dict[str, str]:
    about = [a for a in later if row["learner_key"] in a.learners]
    n_later = sum(a.learners[row["learner_key"]] for a in about)
    sealed = shared | {
        "programme_id": row["programme_id"],
        "site_id": row["site_id"] or "",
        "committee_id": row["committee_id"] or "",
        "meets_on": _day(row["meets_on"]),
        "learner_key": row["learner_key"],
        "agenda_group": row["agenda_group"] or "",
        "last_record_id": last,
        "addendum_ids": " ".join(a.addendum_id for a in about),
    }
    decided = row["last_decision_outcome"]
    shown = {
        LEARNER: row["learner_key"],
        "List": _list_of(row["agenda_group"]),
        "Reasons to talk": row["reason_text"] or "",
        "Last decision": (
            f"{decided}, {_day(row['last_decided_on'])}, {last}" if decided else "none on record"
        ),
        "Since the freeze": (
            f"{words.count(n_later, 'change')} of evidence: read the addendum" if n_later else ""
        ),
    }
    return _sealed(sealed | shown, keys)


def _sealed(cells: dict[str, str], keys: Keys) -> dict[str, str]:
    return cells | {SEAL: seal_of(cells, keys)} | dict.fromkeys(ASKED, "")


def _list_of(group: str | None) -> str:
    if group == CONSENT:
        return "consent: needs the name of a member who confirms it"
    return words.GROUPS[group].lower() if group in words.GROUPS else "not on the agenda"


def _day(value: date | None) -> str:
    return "" if value is None else value.isoformat()
