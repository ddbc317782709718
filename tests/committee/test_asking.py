"""What is sent with Airflow's form becomes evidence as the decision form does, from a person."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import stages
from pipelines.committee import asking
from pipelines.committee.asking import RefusedDecisionError, decide
from pipelines.committee.form import FormError
from pipelines.committee.taking import Taken
from pipelines.home import Home
from pipelines.identity.decisions import IdentityError
from pipelines.intake import read, receive, validate
from pipelines.settings import Settings
from tests.committee.edition import FULL
from tests.committee.people import MEETING, know_everybody
from tests.committee.test_taking import put_everybody_on

SENT_AT = datetime(2026, 11, 30, 16, tzinfo=UTC)
ACCOUNTS = """airflow_user,identity,source
a.muster,staff:1,committee office
s.minutes,staff:4,committee office
f.former,staff:5,committee office
e.nobody,staff:9,committee office
admin,staff:1,committee office
"""
PEOPLE = {"staff:1": "A-01ASSESSOR", "staff:4": "A-04SECRETARY", "staff:5": "A-05FORMER"}
ASKED: dict[str, Any] = {
    "learner": FULL,
    "meeting_id": MEETING,
    "outcome": "local_1: targeted support",
    "rationale": "Handover needs practice.",
    "decided_at": "2026-11-30T15:00:00+01:00",
    "decided_by": ["m1", "m2"],
    "present": ["m1", "m2", "m3"],
    "quorum": 3,
    "recused": [],
    "dissent": None,
    "addendum_seen": "",
    "appeal": "none",
    "action_1": "Three observed handovers",
    "owner_1": "mentor",
    "due_1": "2027-02-01",
    "action_2": None,
}


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_everybody(monkeypatch)
    put_everybody_on(monkeypatch, "discuss")
    (tmp_path / "site" / "codes").mkdir(parents=True)
    (tmp_path / "site" / "codes" / "airflow_user.csv").write_text(ACCOUNTS, encoding="utf-8")
    monkeypatch.setenv("TESSERA_SITE", str(tmp_path / "site"))


def person_of(_home: Home, _settings: Settings, identity: str) -> str:
    if identity not in PEOPLE:
        raise IdentityError("no record names s•9")
    return PEOPLE[identity]


def sent(home: Home, account: str | None = "a.muster", **changed: Any) -> Taken:
    return decide(home, Settings(home=home.root), ASKED | changed, account, SENT_AT, person_of)


def written(taken: Taken) -> list[dict[str, Any]]:
    assert taken.path is not None
    return [json.loads(line) for line in taken.path.read_text(encoding="utf-8").splitlines()]


def refused(home: Home, account: str | None = "a.muster", **changed: Any) -> str:
    with pytest.raises(FormError) as error:
        sent(home, account, **changed)
    assert not list(home.inbox.rglob("*.jsonl"))
    return str(error.value)


def test_a_form_that_was_sent_is_a_decision_that_intake_accepts(fresh: Home) -> None:
    taken = sent(fresh)
    decision, action = written(taken)
    assert decision["learner_id"] == "s1"
    assert (decision["vocabulary_id"], decision["outcome"]) == ("local_1", "targeted support")
    assert decision["decided_by"] == ["m1", "m2"]
    assert decision["recorded_by"] == "a.muster"
    assert (action["description"], action["due_on"]) == ("Three observed handovers", "2027-02-01")
    settings = Settings(home=fresh.root)
    (delivery_id,) = receive.receive(fresh, settings, settle=0).pending
    read.read(fresh, settings, delivery_id)
    judged = validate.validate(fresh, settings, delivery_id)
    assert (judged.accepted, judged.refused) == ({"action": 1, "decision": 1}, 0)


def test_the_same_form_twice_is_one_delivery_and_another_has_to_say_what_it_corrects(
    fresh: Home,
) -> None:
    taken = sent(fresh)
    assert sent(fresh) == taken
    (decided,) = taken.decided
    with pytest.raises(RefusedDecisionError, match=decided.record_id):
        sent(fresh, outcome="local_1: decision deferred")
    (corrected, _) = written(
        sent(fresh, outcome="local_1: decision deferred", corrects=decided.record_id)
    )
    assert corrected["corrects_record_id"] == decided.record_id


def test_who_keeps_the_minutes_may_send_it_and_nobody_is_made_a_voter_by_that(fresh: Home) -> None:
    assert sent(fresh, "s.minutes").warnings == ()
    alone = {"decided_by": [], "present": [], "quorum": None, "meeting_id": None}
    (warning,) = sent(fresh, "s.minutes", **alone).warnings
    assert "nobody who decided was a voting member" in warning


def test_where_nobody_is_written_the_sender_decided(fresh: Home) -> None:
    alone = {"meeting_id": None, "decided_by": None, "present": [], "quorum": None}
    (decision, _) = written(sent(fresh, **alone))
    assert (decision["decision_kind"], decision["decided_by"]) == ("chairs_action", ["m1"])


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (None, "nobody sent this form"),
        ("", "nobody sent this form"),
        ("admin", "stands for no single person"),
        ("tessera", "stands for no single person"),
        ("anonymous", "stands for no single person"),
        ("service-minutes", "stands for no single person"),
        ("u.unlisted", r"is not in codes/airflow_user.csv"),
        ("e.nobody", "leads to no person"),
        ("f.former", "holds no role on 2026-11-30 in the committee 'PC-3'"),
    ],
)
def test_who_may_not_record_decisions_is_told_why_and_nothing_is_written(
    fresh: Home, account: str | None, said: str
) -> None:
    assert said in refused(fresh, account)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"outcome": "passed"}, "is in no vocabulary of this site"),
        ({"learner": "L-NOBODY"}, "no learner L-NOBODY is on the agenda"),
        ({"meeting_id": "M-1999"}, "nobody on the agenda of meeting M-1999"),
        ({"rationale": " "}, "Rationale: "),
        ({"decided_at": "yesterday"}, "Decided at (y•••••••y): "),
        ({"decided_by": ["m9"]}, "Decided by (2 characters): the cell names somebody"),
        ({"recused": ["m1", "m2"]}, "Decided by: "),
        ({"quorum": 4}, "Present"),
        ({"owner_1": None}, "an action needs an owner"),
        ({"pulled_by": "m1"}, "only a learner on the consent list can be pulled"),
    ],
)
def test_what_cannot_be_taken_names_the_field_and_what_to_do(
    fresh: Home, changed: dict[str, Any], said: str
) -> None:
    assert said in refused(fresh, **changed)


def test_a_learner_without_a_committee_is_said(
    fresh: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asking.make

    def without(*given: Any, **more: Any) -> Any:
        made = asked(*given, **more)
        for row in made.rows:
            row["committee_id"] = ""
        return made

    monkeypatch.setattr(asking, "make", without)
    assert "it is not clear which committee decides" in refused(fresh, meeting_id=None)


def test_a_sender_without_an_id_has_to_write_who_decided(
    fresh: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_everybody(monkeypatch, without={"A-01ASSESSOR"})
    told = refused(fresh, decided_by=[], meeting_id=None)
    assert "write who decided, or let a roster link one" in told


def test_an_edition_that_is_not_what_was_published_takes_no_decision(fresh: Home) -> None:
    from pipelines.committee.edition import EditionError, find

    with duckdb.connect(str(find(fresh, None).database)) as connection:
        connection.execute("delete from committee_member")
    with pytest.raises(EditionError):
        sent(fresh)


def test_the_stage_puts_what_it_did_on_record_and_is_not_tried_again_when_refused(
    fresh: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_HOME", str(fresh.root))
    monkeypatch.setattr("pipelines.committee.accounts.person_behind", person_of)
    record_id = stages.decide("manual__1", ASKED, "a.muster")
    told = json.loads((fresh.runs / "manual__1" / "decide.json").read_text(encoding="utf-8"))
    assert told["report"] == {"record_id": record_id, "actions": 1, "warnings": []}
    assert "Handover" not in json.dumps(told)
    with pytest.raises(stages.StoppedError, match="stands for no single person"):
        stages.decide("manual__2", ASKED, "admin")
    told = json.loads((fresh.runs / "manual__2" / "decide.json").read_text(encoding="utf-8"))
    assert told["status"] == "failed"
