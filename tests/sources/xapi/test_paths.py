"""Places in a statement, and the people in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.xapi import paths
from pipelines.sources.xapi.people import person_of
from tests.sources.xapi.statements import FULL, GROUP, REFERENCE, SHORT

PREFIXES = {"ex": "https://example.org/ext/"}
HOME_PAGES = frozenset({"https://example.org"})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("verb.id", "https://example.org/verbs/saw"),
        ("verb.display.en", "saw"),
        ("verb.display[en]", "saw"),
        ("context.extensions[https://example.org/ext/epa]", "EPA-1"),
        ("context.extensions[ex:epa]", "EPA-1"),
        ("object.definition.extensions[ex:ward].floor", 3),
        ("context.contextActivities.category[0].id", "https://example.org/profiles/1"),
        ("context.contextActivities.parent[0].id", "https://example.org/rotations/1"),
        ("context.contextActivities.category[1].id", None),
        ("context.contextActivities.parent[1].id", None),
        ("result.score.raw", 5),
        ("result.score.raw.more", None),
        ("nothing.there", None),
        ("context.extensions[ex:epa", None),
        ("actor.person", "learner@example.org"),
        ("context.instructor.person", "a7"),
        ("context.team.person", None),
        ("record", FULL["id"]),
        ("voids", False),
    ],
)
def test_a_path_finds_what_stands_there(path, value):
    assert paths.getter(path, PREFIXES, HOME_PAGES)(FULL) == value


@given(st.text(), st.sampled_from([FULL, SHORT]))
def test_no_path_breaks_on_a_statement(path, statement):
    paths.getter(path, PREFIXES, HOME_PAGES)(statement)


@given(st.from_regex(r"https://[a-z./]{0,20}", fullmatch=True))
def test_an_iri_is_found_again_under_its_short_name(iri):
    short = paths.shortened(iri, PREFIXES)
    assert paths.written_out(short, PREFIXES) == iri


def test_a_voiding_statement_names_the_record_it_withdraws():
    voiding = FULL | {"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}, "object": REFERENCE}
    assert paths.is_voiding(voiding)
    assert paths.record_of(voiding) == REFERENCE["id"]
    upper = voiding | {"object": REFERENCE | {"id": REFERENCE["id"].upper()}}
    assert paths.record_of(upper) == REFERENCE["id"]


def test_a_statement_without_id_has_no_record():
    assert paths.record_of(SHORT) is None


@pytest.mark.parametrize(
    ("agent", "person"),
    [
        ({"mbox": "mailto:a@example.org"}, "a@example.org"),
        (
            {"mbox_sha1sum": "CD9B00A5611F94EAA7B1661EDAB976068E364975"},
            "cd9b00a5611f94eaa7b1661edab976068e364975",
        ),
        ({"openid": "https://example.org/a"}, "https://example.org/a"),
        ({"account": {"homePage": "https://example.org", "name": "1001"}}, "1001"),
        ({"account": {"homePage": "https://b.org", "name": "1001"}}, "1001 @ https://b.org"),
        (GROUP, None),
        ({"objectType": "Group", "mbox": "mailto:team@example.org", "member": []}, None),
        (None, None),
        ("a", None),
    ],
)
def test_a_person_has_one_id_whichever_identifier_is_used(agent, person):
    assert person_of(agent, HOME_PAGES) == person
