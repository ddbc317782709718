"""The fast proof and the exact rules are one."""

from __future__ import annotations

import copy
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.readers import strict_json
from pipelines.sources.xapi.check import check, read
from pipelines.sources.xapi.screen import has_each_key_once, is_proven
from tests.sources.xapi.statements import ACTIVITY, AGENT, ATTACHMENT, FULL, GROUP, SHORT, SUB

ODD = [
    *(None, "", "x", "en", "en_US", 0, 1, -1.5, 10**30, True, False, [], {}, [None], "P1D", "1.0"),
    *("2.0.0", "2024-02-29T00:00:00Z", "2026-01-01T00:00:00-00:00", "Agent", "Group", "Activity"),
    *("http://adlnet.gov/expapi/verbs/voided", "mailto:a@b.org", "https://b.org/ü", 'say "x": y'),
    *(AGENT, GROUP, SUB, ACTIVITY, [ATTACHMENT], {"https://b.org/x": {"a": [1, {"b": None}]}}),
]
KEYS = ["id", "objectType", "name", "Id", "mbox", "account", "extensions", "min", "member", "text"]


def _objects(value):
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


@st.composite
def statements(draw):
    """Draw a right statement with up to three things changed in it."""
    statement = copy.deepcopy(draw(st.sampled_from([FULL, SHORT])))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from(list(_objects(statement))))
        key = draw(st.sampled_from([*place, *KEYS]))
        if draw(st.booleans()):
            place[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
        else:
            place.pop(key, None)
    return statement


@st.composite
def lines(draw):
    """Draw a statement as it may be written: spaces, escapes, keys twice."""
    statement = draw(statements())
    text = json.dumps(
        statement,
        ensure_ascii=draw(st.booleans()),
        separators=draw(st.sampled_from([(", ", ": "), (",", ":"), (" ,", " : ")])),
    )
    if draw(st.booleans()) and len(statement) > 1:
        key = draw(st.sampled_from(list(statement)))
        text = text[:-1] + f",{json.dumps(key)}{draw(st.sampled_from([':', ' :']))}"
        text += json.dumps(statement[key]) + "}"
    if draw(st.booleans()):
        text = text.replace("well:", draw(st.sampled_from(["\\u0022:", '\\":', ":", "\\ud83d"])))
    return text.encode()


@settings(max_examples=400)
@given(lines(), st.sampled_from(["1.0.3", "2.0"]))
def test_what_is_proven_good_is_good_by_the_exact_rules(line, version):
    exact = read(line, version).faults
    assert not (is_proven(line) and exact)
    assert check(line, version) == exact


@given(lines())
def test_a_line_is_read_as_strict_json_has_it(line):
    try:
        strict = strict_json.parse(line)
    except strict_json.NotJson:
        assert read(line).content is None
    else:
        assert read(line).content == json.loads(line)
        assert json.loads(strict_json.as_json(strict)) == json.loads(line)


def test_statements_as_systems_send_them_are_proven():
    for statement in (FULL, SHORT):
        assert is_proven(json.dumps(statement).encode())
        assert is_proven(json.dumps(statement, separators=(",", ":")).encode())


def test_a_key_that_stands_twice_is_seen_however_it_is_written():
    for text in (b'{"a":1,"a":1}', b'{"a":1,"a" :1}', b'{"a":1,"a":"\\u0022:"}', b'{"a" :1,"a":1}'):
        assert not has_each_key_once(text, json.loads(text))
    once = b'{"a":":x","b":"say \\": y"}'
    assert has_each_key_once(once, json.loads(once))
