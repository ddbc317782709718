"""Who is who follows from the rosters that stand."""

from __future__ import annotations

from typing import Any

from pipelines.committee.people import everybody
from pipelines.identity.decisions import Identity
from pipelines.intake.feeds import foldings, load_feeds
from pipelines.intake.people import known_people


def test_a_link_between_ids_is_gone_with_the_roster_record_that_made_it(
    clinic: Any, roster_spec: str
) -> None:
    clinic.spec("roster", roster_spec)
    clinic.drop("roster", "r1.csv", "Student;Given;Family;Other\ns1;Ada;Muster;s2\n")
    clinic.take_in()
    assert _ids(clinic, "s1") == {"s1", "s2"}
    clinic.drop("roster", "r2.csv", "Student;Given;Family;Other\ns1;Ada;Muster;\n")
    clinic.take_in()
    assert _ids(clinic, "s1") == {"s1"}
    people = everybody(clinic.home, clinic.settings)
    assert {tuple(known.ids.values()) for known in people.values()} >= {("s1",)}


def _ids(clinic: Any, person_id: str) -> set[str]:
    feeds = load_feeds(clinic.settings)
    registry = known_people(clinic.home, foldings(feeds))
    identity = Identity(namespace=feeds["roster"].namespace.name, person_id=person_id)
    return {found.person_id for found in registry.identities_of(identity)}
