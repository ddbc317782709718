"""Good records become events, the others are refused with reasons; nothing personal leaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import segment_schema
from pipelines.identity.bridge import bridge
from pipelines.intake import validate as validating
from pipelines.intake.identifiers import identifiers_of
from pipelines.intake.records import segments
from pipelines.intake.validate import StageError, validate
from pipelines.settings import Settings
from pipelines.sources import codes

Make = Callable[..., Any]
CANARY = "Canarybird"


def learner(record_id: str, number: str, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "learner",
        "programme_id": "MED",
        "record_id": record_id,
        "learner_id": number,
    } | changes


def test_segments_have_the_schema_of_their_contract(school: Any, result_row: Make) -> None:
    school.drop("exams", "a.jsonl", [result_row(), learner("l1", "s1")])
    (record,) = school.take_in()
    assert record.accepted_events == {"exam_result": 1, "learner": 1}
    for kind in record.accepted_events:
        assert dict(school.segment(record, kind).schema) == segment_schema(CONTRACTS[kind])


def test_every_problem_of_a_refused_record_is_named_and_one_is_first(
    school: Any, result_row: Make
) -> None:
    school.drop("exams", "a.jsonl", [result_row(), result_row("r2", score="abc", task_id=None)])
    (record,) = school.take_in()
    refused = school.segment(record, "refused")
    assert refused.select("source_row", "code", "field", "is_first", "owner").rows() == [
        (2, "missing", "task_id", True, "owner_of_exams"),
        (2, "not_a_number", "score", False, "owner_of_exams"),
    ]
    assert (record.rows_read, record.refused, record.reasons) == (2, 1, {"missing": 1})


def test_a_mapping_problem_refuses_and_hides_what_it_causes(school: Any, result_row: Make) -> None:
    problem = {"code": "unknown_label", "field": "score", "value": "Exelent", "suggestion": "?"}
    school.drop("exams", "a.jsonl", [result_row(score=None, problems=[problem])])
    (record,) = school.take_in()
    refused = school.segment(record, "refused")
    assert refused["code"].to_list() == ["unknown_label"]
    assert refused["value_masked"].to_list() == ["E•••••t"]
    assert refused["suggestion"].to_list() == ["?"]


def test_a_row_that_could_not_be_read_is_not_said_to_lack_its_fields_too(school: Any) -> None:
    problem = {"code": "not_json", "field": None, "value": None, "suggestion": "send it again"}
    school.drop("exams", "a.jsonl", [{"kind": "exam_result", "problems": [problem]}])
    (record,) = school.take_in()
    refused = school.segment(record, "refused")
    assert refused.select("code", "field").rows() == [("not_json", "")]


def test_a_record_without_ids_is_refused_without_a_key(school: Any, result_row: Make) -> None:
    school.drop("exams", "a.jsonl", [result_row(record_id=None), result_row("r", score="x")])
    (record,) = school.take_in()
    keys = school.segment(record, "refused")["record_key"].to_list()
    assert keys[0] is None
    assert len(keys[1]) == 32


def test_row_known_at_wins_over_the_receipt(school: Any, result_row: Make) -> None:
    rows = [result_row("a", row_known_at="2020-01-02T03:04:05Z"), result_row("b")]
    school.drop("exams", "a.jsonl", rows)
    (record,) = school.take_in()
    known = school.segment(record, "exam_result")["known_at"].to_list()
    assert known[0].year == 2020
    assert known[1] == record.known_at


def test_notes_lead_to_their_event_and_mask_what_is_personal(school: Any, result_row: Make) -> None:
    notes = [
        {"code": "label_repaired", "field": "grade", "detail": "A-"},
        {"code": "id_repaired", "field": "learner_id", "detail": CANARY},
    ]
    school.drop("exams", "a.jsonl", [result_row(notes=notes)])
    (record,) = school.take_in()
    found = school.segment(record, "notes")
    assert found["detail"].to_list() == ["A-", "(10 characters)"]
    event = school.segment(record, "exam_result")["event_id"][0]
    assert found["event_id"].to_list() == [event, event]
    assert record.notes == {"id_repaired": 1, "label_repaired": 1}


def test_personal_values_are_only_in_the_restricted_folder_and_the_inbox(
    school: Any, result_row: Make
) -> None:
    bad = result_row("bad", learner_id=f" {CANARY}", score=CANARY, occurred_at=CANARY)
    good = learner(
        "l1", f"{CANARY}-1", other_ids=[f"{CANARY}:2"], given_name=CANARY, email=f"{CANARY}@x.org"
    )
    note = {"code": "odd", "field": "learner_id", "detail": CANARY}
    decision = {
        "kind": "decision",
        "programme_id": "MED",
        "record_id": "d1",
        "learner_id": f"{CANARY}-1",
        "decision_kind": "chairs_action",
        "committee_id": "c",
        "decided_by": [f"{CANARY}-3"],
        "vocabulary_id": "v",
        "outcome": "o",
        "rationale": "r",
        "decided_at": "2026-01-01T00:00:00Z",
    }
    school.drop("exams", "a.jsonl", [bad, good, decision, result_row("n", notes=[note])])
    school.take_in()
    home = school.home.root
    files = [p for p in home.rglob("*") if p.is_file() and not p.is_relative_to(home / "inbox")]
    leaks = [p for p in files if CANARY.encode() in _plain(p)]
    assert leaks
    assert all(p.is_relative_to(school.home.restricted) for p in leaks)


@pytest.fixture
def looked_over(school: Any) -> Any:
    """A school whose source has the rules of the code list, as every real one has."""
    zone = SimpleNamespace(name="Europe/London")
    spec: Any = SimpleNamespace(time_zone=zone, allow_identifiers={})
    identifiers = identifiers_of(spec, codes.load_folders([codes.SHIPPED])["identifiers"])
    school.feeds["exams"] = replace(school.feeds["exams"], identifiers=identifiers)
    return school


@pytest.mark.parametrize("field", ["task_id", "grade", "site_id"])
def test_an_e_mail_address_in_a_short_answer_or_a_code_is_held_and_shown_to_nobody(
    looked_over: Any, result_row: Make, field: str
) -> None:
    address = f"{CANARY}@ward.example.org"
    rows = [result_row("bad", **{field: address}), result_row("good", **{field: "@ward 5"})]
    looked_over.drop("exams", "a.jsonl", rows)
    (record,) = looked_over.take_in()
    assert record.reasons == {"contact_detail": 1}
    assert record.accepted_events == {"exam_result": 1}
    (refused,) = looked_over.segment(record, "refused").iter_rows(named=True)
    assert refused["field"] == field
    assert CANARY not in str(refused)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("record_id", "20260221@calendar.example.org"),
        ("learner_id", "s1@example.org"),
        ("task_id", "9434765919"),
        ("grade", "call 07700 900123"),
    ],
)
def test_ids_of_records_and_persons_and_numbers_in_codes_are_let_in(
    looked_over: Any, result_row: Make, field: str, value: str
) -> None:
    """A calendar writes ids that look like addresses, and a code may look like any number."""
    looked_over.drop("exams", "a.jsonl", [result_row(**{field: value})])
    (record,) = looked_over.take_in()
    assert record.reasons == {}
    assert record.accepted_events == {"exam_result": 1}


def _plain(path: Any) -> bytes:
    if path.suffix == ".parquet":
        return json.dumps(pl.read_parquet(path).rows(), default=str).encode()
    return bytes(path.read_bytes())


def test_names_and_links_reach_the_vault_and_make_the_bridge(school: Any, result_row: Make) -> None:
    school.drop("exams", "results.jsonl", [result_row(learner_id="S1"), result_row("r2")])
    school.drop("forms", "roster.jsonl", [learner("l1", "s9", other_ids=["S1"], given_name="G")])
    records = school.take_in()
    pairs = [(record.delivery_id, record.interpretation_id) for record in records]
    identities = bridge(school.home, pairs)
    assert identities.height == 2
    assert identities["person_key"].n_unique() == 1
    results = next(r for r in records if "exam_result" in r.accepted_events)
    assert set(school.segment(results, "exam_result")["learner_pseudonym"]) <= set(
        identities["pseudonym"]
    )


def test_a_changed_name_is_new_content_and_a_changed_version_alone_is_not(school: Any) -> None:
    rows = [
        learner("l1", "s1", given_name="One", source_version="1"),
        learner("l1", "s1", given_name="One", source_version="2"),
        learner("l1", "s1", given_name="Two", source_version="3"),
    ]
    school.drop("forms", "a.jsonl", rows)
    (record,) = school.take_in()
    hashes = school.segment(record, "learner")["content_hash"].to_list()
    assert hashes[0] == hashes[1] != hashes[2]


def test_an_unread_delivery_cannot_be_validated_nor_an_unchecked_one_committed(
    school: Any, result_row: Make
) -> None:
    school.drop("exams", "a.jsonl", [result_row()])
    (delivery_id,) = school.receive().pending
    with pytest.raises(StageError, match="has not been read"):
        school.validate(delivery_id)
    with pytest.raises(StageError, match="has not been validated"):
        school.commit(delivery_id)
    school.read(delivery_id)
    school.validate(delivery_id)
    with pytest.raises(StageError, match="has not been checked"):
        school.commit(delivery_id)


def steps_of(seen: list[tuple[int, int]]) -> Callable[[int, int], None]:
    return lambda done, total: seen.append((done, total))


def test_workers_and_chunks_give_what_one_process_gives(
    school: Any, new_school: Make, result_row: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validating, "CHUNK_ROWS", 7)
    monkeypatch.setattr(validating, "PARTS_AT_ONCE", 2)
    monkeypatch.setattr(validating, "SMALL", 0)
    rows = [result_row(f"r{n}", score="x" if n % 5 == 0 else "1") for n in range(30)]
    frames = []
    for workers in (1, 2):
        one = new_school()
        one.drop("exams", "a.jsonl", rows)
        (delivery_id,) = one.receive().pending
        one.read(delivery_id)
        report = validate(
            one.home,
            Settings(home=one.home.root, workers=workers),
            delivery_id,
            feeds=one.feeds,
            progress=steps_of(seen := []),
        )
        assert (report.rows_read, report.proven, report.refused) == (30, 24, 6)
        assert seen[-1] == (30, 30)
        staging = one.staging(delivery_id)
        written = segments(staging.accepted, "exam_result")
        assert [path.name for path in written] == [
            f"exam_result.{number:06}.parquet" for number in range(1, 6)
        ]
        accepted = pl.read_parquet(written)
        frames.append(
            (accepted.drop("known_at", "learner_pseudonym", "content_hash"),
             pl.read_parquet(staging.refused), pl.read_parquet(staging.originals))
        )  # fmt: skip
    for one_process, two_processes in zip(*frames, strict=True):
        assert one_process.equals(two_processes)
