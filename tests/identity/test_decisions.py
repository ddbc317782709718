"""Merges, splits, re-used ids and holds are records by named persons, in one order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.home import Home
from pipelines.identity.bridge import PersonSets, connect
from pipelines.identity.decisions import (
    Decision,
    Identity,
    IdentityError,
    decide,
    decisions,
    mask_id,
    open_holds,
)
from pipelines.identity.named import UnnamedError, named, reasoned
from pipelines.identity.vault import PERSON_SCHEMA, Keys

KEYS = Keys(b"one", b"two", 1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def who(number: str, on: date | None = None) -> Identity:
    return Identity(namespace="n", person_id=number, on=on)


def decision(action: Any, numbers: str, day: int = 50, **changes: Any) -> Decision:
    return Decision(
        action=action,
        identities=tuple(who(number) for number in numbers),
        by="A. Muster",
        reason="seen in the register",
        decided_at=START + timedelta(days=day),
        **changes,
    )


def person(number: str, day: int = 0, links: str = "", keys: Keys = KEYS) -> dict[str, Any]:
    return {
        "namespace": "n",
        "role": "learner",
        "person_id": number,
        "pseudonym": keys.pseudonym_of("n", number),
        "known_at": START + timedelta(days=day),
        "event_id": f"e{number}{day}" if links else None,
        "links": [{"namespace": "n", "person_id": other} for other in links],
    }


def bridge(people: list[dict[str, Any]], *taken: Decision) -> pl.DataFrame:
    return connect(pl.DataFrame(people, schema=PERSON_SCHEMA), KEYS, decisions=taken)


def keys_of(people: list[dict[str, Any]], *taken: Decision) -> dict[str, str]:
    number = {p["pseudonym"]: p["person_id"] for p in people}
    rows = bridge(people, *taken).select("pseudonym", "person_key").rows()
    return {number[pseudonym]: key for pseudonym, key in rows}


PEOPLE = [person(number, day) for day, number in enumerate("12345")]


def test_merged_identities_are_one_person_with_the_key_of_the_earliest() -> None:
    alone, merged = keys_of(PEOPLE), keys_of(PEOPLE, decision("merge", "35"))
    assert merged["3"] == merged["5"] == alone["3"]
    assert [merged[n] for n in "124"] == [alone[n] for n in "124"]


def test_a_split_takes_a_group_out_and_leaves_it_together() -> None:
    all_one = decision("merge", "12345", 50)
    keys = keys_of(PEOPLE, all_one, decision("split", "45", 51))
    assert keys["1"] == keys["2"] == keys["3"]
    assert keys["4"] == keys["5"] != keys["1"]


def test_a_split_outweighs_rosters_and_a_later_merge_outweighs_it() -> None:
    people = [person("1"), person("2", 1, "1"), person("2", 99, "1")]
    assert len(set(keys_of(people).values())) == 1
    assert len(set(keys_of(people, decision("split", "2", 60)).values())) == 2
    again = decision("merge", "12", 61)
    assert len(set(keys_of(people, decision("split", "2", 60), again).values())) == 1
    before = decision("merge", "12", 59)
    assert len(set(keys_of(people, decision("split", "2", 60), before).values())) == 2


def test_a_reused_id_is_two_persons_by_day_and_a_merge_may_name_one_of_them() -> None:
    day = date(2026, 3, 1)
    reused = decision("reuse", "1", 70, from_day=day)
    frame = bridge([person("1")], reused)
    assert frame.select("valid_from", "valid_to").rows() == [
        (None, date(2026, 2, 28)),
        (day, None),
    ]
    assert frame["person_key"].n_unique() == 2
    assert frame["person_key"][0] == keys_of([person("1")])["1"]
    merged = Decision(
        action="merge",
        identities=(who("1", date(2026, 1, 5)), who("2")),
        by="A. Muster",
        reason="why",
        decided_at=START + timedelta(days=80),
    )
    frame = bridge([person("1"), person("2", 1)], reused, merged)
    by_stretch = {(row["pseudonym"], row["valid_from"]): row["person_key"]
                  for row in frame.iter_rows(named=True)}  # fmt: skip
    one, two = (KEYS.pseudonym_of("n", n) for n in "12")
    assert by_stretch[one, None] == by_stretch[two, None] != by_stretch[one, day]


def test_a_rotated_key_leaves_people_who_they_are() -> None:
    new = Keys(b"new", KEYS.person, 2)
    people = [person("1"), person("1", 9, keys=new), person("2", 10, keys=new)]
    frame = connect(pl.DataFrame(people, schema=PERSON_SCHEMA), new)
    assert frame.height == 3
    assert frame["person_key"].n_unique() == 2
    assert set(frame["person_key"]) == {
        KEYS.person_key_of("learner", "n", "1"),
        KEYS.person_key_of("learner", "n", "2"),
    }
    assert new.content_of("n", "1") == KEYS.content_of("n", "1")


def test_a_merge_with_an_id_that_comes_later_counts_when_it_comes() -> None:
    taken = decision("merge", "19")
    alone = keys_of([person("1")], taken)["1"]
    keys = keys_of([person("1"), person("9", 90)], taken)
    assert keys["1"] == keys["9"] == alone


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_neither_rows_nor_decisions_depend_on_their_order(data: st.DataObject) -> None:
    numbers = st.text("12345", min_size=1, max_size=3)
    taken = [
        decision(action, ids, day, from_day=START.date() + timedelta(days=day % 4))
        for action, ids, day in data.draw(
            st.lists(
                st.tuples(st.sampled_from(["merge", "split", "reuse"]), numbers, st.integers(1, 9)),
                max_size=6,
            )
        )
    ]
    people = [
        person(number, day, links)
        for number, day, links in data.draw(
            st.lists(
                st.tuples(
                    st.sampled_from("12345"), st.integers(0, 9), st.text("12345", max_size=2)
                ),
                min_size=1,
                max_size=8,
            )
        )
    ]
    shuffled = data.draw(st.permutations(people)) + people[:1]
    reordered = sorted(data.draw(st.permutations(taken)), key=lambda item: item.order)
    ordered = sorted(taken, key=lambda item: item.order)
    expected = bridge(people, *ordered)
    assert bridge(shuffled, *reordered).equals(expected)
    whole = PersonSets(pl.DataFrame(people, schema=PERSON_SCHEMA), decisions=ordered)
    by_pseudonym = {
        (pseudonym, whole.validity(node)[0]): whole.person_key(node, KEYS)
        for node, pseudonym, _ in whole.met()
    }
    told = expected.select("pseudonym", "valid_from", "person_key").rows()
    assert {(pseudonym, begins): key for pseudonym, begins, key in told} == by_pseudonym
    stretches = expected.select("pseudonym", "valid_from")
    assert stretches.is_duplicated().sum() == 0


def test_decisions_are_kept_in_order_and_in_private(tmp_path: Path) -> None:
    home = Home.open(tmp_path)
    later = decide(home, "merge", [who("1"), who("2")], by=" A.  Muster ", reason="same person")
    earlier = decide(home, "rotate", by="B. Beispiel", reason="yearly", decided_at=START)
    assert decisions(home) == [earlier, later]
    assert decisions(home, START) == [earlier]
    assert later.by == "A. Muster"
    for path in (home.vault / "decisions").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_holds_stand_until_somebody_releases_them() -> None:
    hold, other = decision("hold", "12", 1), decision("hold", "3", 2)
    assert open_holds([hold, other]) == [hold, other]
    assert open_holds([hold, other, decision("release", "12", 3)]) == [other]


@pytest.mark.parametrize("name", ["", " ", "admin", "System", "A", "12", "a\x00b", "nobody"])
def test_nobody_in_particular_decides_nothing(name: str) -> None:
    with pytest.raises(UnnamedError, match="names nobody"):
        named(name)


def test_a_decision_has_a_reason() -> None:
    assert reasoned(" seen  in the register ") == "seen in the register"
    with pytest.raises(UnnamedError, match="--reason"):
        reasoned(" . ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n:0042", who("0042")),
        ("n:a@b.example", who("a@b.example")),
        ("n:0042@2027-09-01", who("0042", date(2027, 9, 1))),
        ("n:x:y", who("x:y")),
    ],
)
def test_an_identity_is_read_as_it_is_written(text: str, expected: Identity) -> None:
    assert Identity.parse(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize("text", ["0042", "n:", ":1", "n:1@2027-13-01"])
def test_what_is_no_identity_is_refused_in_words(text: str) -> None:
    with pytest.raises(IdentityError):
        Identity.parse(text)


def test_a_masked_id_shows_its_length_and_last_character() -> None:
    assert mask_id("s0042") == "••••2"
    assert mask_id("7") == "•••7"
