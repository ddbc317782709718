"""One learner's decision as a form of Airflow asks for it: a row of the decision form, filled in.

What was sent becomes the row that `tessera decision form` would have made, and is taken as that
form is taken: the same rules, the same record id, the same delivery. Who sends it has to be a
person with a term in the committee on that day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.committee import form as layout
from pipelines.committee.accounts import AccountError, PersonOf, person_of_account, role_on
from pipelines.committee.edition import find
from pipelines.committee.form import FormError, make
from pipelines.committee.form_sheet import SEPARATOR, FilledRow
from pipelines.committee.people import people_of
from pipelines.committee.recording import SOURCE
from pipelines.committee.taking import Taken, take_rows
from pipelines.home import Home
from pipelines.identity.named import named
from pipelines.settings import Settings
from pipelines.sources import catalogue

WHERE = "the form in Airflow"
FIELDS = {
    "rationale": layout.RATIONALE,
    "decided_by": layout.DECIDED_BY,
    "present": layout.PRESENT,
    "quorum": layout.QUORUM,
    "decided_at": layout.DECIDED_AT,
    "recused": layout.RECUSED,
    "dissent": layout.DISSENT,
    "dissent_by": layout.DISSENT_BY,
    "pulled_by": layout.PULLED_BY,
    "addendum_seen": layout.ADDENDUM_SEEN,
    "appeal": layout.APPEAL,
    "corrects": layout.CORRECTS,
} | {
    f"{name}_{number}": column
    for number in range(1, layout.N_ACTIONS + 1)
    for name, column in zip(("action", "owner", "due"), layout.action_columns(number), strict=True)
}
"""Which cell a field of the form in Airflow fills."""


class RefusedDecisionError(FormError):
    """The decision was not recorded; the message says why, and what to do."""


def outcome_label(vocabulary_id: str, outcome: str) -> str:
    """Return how a list offers an outcome together with its vocabulary."""
    return f"{vocabulary_id}: {outcome}"


def decide(
    home: Home,
    settings: Settings,
    asked: Mapping[str, Any],
    account: str | None,
    sent_at: datetime,
    person_of: PersonOf | None = None,
) -> Taken:
    """Record what was sent with the form as a decision, and return what became of it.

    Args:
        home: whose packs, vault and inbox.
        settings: which site's vocabularies, sources and accounts.
        asked: the fields of the form.
        account: the account of Airflow that sent it.
        sent_at: when.
        person_of: finds the person behind an identity; by default the vault does.

    Raises:
        RefusedDecisionError: who sent it may not record decisions, or what it says cannot be
            taken; nothing was written.
        FormError: the learner is not on the agenda of that meeting.
        SourceError: the site's code lists or specs have faults.
        EditionError: there is no edition, or it is not what was published.
    """
    declared = catalogue.load(settings)
    vocabulary_id, outcome = _outcome(declared, str(asked["outcome"]))
    sender = _sender(home, settings, account, person_of)
    learner_key = str(asked["learner"]).strip()
    made = make(
        home,
        settings,
        vocabulary_id=vocabulary_id,
        meeting_id=_text(asked.get("meeting_id")) or None,
        learner_keys=[learner_key],
    )
    for_all, *rows = made.rows
    if len(rows) != 1 or not rows[0]["committee_id"]:
        raise RefusedDecisionError(
            f"it is not clear which committee decides about {learner_key}: the edition has the "
            f"learner on {len(rows)} agendas. Name the meeting, or use `tessera decision record`"
        )
    (row,) = rows
    source = find(home, row["edition_id"])
    on = sent_at.astimezone(ZoneInfo(source.edition.inputs.time_zone)).date()
    if role_on(source.database, sender, on, {row["committee_id"]}, is_voting=False) is None:
        raise RefusedDecisionError(
            f"the account {account!r} holds no role on {on} in the committee "
            f"{row['committee_id']!r}, by edition {source.edition_id}: let somebody send the form "
            "who does, or deliver the term with the committee's source"
        )
    answers = {FIELDS[name]: _text(value) for name, value in asked.items() if name in FIELDS}
    if not answers.get(layout.DECIDED_BY):
        answers[layout.DECIDED_BY] = _id_of(home, settings, declared, sender, account)
    filled = [FilledRow(1, for_all), FilledRow(2, row | answers | {layout.OUTCOME: outcome})]
    taken = take_rows(home, settings, filled, named(str(account)), WHERE)
    if taken.problems:
        listed = "\n".join(problem.told for problem in taken.problems)
        raise RefusedDecisionError(f"nothing was recorded\n{listed}")
    return taken


def _outcome(declared: catalogue.Catalogue, label: str) -> tuple[str, str]:
    """Return vocabulary and outcome; the list may have changed since the form was shown."""
    listed = declared.codes["decision_outcomes"]
    offered = {
        outcome_label(vocabulary_id, outcome): (vocabulary_id, outcome)
        for vocabulary_id, outcome in listed.select("vocabulary_id", "outcome").iter_rows()
    }
    if label not in offered:
        raise RefusedDecisionError(
            f"the outcome {label!r} is in no vocabulary of this site: choose one of the list; an "
            "outcome of the site's own is a row of codes/decision_outcomes.csv"
        )
    return offered[label]


def _sender(home: Home, settings: Settings, account: str | None, person_of: PersonOf | None) -> str:
    if not account:
        raise RefusedDecisionError(
            "nobody sent this form: a decision is recorded by a person who is signed in, and "
            "neither by a schedule nor by a command of Airflow"
        )
    try:
        return person_of_account(home, settings, account, person_of)
    except AccountError as error:
        raise RefusedDecisionError(
            f"{error}: a decision is recorded under the account of one person, whom the site's "
            "codes/airflow_user.csv names"
        ) from None


def _id_of(
    home: Home,
    settings: Settings,
    declared: catalogue.Catalogue,
    person_key: str,
    account: str | None,
) -> str:
    people = people_of(home, settings, declared.sources[SOURCE].namespace)
    written = people.ids.get(person_key)
    if written is None:
        raise RefusedDecisionError(
            f"the person of the account {account!r} has no id in the name space "
            f"{people.namespace!r} of the source {SOURCE}: write who decided, or let a roster link "
            "one"
        )
    return written


def _text(value: Any) -> str:
    """Return a field of the form as a cell: people in one cell, nothing for what is empty."""
    if isinstance(value, list):
        return f"{SEPARATOR} ".join(str(part).strip() for part in value if str(part).strip())
    return "" if value is None else str(value).strip()
