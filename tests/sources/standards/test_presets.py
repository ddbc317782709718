"""The shipped specs for standards, applied to small files."""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.contracts import CONTRACTS
from pipelines.intake.read import ReadReport, read_file
from pipelines.sources import catalogue
from pipelines.sources.catalogue import Catalogue, load_folders
from pipelines.sources.readers import READERS, Unreadable, Wanted
from pipelines.sources.standards.qti import NAMESPACES

from .conftest import entry, link, uuid
from .sets import V1P1, V1P2, manifest, packed, replaced
from .test_qti_check import ITEM, RESULT

Read = Callable[[str, Path], tuple[ReadReport, dict[str, list[dict[str, Any]]]]]


@pytest.fixture(scope="session")
def shipped(code_lists: dict[str, pl.DataFrame]) -> Catalogue:
    return load_folders([catalogue.SHIPPED], code_lists)


@pytest.fixture
def read(tmp_path: Path, shipped: Catalogue) -> Read:
    def run(source: str, file: Path) -> tuple[ReadReport, dict[str, list[dict[str, Any]]]]:
        folder = tmp_path / "read"
        folder.mkdir()
        report = read_file(file, shipped.sources[source], shipped, folder)
        records: dict[str, list[dict[str, Any]]] = {}
        for path in sorted(folder.glob("records-*.parquet")):
            rows = pl.read_parquet(path).to_dicts()
            records.setdefault(path.stem.split("-")[1], []).extend(rows)
        return report, records

    return run


def fields(record: dict[str, Any]) -> dict[str, Any]:
    """Return what a record holds, as its contract takes it."""
    return {
        name: value
        for name, value in record.items()
        if value is not None
        and name not in {"source_row", "source_cell", "problems", "notes", "row_known_at"}
    }


def codes_of(records: list[dict[str, Any]], what: str = "problems") -> list[str]:
    return [item["code"] for record in records for item in record[what]]


@pytest.mark.parametrize("files", [V1P1, V1P2], ids=["1.1", "1.2"])
def test_a_full_set_gives_records_that_their_contracts_take(
    files: dict[str, str], read: Read, file: Path
) -> None:
    report, records = read("oneroster_bulk", packed(file, files))
    assert report.error is None
    assert report.records == {
        "assessor": 2 if files is V1P2 else 1,
        "demographics": 8,
        "exam_result": 2,
        "learner": 2,
        "learner_stage": 2,
        "task": 1,
    }
    for kind, rows in records.items():
        for record in rows:
            assert record["problems"] == []
            assert CONTRACTS[kind].model_validate(fields(record))
    (task,) = records["task"]
    assert task["module_starts_on"] == "2023-09-15"
    assert task["modality"] == "Exam"
    assert task["weight"] == ("60" if files is V1P2 else None)
    assert [r["max_score"] for r in records["exam_result"]] == ["10", "10"]
    assert json.loads(records["learner"][0]["other_ids"]) == ["student_number:1001"]


def test_each_score_status_has_its_meaning(read: Read, file: Path) -> None:
    results = "".join(
        f"r{n},,,li1,s1,{status},{score},2024-05-01,\n"
        for n, (status, score) in enumerate(
            [
                ("fully graded", "7"),
                ("partially graded", "3"),
                ("submitted", ""),
                ("not submitted", ""),
                ("exempt", ""),
                ("exempt", "4"),
            ]
        )
    )
    files = {**V1P1, "results.csv": V1P1["results.csv"].splitlines()[0] + "\n" + results}
    _, records = read("oneroster_bulk", packed(file, files))
    assert [(r["result_status"], r["score"]) for r in records["exam_result"]] == [
        ("scored", "7"),
        ("scored", "3"),
        ("not_scored", None),
        ("absent", None),
        ("exempt", None),
        ("exempt", None),
    ]
    for record in records["exam_result"]:
        assert CONTRACTS["exam_result"].model_validate(fields(record))


def test_the_word_that_a_password_is_stands_in_nothing_that_reading_writes(
    read: Read, file: Path, tmp_path: Path
) -> None:
    broken = replaced(V1P1, "users", "1001,ada", "1001,ada@x.example,ada")
    report, _ = read("oneroster_bulk", packed(file, broken))
    written = [path.read_bytes() for path in (tmp_path / "read").iterdir()]
    frames = [pl.read_parquet(path) for path in (tmp_path / "read").glob("*.parquet")]
    assert report.columns_refused[0].column == "users: password"
    assert not any(b"secret-word" in data for data in written)
    assert not any("secret-word" in json.dumps(frame.to_dicts(), default=str) for frame in frames)
    lines = [v for f in frames if "line" in f.columns for v in f["line"].drop_nulls()]
    assert lines == ["(not shown: the table has a column of passwords)"]


def test_a_row_that_breaks_the_standard_is_refused_alone(read: Read, file: Path) -> None:
    changed = replaced(V1P1, "results", "li1,s1,fully", "li9,s1,fully")
    report, records = read("oneroster_bulk", packed(file, changed))
    assert report.records["exam_result"] == 2
    assert codes_of(records["exam_result"]) == ["unknown_reference"]


DELTA = {
    "manifest.csv": manifest("1.1", dict.fromkeys(["users", "enrollments", "results"], "delta")),
    "users.csv": V1P1["users.csv"]
    .replace("s1,,,", "s1,active,2024-06-01T08:00:00.000Z,")
    .replace("s2,,,", "s2,tobedeleted,2024-06-01T08:00:00.000Z,")
    .replace("t9,,,", "t9,active,2024-06-01T08:00:00.000Z,"),
    "enrollments.csv": V1P1["enrollments.csv"].replace(
        ",,,c1", ",tobedeleted,2024-06-01T08:00:00.000Z,c1"
    ),
    "results.csv": V1P1["results.csv"].replace(
        ",,,li1", ",tobedeleted,2024-06-01T08:00:00.000Z,li1"
    ),
}


def test_what_a_delta_deletes_is_withdrawn_under_the_ids_of_the_full_set(
    read: Read, file: Path, tmp_path: Path, shipped: Catalogue
) -> None:
    _, records = read("oneroster_delta", packed(file, DELTA))
    withdrawn = [(r["target_kind"], r["record_id"]) for r in records["void"]]
    assert withdrawn == [
        ("learner", "user/s2"),
        ("learner_stage", "enrollment/e1"),
        ("learner_stage", "enrollment/e2"),
        ("exam_result", "result/r1"),
        ("exam_result", "result/r2"),
    ]
    assert shipped.sources["oneroster_bulk"].scope == shipped.sources["oneroster_delta"].scope
    full = tmp_path / "full"
    full.mkdir()
    read_file(packed(file, V1P1), shipped.sources["oneroster_bulk"], shipped, full)
    ids = {
        (path.stem.split("-")[1], value)
        for path in full.glob("records-*.parquet")
        for value in pl.read_parquet(path)["record_id"]
    }
    assert set(withdrawn) <= ids


def changes(**tables: str) -> dict[str, str]:
    """Return a set of changes of 1.2 with these rows."""
    files = {"manifest.csv": manifest("1.2", dict.fromkeys(tables, "delta"))}
    for name, rows in tables.items():
        header = V1P2[f"{name}.csv"].splitlines()[0]
        files[f"{name}.csv"] = f"{header}\n{rows}\n"
    return files


CHANGED = "s1,active,2024-06-01T08:00:00.000Z,true,ada,,Ada,King,,1001,,,,,,,,,,,o1,"
LEFT = "s2,tobedeleted,2024-06-01T08:00:00.000Z,true,grace,,Grace,Hopper,,1002,,,,,,,,,,,o1,"
ROLE = "p1,active,2024-06-01T08:00:00.000Z,s1,primary,student,,,o1,"


def test_a_user_who_is_deleted_without_a_word_of_roles_is_withdrawn_in_both(
    read: Read, file: Path
) -> None:
    _, records = read("oneroster_delta", packed(file, changes(users=LEFT)))
    assert [(r["target_kind"], r["record_id"]) for r in records["void"]] == [
        ("learner", "user/s2"),
        ("assessor", "user/s2"),
    ]


def test_a_changed_user_whose_roles_are_not_sent_is_held_for_a_person(
    read: Read, file: Path
) -> None:
    report, records = read("oneroster_delta", packed(file, changes(users=CHANGED)))
    assert report.rows_skipped == 0
    assert codes_of(records["learner"]) == ["no_role"]


def test_a_changed_user_whose_roles_are_sent_is_taken(read: Read, file: Path) -> None:
    _, records = read("oneroster_delta", packed(file, changes(users=CHANGED, roles=ROLE)))
    (learner,) = records["learner"]
    assert (learner["problems"], learner["family_name"]) == ([], "King")


def test_a_full_set_of_1_2_without_roles_holds_its_users(read: Read, file: Path) -> None:
    files = {name: text for name, text in V1P2.items() if name != "roles.csv"}
    _, records = read(
        "oneroster_bulk", packed(file, replaced(files, "manifest", "roles,bulk", "roles,absent"))
    )
    assert codes_of(records["learner"]) == ["no_role"] * 3


def test_a_user_whose_role_is_refused_is_held_with_it(read: Read, file: Path) -> None:
    files = replaced(V1P2, "roles", "p1,,,s1,primary,student", "p1,,,s1,primary,Student")
    _, records = read("oneroster_bulk", packed(file, files))
    assert codes_of(records["learner"]) == ["no_role"]
    assert len(records["learner"]) == 2


def test_a_result_that_was_graded_in_words_keeps_them(read: Read, file: Path) -> None:
    files = replaced(
        V1P2, "results", "fully graded,7.5,2024-05-01,,", "fully graded,,2024-05-01,,B+"
    )
    _, records = read("oneroster_bulk", packed(file, files))
    result = records["exam_result"][0]
    assert (result["result_status"], result["score"], result["grade"]) == ("not_scored", None, "B+")
    assert codes_of(records["exam_result"], "notes") == ["graded_in_words"]
    assert CONTRACTS["exam_result"].model_validate(fields(result))


MIXED = replaced(
    replaced(V1P1, "manifest", "file.results,bulk", "file.results,delta"),
    "results",
    ",,,li1",
    ",active,2024-05-02T00:00:00.000Z,li1",
)


def test_a_set_of_which_some_tables_are_changes_is_one_of_changes(read: Read, file: Path) -> None:
    report, records = read("oneroster_delta", packed(file, MIXED))
    assert report.error is None
    assert [r["score"] for r in records["exam_result"]] == ["7.5", None]


@pytest.mark.parametrize(
    ("source", "files", "code"),
    [
        ("oneroster_bulk", MIXED, "not_bulk"),
        ("oneroster_bulk", {**V1P1, "results.csv": ""}, "missing_column"),
        ("oneroster_bulk", DELTA, "not_bulk"),
        ("oneroster_delta", V1P1, "not_delta"),
        (
            "oneroster_bulk",
            replaced(V1P1, "manifest", "resources,absent", "resources,bulk"),
            "missing_file",
        ),
        ("oneroster_bulk", {k: v for k, v in V1P1.items() if k != "manifest.csv"}, "missing_file"),
    ],
)
def test_a_set_that_is_not_what_it_should_be_is_not_taken_at_all(
    source: str, files: dict[str, str], code: str, read: Read, file: Path
) -> None:
    report, records = read(source, packed(file, files))
    assert report.error is not None
    assert report.error.code == code
    assert records == {}


def test_a_framework_becomes_items_and_links(
    read: Read, file: Path, package: dict[str, Any]
) -> None:
    package["CFItems"].append(entry(5, fullStatement="x" * 300, humanCodingScheme="EPA1"))
    package["CFAssociations"] += [link(15, 5, 1), link(16, 4, 99, "exactMatchOf")]
    package["CFAssociations"][1]["sequenceNumber"] = 2
    file.write_text(json.dumps(package), encoding="utf-8")
    report, records = read("case_framework", file)
    rows = records["framework"]
    assert report.records == {"framework": 7}
    assert [CONTRACTS["framework"].model_validate(fields(r)).record_id for r in rows]
    assert [(r["competency_id"], r["sort_order"]) for r in rows if r["entry_type"] == "item"] == [
        (uuid(2), None),
        ("EPA2", "2"),
        ("EPA2.1", None),
        (uuid(5), None),
    ]
    assert rows[3]["title"] == "x" * 199 + "…"
    links = [
        (r["competency_id"], r["link_type"], r["target_framework_id"], r["target_competency_id"])
        for r in rows
        if r["entry_type"] == "link"
    ]
    assert links == [
        ("EPA2.1", "is_child_of", None, "EPA2"),
        ("EPA2.1", "is_child_of", None, uuid(2)),
        ("EPA2.1", "maps_to", "elsewhere", uuid(99)),
    ]
    assert codes_of(rows, "notes") == ["code_not_unique", "code_not_unique"]


def test_a_package_that_the_checker_passes_makes_records_that_their_contract_takes(
    read: Read, file: Path, package: dict[str, Any]
) -> None:
    blank, coded, last = package["CFItems"]
    blank |= {"fullStatement": " ", "lastChangeDateTime": "2024-03-01t10:00:00z"}
    coded |= {"humanCodingScheme": "EPA\n2", "CFItemType": "Entrustable\nactivity"}
    last |= {
        "humanCodingScheme": uuid(2),
        "CFItemTypeURI": {"title": "Skill", "identifier": uuid(21), "uri": "u:21"},
    }
    package["CFDocument"]["version"] = "2024\nspring"
    package["CFAssociations"][0]["sequenceNumber"] = -1
    package["CFAssociations"][1]["sequenceNumber"] = "HERE"
    package["CFAssociations"][3]["destinationNodeURI"]["identifier"] = ""
    text = json.dumps(package).replace('"HERE"', "1.2e1")
    file.write_text(text, encoding="utf-8")
    _, records = read("case_framework", file)
    rows = records["framework"]
    assert all(CONTRACTS["framework"].model_validate(fields(row)) for row in rows)
    assert [
        (r["competency_id"], r["title"], r["competency_type"], r["sort_order"]) for r in rows[:3]
    ] == [
        ("EPA1", "EPA1", None, None),
        (uuid(3), "Examine a patient", "Entrustable activity", "12"),
        (uuid(4), "Explain a finding", "Skill", None),
    ]
    assert [r["target_competency_id"] for r in rows[3:]] == [uuid(3), "EPA1"]
    assert {r["framework_version"] for r in rows} == {"2024 spring"}


def test_the_last_day_that_there_is_means_that_an_item_has_no_end(
    read: Read, file: Path, package: dict[str, Any]
) -> None:
    package["CFItems"][0]["statusEndDate"] = "9999-12-31"
    package["CFItems"][1]["statusEndDate"] = "2031-08-31"
    file.write_text(json.dumps(package), encoding="utf-8")
    _, records = read("case_framework", file)
    rows = records["framework"]
    assert [row["valid_to"] for row in rows[:2]] == [None, "2031-08-31"]
    assert not any(row["problems"] for row in rows)


def test_an_entry_that_breaks_the_standard_is_refused_with_its_place(
    read: Read, file: Path, package: dict[str, Any]
) -> None:
    broken = copy.deepcopy(package)
    broken["CFItems"][2]["fullStatement"] = 3
    file.write_text(json.dumps(broken), encoding="utf-8")
    _, records = read("case_framework", file)
    (problem,) = [p for r in records["framework"] for p in r["problems"]]
    assert problem["code"] == "not_text"
    assert "$.CFItems[2].fullStatement" in problem["suggestion"]


def test_a_result_of_nothing_is_a_row_that_holds_no_record(read: Read, file: Path) -> None:
    empty = RESULT[: RESULT.index("<testResult")] + "</assessmentResult>"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.xml", empty)
        archive.writestr("b.xml", RESULT)
    report, _ = read("qti_results", file)
    assert (report.source_rows, report.rows_skipped) == (3, 1)
    assert report.records == {"exam_result": 1, "exam_response": 1}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_a_refused_result_is_quoted_as_people_read_it(
    encoding: str, read: Read, file: Path, tmp_path: Path
) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + RESULT.replace(
        "<value>1.5", "<value>drei Viertel für Ä"
    )
    file.write_bytes(text.encode(encoding))
    read("qti_results", file)
    (quoted,) = pl.read_parquet(tmp_path / "read" / "source-*.parquet")["line"].drop_nulls()
    assert "drei Viertel für Ä" in quoted


def test_a_result_and_the_last_attempt_at_each_item_are_taken(read: Read, file: Path) -> None:
    earlier = ITEM.replace("2024-03-01", "2024-02-01")
    pending = ITEM.replace("Q1", "Q2").replace('"final"', '"pendingSubmission"')
    empty = (
        ITEM.replace("Q1", "Q3").replace("<value>B</value>", "").replace("<value>0.5</value>", "")
    )
    rounded = ITEM.replace("Q1", "Q4").replace("0.5", "0.123456789")
    members = {
        "a.xml": RESULT.replace(ITEM, earlier + ITEM + pending + empty + rounded),
        "b.xml": RESULT.replace('sourcedId="learner-1"', ""),
    }
    report, records = read("qti_results", packed(file, members))
    assert report.rows_skipped == 2
    result, refused = sorted(records["exam_result"], key=lambda r: len(r["problems"]))
    assert fields(result) == {
        "programme_id": "MED",
        "instrument_id": "written_exam",
        "record_id": "T1/learner-1/1",
        "learner_id": "learner-1",
        "task_id": "T1",
        "sitting_id": "T1",
        "attempt": "1",
        "result_status": "scored",
        "score": "1.5",
        "max_score": "2",
        "occurred_at": "2024-03-01T09:05:00Z",
    }
    assert codes_of([refused]) == ["missing"]
    responses = {r["item_id"]: r for r in records["exam_response"]}
    assert {
        item: (r["attempt"], r["response"], r["response_status"], r["score"])
        for item, r in responses.items()
    } == {
        "Q1": ("2", "B", "scored", "0.5"),
        "Q3": ("1", None, "omitted", None),
        "Q4": ("1", "B", "scored", "0.123457"),
    }
    assert codes_of([responses["Q1"]], "notes") == ["earlier_attempts"]
    assert codes_of([responses["Q4"]], "notes") == ["score_rounded"]
    for record in responses.values():
        assert CONTRACTS["exam_response"].model_validate(fields(record))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1E0", "1"),
        ("10", "10"),
        ("0.1234565", "0.123456"),
        ("1e-9999", "0"),
        ("123456789012345678901", "123456789012345678901"),
        ("1e25", "1e25"),
        ("1e9999", "1e9999"),
    ],
)
def test_a_score_is_kept_to_six_places_however_it_is_written(
    written: str, kept: str, read: Read, file: Path
) -> None:
    file.write_text(RESULT.replace(">1.5<", f">{written}<"), encoding="utf-8")
    _, records = read("qti_results", file)
    assert records["exam_result"][0]["score"] == kept


def test_values_of_several_kinds_of_variable_are_columns(tmp_path: Path) -> None:
    from pipelines.sources.readers import READERS, Wanted

    file = tmp_path / "result.xml"
    several = ITEM.replace('cardinality="single" baseType="identifier"', 'cardinality="multiple"')
    several = several.replace("<value>B</value>", "<value>B</value><value>C</value>")
    file.write_text(RESULT.replace(ITEM, several), encoding="utf-8")
    reader = READERS["qti"]
    reading = reader.open(file, reader.options.model_validate({"join": "|"}), Wanted())
    (chunk,) = reading.chunks
    item = chunk.rows.to_dicts()[1]
    assert item["response.RESPONSE"] == "B|C"
    assert item["correct.RESPONSE"] == "A"
    assert item["outcome.SCORE"] == "0.5"
    assert item["session.https://school.example/class"] == "class 1"
    assert {"outcome.SCORE", "test"} <= reading.seen


def test_every_code_of_a_standard_that_refuses_a_row_has_words_of_its_own() -> None:
    from pipelines.contracts.problems import describe
    from pipelines.sources.standards import case_check, oneroster_check

    met = {*case_check._MESSAGES, *oneroster_check._WORDS, "cycle", "duplicate_id", "not_xml"}
    met |= {"wrong_namespace", "missing_namespace", "unknown_element", "repeated_element"}
    met |= {
        "repeated_variable",
        "not_of_its_type",
        "too_many_values",
        "doctype_refused",
        "damaged_member",
    }
    vague = {code for code in met if describe(code, "x").message == describe("?", "x").message}
    assert vague == {"invalid", "out_of_order"}


def test_a_result_without_test_and_items_is_told_and_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "result.xml"
    namespace = next(iter(NAMESPACES))
    root = f'<assessmentResult xmlns="{namespace}"><context sourcedId="s1"/></assessmentResult>'
    path.write_text(root)
    with pytest.raises(Unreadable) as caught:
        list(READERS["qti"].open(path, READERS["qti"].options(), Wanted()).chunks)
    assert caught.value.code == "no_records"
