"""Linked identities are one person, whatever order they became known or were worked through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.identity.bridge import IDENTITY_SCHEMA, connect
from pipelines.identity.vault import PERSON_SCHEMA, Keys

KEYS = Keys(b"one", b"two", 1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def person(number: str, day: int = 0, links: tuple[str, ...] = (), **given_: Any) -> dict[str, Any]:
    role = given_.pop("role", "learner")
    return {
        "namespace": "n",
        "role": role,
        "person_id": number,
        "pseudonym": KEYS.pseudonym_of("n", number),
        "known_at": START + timedelta(days=day),
        "event_id": f"e{number}{day}" if links else None,
        "links": [{"namespace": "n", "person_id": other} for other in links],
    } | given_


def keys_of(people: list[dict[str, Any]], **options: Any) -> dict[str, str]:
    frame = connect(pl.DataFrame(people, schema=PERSON_SCHEMA), KEYS, **options)
    assert dict(frame.schema) == IDENTITY_SCHEMA
    number = {KEYS.pseudonym_of("n", p["person_id"]): p["person_id"] for p in people}
    return {number[p]: key for p, key in frame.select("pseudonym", "person_key").rows()}


def test_unlinked_ids_are_different_persons() -> None:
    keys = keys_of([person("1"), person("2")])
    assert keys["1"] != keys["2"]


def test_a_chain_of_links_is_one_person_with_the_key_of_the_earliest_id() -> None:
    alone = keys_of([person("2", day=0)])["2"]
    keys = keys_of([person("1", 5, ("2",)), person("2", 0), person("3", 9, ("1",)), person("4")])
    assert keys["1"] == keys["2"] == keys["3"] == alone
    assert keys["4"] != alone


def test_a_later_link_does_not_change_the_key_of_the_earlier_id() -> None:
    before = keys_of([person("9", day=0), person("1", day=3)])
    after = keys_of([person("9", day=0), person("1", day=3), person("1", day=4, links=("9",))])
    assert after["9"] == before["9"] == after["1"]


def test_learners_and_assessors_with_the_same_id_have_keys_of_their_own() -> None:
    people = [person("1"), person("1", role="assessor")]
    frame = connect(pl.DataFrame(people, schema=PERSON_SCHEMA), KEYS)
    assert sorted(key[0] for key in frame["person_key"]) == ["A", "L"]
    assert frame["pseudonym"].n_unique() == 1


def test_links_of_records_that_no_longer_count_join_nobody() -> None:
    people = [person("1", 1, ("2",)), person("2")]
    keys = keys_of(people, linking_events=pl.Series([], dtype=pl.String))
    assert keys["1"] != keys["2"]
    keys = keys_of(people, linking_events=pl.Series(["e11"]))
    assert keys["1"] == keys["2"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_bridge_does_not_depend_on_the_order_of_processing(data: st.DataObject) -> None:
    numbers = st.sampled_from("12345678")
    drawn = data.draw(
        st.lists(
            st.tuples(numbers, st.integers(0, 3), st.lists(numbers, max_size=2)),
            min_size=1,
            max_size=12,
        )
    )
    people = [person(n, day, tuple(links)) for n, day, links in drawn]
    people += [person(other, day) for _, day, links in drawn for other in links]
    shuffled = data.draw(st.permutations(people))
    repeated = shuffled + data.draw(st.lists(st.sampled_from(people), max_size=3))
    keys = keys_of(people)
    assert keys_of(repeated) == keys
    for number, _, links in drawn:
        assert {keys[other] for other in links} <= {keys[number]}
