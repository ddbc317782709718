"""Records of unknown learners wait and enter by themselves; too many hold the delivery whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.home import Home
from pipelines.identity.decisions import Decision, Identity, write_decision
from pipelines.intake.aside import unmatched_path
from pipelines.intake.ledger import ledger, tally, tally_as_loaded
from pipelines.intake.quarantine import causes, settled
from pipelines.settings import Settings
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.hashing import table_hash
from pipelines.warehouse.load import load

Make = Callable[..., Any]
Row = dict[str, Any]


def on(day: int) -> datetime:
    return datetime(2026, 1, day, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def waiting_school(new_school: Make, new_feed: Make) -> Callable[..., Any]:
    """Return a function that makes schools whose forms wait for a roster."""

    def make(**changes: Any) -> Any:
        return new_school(
            new_feed("roster", known_at_from_manifest=True),
            new_feed("exams", waits_for_roster=True, known_at_from_manifest=True, **changes),
        )

    return make


def learner(number: str, **changes: Any) -> Row:
    return {"kind": "learner", "programme_id": "MED", "record_id": number, "learner_id": number} | (
        changes
    )


def deliver(school: Any, source: str, name: str, day: int, rows: list[Row]) -> None:
    path = school.drop(source, name, rows)
    manifest = path.with_name(path.name + ".manifest.json")
    manifest.write_text(json.dumps({"sent_at": on(day).isoformat()}))
    school.take_in()


def hashes(home: Home, settings: Settings) -> dict[str, str]:
    tables = ("exam_result", "learner", "void", "identity", "refused", "aside", "intake_record")
    with open_warehouse(home, settings) as con:
        return {table: table_hash(con, f'raw."{table}"') for table in tables}


def in_raw(school: Any) -> dict[str, int]:
    """Load, and return the outcomes of exam results, having seen that the ledger agrees."""
    report = load(school.home, school.settings)
    told = tally_as_loaded(school.home, report.statuses, report.records)
    assert told == tally(school.ledger())
    return report.outcomes


def in_ledger(school: Any) -> dict[str, dict[str, int]]:
    """Return the outcomes of every delivery, having seen that they balance."""
    told = {}
    for entry in school.ledger():
        outcomes = {
            name: getattr(entry, name)
            for name in ("accepted", "duplicate", "superseded", "voided", "quarantined")
        }
        assert sum(outcomes.values()) == entry.rows_read
        assert sum(entry.reasons.values()) == entry.quarantined
        told[entry.source] = {name: n for name, n in outcomes.items() if n} | entry.reasons
    return told


@pytest.mark.slow
def test_records_of_unknown_learners_wait_and_enter_when_the_roster_comes(
    waiting_school: Make, result_row: Make
) -> None:
    school = waiting_school()
    deliver(school, "exams", "a.jsonl", 2, [result_row(), result_row("r2", learner_id="s2")])
    assert in_ledger(school)["exams"] == {"quarantined": 2, "waiting": 2}
    assert in_raw(school) == {"quarantined": 2}
    (cause,) = causes(school.home)
    assert (cause.code, cause.n_records, cause.owner) == ("waiting", 2, "owner_of_exams")

    deliver(school, "roster", "r.jsonl", 3, [learner("S2")])
    assert in_ledger(school)["exams"] == {"accepted": 1, "quarantined": 1, "waiting": 1}
    assert in_raw(school) == {"accepted": 2, "quarantined": 1}

    deliver(school, "roster", "later.jsonl", 4, [learner("s9", other_ids=["s1"])])
    assert in_ledger(school)["exams"] == {"accepted": 2}
    assert in_raw(school) == {"accepted": 4}
    assert causes(school.home) == []


def test_a_correction_that_names_an_unknown_learner_leaves_the_older_version_standing(
    waiting_school: Make, result_row: Make
) -> None:
    school = waiting_school()
    deliver(school, "roster", "r.jsonl", 1, [learner("s1")])
    deliver(school, "exams", "a.jsonl", 2, [result_row()])
    deliver(school, "exams", "b.jsonl", 3, [result_row(learner_id="s1x")])
    assert in_raw(school) == {"accepted": 2, "quarantined": 1}
    deliver(school, "roster", "s.jsonl", 4, [learner("s1x")])
    assert in_raw(school) == {"accepted": 3, "superseded": 1}


def test_a_source_that_accepts_unknown_learners_waits_for_nobody(
    new_school: Make, new_feed: Make, result_row: Make
) -> None:
    school = new_school(new_feed("exams"))
    school.drop("exams", "a.jsonl", [result_row()])
    school.take_in()
    assert in_ledger(school)["exams"] == {"accepted": 1}


def test_below_its_match_rate_a_delivery_is_held_whole_with_who_did_not_match(
    waiting_school: Make, result_row: Make
) -> None:
    school = waiting_school(min_match_share=0.5)
    deliver(school, "roster", "r.jsonl", 1, [learner("s1")])
    rows = [result_row(f"r{n}", learner_id=f"s{n}") for n in (1, 2, 3)]
    deliver(school, "exams", "a.jsonl", 2, rows)
    held = next(entry for entry in school.ledger() if entry.source == "exams")
    assert (held.status, held.accepted, held.quarantined) == ("held", 0, 3)
    assert "1 of the 3 learners" in str(held.reason)
    assert "s2" not in str(held.reason)
    assert "•••2" in str(held.reason)
    assert in_raw(school) == {"accepted": 1, "quarantined": 3}
    listed = unmatched_path(school.home, held.delivery_id)
    assert listed.stat().st_mode & 0o777 == 0o600
    assert listed.read_text() == "namespace,person_id\nnumbers,s2\nnumbers,s3\n"

    deliver(school, "roster", "more.jsonl", 3, [learner("s2")])
    assert in_ledger(school)["exams"] == {"accepted": 2, "quarantined": 1, "waiting": 1}
    assert in_raw(school) == {"accepted": 4, "quarantined": 1}
    assert not listed.exists()


def test_a_void_in_a_held_delivery_withdraws_nothing_until_it_enters(
    waiting_school: Make, result_row: Make
) -> None:
    school = waiting_school(min_match_share=0.9)
    deliver(school, "roster", "r.jsonl", 1, [learner("s1")])
    deliver(school, "exams", "a.jsonl", 2, [result_row()])
    void = {
        "kind": "void", "programme_id": "MED", "record_id": "r1", "target_kind": "exam_result"
    }  # fmt: skip
    deliver(school, "exams", "b.jsonl", 3, [void, result_row("r2", learner_id="s2")])
    assert in_raw(school) == {"accepted": 2, "quarantined": 2}
    deliver(school, "roster", "more.jsonl", 4, [learner("s2")])
    assert in_raw(school) == {"accepted": 4, "voided": 1}
    assert [e["voided"] for e in in_ledger(school).values() if "voided" in e] == []


def test_a_merge_lets_waiting_records_in_and_a_split_takes_them_out_again(
    waiting_school: Make, result_row: Make
) -> None:
    school = waiting_school()
    deliver(school, "roster", "r.jsonl", 1, [learner("s1")])
    deliver(school, "exams", "a.jsonl", 2, [result_row(learner_id="s7")])
    assert in_raw(school) == {"accepted": 1, "quarantined": 1}
    both = (identity("s1"), identity("s7"))
    write_decision(school.home, decision("merge", both, 3))
    assert in_raw(school) == {"accepted": 2}
    assert in_ledger(school)["exams"] == {"accepted": 1}
    write_decision(school.home, decision("split", both[1:], 4))
    assert in_raw(school) == {"accepted": 1, "quarantined": 1}


def test_a_reused_id_waits_for_a_roster_of_its_new_owner(
    waiting_school: Make, result_row: Make
) -> None:
    school = waiting_school()
    deliver(school, "roster", "r.jsonl", 1, [learner("s1")])
    reused = decision("reuse", (identity("s1"),), 5, from_day=date(2026, 1, 10))
    write_decision(school.home, reused)
    rows = [
        result_row("old", occurred_at="2026-01-09T09:00:00Z"),
        result_row("new", occurred_at="2026-01-11T09:00:00Z"),
    ]
    deliver(school, "exams", "a.jsonl", 12, rows)
    assert in_raw(school) == {"accepted": 2, "quarantined": 1}
    deliver(school, "roster", "s.jsonl", 13, [learner("s1", record_id="again")])
    assert in_raw(school) == {"accepted": 4}
    with open_warehouse(school.home, school.settings) as con:
        keys = con.execute("select valid_from, person_key from raw.identity order by 1").fetchall()
    assert [row[0] for row in keys] == [date(2026, 1, 10), None]
    assert keys[0][1] != keys[1][1]


def identity(number: str) -> Identity:
    return Identity(namespace="numbers", person_id=number)


def decision(action: Any, who: tuple[Identity, ...], day: int, **changes: Any) -> Decision:
    return Decision(
        action=action,
        identities=who,
        by="A. Muster",
        reason="seen in the register",
        decided_at=on(day),
        **changes,
    )


DECISIONS = (
    decision("merge", (identity("s1"), identity("s7")), 6),
    decision("merge", (identity("s5"), identity("s6")), 7),
    decision("split", (identity("s7"),), 8),
    decision("reuse", (identity("s2"),), 9, from_day=date(2026, 1, 10)),
)


@pytest.fixture(scope="module")
def complete(waiting_school: Make, result_row: Make) -> Any:
    """A school to which everything has come: rosters, exams, and the same exams again."""
    school = waiting_school(min_match_share=0.4)
    rows = [
        result_row(f"r{n}", learner_id=f"s{n}", occurred_at=f"2026-01-{day:02}T09:00:00Z")
        for n in (1, 2, 5, 6, 7)
        for day in (8,)
    ]
    deliver(school, "exams", "a.jsonl", 2, rows)
    deliver(school, "exams", "b.jsonl", 3, [rows[0], rows[2] | {"learner_id": "s1", "score": "9"}])
    deliver(school, "exams", "c.jsonl", 11, [result_row("r9", learner_id="s2") | {
        "occurred_at": "2026-01-11T09:00:00Z"}])  # fmt: skip
    deliver(school, "roster", "r.jsonl", 4, [learner("s1"), learner("s2"), learner("s3")])
    deliver(school, "roster", "s.jsonl", 5, [learner("s3", other_ids=["s6"])])
    for taken in DECISIONS:
        write_decision(school.home, taken)
    in_raw(school)
    return school


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_any_order_of_rosters_records_and_decisions_gives_equal_tables(
    complete: Any, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    expected = hashes(complete.home, complete.settings)
    home = Home.open(tmp_path_factory.mktemp("home"))
    own = Settings(home=home.root, workers=1)
    shutil.copy(complete.home.vault / "keys.json", home.vault / "keys.json")
    deliveries = sorted(path.name for path in complete.home.deliveries.iterdir())
    steps = data.draw(st.permutations([*deliveries, *DECISIONS]))
    loads = data.draw(st.sets(st.integers(0, len(steps) - 2), max_size=2))
    for number, step in enumerate(steps):
        if isinstance(step, Decision):
            write_decision(home, step)
        else:
            bring(complete.home, home, step)
        if number in loads:
            load(home, own)
    load(home, own)
    assert hashes(home, own) == expected


def bring(old: Home, new: Home, delivery_id: str) -> None:
    """Let a delivery that was taken in elsewhere enter another log."""
    for folder in ("receipts", "deliveries"):
        source: Path = getattr(old, folder) / delivery_id
        shutil.copytree(source, getattr(new, folder) / delivery_id)
    shutil.copytree(old.vault / "persons" / delivery_id, new.vault / "persons" / delivery_id)


def test_the_ledger_and_the_warehouse_say_the_same(complete: Any) -> None:
    told = in_ledger_by_outcome(complete)
    with open_warehouse(complete.home, complete.settings) as con:
        rows = con.execute(
            "select present_outcome, count(*) from (select present_outcome from raw.exam_result "
            "union all select present_outcome from raw.learner) group by 1"
        ).fetchall()
    assert dict(rows) == {name: n for name, n in told.items() if n}
    assert told["quarantined"] > 0


def in_ledger_by_outcome(school: Any) -> dict[str, int]:
    totals = school.totals()
    return {name: n for name, n in totals.items() if name != "rows_read"}


FORMS = (
    "Form;Student;EPA;Rating;Assessor;Observed;Comment\n"
    "F1;s1;EPA1;3;t1;05.03.2026;fine\n"
    "F2;s2;EPA1;4;t1;05.03.2026;fine\n"
)


def test_records_wait_by_default_where_a_source_of_the_name_space_delivers_rosters(
    clinic: Any, roster_spec: str
) -> None:
    clinic.drop("forms", "a.csv", FORMS)
    clinic.take_in()
    assert clinic.totals() == {"accepted": 2}
    clinic.spec("roster", roster_spec)
    assert len(clinic.take_in()) == 1
    assert clinic.totals() == {"quarantined": 2}
    clinic.drop("roster", "r.csv", "Student\ns2\n")
    clinic.take_in()
    assert clinic.totals() == {"accepted": 2, "quarantined": 1}
    forms = (clinic.site / "sources" / "forms.yaml").read_text()
    clinic.spec("forms", forms + "unknown_learners: accept\n")
    clinic.take_in()
    assert clinic.totals() == {"accepted": 3}


def test_a_spec_declares_the_match_rate_below_which_its_deliveries_are_held(
    clinic: Any, roster_spec: str
) -> None:
    forms = (clinic.site / "sources" / "forms.yaml").read_text()
    clinic.spec("forms", forms + "gates: {min_match_share: 0.6}\n")
    clinic.spec("roster", roster_spec)
    clinic.drop("forms", "a.csv", FORMS)
    clinic.drop("roster", "r.csv", "Student\ns2\n")
    clinic.take_in()
    held = next(entry for entry in ledger(clinic.home) if entry.source == "forms")
    assert (held.status, held.quarantined, held.reasons) == ("held", 2, {"held": 2})
    clinic.drop("roster", "s.csv", "Student;Other\ns9;s1\n")
    clinic.take_in()
    assert clinic.totals() == {"accepted": 4}


@pytest.fixture(scope="session")
def dated_school(new_school: Make, new_feed: Make) -> Callable[..., Any]:
    """Return a function that makes schools whose results may be dated a day ahead."""

    def make() -> Any:
        return new_school(new_feed("exams", max_days_ahead=1.0, known_at_from_manifest=True))

    return make


def test_a_record_dated_after_its_delivery_is_quarantined_until_it_is_corrected(
    dated_school: Make, result_row: Make
) -> None:
    school = dated_school()
    rows = [
        result_row("r1", occurred_at="2031-09-03T10:00:00Z"),
        result_row("r2", occurred_at=on(3).isoformat()),
        result_row("r3", occurred_at="2026-01-03T20:00:00+08:00"),
        result_row("r4", occurred_at="2026-01-03T12:00:01Z"),
    ]
    deliver(school, "exams", "a.jsonl", 2, rows)
    assert in_ledger(school)["exams"] == {"accepted": 2, "quarantined": 2, "in_future": 2}
    assert in_raw(school) == {"accepted": 2, "quarantined": 2}
    (cause,) = causes(school.home)
    assert (cause.code, cause.field, cause.n_records) == ("in_future", "occurred_at", 2)
    assert "max_days_ahead" in str(cause.suggestion)
    with open_warehouse(school.home, school.settings, read_only=True) as con:
        pointed = con.execute(
            "select source_row, code, field, owner from raw.refused order by source_row"
        ).fetchall()
    owner = "owner_of_exams"
    assert pointed == [
        (1, "in_future", "occurred_at", owner), (4, "in_future", "occurred_at", owner),
    ]  # fmt: skip

    corrected = result_row("r1", occurred_at="2026-01-01T10:00:00Z", source_version="2")
    deliver(school, "exams", "b.jsonl", 4, [corrected])
    assert in_raw(school) == {"accepted": 3, "superseded": 1, "quarantined": 1}
    in_ledger(school)
    told = {name: n for name, n in school.totals().items() if n}
    assert told == {"rows_read": 5, "accepted": 3, "superseded": 1, "quarantined": 1}
    (cause,) = causes(school.home)
    assert cause.n_records == 1
    (item,) = settled(school.home)
    assert (item.code, item.n_records, item.how) == ("in_future", 1, "its source sent it again")
    assert item.settled_by == school.ledger()[-1].delivery_id
    with open_warehouse(school.home, school.settings, read_only=True) as con:
        (row,) = con.execute("select source_row from raw.refused").fetchall()
    assert row == (4,)
    before = hashes(school.home, school.settings)
    load(school.home, school.settings)
    assert hashes(school.home, school.settings) == before


def test_an_earlier_arrival_that_comes_to_light_dates_the_same_records_in_the_future(
    dated_school: Make, result_row: Make
) -> None:
    row = result_row("r1", occurred_at=on(8).isoformat())
    found = []
    for days in ((5, 8), (8, 5)):
        school = dated_school()
        for day in days:
            deliver(school, "exams", f"{day}.jsonl", day, [row])
        assert in_raw(school) == {"quarantined": 1}
        assert in_ledger(school)["exams"] == {"quarantined": 1, "in_future": 1}
        with open_warehouse(school.home, school.settings, read_only=True) as con:
            told = "select record_id, present_outcome, known_at from raw.exam_result"
            found.append(con.execute(told).fetchall())
    assert found[0] == found[1] == [("r1", "quarantined", on(5))]
    school = dated_school()
    deliver(school, "exams", "8.jsonl", 8, [row])
    assert in_raw(school) == {"accepted": 1}
    deliver(school, "exams", "5.jsonl", 5, [row])
    assert in_raw(school) == {"quarantined": 1}
