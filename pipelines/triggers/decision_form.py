"""What Airflow's form asks about a decision; its lists are those that decisions are held against.

The folder of DAGs is read every few seconds, so that nothing heavy may be imported here: the lists
are read as plain CSV. What is wrong with a site's list is said when it is used.
"""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from airflow.sdk import Param

from pipelines.settings import Settings

LIST = "decision_outcomes.csv"
OWNERS = ["learner", "mentor", "supervisor", "programme director", "committee"]
APPEALS = ["none", "lodged", "upheld", "dismissed"]
N_ACTIONS = 3
ONE_A_LINE = "Ids of persons, one a line."


def outcomes(settings: Settings) -> dict[str, str]:
    """Return every outcome that may be chosen, with its vocabulary before it, and its title."""
    shipped: Traversable = files("pipelines.sources") / "codes" / LIST
    found = _titles(shipped)
    if settings.site is not None and (settings.site / "codes" / LIST).is_file():
        found |= _titles(settings.site / "codes" / LIST)
    return dict(sorted(found.items()))


def fields(settings: Settings) -> dict[str, Param]:
    """Return the fields of the form, in the order in which they are asked."""
    offered = outcomes(settings)
    asked = {
        "learner": Param(
            type="string",
            pattern=r"^\s*\S+\s*$",
            title="Learner",
            description="The key, as on the page: L-…",
        ),
        "meeting_id": _maybe(
            "Meeting", "The meeting’s id; empty for a chair’s action between meetings."
        ),
        "outcome": Param(
            type="string",
            enum=list(offered),
            values_display=offered,
            title="Outcome",
            description=f"Vocabulary and outcome; a site adds its own in codes/{LIST}.",
        ),
        "rationale": Param(
            type="string",
            format="multiline",
            minLength=1,
            title="Rationale",
            description="Why, in words that can be read at appeal.",
        ),
        "decided_at": Param(
            type="string",
            format="date-time",
            title="Decided at",
            description="Day and time, in the zone that Airflow shows; it is sent with its offset.",
        ),
        "decided_by": _people("Decided by", f"{ONE_A_LINE} Empty: the person who sends this form."),
        "present": _people("Present", ONE_A_LINE),
        "quorum": Param(
            None, type=["null", "integer"], minimum=1, title="Quorum", description="If one is set."
        ),
        "recused": _people("Recused", f"Who stood back for this learner. {ONE_A_LINE}"),
        "dissent": _maybe("Dissent", "What those who disagreed said.", format="multiline"),
        "dissent_by": _people("Dissent by", ONE_A_LINE),
        "pulled_by": _maybe(
            "Pulled by", "Of the consent list alone: id of the member who wanted to talk."
        ),
        "addendum_seen": Param(
            None,
            type=["null", "string"],
            enum=[None, "yes", "no"],
            title="Addendum seen",
            description="Say it where evidence arrived after the pack was frozen.",
        ),
        "appeal": Param("none", type="string", enum=APPEALS, title="Appeal"),
        "corrects": _maybe("Corrects record", "Record id of the decision that this one corrects."),
    }
    for number in range(1, N_ACTIONS + 1):
        section = f"Action {number}"
        asked |= {
            f"action_{number}": _maybe("Action", "What was agreed.", section=section),
            f"owner_{number}": _maybe("Owner", "Whose it is.", examples=OWNERS, section=section),
            f"due_{number}": _maybe("Due", "By when.", format="date", section=section),
        }
    return asked


def _people(title: str, description: str) -> Param:
    return Param(
        [], type=["null", "array"], items={"type": "string"}, title=title, description=description
    )


def _maybe(title: str, description: str, **more: Any) -> Param:
    return Param(None, type=["null", "string"], title=title, description=description, **more)


def _titles(path: Traversable) -> dict[str, str]:
    """Return the label of each outcome of a list, with the title where it says more."""
    text = path.read_text(encoding="utf-8-sig")
    rows = [
        [(row.get(name) or "").strip() for name in ("vocabulary_id", "outcome", "title")]
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]
    return {
        f"{vocabulary_id}: {outcome}": f"{vocabulary_id}: {outcome}"
        + (f" ({title})" if title.casefold() not in ("", outcome.casefold()) else "")
        for vocabulary_id, outcome, title in rows
        if vocabulary_id and outcome
    }
