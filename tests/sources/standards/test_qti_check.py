from __future__ import annotations

import time
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.sources.readers.base import Unreadable
from pipelines.sources.standards import Judgement
from pipelines.sources.standards.qti import NAMESPACES, number, parse
from pipelines.sources.standards.qti_check import check

from .conftest import codes, notes

SCORE = '<outcomeVariable identifier="SCORE" cardinality="multiple" baseType="float">'
V3 = "http://www.imsglobal.org/xsd/imsqti_result_v3p0"
ITEM = """
  <itemResult identifier="Q1" sequenceIndex="1" datestamp="2024-03-01T10:00:00Z" sessionStatus="final">
    <responseVariable identifier="RESPONSE" cardinality="single" baseType="identifier">
      <correctResponse><value>A</value></correctResponse>
      <candidateResponse><value>B</value></candidateResponse>
    </responseVariable>
    <outcomeVariable identifier="SCORE" cardinality="single" baseType="float">
      <value>0.5</value>
    </outcomeVariable>
  </itemResult>"""  # noqa: E501
RESULT = f"""<assessmentResult xmlns="{V3}">
  <context sourcedId="learner-1">
    <sessionIdentifier sourceID="https://school.example/class" identifier="class 1"/>
  </context>
  <testResult identifier="T1" datestamp="2024-03-01T10:05:00+01:00">
    <outcomeVariable identifier="SCORE" cardinality="single" baseType="float" normalMaximum="2">
      <value>1.5</value>
    </outcomeVariable>
  </testResult>{ITEM}
</assessmentResult>"""


def verdicts(file: Path, content: str | bytes) -> list[Judgement]:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(check(file))


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_a_result_of_each_version_passes(namespace: str, file: Path) -> None:
    found = verdicts(file, RESULT.replace(V3, namespace))
    assert codes(found) == {}
    assert notes(found) == set()
    assert [j.row for j in found] == [1]


@pytest.mark.parametrize(
    ("declared", "code"),
    [("", "missing_namespace"), ('xmlns="http://other.example/qti"', "wrong_namespace")],
)
def test_another_namespace_or_none_is_refused_with_the_reason(
    declared: str, code: str, file: Path
) -> None:
    found = verdicts(file, RESULT.replace(f'xmlns="{V3}"', declared))
    assert codes(found) == {1: [code]}
    assert V3 in found[0].errors[0].suggestion


def test_a_prefix_for_the_namespace_is_no_fault(file: Path) -> None:
    prefixed = RESULT.replace("<", "<q:").replace("<q:/", "</q:").replace("xmlns=", "xmlns:q=")
    assert codes(verdicts(file, prefixed)) == {}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (('sourcedId="learner-1"', 'sourcedId="12345678"'), "not_an_identifier"),
        (('cardinality="single" baseType="float">', 'baseType="float">'), "no_cardinality"),
        (("10:00:00Z", "10:00:00"), "no_time_zone"),
        (("</context>", '<x xmlns="http://other.example"/></context>'), "foreign_element"),
    ],
)
def test_what_real_files_do_is_taken_and_noted(
    change: tuple[str, str], code: str, file: Path
) -> None:
    found = verdicts(file, RESULT.replace(*change))
    assert codes(found) == {}
    assert notes(found) == {code}


CHANGES = [
    ('sourcedId="learner-1"', "", "missing"),
    ('sourcedId="learner-1"', 'sourcedId=" "', "missing"),
    ('identifier="class 1"', "", "missing"),
    ('identifier="T1"', "", "missing"),
    ('datestamp="2024-03-01T10:05:00+01:00"', "", "missing"),
    ("2024-03-01T10:05:00+01:00", "1 March", "not_a_time"),
    ("2024-03-01T10:05:00+01:00", "2024-02-30T10:05:00Z", "not_a_time"),
    ('sessionStatus="final"', "", "missing"),
    ('sessionStatus="final"', 'sessionStatus="done"', "not_in_list"),
    ('sequenceIndex="1"', 'sequenceIndex="first"', "not_a_whole_number"),
    ('identifier="RESPONSE"', "", "missing"),
    ('cardinality="single" baseType="identifier"', 'cardinality="one"', "not_in_list"),
    ('baseType="identifier"', 'baseType="text"', "not_in_list"),
    ("<value>0.5</value>", "<value>half</value>", "not_of_its_type"),
    ("<value>0.5</value>", "<value>NaN</value>", "not_a_number"),
    ("<value>0.5</value>", "<value>0</value><value>1</value>", "too_many_values"),
    ("<candidateResponse><value>B</value></candidateResponse>", "", "missing"),
    ("<itemResult", "<itemresult", "unknown_element"),
    ("<outcomeVariable", "<outcomesVariable", "unknown_element"),
    ("<value>B</value>", "<value>B</value></candidateResponse><x><b/></x><candidateResponse>",
     "unknown_element"),
    ("<testResult", '<testResult identifier="T0" datestamp="2024-03-01T10:05:00Z"/><testResult',
     "repeated_element"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code"), CHANGES)
def test_each_rule_of_a_result_is_seen_to_refuse(old: str, new: str, code: str, file: Path) -> None:
    changed = RESULT.replace(old, new)
    changed = changed.replace("</itemResult>", "</itemresult>") if "itemresult" in new else changed
    if new == "<outcomesVariable":
        changed = changed.replace("</outcomeVariable>", "</outcomesVariable>")
    found = verdicts(file, changed)
    assert changed != RESULT
    assert code in codes(found)[1]
    assert all(e.field.startswith("/") and e.requirement for e in found[0].errors)


def test_a_result_without_a_context_is_refused(file: Path) -> None:
    head, _, rest = RESULT.partition("  <context")
    assert codes(verdicts(file, head + rest.partition("</context>")[2])) == {1: ["missing"]}


def test_the_last_final_attempt_at_an_item_counts() -> None:
    def item(day: int, index: int, status: str = "final") -> str:
        return (
            ITEM.replace("2024-03-01", f"2024-03-{day:02}")
            .replace('sequenceIndex="1"', f'sequenceIndex="{index}"')
            .replace('"final"', f'"{status}"')
        )

    items = item(3, 1) + item(2, 9) + item(3, 2) + item(4, 1, "pendingSubmission")
    result = parse(RESULT.replace(ITEM, items).encode())
    assert [(i.attempt, i.is_last) for i in sorted(result.items, key=lambda i: i.place)] == [
        (2, False),
        (1, False),
        (3, True),
        (4, False),
    ]
    assert [note.code for note in result.notes] == ["earlier_attempts"]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "bomb",
    [
        f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><x>&l11;</x>',
        f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><x a="&l11;"/>',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>',
        f"<!DOCTYPE assessmentResult>{RESULT}",
    ],
)
def test_document_types_and_entities_are_refused_at_once(bomb: str, file: Path) -> None:
    began = time.process_time()
    with pytest.raises(Unreadable) as refused:
        verdicts(file, bomb)
    assert refused.value.code in {"doctype_refused", "not_xml"}
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_xml"),
        (b"{}", "not_xml"),
        (RESULT.encode()[:300], "not_xml"),
        (("<a>" * 5000 + "</a>" * 5000).encode(), "too_large"),
        (b"<?xml version='1.0' encoding='no-such'?><x/>", "not_xml"),
        (b"<qti-assessment-item xmlns='http://www.imsglobal.org/xsd/imsqti_v3p0'/>", "not_qti"),
        (b"PK\x03\x04 no archive", "not_an_archive"),
    ],
)
def test_what_is_no_result_is_unreadable(content: bytes, code: str, file: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        verdicts(file, content)
    assert refused.value.code == code


def packed(file: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def test_each_result_of_an_archive_is_judged_by_itself(file: Path) -> None:
    members = {
        "a.xml": RESULT,
        "readme.txt": "x",
        "imsmanifest.xml": "<manifest/>",
        "deep/b.xml": RESULT.replace('identifier="T1"', ""),
        "c.xml": "<broken",
        "d.XML": RESULT.encode("utf-16"),
    }
    found = list(check(packed(file, members)))
    assert [(j.row, j.place) for j in found] == [
        (1, "a.xml"), (2, "deep/b.xml"), (3, "c.xml"), (4, "d.XML"),
    ]  # fmt: skip
    assert codes(found) == {2: ["missing"], 3: ["not_xml"]}


def test_an_archive_without_results_is_unreadable(file: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        list(check(packed(file, {"imsmanifest.xml": "<manifest/>"})))
    assert refused.value.code == "not_qti"


def test_a_member_that_cannot_be_unpacked_is_refused_alone(file: Path) -> None:
    data = bytearray(
        packed(file, {"a.xml": RESULT, "b.xml": RESULT.replace('"T1"', '"T2"')}).read_bytes()
    )
    data[60] ^= 0xFF
    file.write_bytes(data)
    found = list(check(file))
    assert set(codes(found)) == {1}
    assert [j.row for j in found] == [1, 2]


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    at=st.integers(0, len(RESULT)),
    length=st.integers(0, 40),
    new=st.binary(max_size=20) | st.text(max_size=10).map(lambda t: t.encode("utf-8", "replace")),
    is_cut=st.booleans(),
)
def test_no_content_makes_the_checker_crash(
    at: int, length: int, new: bytes, is_cut: bool, file: Path
) -> None:
    data = RESULT.encode()
    data = data[:at] if is_cut else data[:at] + new + data[at + length :]
    try:
        rows = [j.row for j in verdicts(file, data)]
    except Unreadable as error:
        rows = [1] if error.code and error.suggestion else []
    assert rows == [1]


def items_of(*items: str) -> str:
    return RESULT.replace(ITEM, "".join(items))


def attempt(number: int | None, day: int, score: str = "1") -> str:
    count = "" if number is None else COUNT.format(number)
    return (
        ITEM.replace("2024-03-01", f"2024-03-{day:02}")
        .replace("<outcomeVariable", f"{count}<outcomeVariable")
        .replace("<value>0.5", f"<value>{score}")
    )


COUNT = (
    '<responseVariable identifier="numAttempts" cardinality="single" baseType="integer">'
    "<candidateResponse><value>{}</value></candidateResponse></responseVariable>"
)


@pytest.mark.parametrize(
    ("items", "numbers"),
    [
        ([attempt(3, 1)], [3]),
        ([attempt(3, 2), attempt(2, 1)], [3, 2]),
        ([attempt(None, 2), attempt(4, 1)], [2, 1]),
        ([attempt(1, 1), attempt(1, 2)], [1, 2]),
        ([attempt(0, 1)], [1]),
    ],
)
def test_attempts_have_the_number_that_they_state_where_each_states_its_own(
    items: list[str], numbers: list[int]
) -> None:
    assert [item.attempt for item in parse(items_of(*items).encode()).items] == numbers


@pytest.mark.parametrize(
    "value",
    ["<value>\n 0.5\n </value>", "<value>0<!-- x -->.5</value>", "<value><![CDATA[0.5]]></value>"],
)
@pytest.mark.parametrize("base_type", [' baseType="float"', ""])
def test_a_score_counts_however_it_is_laid_out(value: str, base_type: str, file: Path) -> None:
    written = ITEM.replace("<value>0.5</value>", value).replace(
        'cardinality="single" baseType="float"', f'cardinality="single"{base_type}'
    )
    assert codes(verdicts(file, items_of(written))) == {}
    (item,) = parse(items_of(written).encode()).items
    score = item.variable("outcome", "SCORE")
    assert score is not None
    assert number(score.values[0].text) == Decimal("0.5")


def test_an_empty_value_is_no_value_and_is_noted(file: Path) -> None:
    found = verdicts(file, RESULT.replace("<value>0.5</value>", "<value/>"))
    assert codes(found) == {}
    assert notes(found) == {"empty_value"}


def test_a_time_that_ends_a_day_is_the_one_that_begins_the_next() -> None:
    late = parse(RESULT.replace("2024-03-01T10:00:00Z", "2024-02-29T24:00:00Z").encode())
    assert late.items[0].datestamp == "2024-03-01T00:00:00Z"
    assert late.items[0].at == datetime(2024, 3, 1, tzinfo=UTC)
    assert late.errors == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<value>B</value>", "<value>B<b>C</b></value>", "unknown_element"),
        (
            "<value>B</value>",
            '<value><x:include xmlns:x="http://www.w3.org/2001/XInclude" href="a"/></value>',
            "unknown_element",
        ),
        ("<value>0.5</value>", "<value>0.5</value><value>1</value>", "too_many_values"),
        ('normalMaximum="2"', 'normalMaximum="two"', "not_a_number"),
        (
            "<value>0.5</value>",
            "<value>0.5</value></outcomeVariable>" + SCORE + "<value>1</value>",
            "repeated_variable",
        ),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(
    old: str, new: str, code: str, file: Path
) -> None:
    changed = RESULT.replace('"SCORE" cardinality="single"', '"SCORE" cardinality="multiple"')
    assert codes(verdicts(file, changed.replace(old, new, 1))) == {1: [code]}


def test_a_variable_that_stands_twice_is_noted_where_nothing_hangs_on_it(file: Path) -> None:
    comment = SCORE.replace("SCORE", "COMMENT") + "<value>again</value></outcomeVariable>"
    twice = items_of(ITEM.replace("</itemResult>", comment * 2 + "</itemResult>"))
    found = verdicts(
        file,
        twice.replace(
            '"COMMENT" cardinality="multiple" baseType="float"',
            '"COMMENT" cardinality="multiple" baseType="string"',
        ),
    )
    assert codes(found) == {}
    assert notes(found) == {"repeated_variable"}


MANY = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (
            f'<!DOCTYPE a [<!ENTITY l0 "lol">{MANY}]>{RESULT.replace("learner-1", "&l11;")}',
            "doctype_refused",
        ),
        (f'<!DOCTYPE a SYSTEM "file:///etc/passwd">{RESULT}', "doctype_refused"),
        (RESULT.replace("<value>B", "<value>" + "x" * 10_000_001), "too_large"),
        (RESULT.replace("<value>B", "<value>" + "<a>" * 300 + "</a>" * 300), "too_large"),
    ],
)
def test_what_is_too_much_is_called_what_it_is(content: str, code: str, file: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        verdicts(file, content)
    assert refused.value.code == code
