"""One rule of the specification each: what breaks it, and which requirement is named."""

from __future__ import annotations

import pytest

from pipelines.sources.xapi import requirements
from pipelines.sources.xapi.statements import check_statement, version_of
from tests.sources.xapi.statements import (
    ACTIVITY,
    AGENT,
    ATTACHMENT,
    FULL,
    GROUP,
    REFERENCE,
    SHORT,
    SUB,
    changed,
)

CHOICES = [{"id": "a"}, {"id": "b", "description": {"en": "B"}}]
OAUTH = [{"account": {"homePage": "https://example.org", "name": "app"}}, AGENT]
SIGNATURE = ATTACHMENT | {
    "usageType": "http://adlnet.gov/expapi/attachments/signature",
    "contentType": "application/octet-stream",
}
VOIDING = SHORT | {"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}, "object": REFERENCE}

RIGHT = {
    "full": FULL,
    "short": SHORT,
    "an empty definition": changed(SHORT, "object.definition", {}),
    "a Group as actor": SHORT | {"actor": GROUP},
    "an identified Group without members": SHORT
    | {"actor": {"objectType": "Group", "mbox": "mailto:team@example.org"}},
    "an Agent as object": SHORT | {"object": AGENT},
    "a Group as object": SHORT | {"object": GROUP},
    "a StatementRef as object": SHORT | {"object": REFERENCE},
    "a SubStatement as object": SHORT | {"object": SUB},
    "attachments": SHORT | {"attachments": [ATTACHMENT]},
    "no attachments": SHORT | {"attachments": []},
    "a signature": SHORT | {"attachments": [SIGNATURE]},
    "null within extensions": changed(SHORT, "result.extensions", {"https://example.org/x": None}),
    "an application and its user as authority": SHORT
    | {"authority": {"objectType": "Group", "member": OAUTH}},
    "a team": changed(SHORT, "context.team", GROUP),
    "a Group as instructor": changed(SHORT, "context.instructor", GROUP),
    "a choice": changed(
        SHORT, "object.definition", {"interactionType": "choice", "choices": CHOICES}
    ),
    "an interaction without correct responses": changed(
        SHORT, "object.definition", {"interactionType": "numeric", "correctResponsesPattern": []}
    ),
    "a voiding statement": VOIDING,
    "raw at the ends of its range": changed(SHORT, "result.score", {"raw": 0, "min": 0, "max": 1}),
}

WRONG = {
    "no actor": (changed(SHORT, "actor", ...), "actor", "00003"),
    "no verb": (changed(SHORT, "verb", ...), "verb", "00004"),
    "no object": (changed(SHORT, "object", ...), "object", "00005"),
    "null": (changed(FULL, "actor.name", None), "actor.name", "00001"),
    "null in an array": (SHORT | {"attachments": [None]}, "attachments[0]", "00001"),
    "unknown property": (SHORT | {"mood": "good"}, "mood", "00010"),
    "wrong case of a key": (SHORT | {"Result": {}}, "Result", "00008"),
    "wrong case of a word": (
        changed(SHORT, "object.definition", {"interactionType": "Choice"}),
        "object.definition.interactionType",
        "00009",
    ),
    "wrong type": (changed(FULL, "result.success", "true"), "result.success", "00006"),
    "id": (SHORT | {"id": "7"}, "id", "00027"),
    "empty id": (SHORT | {"id": ""}, "id", "00007"),
    "actor's objectType": (
        changed(FULL, "actor.objectType", "Person"),
        "actor.objectType",
        "00031",
    ),
    "objectType no text": (changed(FULL, "actor.objectType", 1), "actor.objectType", "00032"),
    "name no text": (changed(FULL, "actor.name", 1), "actor.name", "00033"),
    "no identifier": (SHORT | {"actor": {"name": "N"}}, "actor", "00034"),
    "two identifiers": (changed(FULL, "actor.openid", "https://example.org/o"), "actor", "00034"),
    "anonymous Group without members": (
        SHORT | {"actor": {"objectType": "Group"}},
        "actor",
        "00035",
    ),
    "Group within a Group": (
        SHORT | {"actor": {"objectType": "Group", "member": [GROUP]}},
        "actor.member[0].objectType",
        "00031",
    ),
    "member no array": (
        SHORT | {"actor": {"objectType": "Group", "member": AGENT}},
        "actor.member",
        "00036",
    ),
    "Group with two identifiers": (
        SHORT
        | {"actor": {"objectType": "Group", "mbox": "mailto:a@b.org", "openid": "https://b.org"}},
        "actor",
        "00037",
    ),
    "mbox": (changed(FULL, "actor.mbox", "learner@example.org"), "actor.mbox", "00038"),
    "mbox_sha1sum": (SHORT | {"actor": {"mbox_sha1sum": "1"}}, "actor.mbox_sha1sum", "00039"),
    "openid": (SHORT | {"actor": {"openid": "me"}}, "actor.openid", "00040"),
    "account no object": (SHORT | {"actor": {"account": "a"}}, "actor.account", "00041"),
    "account without homePage": (
        SHORT | {"actor": {"account": {"name": "a"}}},
        "actor.account.homePage",
        "00042",
    ),
    "account without name": (
        SHORT | {"actor": {"account": {"homePage": "https://b.org"}}},
        "actor.account.name",
        "00043",
    ),
    "verb without id": (SHORT | {"verb": {}}, "verb.id", "00044"),
    "verb's id": (SHORT | {"verb": {"id": "saw"}}, "verb.id", "00044"),
    "display": (changed(FULL, "verb.display", "saw"), "verb.display", "00045"),
    "language of a text": (
        changed(FULL, "verb.display", {"en_US": "saw"}),
        "verb.display.(a language)",
        "00121",
    ),
    "object's objectType": (
        changed(SHORT, "object.objectType", "Thing"),
        "object.objectType",
        "00046",
    ),
    "Activity without id": (SHORT | {"object": {"definition": {}}}, "object.id", "00047"),
    "definition no object": (
        changed(SHORT, "object.definition", "a case"),
        "object.definition",
        "00048",
    ),
    "interaction without its type": (
        changed(SHORT, "object.definition", {"choices": CHOICES}),
        "object.definition.interactionType",
        "00064",
    ),
    "scale of a choice": (
        changed(SHORT, "object.definition", {"interactionType": "choice", "scale": CHOICES}),
        "object.definition.scale",
        "00054",
    ),
    "component without id": (
        changed(SHORT, "object.definition", {"interactionType": "choice", "choices": [{}]}),
        "object.definition.choices[0].id",
        "00058",
    ),
    "components of one id": (
        changed(
            SHORT,
            "object.definition",
            {"interactionType": "choice", "choices": [{"id": "a"}, {"id": "a"}]},
        ),
        "object.definition.choices",
        "00058",
    ),
    "correct responses no texts": (
        changed(
            SHORT,
            "object.definition",
            {"interactionType": "numeric", "correctResponsesPattern": [4]},
        ),
        "object.definition.correctResponsesPattern[0]",
        "00050",
    ),
    "person as object without objectType": (
        SHORT | {"object": {"mbox": "mailto:a@b.org"}},
        "object.objectType",
        "00065",
    ),
    "SubStatement without actor": (
        SHORT | {"object": changed(SUB, "actor", ...)},
        "object.actor",
        "00066",
    ),
    "SubStatement with id": (
        SHORT | {"object": SUB | {"id": FULL["id"]}},
        "object.id",
        "00070",
    ),
    "SubStatement with stored": (
        SHORT | {"object": SUB | {"stored": FULL["stored"]}},
        "object.stored",
        "00069",
    ),
    "SubStatement with version": (
        SHORT | {"object": SUB | {"version": "1.0.0"}},
        "object.version",
        "00068",
    ),
    "SubStatement with authority": (
        SHORT | {"object": SUB | {"authority": AGENT}},
        "object.authority",
        "00067",
    ),
    "SubStatement in a SubStatement": (
        SHORT | {"object": SUB | {"object": SUB}},
        "object.object",
        "00071",
    ),
    "StatementRef without id": (
        SHORT | {"object": {"objectType": "StatementRef"}},
        "object.id",
        "00072",
    ),
    "scaled": (changed(FULL, "result.score.scaled", 1.01), "result.score.scaled", "00083"),
    "raw below min": (changed(FULL, "result.score.raw", -1), "result.score.raw", "00082"),
    "raw above max": (changed(FULL, "result.score.raw", 11), "result.score.raw", "00082"),
    "min not below max": (
        changed(SHORT, "result.score", {"min": 1, "max": 1}),
        "result.score.min",
        "00081",
    ),
    "score a text": (changed(FULL, "result.score.max", "10"), "result.score.max", "00080"),
    "score a boolean": (changed(FULL, "result.score.raw", True), "result.score.raw", "00082"),
    "duration": (changed(FULL, "result.duration", "1h"), "result.duration", "00124"),
    "key of an extension": (
        changed(FULL, "result.extensions", {"level": 3}),
        "result.extensions.(a key)",
        "00118",
    ),
    "registration": (changed(FULL, "context.registration", "1"), "context.registration", "00087-1"),
    "instructor": (changed(FULL, "context.instructor", "a7"), "context.instructor", "00087-2"),
    "team an Agent": (changed(FULL, "context.team", AGENT), "context.team", "00088"),
    "contextActivities": (
        changed(FULL, "context.contextActivities", []),
        "context.contextActivities",
        "00086",
    ),
    "role of a context Activity": (
        changed(FULL, "context.contextActivities", {"child": ACTIVITY}),
        "context.contextActivities.(a key)",
        "00093",
    ),
    "context Activity a person": (
        changed(FULL, "context.contextActivities.parent", AGENT),
        "context.contextActivities.parent.objectType",
        "00094",
    ),
    "revision of a person": (FULL | {"object": AGENT}, "context.revision", "00084"),
    "platform of a StatementRef": (FULL | {"object": REFERENCE}, "context.platform", "00085"),
    "language": (changed(FULL, "context.language", "en_GB"), "context.language", "00091"),
    "context's statement without objectType": (
        changed(FULL, "context.statement", {"id": FULL["id"]}),
        "context.statement",
        "00092",
    ),
    "timestamp": (SHORT | {"timestamp": "yesterday"}, "timestamp", "00022"),
    "timestamp of minus zero": (
        SHORT | {"timestamp": "2026-01-12T10:30:00-00:00"},
        "timestamp",
        "00123",
    ),
    "stored": (SHORT | {"stored": "01/01/2026"}, "stored", "00023"),
    "authority": (SHORT | {"authority": "forms"}, "authority", "00024"),
    "authority an identified Group": (
        SHORT | {"authority": {"objectType": "Group", "mbox": "mailto:a@b.org", "member": OAUTH}},
        "authority",
        "00098",
    ),
    "authority of three": (
        SHORT | {"authority": {"objectType": "Group", "member": [*OAUTH, AGENT]}},
        "authority.member",
        "00098",
    ),
    "authority without an application": (
        SHORT | {"authority": {"objectType": "Group", "member": [AGENT, AGENT]}},
        "authority.member",
        "00100",
    ),
    "version": (SHORT | {"version": "1.1.0"}, "version", "00101"),
    "attachments no array": (SHORT | {"attachments": ATTACHMENT}, "attachments", "00025"),
    "attachment without usageType": (
        SHORT | {"attachments": [changed(ATTACHMENT, "usageType", ...)]},
        "attachments[0].usageType",
        "00107",
    ),
    "contentType": (
        SHORT | {"attachments": [ATTACHMENT | {"contentType": "letter"}]},
        "attachments[0].contentType",
        "00105",
    ),
    "length": (
        SHORT | {"attachments": [ATTACHMENT | {"length": 1.5}]},
        "attachments[0].length",
        "00102",
    ),
    "sha2": (SHORT | {"attachments": [ATTACHMENT | {"sha2": 1}]}, "attachments[0].sha2", "00103"),
    "fileUrl": (
        SHORT | {"attachments": [ATTACHMENT | {"fileUrl": "letter.txt"}]},
        "attachments[0].fileUrl",
        "00104",
    ),
    "signature of another type": (
        SHORT | {"attachments": [SIGNATURE | {"contentType": "text/plain"}]},
        "attachments[0].contentType",
        "00115",
    ),
    "voiding something else": (VOIDING | {"object": ACTIVITY}, "object", "00020"),
}


@pytest.mark.parametrize("version", ["1.0.3", "2.0"])
@pytest.mark.parametrize("name", RIGHT)
def test_what_the_specification_allows_is_right(name, version):
    assert check_statement(RIGHT[name], version) == []


@pytest.mark.parametrize("version", ["1.0.3", "2.0"])
@pytest.mark.parametrize("name", WRONG)
def test_a_broken_rule_is_named_with_its_place_and_requirement(name, version):
    statement, field, rule = WRONG[name]
    faults = check_statement(statement, version)
    named = {fault.field: fault.requirement for fault in faults}
    assert field in named
    assert f"XAPI-{rule}" in named[field]
    assert ("IEEE 9274.1.1" if version == "2.0" else "Data ") in named[field]


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_says_what_to_do_and_quotes_no_value(name):
    statement, _, _ = WRONG[name]
    for fault in check_statement(statement):
        assert fault.message
        assert fault.suggestion
        assert "example.org" not in fault.message + fault.suggestion + fault.field


def test_a_value_that_is_no_object_is_no_statement():
    for value in ("a", 1, None, True):
        assert check_statement(value)


@pytest.mark.parametrize("rule", requirements.NUMBERS)
def test_every_requirement_has_a_section_in_both_versions(rule):
    for version in ("1.0.3", "2.0"):
        assert f"XAPI-{rule}" in requirements.name((rule,), version)
    section = requirements.name((rule,), "1.0.3").partition("(")[2].removesuffix(")")
    assert requirements.name((rule,), "2.0").endswith(f"; as {section} of 1.0.3)")


RELATED_AGENT = {
    "objectType": "contextAgent",
    "agent": AGENT,
    "relevantTypes": ["https://example.org/roles/observer"],
}
RELATED_GROUP = {"objectType": "contextGroup", "group": GROUP}


def _related(name, value):
    return changed(SHORT, f"context.{name}", value)


@pytest.mark.parametrize(
    "statement",
    [
        _related("contextAgents", [RELATED_AGENT]),
        _related("contextAgents", [changed(RELATED_AGENT, "relevantTypes", ...), RELATED_AGENT]),
        _related("contextGroups", [RELATED_GROUP]),
        SHORT | {"object": changed(SUB, "context.contextAgents", [RELATED_AGENT])},
    ],
)
def test_related_people_are_right_in_2_0_only(statement):
    assert check_statement(statement, "2.0") == []
    assert check_statement(statement, "1.0.3")
    assert check_statement(statement | {"version": "2.0.0"}, "1.0.3") == []
    assert check_statement(statement | {"version": "1.0.3"}, "2.0")


@pytest.mark.parametrize(
    ("statement", "field"),
    [
        (_related("contextAgents", RELATED_AGENT), ""),
        (_related("contextAgents", [changed(RELATED_AGENT, "objectType", ...)]), "[0].objectType"),
        (_related("contextAgents", [RELATED_AGENT | {"objectType": "Agent"}]), "[0].objectType"),
        (_related("contextAgents", [changed(RELATED_AGENT, "agent", ...)]), "[0].agent"),
        (_related("contextAgents", [RELATED_AGENT | {"agent": {"key": "x"}}]), "[0].agent"),
        (_related("contextAgents", [RELATED_AGENT | {"agent": GROUP}]), "[0].agent.objectType"),
        (_related("contextAgents", [RELATED_AGENT | {"relevantTypes": []}]), "[0].relevantTypes"),
        (
            _related("contextAgents", [RELATED_AGENT | {"relevantTypes": ["abc"]}]),
            "[0].relevantTypes[0]",
        ),
        (_related("contextAgents", [RELATED_AGENT | {"role": "x"}]), "[0].role"),
    ],
)
def test_related_people_keep_their_own_rules(statement, field):
    found = {fault.field for fault in check_statement(statement, "2.0")}
    assert f"context.contextAgents{field}" in found


@pytest.mark.parametrize(
    "broken",
    [
        {"objectType": "Should fail"},
        {"group": AGENT},
        {"group": {"objectType": "Group"}},
        {"relevantTypes": []},
        {"relevantTypes": ["abc"]},
        {"member": [AGENT]},
    ],
)
def test_related_groups_keep_their_own_rules(broken):
    assert check_statement(_related("contextGroups", [RELATED_GROUP | broken]), "2.0")


@pytest.mark.parametrize(
    ("time", "versions"),
    [
        ("2008-09-15T15:53:00.601Z", {"1.0.3", "2.0"}),
        ("2008-09-15 15:53:00.601+00:00", set()),
        ("2008-09-15t15:53:00.601z", {"2.0"}),
        ("2008-09-15", {"1.0.3"}),
        ("20080915T155300Z", {"1.0.3"}),
        ("2008-09-15T15:53:00.601-00:00", set()),
        ("2008-09-15T15:53:00.601-0000", set()),
        ("2008-09-15T15:53:00.601-00", set()),
    ],
)
def test_2_0_takes_times_of_rfc_3339_and_neither_version_an_offset_of_minus_zero(time, versions):
    statement = SHORT | {"timestamp": time}
    assert {v for v in ("1.0.3", "2.0") if not check_statement(statement, v)} == versions


@pytest.mark.parametrize(
    ("named", "judged_by"),
    [("1.0", "1.0.3"), ("1.0.9", "1.0.3"), ("2.0", "2.0"), ("2.0.1", "2.0"), ("3.0", "2.0")],
)
def test_a_statement_is_judged_by_the_version_it_names(named, judged_by):
    assert version_of(SHORT | {"version": named}, "2.0") == judged_by
    assert version_of(SHORT, "2.0") == "2.0"


@pytest.mark.parametrize(
    ("statement", "field"),
    [
        (SHORT | {"contextAgents": [RELATED_AGENT]}, "contextAgents"),
        (_related("contextTeams", []), "context.contextTeams"),
        (_related("contextAgents", None), "context.contextAgents"),
        (_related("contextGroups", [None]), "context.contextGroups[0]"),
        (_related("contextGroups", [RELATED_GROUP | {"group": AGENT}]), "context.contextGroups[0]"),
        (SHORT | {"version": "2.1.0"}, "version"),
        (SHORT | {"version": "2.0.0.1"}, "version"),
        (SHORT | {"version": 2.0}, "version"),
        (SHORT | {"timestamp": "2008-09-15T15:53:00"}, "timestamp"),
        (SHORT | {"timestamp": "2008-09-15T24:00:00Z"}, "timestamp"),
        (SHORT | {"stored": "2008-09-15T15:53Z"}, "stored"),
    ],
)
def test_what_2_0_does_not_know_is_refused_at_its_place(statement, field):
    found = {fault.field: fault.requirement for fault in check_statement(statement, "2.0")}
    assert any(name.startswith(field) for name in found), found
    assert all("IEEE 9274.1.1" in requirement for requirement in found.values())


@pytest.mark.parametrize(
    ("change", "versions"),
    [
        ({"sha2": "a" * 64}, {"1.0.3", "2.0"}),
        ({"sha2": "A" * 128}, {"1.0.3", "2.0"}),
        ({"sha2": "a" * 40}, {"1.0.3"}),
        ({"sha2": "not a hash"}, {"1.0.3"}),
        ({"length": 0}, {"1.0.3", "2.0"}),
        ({"length": -1}, set()),
    ],
)
def test_2_0_asks_for_a_hash_of_sha_2_and_both_for_a_length_that_can_be(change, versions):
    statement = SHORT | {"attachments": [ATTACHMENT | change]}
    assert {v for v in ("1.0.3", "2.0") if not check_statement(statement, v)} == versions
