"""Who is who follows the rosters as they stand, not as they once stood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines.identity.people import Registry
from pipelines.intake.present import present_links
from pipelines.intake.records import active_records

Make = Callable[..., Any]


def people(school: Any) -> list[set[str]]:
    """Return the ids of each learner of a school."""
    pairs = [(r.delivery_id, r.interpretation_id) for r in active_records(school.home)]
    registry = Registry(school.home, pairs, {}, present_links(school.home))
    found = [{item.person_id for item in person.identities} for person in registry.persons()]
    return sorted(found, key=sorted)


def test_a_link_that_a_newer_roster_takes_back_connects_nobody(
    new_school: Make, new_feed: Make
) -> None:
    school = new_school(new_feed("roster"), new_feed("exams"))
    entry = {"kind": "learner", "programme_id": "MED", "record_id": "e1", "learner_id": "s1"}
    assert people(school) == []
    school.drop("roster", "a.jsonl", [entry | {"other_ids": ["s2"], "source_version": "1"}])
    school.take_in()
    assert people(school) == [{"s1", "s2"}]
    school.drop("roster", "b.jsonl", [entry | {"source_version": "2"}])
    school.take_in()
    assert {"s1", "s2"} not in people(school)
    assert {"s1"} in people(school)
