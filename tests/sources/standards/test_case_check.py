from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.sources.readers.base import Unreadable
from pipelines.sources.standards import Judgement
from pipelines.sources.standards.case_check import check

from .conftest import PACKAGE, codes, entry, link, notes, uuid


def verdicts(file: Path, content: Any) -> list[Judgement]:
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return list(check(file))


def test_every_entry_has_a_row_and_a_place(file: Path, package: dict[str, Any]) -> None:
    found = verdicts(file, package)
    assert codes(found) == {}
    assert [(j.row, j.place) for j in found] == [
        (1, "$.CFDocument"),
        (2, "$.CFItems[0]"),
        (3, "$.CFItems[1]"),
        (4, "$.CFItems[2]"),
        (5, "$.CFAssociations[0]"),
        (6, "$.CFAssociations[1]"),
        (7, "$.CFAssociations[2]"),
        (8, "$.CFAssociations[3]"),
        (9, "$.CFDefinitions.CFItemTypes[0]"),
    ]


def test_an_item_under_two_others_is_no_fault(file: Path, package: dict[str, Any]) -> None:
    assert notes(verdicts(file, package)) == set()


def test_links_that_lead_in_a_circle_are_refused_at_their_places(
    file: Path, package: dict[str, Any]
) -> None:
    package["CFAssociations"].append(link(15, 3, 4))
    found = verdicts(file, package)
    assert codes(found) == {7: ["cycle"], 9: ["cycle"]}
    assert [e.field for j in found for e in j.errors] == [
        "$.CFAssociations[2]",
        "$.CFAssociations[4]",
    ]


def test_an_item_under_itself_is_refused(file: Path, package: dict[str, Any]) -> None:
    package["CFAssociations"].append(link(15, 2, 2))
    assert codes(verdicts(file, package)) == {9: ["cycle"]}


def test_a_circle_of_other_links_is_no_fault(file: Path, package: dict[str, Any]) -> None:
    package["CFAssociations"] += [link(15, 2, 3, "isRelatedTo"), link(16, 3, 2, "isRelatedTo")]
    assert codes(verdicts(file, package)) == {}


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 2)])
def test_identifiers_that_name_two_items_are_refused(
    first: int, second: int, file: Path, package: dict[str, Any]
) -> None:
    identifier = package["CFItems"][first]["identifier"].upper()
    package["CFItems"][second]["identifier"] = identifier
    found = verdicts(file, package)
    assert codes(found) == {second + 2: ["duplicate_id"]}
    assert f"$.CFItems[{first}]" in found[second + 1].errors[0].message


def test_an_item_with_the_identifier_of_the_document_is_refused(
    file: Path, package: dict[str, Any]
) -> None:
    package["CFItems"][0]["identifier"] = uuid(1)
    assert codes(verdicts(file, package)) == {2: ["duplicate_id"]}


def test_orphans_repeated_links_and_unknown_nodes_are_noted(
    file: Path, package: dict[str, Any]
) -> None:
    package["CFItems"].append(entry(5, fullStatement="Alone", humanCodingScheme="EPA1"))
    package["CFAssociations"] += [link(15, 4, 3), link(16, 4, 99), link(17, 98, 2)]
    package["CFItems"][0]["colour"] = "red"
    package["CFDocument"]["lastChangeDateTime"] = "2024-03-01T10:00:00"
    found = verdicts(file, package)
    assert codes(found) == {}
    assert notes(found) == {
        "orphan",
        "code_not_unique",
        "repeated_link",
        "unknown_node",
        "unknown_field",
        "no_time_zone",
    }


def test_links_back_to_the_service_are_not_worth_a_note(
    file: Path, package: dict[str, Any]
) -> None:
    package["CFDocument"]["CFPackageURI"] = {"title": "x", "identifier": uuid(1), "uri": "u:x"}
    package["CFItems"][0]["CFDocumentURI"] = "https://school.example/1"
    assert notes(verdicts(file, package)) == set()


CHANGES = [
    (("CFDocument", "creator"), None, "is_null"),
    (("CFDocument", "identifier"), "1", "not_a_uuid"),
    (("CFDocument", "identifier"), f"x{uuid(1)}", "not_a_uuid"),
    (("CFDocument", "uri"), "no scheme", "not_a_uri"),
    (("CFDocument", "lastChangeDateTime"), "yesterday", "not_a_time"),
    (("CFDocument", "lastChangeDateTime"), "2024-02-30T10:00:00Z", "not_a_time"),
    (("CFDocument", "caseVersion"), "2.0", "not_in_list"),
    (("CFDocument", "subject"), 3, "not_a_list"),
    (("CFItems", 0, "fullStatement"), 7, "not_text"),
    (("CFItems", 0, "humanCodingScheme"), None, "is_null"),
    (("CFItems", 0, "statusStartDate"), "2024-13-01", "not_a_time"),
    (("CFItems", 0, "CFItemTypeURI"), "https://school.example", "not_an_object"),
    (("CFItems", 0), [], "not_an_object"),
    (("CFItems",), {}, "not_a_list"),
    (("CFItems",), None, "is_null"),
    (("CFAssociations", 0, "associationType"), "isAbove", "not_in_list"),
    (("CFAssociations", 0, "associationType"), "isTranslationOf", "not_in_list"),
    (("CFAssociations", 0, "sequenceNumber"), "1", "not_a_whole_number"),
    (("CFAssociations", 0, "sequenceNumber"), 1.5, "not_a_whole_number"),
    (("CFAssociations", 0, "sequenceNumber"), 10**30, "out_of_range"),
    (("CFAssociations", 0, "originNodeURI", "more"), 1, "unknown_field"),
    (("CFDefinitions", "CFItemTypes", 0, "description"), None, "is_null"),
    (("CFDefinitions", "CFItemTypes", 0, "extensions"), {}, "unknown_field"),
    (("CFDefinitions",), [1], "not_an_object"),
    (("CFRubrics",), [{}], "missing"),
    (("Other",), 1, "unknown_field"),
]


@pytest.mark.parametrize(("place", "value", "code"), CHANGES)
def test_each_rule_of_an_entry_is_seen_to_refuse(
    place: tuple[Any, ...], value: Any, code: str, file: Path, package: dict[str, Any]
) -> None:
    inner: Any = package
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    found = verdicts(file, package)
    errors = [error for j in found for error in j.errors]
    assert code in {error.code for error in errors}
    assert all(error.field.startswith("$") and error.requirement for error in errors)


@pytest.mark.parametrize("member", ["identifier", "uri", "lastChangeDateTime", "title", "creator"])
def test_a_document_without_a_required_member_is_refused(
    member: str, file: Path, package: dict[str, Any]
) -> None:
    del package["CFDocument"][member]
    found = verdicts(file, package)
    assert codes(found) == {1: ["missing"]}
    assert found[0].errors[0].field == f"$.CFDocument.{member}"


def test_a_package_without_a_document_is_refused_not_unreadable(
    file: Path, package: dict[str, Any]
) -> None:
    del package["CFDocument"]
    assert codes(verdicts(file, package))[1] == ["missing"]


@pytest.mark.parametrize(
    "change",
    [
        {"caseVersion": "1.1"},
        {"frameworkType": "course codes"},
        {"uri": "https://school.example/ims/case/v1p1/CFDocuments/1"},
    ],
)
def test_what_version_1_1_adds_is_allowed_there(
    change: dict[str, Any], file: Path, package: dict[str, Any]
) -> None:
    package["CFDocument"] |= change
    package["CFAssociations"][0]["associationType"] = "isTranslationOf"
    package["CFAssociations"][1]["associationType"] = "ext:supersedes"
    package["CFAssociations"][0]["originNodeURI"]["targetType"] = "CASE"
    package["CFDefinitions"]["CFItemTypes"][0] |= {"extensions": {"a": 1}, "description": "x"}
    package["CFItems"][0]["extensions"] = {"colour": "red"}
    package["CFAssociations"][0] |= {"notes": "why", "extensions": {}}
    package["extensions"] = {}
    found = verdicts(file, package)
    assert codes(found) == {}
    assert "unknown_field" not in notes(found)


@pytest.mark.parametrize(
    ("place", "value", "code", "field"),
    [
        (("extensions",), [], "not_an_object", "$.extensions"),
        (("CFItems", 0, "extensions"), "red", "not_an_object", "$.CFItems[0].extensions"),
        (("CFAssociations", 0, "notes"), 3, "not_text", "$.CFAssociations[0].notes"),
        (
            ("CFAssociations", 0, "originNodeURI", "targetType"),
            "ITEM",
            "not_in_list",
            "$.CFAssociations[0].originNodeURI.targetType",
        ),
        (
            ("CFItems", 0, "CFItemTypeURI"),
            {"title": "EPA", "identifier": uuid(21), "uri": "u:1", "targetType": "CASE"},
            "unknown_field",
            "$.CFItems[0].CFItemTypeURI",
        ),
        (
            ("CFDefinitions", "CFItemTypes", 0),
            entry(21, title="EPA", hierarchyCode="1"),
            "missing",
            "$.CFDefinitions.CFItemTypes[0].description",
        ),
    ],
)
def test_what_version_1_1_adds_has_rules_of_its_own(
    place: tuple[Any, ...],
    value: Any,
    code: str,
    field: str,
    file: Path,
    package: dict[str, Any],
) -> None:
    package["CFDocument"]["caseVersion"] = "1.1"
    package["CFDefinitions"]["CFItemTypes"][0]["description"] = "x"
    inner: Any = package
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    errors = [error for j in verdicts(file, package) for error in j.errors]
    assert [(error.code, error.field) for error in errors] == [(code, field)]


@pytest.mark.parametrize("kind", ["isTranslationOf", "ext:supersedes"])
def test_a_link_of_version_1_1_in_an_older_package_is_told_how_to_pass(
    kind: str, file: Path, package: dict[str, Any]
) -> None:
    package["CFAssociations"][0]["associationType"] = kind
    (error,) = [error for j in verdicts(file, package) for error in j.errors]
    assert error.code == "not_in_list"
    assert "caseVersion 1.1" in error.suggestion


def test_an_entry_that_stands_twice_word_for_word_is_called_that(
    file: Path, package: dict[str, Any]
) -> None:
    package["CFItems"].append(copy.deepcopy(package["CFItems"][0]))
    (error,) = [error for j in verdicts(file, package) for error in j.errors]
    assert (error.code, error.suggestion) == ("duplicate_id", "send the entry once")


RUBRIC = entry(
    31,
    CFRubricCriteria=[
        entry(
            32,
            rubricId=uuid(31),
            CFItemURI={"title": "x", "identifier": uuid(2), "uri": "u:2"},
            CFRubricCriterionLevels=[entry(33, rubricCriterionId=uuid(32), score=3)],
        )
    ],
)


def test_a_rubric_whose_criteria_lead_to_items_passes_without_a_note(
    file: Path, package: dict[str, Any]
) -> None:
    found = verdicts(file, {**package, "CFRubrics": [RUBRIC]})
    assert codes(found) == {}
    assert notes(found) == set()


def test_criteria_that_lead_nowhere_or_belong_elsewhere_are_noted(
    file: Path, package: dict[str, Any]
) -> None:
    rubric = copy.deepcopy(RUBRIC)
    (criterion,) = rubric["CFRubricCriteria"]
    criterion["CFItemURI"]["identifier"] = uuid(99)
    criterion["CFRubricCriterionLevels"][0]["rubricCriterionId"] = uuid(98)
    found = verdicts(file, {**package, "CFRubrics": [rubric]})
    assert codes(found) == {}
    assert notes(found) == {"unknown_node", "other_owner"}


def test_identifiers_that_name_two_criteria_are_refused(
    file: Path, package: dict[str, Any]
) -> None:
    rubrics = [copy.deepcopy(RUBRIC), copy.deepcopy(RUBRIC)]
    rubrics[1]["identifier"] = uuid(34)
    found = verdicts(file, {**package, "CFRubrics": rubrics})
    assert codes(found) == {11: ["duplicate_id", "duplicate_id"]}


def test_a_link_that_names_no_identifier_leads_where_its_uri_does(
    file: Path, package: dict[str, Any]
) -> None:
    for link_ in package["CFAssociations"]:
        for end in ("originNodeURI", "destinationNodeURI"):
            link_[end]["identifier"] = "" if end == "originNodeURI" else link_[end]["uri"]
    found = verdicts(file, package)
    assert codes(found) == {}
    assert notes(found) == set()
    package["CFAssociations"].append(link(15, 3, 4))
    assert codes(verdicts(file, package)) == {7: ["cycle"], 9: ["cycle"]}


@pytest.mark.parametrize("code", ["EPA1 ", uuid(4).upper(), "E" * 201, "EPA\n7", "EPA\u200b"])
def test_codes_that_cannot_name_their_item_are_noted(
    code: str, file: Path, package: dict[str, Any]
) -> None:
    package["CFItems"][1]["humanCodingScheme"] = code
    found = verdicts(file, package)
    assert codes(found) == {}
    assert notes(found) == {"code_not_unique" if code == "EPA1 " else "code_not_usable"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"CFPackage": PACKAGE}, "what CFPackage holds"),
        ([PACKAGE, PACKAGE], "a file of its own"),
        ({"CFDocuments": [PACKAGE["CFDocument"]]}, "what CFPackages answers"),
        ({**PACKAGE["CFDocument"], "CFPackageURI": {}}, "what CFPackages answers"),
    ],
)
def test_what_nearly_is_a_package_is_told_how_it_becomes_one(
    content: Any, words: str, file: Path
) -> None:
    with pytest.raises(Unreadable) as refused:
        verdicts(file, content)
    assert refused.value.code == "not_case"
    assert words in refused.value.suggestion


def test_a_package_of_nothing_but_a_document_passes(file: Path, package: dict[str, Any]) -> None:
    found = verdicts(file, {"CFDocument": package["CFDocument"], "CFDefinitions": []})
    assert [(j.row, j.errors) for j in found] == [(1, ())]


def test_a_byte_order_mark_is_no_fault(file: Path, package: dict[str, Any]) -> None:
    assert codes(verdicts(file, b"\xef\xbb\xbf" + json.dumps(package).encode())) == {}


def test_a_key_that_stands_twice_is_refused_and_the_file_is_readable(file: Path) -> None:
    found = verdicts(file, b'{"CFDocument": {}, "CFDocument": {}}')
    assert codes(found) == {1: ["duplicate_key"]}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"CFDocument": NaN}', "not_finite"),
        (b"[" * 100_000, "nested_too_deep"),
        (b'{"CFDocument": "\xff"}', "not_utf8"),
        (b"[]", "not_case"),
        (b"3", "not_case"),
        (b'{"items": []}', "not_case"),
    ],
)
def test_what_is_no_package_is_unreadable(content: bytes, code: str, file: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        verdicts(file, content)
    assert refused.value.code == code


@pytest.mark.parametrize("number", ["1e999999999", "1e99999999999999999999", "-1e400", "1" * 5000])
def test_numbers_of_any_size_are_refused_and_not_met_with_a_crash(
    number: str, file: Path, package: dict[str, Any]
) -> None:
    package["CFAssociations"][0]["sequenceNumber"] = "HERE"
    found = verdicts(file, json.dumps(package).replace('"HERE"', number).encode())
    assert set(codes(found)) == {5}


def test_a_file_that_is_not_there_is_unreadable(file: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be read"):
        list(check(file))


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*PACKAGE, "identifier", "uri", "title"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys: Any = value if isinstance(value, dict) else range(len(value))
    inner = [(*place, key) for key in keys] if isinstance(value, dict | list) else []
    deeper = [p for key in inner for p in places(value[key[-1]], key)]
    return inner + deeper


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.sampled_from(places(PACKAGE)), value=anything, cut=st.integers(0, 4000))
def test_no_content_makes_the_checker_crash(
    place: tuple[Any, ...], value: Any, cut: int, file: Path
) -> None:
    package = json.loads(json.dumps(PACKAGE))
    inner: Any = package
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    data = json.dumps(package).encode()
    rows = [j.row for j in verdicts(file, data)]
    assert rows == list(range(1, len(rows) + 1))
    if cut < len(data):
        with pytest.raises(Unreadable):
            verdicts(file, data[:cut])
