"""People are found by the records that name them: an account's person, ids and names of members."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.committee.accounts import person_behind
from pipelines.committee.people import people_of
from pipelines.identity.decisions import Identity, IdentityError
from pipelines.identity.vault import open_keys
from tests.intake.conftest import Clinic

STAFF = """
source: staff
title: Staff
owner: office
files: "*.csv"
reader: {name: delimited, delimiter: ";", encoding: utf-8}
time_zone: Europe/Vienna
person_namespace: numbers
person_ids: {fold_case: true}
known_at: {from: manifest}
gates: {min_rows: 1, max_refused_share: 1}
values: {programme_id: MED}
records:
  - kind: assessor
    record_id: "{Id}"
    fields:
      assessor_id: Id
      assessor_role: {value: consultant}
      given_name: Given
      family_name: Family
"""


@pytest.fixture
def staffed(tmp_path: Path) -> Any:
    made = Clinic(tmp_path)
    made.spec("staff", STAFF)
    made.drop("staff", "s.csv", "Id;Given;Family\nT1;Ada;Muster\nT2;;\n")
    made.take_in()
    return made


def test_the_person_behind_an_identity_is_the_one_whom_records_name(staffed: Any) -> None:
    key = open_keys(staffed.home).person_key_of("assessor", "numbers", "t1")
    assert person_behind(staffed.home, staffed.settings, "numbers:T1") == key
    assert person_behind(staffed.home, staffed.settings, "numbers:t1") == key


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        ("numbers:T9", "no record names"),
        ("elsewhere:T1", "no source has the name space 'elsewhere'"),
        ("T1", "write NAMESPACE:ID"),
    ],
)
def test_an_identity_that_leads_to_nobody_is_refused_and_masked(
    staffed: Any, identity: str, said: str
) -> None:
    with pytest.raises(IdentityError, match=said):
        person_behind(staffed.home, staffed.settings, identity)


def test_a_form_writes_people_by_name_and_id_where_there_is_a_name(staffed: Any) -> None:
    people = people_of(staffed.home, staffed.settings, "numbers")
    keys = open_keys(staffed.home)
    one, two = (keys.person_key_of("assessor", "numbers", i) for i in ("t1", "t2"))
    assert (people.label(one), people.label(two)) == ("Ada Muster [t1]", "t2")
    assert people.label("A-NOBODY") is None
    assert people_of(staffed.home, staffed.settings, "elsewhere").ids == {}


def test_an_id_that_was_given_to_somebody_else_later_is_not_used(staffed: Any) -> None:
    from datetime import date

    from pipelines.committee.people import open_registry

    registry = open_registry(staffed.home, staffed.settings)
    wanted = Identity(namespace="numbers", person_id="t1")
    registry.reuse(wanted, date(2026, 9, 1), by="A. Muster", reason="the number was given again")
    assert "t1" not in people_of(staffed.home, staffed.settings, "numbers").ids.values()
