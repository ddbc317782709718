from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.sources.readers.base import Unreadable
from pipelines.sources.standards import Judgement
from pipelines.sources.standards.oneroster_check import check
from pipelines.sources.standards.oneroster_tables import TABLES

from .conftest import notes
from .sets import V1P1, V1P2, manifest, packed, replaced


def verdicts(file: Path, files: dict[str, str | bytes]) -> list[Judgement]:
    return list(check(packed(file, files)))


def found(judgements: list[Judgement]) -> list[tuple[str, int, str, str]]:
    return [(file_of(j), j.row, e.code, e.field) for j in judgements for e in j.errors]


def file_of(judgement: Judgement) -> str:
    file, _, row = judgement.place.partition(", row ")
    assert row == str(judgement.row)
    return file


@pytest.mark.parametrize("files", [V1P1, V1P2], ids=["1.1", "1.2"])
def test_a_set_of_each_version_passes_row_by_row(files: dict[str, str], file: Path) -> None:
    judgements = verdicts(file, files)
    assert found(judgements) == []
    assert notes(judgements) <= {"secret_left"}
    for name, content in files.items():
        assert [j.row for j in judgements if file_of(j) == name] == list(
            range(1, len(content.splitlines()))
        )


@pytest.mark.parametrize(
    ("table", "old", "new", "row", "code", "field"),
    [
        ("results", "li1,s1,fully", "li9,s1,fully", 1, "unknown_reference", "lineItemSourcedId"),
        ("results", "li1,s1,fully", "li1,s9,fully", 1, "unknown_reference", "studentSourcedId"),
        ("enrollments", "c1,o1,s2", "c9,o1,s2", 2, "unknown_reference", "classSourcedId"),
        ("classes", '"t1,t2"', '"t1,t9"', 1, "unknown_reference", "termSourcedIds"),
        ("users", "o1,student,ada", "o9,student,ada", 1, "unknown_reference", "orgSourcedIds"),
        ("demographics", "s1,", "s9,", 1, "unknown_reference", "sourcedId"),
        ("results", "fully graded,7.5", "marked,7.5", 1, "not_in_list", "scoreStatus"),
        ("results", "fully graded,7.5", "fully graded,", 1, "missing", "score"),
        ("results", "fully graded,7.5", 'fully graded,"7,5"', 1, "not_a_number", "score"),
        ("results", "2024-05-01", "2024-02-30", 1, "not_a_date", "scoreDate"),
        ("results", "2024-05-01", "01.05.2024", 1, "not_a_date", "scoreDate"),
        ("users", ",student,ada", ",pupil,ada", 1, "not_in_list", "role"),
        ("users", ",true,o1,student,ada", ",yes,o1,student,ada", 1, "not_yes_or_no", "enabledUser"),
        ("users", "Ada,Lovelace", "Ada,", 1, "missing", "familyName"),
        ("users", "s2,", "s1,", 2, "duplicate_id", "sourcedId"),
        ("users", "s2,", "s 2,", 2, "bad_guid", "sourcedId"),
        ("academicSessions", "2024-01-15", "2023-01-15", 2, "out_of_order", "endDate"),
        ("academicSessions", ",2024\n", ",24\n", 1, "not_a_year", "schoolYear"),
        ("enrollments", "2024-02-01,", "2024-02-01,2024-01-01", 1, "out_of_order", "endDate"),
    ],
)
def test_each_rule_of_a_row_is_seen_to_refuse(
    table: str, old: str, new: str, row: int, code: str, field: str, file: Path
) -> None:
    changed = replaced(V1P1, table, old, new)
    assert changed != V1P1
    judgements = verdicts(file, changed)
    assert (f"{table}.csv", row, code, field) in found(judgements)
    errors = [e for j in judgements for e in j.errors]
    assert all(e.requirement and e.requirement.startswith("OneRoster 1.1") for e in errors)


def test_a_row_with_too_few_cells_is_refused_alone(file: Path) -> None:
    changed = replaced(V1P1, "results", "r2,,,li1,s2,submitted,,2024-05-01,\n", "r2,,\n")
    assert found(verdicts(file, changed)) == [("results.csv", 2, "ragged_row", "")]


def test_a_required_column_that_is_not_there_refuses_its_rows(file: Path) -> None:
    changed = replaced(V1P1, "categories", "title", "name")
    refused = found(verdicts(file, changed))
    assert refused == [("categories.csv", 1, "missing_column", "title")]


def test_values_of_a_senders_own_are_allowed_in_1_2_only(file: Path) -> None:
    newer = replaced(V1P2, "roles", "primary,student", "primary,ext:fellow")
    older = replaced(V1P1, "users", ",student,ada", ",ext:fellow,ada")
    assert found(verdicts(file, newer)) == []
    assert ("users.csv", 1, "not_in_list", "role") in found(verdicts(file, older))


def test_in_1_2_a_text_score_will_do(file: Path) -> None:
    changed = replaced(
        V1P2, "results", "fully graded,7.5,2024-05-01,,", "fully graded,,2024-05-01,,B"
    )
    assert changed != V1P2
    assert found(verdicts(file, changed)) == []


DELTA = {
    "manifest.csv": manifest("1.1", {"enrollments": "delta", "classes": "delta"}),
    "classes.csv": V1P1["classes.csv"].replace("c1,,,", "c1,active,2024-03-01T10:00:00.000Z,"),
    "enrollments.csv": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,"
    "userSourcedId,role,primary,beginDate,endDate\n"
    "e1,tobedeleted,2024-03-01T10:00:00.000Z,c7,o1,s1,student,,,\n",
}


def test_what_a_delta_refers_to_may_have_come_before(file: Path) -> None:
    judgements = verdicts(file, dict(DELTA))
    assert found(judgements) == []
    assert "not_looked_up" in notes(judgements)


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("tobedeleted", "", "missing", "status"),
        ("tobedeleted", "inactive", "not_in_list", "status"),
        ("2024-03-01T10:00:00.000Z", "", "missing", "dateLastModified"),
        ("2024-03-01T10:00:00.000Z", "1 March", "not_a_time", "dateLastModified"),
    ],
)
def test_a_delta_says_of_each_row_what_became_of_it_and_when(
    old: str, new: str, code: str, field: str, file: Path
) -> None:
    changed = replaced(DELTA, "enrollments", old, new)
    assert found(verdicts(file, changed)) == [("enrollments.csv", 1, code, field)]


def test_a_full_set_that_states_a_status_is_taken_with_a_note(file: Path) -> None:
    changed = replaced(V1P1, "categories", "k1,,", "k1,active,")
    judgements = verdicts(file, changed)
    assert found(judgements) == []
    (line,) = [j for j in judgements if "status_in_bulk" in {n.code for n in j.notes}]
    assert file_of(line) == "manifest.csv"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("file.orgs,bulk", "file.orgs,full"), "not_in_list"),
        (("file.orgs,bulk", "file.orgs,absent"), "unexpected_file"),
        (("file.resources,absent", "file.resources,bulk"), "missing_file"),
        (("file.orgs,bulk\n", "file.orgs,bulk\nfile.orgs,delta\n"), "duplicate_id"),
        (("oneroster.version,1.1", "oneroster.version,2.0"), "not_in_list"),
        (("oneroster.version,1.1\n", ""), "missing"),
        (("propertyName,value", "name,content"), "missing_column"),
    ],
)
def test_the_manifest_is_held_to(change: tuple[str, str], code: str, file: Path) -> None:
    refused = found(verdicts(file, replaced(V1P1, "manifest", *change)))
    assert [(place, c) for place, _, c, _ in refused] == [("manifest.csv", code)]


def test_a_set_without_a_manifest_is_refused_and_its_rows_are_judged(file: Path) -> None:
    files = {name: content for name, content in V1P1.items() if name != "manifest.csv"}
    judgements = verdicts(file, files)
    assert {code for _, _, code, _ in found(judgements)} == {"missing_file"}
    assert len(judgements) > 10


def test_oddities_of_headers_are_noted(file: Path) -> None:
    changed = replaced(V1P1, "categories", "dateLastModified,title\nk1,,,", "title,colour\nk1,,,")
    changed["extra.csv"] = "a\n1\n"
    changed["orgs.csv"] = changed["orgs.csv"].encode("utf-16")
    assert notes(verdicts(file, changed)) == {
        "column_absent", "unknown_column", "unknown_file", "secret_left", "not_utf8",
    }  # fmt: skip
    turned = replaced(
        V1P1, "categories", "dateLastModified,title\nk1,,,Exam", "title,dateLastModified\nk1,,Exam,"
    )
    assert "column_order" in notes(verdicts(file, turned))


def test_one_table_alone_is_judged_by_itself(tmp_path: Path) -> None:
    alone = tmp_path / "delivered.csv"
    alone.write_text(V1P1["users.csv"].replace(",student,ada", ",pupil,ada"), encoding="utf-8")
    judgements = list(check(alone))
    assert found(judgements) == [("users.csv", 1, "not_in_list", "role")]
    assert {"no_set", "not_looked_up"} <= notes(judgements)


def test_a_folder_is_judged_as_a_set(tmp_path: Path) -> None:
    for name, content in V1P1.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert found(list(check(tmp_path))) == []


def test_values_of_persons_are_not_quoted(file: Path) -> None:
    changed = replaced(V1P1, "users", "s2,", "Grace Hopper,")
    said = [e.message for j in verdicts(file, changed) for e in j.errors]
    assert said
    assert not any("Hopper" in message for message in said)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_oneroster"),
        (b"a,b\n1,2\n", "not_oneroster"),
        (b"{}", "not_oneroster"),
        (b"PK\x03\x04 no archive", "unreadable_file"),
    ],
)
def test_what_is_no_set_is_unreadable(content: bytes, code: str, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(Unreadable) as refused:
        list(check(file))
    assert refused.value.code == code


def test_an_archive_of_other_files_is_unreadable(file: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        verdicts(file, {"readme.txt": "x"})
    assert refused.value.code == "not_oneroster"


def test_a_table_that_is_sent_twice_makes_the_set_unreadable(file: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        verdicts(file, V1P1 | {"more/users.csv": V1P1["users.csv"]})
    assert refused.value.code == "duplicate_file"


def test_every_reference_is_to_a_table_of_the_same_version() -> None:
    for tables in TABLES.values():
        for table in tables.values():
            assert {c.refers_to for c in table.columns} - {None} <= set(tables)
            assert {d for pair in table.ordered for d in pair} <= set(table.names)


@pytest.mark.slow
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(sorted(V1P1)),
    at=st.integers(0, 600),
    length=st.integers(0, 60),
    new=st.binary(max_size=20)
    | st.sampled_from([b'"', b",", b"\n", b"\x00", b"1e999", b"\xff\xfe"]),
)
def test_no_content_of_a_table_makes_the_checker_crash(
    name: str, at: int, length: int, new: bytes, file: Path
) -> None:
    data = V1P1[name].encode()
    files: dict[str, str | bytes] = {**V1P1, name: data[:at] + new + data[at + length :]}
    try:
        places = {file_of(j) for j in verdicts(file, files)}
    except Unreadable as error:
        places = {error.code, "users.csv"}
    assert places & {"users.csv", "orgs.csv"}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(0, 3000), new=st.binary(min_size=1, max_size=4))
@example(at=2655, new=b"\x01")
def test_no_damage_to_an_archive_makes_the_checker_crash(at: int, new: bytes, file: Path) -> None:
    data = packed(file, dict(V1P1)).read_bytes()
    at %= len(data)
    file.write_bytes(data[:at] + new + data[at + len(new) :])
    try:
        n_rows = len(list(check(file)))
    except Unreadable as error:
        n_rows = len(error.code)
    assert n_rows


def test_a_set_packed_with_the_slashes_of_windows_is_read(file: Path) -> None:
    assert found(verdicts(file, {f"export\\{name}": text for name, text in V1P1.items()})) == []


def test_a_table_without_even_a_header_is_refused(file: Path) -> None:
    errors = found(verdicts(file, {**V1P1, "results.csv": ""}))
    assert [(name, code, field) for name, _, code, field in errors] == [
        ("manifest.csv", "missing_column", "results")
    ]


def test_a_table_of_the_manifest_that_nobody_knows_is_noted(file: Path) -> None:
    files = {**V1P1, "manifest.csv": V1P1["manifest.csv"] + "file.lunches,bulk\n"}
    judgements = verdicts(file, files)
    assert found(judgements) == []
    assert "unknown_file" in notes(judgements)
