"""Every record read has one present outcome, whatever the order and however often it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.identity import vault
from pipelines.intake import receive, segment, staging, validate
from pipelines.intake.batches import plan
from pipelines.intake.records import active_records, intake_records

Make = Callable[..., Any]


def balanced(school: Any) -> bool:
    totals = school.totals()
    outcomes = ("accepted", "duplicate", "superseded", "voided", "quarantined")
    return sum(totals[name] for name in outcomes) == totals["rows_read"]


def void(record_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "void",
        "programme_id": "MED",
        "record_id": record_id,
        "target_kind": "exam_result",
    } | changes


def accepted(school: Any) -> set[tuple[str, str]]:
    """Return kind and score of every accepted record, found by its present outcome."""
    import duckdb

    from pipelines.intake.present import load_events
    from pipelines.intake.resolve import resolve_sql
    from pipelines.intake.standing import standing

    with duckdb.connect() as connection:
        load_events(connection, school.home, standing(school.home))
        return set(
            connection.execute(
                "select e.record_key, e.content_hash "
                f"from ({resolve_sql('events', 'refused')}) join events e using (event_id) "
                "where present_outcome = 'accepted' and e.kind <> 'void'"
            ).fetchall()
        )


def outcomes(school: Any, rows: list[dict[str, Any]]) -> dict[str, int]:
    school.drop("exams", "a.jsonl", rows)
    school.take_in()
    assert balanced(school)
    return {name: n for name, n in school.totals().items() if n and name != "rows_read"}


def test_an_exact_repeat_is_a_duplicate(school: Any, result_row: Make) -> None:
    assert outcomes(school, [result_row(), result_row()]) == {"accepted": 1, "duplicate": 1}


def test_new_content_of_the_same_record_supersedes(school: Any, result_row: Make) -> None:
    rows = [result_row(score="1"), result_row(score="2"), result_row(score="2")]
    assert outcomes(school, rows) == {"accepted": 1, "superseded": 1, "duplicate": 1}


def test_content_that_comes_back_supersedes_what_was_between(school: Any, result_row: Make) -> None:
    rows = [result_row(score="1"), result_row(score="2"), result_row(score="1")]
    assert outcomes(school, rows) == {"accepted": 1, "superseded": 2}


def test_the_higher_source_version_counts_wherever_it_stands(school: Any, result_row: Make) -> None:
    rows = [result_row(score="2", source_version="2"), result_row(score="1", source_version="1")]
    outcomes(school, rows)
    (record,) = active_records(school.home)
    kept = dict(accepted(school))
    events = school.segment(record, "exam_result")
    assert set(kept.values()) == {events["content_hash"][0]}


@pytest.mark.parametrize("void_first", [True, False])
def test_a_void_withdraws_its_record_whichever_comes_first(
    school: Any, result_row: Make, void_first: bool
) -> None:
    rows = [result_row("r1"), result_row("r2"), void("r1")]
    expected = {"accepted": 2, "voided": 1}
    assert outcomes(school, rows[::-1] if void_first else rows) == expected


def test_a_void_of_another_kind_withdraws_nothing(school: Any, result_row: Make) -> None:
    rows = [result_row("r1"), void("r1", target_kind="reflection")]
    assert outcomes(school, rows) == {"accepted": 2}


def test_a_record_with_a_newer_version_than_its_void_stands(school: Any, result_row: Make) -> None:
    rows = [
        result_row(source_version="1"),
        void("r1", source_version="2"),
        result_row(score="9", source_version="3"),
    ]
    assert outcomes(school, rows) == {"accepted": 2, "superseded": 1}


def test_duplicates_and_superseded_versions_keep_their_outcome_under_a_void(
    school: Any, result_row: Make
) -> None:
    rows = [result_row(score="1"), result_row(score="2"), result_row(score="2"), void("r1")]
    assert outcomes(school, rows) == {
        "accepted": 1,
        "superseded": 1,
        "duplicate": 1,
        "voided": 1,
    }


def test_a_held_delivery_is_quarantined_whole_and_others_go_on(
    school: Any, result_row: Make
) -> None:
    school.drop("exams", "a.jsonl", [result_row("r1"), result_row("r2", score="x")])
    school.take_in(verdict="hold")
    school.drop("exams", "b.jsonl", [result_row("r1")])
    school.take_in()
    held, good = school.ledger()
    assert (held.status, held.quarantined, held.accepted) == ("held", 2, 0)
    assert held.reasons == {"held": 1, "not_a_number": 1}
    assert held.reason == "far too few rows"
    assert (good.status, good.accepted) == ("committed", 1)
    assert balanced(school)


def test_an_unreadable_delivery_has_an_intake_record_without_rows(
    school: Any, result_row: Make
) -> None:
    school.drop_bytes("exams", "bad.jsonl", b"unreadable\n")
    school.drop("exams", "good.jsonl", [result_row()])
    school.take_in()
    bad = next(entry for entry in school.ledger() if entry.file == "exams/bad.jsonl")
    assert (bad.status, bad.rows_read, bad.reason) == ("unreadable", 0, "Not text. Send it again.")
    assert bad.needs_a_person
    assert school.totals()["accepted"] == 1


def test_a_delivery_that_is_not_read_yet_is_listed(school: Any, result_row: Make) -> None:
    school.drop("exams", "a.jsonl", [result_row()])
    school.receive()
    (entry,) = school.ledger()
    assert (entry.status, entry.rows_read, entry.needs_a_person) == ("received", 0, False)


ROW = st.tuples(
    st.sampled_from("abc"), st.integers(1, 4), st.sampled_from(["exam_result", "bad", "void"])
)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=8), data=st.data())
def test_any_order_split_and_repetition_gives_the_same_accepted_records(
    rows: list[tuple[str, int, str]], data: st.DataObject, new_school: Make, result_row: Make
) -> None:
    # what a version says depends on the version alone, so that a conflict has one answer
    made = [
        void(record_id, source_version=str(version))
        if what == "void"
        else result_row(
            record_id,
            score="x" if what == "bad" else str(version % 2),
            source_version=str(version),
        )
        for record_id, version, what in rows
    ]
    results = []
    for again in ([], data.draw(st.lists(st.sampled_from(made), max_size=3))):
        school = new_school()
        vault_keys(school)
        stream = data.draw(st.permutations(made + again))
        cut = data.draw(st.integers(0, len(stream)))
        parts = [part for part in (stream[:cut], stream[cut:]) if part]
        for number, part in enumerate(parts):
            school.drop("exams", f"{number}.jsonl", part)
            if data.draw(st.booleans()):
                school.take_in()
        school.take_in()
        school.take_in()
        assert balanced(school)
        results.append(accepted(school))
    assert results[0] == results[1]


def vault_keys(school: Any) -> None:
    """Give every home the same keys, so that hashes compare."""
    (school.home.vault / "keys.json").write_text(
        '{"person_secret": "00", "generations": [{"generation": 1, "pseudonym_secret": "01"}]}'
    )
    assert vault.open_keys(school.home).generation == 1


STEPS = [
    (receive, "write_receipt"),
    (validate, "_work_through"),
    (validate, "_gather"),
    (validate, "_persons"),
    (validate, "_originals"),
    (validate, "write_atomically"),
    (segment, "_finish"),
    (segment, "_copy"),
    (segment, "sync"),
    (segment, "write_atomically"),
    (staging.Staging, "clear"),
]


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize(("where", "name"), STEPS, ids=lambda item: getattr(item, "__name__", item))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_any_step_leaves_the_same_log_after_a_rerun(
    where: Any, name: str, after: bool, school: Any, new_school: Make, result_row: Make
) -> None:
    rows = [result_row("r1"), result_row("r2", score="x"), void("r3")]
    undisturbed = new_school()
    for one in (school, undisturbed):
        vault_keys(one)
        one.drop("exams", "a.jsonl", rows)
    undisturbed.take_in()
    step = getattr(where, name)

    def killing(*args: Any, **kwargs: Any) -> None:
        if after:
            step(*args, **kwargs)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, name, killing)
        with pytest.raises(Killed):
            school.take_in()
    resume(school)
    assert balanced(school)
    assert school.totals() == undisturbed.totals()
    assert log_of(school) == log_of(undisturbed)
    assert accepted(school) == accepted(undisturbed)


def resume(school: Any) -> None:
    """Do what a run does: every stage of what is pending, finished ones included."""
    school.take_in()
    for record in intake_records(school.home):
        school.commit(record.delivery_id)


def log_of(school: Any) -> list[str]:
    """Return the files of log, vault and quarantine; nothing else may be left."""
    home = school.home
    kept = (home.log, home.vault, home.refused_originals, home.staging)
    return sorted(str(path.relative_to(home.root)) for folder in kept for path in folder.rglob("*"))


def test_batches_are_even_and_hold_everything_once(school: Any, result_row: Make) -> None:
    for number, size in enumerate((9, 1, 1, 1, 5, 1)):
        rows = [result_row(f"{number}-{n}") for n in range(size)]
        school.drop("exams", f"{number}.jsonl", rows)
    pending = school.receive().pending
    batches = plan(school.home, pending, limit=2, worth=1)
    assert sorted(item for batch in batches for item in batch) == pending
    assert sorted(len(batch) for batch in batches) == [1, 5]
    assert plan(school.home, pending[:1]) == [pending[:1]]
    assert plan(school.home, pending) == [pending]
    assert plan(school.home, []) == []
