"""Who sees what: one edition, less what a role may not see, before anything is rendered.

Pages, twins and forms of a role are made from the narrowed portfolio alone, so that what is taken
away here is in none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipelines.committee.evidence import Row
from pipelines.committee.people import NOBODY, Everybody
from pipelines.committee.queries import NOT_JUDGED, Portfolio

COMMITTEE, LEARNER, MENTOR, PROGRAMME = "committee", "learner", "mentor", "programme"
ROLES = (COMMITTEE, LEARNER, MENTOR, PROGRAMME)

STRINGENCY = frozenset(
    {
        "adjusted_share", "adjusted_low", "adjusted_high", "adjusted_status", "adjusted_sentence",
        "is_sensitive", "label", "n_rated_by_known",
    }
)  # fmt: skip
"""What says how strict assessors are, if only in sum: a learner's few assessors are known."""

DELIBERATION = ("dissent", "dissent_by_keys", "recused_keys", "pulled_by_keys")
"""What tells how members came to a decision, and who of them thought otherwise."""

REPORTER = ("reporter_key", "reporter_role")
"""What tells who reported something of a learner."""

LEADING = ("evidence_ids", "closed_by_evidence_ids")
"""Columns that lead to evidence."""

Narrowing = Callable[[Sequence[Row]], list[Row]]
"""Takes from the rows of a section what a role may not see."""


@dataclass(frozen=True)
class View:
    """What the pages of a role hold beside the rows, and whom they name."""

    role: str
    decides: bool = False
    """Whether the page has an empty box for a decision."""
    sees_stringency: bool = False
    sees_cohort: bool = False
    """Whether agenda and data quality, which are about everybody, lie beside the page."""
    people: Everybody = field(default_factory=dict)

    def name(self, key: str | None) -> str | None:
        """Return what a person is called here: the name where the role may see it, else the key."""
        return None if key is None else self.people.get(key, NOBODY).name or key

    def called(self, key: str) -> str | None:
        """Return the name of a person, None where the role may not see it."""
        return self.people.get(key, NOBODY).name


FOR_COMMITTEE = View(COMMITTEE, decides=True, sees_stringency=True, sees_cohort=True)


def for_learner(
    portfolio: Portfolio, learner_key: str, people: Everybody
) -> tuple[Portfolio, View]:
    """Return what one learner sees: everything of their own, nobody else's, no stringency.

    A decision shows when its embargo is over, and with it the actions that it asks for; a report
    on conduct once it is shared with the learner, without who made it. Named are the learner and
    those who assessed, mentored or answered them, except in multisource feedback, of which no
    single answer is shown.
    """
    narrowed = _without_embargoed(_narrowed(portfolio, {learner_key}, _ALSO_FROM_LEARNERS))
    met = {
        row[name]
        for section, name in (
            ("evidence", "assessor_key"),
            ("meetings", "mentor_key"),
            ("learners", "mentor_key"),
            ("reflections", "owner_key"),
        )
        for row in narrowed.rows(section, learner_key)
    }
    return narrowed, View(LEARNER, people=_some(people, met | {learner_key}))


def for_mentor(portfolio: Portfolio, mentor_key: str, people: Everybody) -> tuple[Portfolio, View]:
    """Return what one mentor sees: their own learners, by name, and no stringency.

    Circumstances and reports on conduct show where their `need_to_know` reaches the mentor.
    """
    own = {str(row["learner_key"]) for row in portfolio.learners if row["mentor_key"] == mentor_key}
    narrowed = _narrowed(portfolio, own, _ALSO_FROM_MENTORS)
    return narrowed, View(MENTOR, people=_some(people, own | {mentor_key}))


def _some(people: Everybody, keys: set[str]) -> Everybody:
    return {key: people[key] for key in sorted(keys - {None}) if key in people}


def _narrowed(
    portfolio: Portfolio, keys: set[str], also: Mapping[str, Narrowing] | None = None
) -> Portfolio:
    taken = {**_FROM_ALL, **(also or {})}
    single = {
        row["evidence_id"]
        for key in keys
        for row in portfolio.rows("evidence", key)
        if row["is_withheld"]
    }
    of_learners: dict[str, dict[str, list[Row]]] = {}
    for section, by_learner in portfolio.of_learners.items():
        narrow = taken.get(section, list)
        of_learners[section] = {
            key: [_without_ids(row, single) for row in narrow(by_learner[key])]
            for key in keys & by_learner.keys()
        }
    closed = portfolio.of_learners.get("closed_signals", {})
    of_learners["closed_signals"] = {
        key: [_without_ids(row, single) for row in _by_what_shows(closed[key], single)]
        for key in keys & closed.keys()
    }
    return replace(
        portfolio,
        learners=tuple(row for row in portfolio.learners if row["learner_key"] in keys),
        of_learners=of_learners,
        of_programme=_of_rules(portfolio.of_programme),
    )


def _of_rules(of_programme: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """Return what names and rules say; deliveries, findings and measurement are about everybody."""
    kept = {"competencies", "scales", "rules"}
    waiting = [row for row in of_programme["freshness"] if row["is_waiting"]]
    none: dict[str, list[Row]] = {section: [] for section in of_programme}
    return none | {section: of_programme[section] for section in kept} | {"freshness": waiting}


def _without_embargoed(portfolio: Portfolio) -> Portfolio:
    """Return a portfolio without decisions that are not out, and without their actions."""
    decisions: dict[str, list[Row]] = {}
    actions: dict[str, list[Row]] = {}
    for row in portfolio.learners:
        key = str(row["learner_key"])
        made = portfolio.rows("decisions", key)
        decisions[key] = [d for d in made if d["is_out"] or d["standing"] == NOT_JUDGED]
        closed = {d["evidence_id"] for d in made} - {d["evidence_id"] for d in decisions[key]}
        actions[key] = [
            a for a in portfolio.rows("actions", key) if a["decision_evidence_id"] not in closed
        ]
    shown = {"decisions": decisions, "actions": actions}
    return replace(portfolio, of_learners={**portfolio.of_learners, **shown})


def _without_ids(row: Row, ids: set[str]) -> Row:
    """Return a row that does not lead to answers which are not shown one by one."""
    if not ids:
        return row
    led = {name: row[name] for name in LEADING if row.get(name)}
    return row | {name: [i for i in those if i not in ids] for name, those in led.items()}


def _by_what_shows(rows: Sequence[Row], ids: set[str]) -> list[Row]:
    """Return closed signals, but those that a single answer alone closed: their day would tell."""
    return [row for row in rows if not ids or set(row["closed_by_evidence_ids"]) - ids]


def _without_single_answers(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if not row["is_withheld"]]


def _without_stringency(rows: Sequence[Row]) -> list[Row]:
    return [row | dict.fromkeys(STRINGENCY) for row in rows]


def _without_deliberation(rows: Sequence[Row]) -> list[Row]:
    return [row | dict.fromkeys(DELIBERATION) for row in rows]


def _shared(rows: Sequence[Row]) -> list[Row]:
    """Return meetings; a note that its source does not share shows that it was held, no more."""
    return [row if row["is_shared_with_learner"] else row | {"text": None} for row in rows]


def _shown_to_the_learner(rows: Sequence[Row]) -> list[Row]:
    """Return reports on conduct that the learner has been shown, and not who made them."""
    return [row | dict.fromkeys(REPORTER) for row in rows if row["is_shared_with_learner"]]


def _for_mentors(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["is_for_mentor"]]


_FROM_ALL: Mapping[str, Narrowing] = {
    "evidence": _without_single_answers,
    "precision": _without_stringency,
    "conflicts": lambda rows: [row for row in rows if row["conflict_kind"] != "stringency"],
}
"""What is taken from the rows of a section for those who sit on no committee."""

_ALSO_FROM_LEARNERS: Mapping[str, Narrowing] = {
    "decisions": _without_deliberation,
    "meetings": _shared,
    "reports": _shown_to_the_learner,
}

_ALSO_FROM_MENTORS: Mapping[str, Narrowing] = {
    "circumstances": _for_mentors,
    "reports": _for_mentors,
}
