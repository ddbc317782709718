"""Named histories of whole builds: each gives what a build from nothing gives."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipelines.warehouse.connection import open_warehouse
from tests.dbt.histories import Event
from tests.whole_histories import STOPPED_AT, School

pytestmark = pytest.mark.histories


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    """One school for all histories: each goes on where the one before it ended."""
    return School(tmp_path_factory.mktemp("histories"))


def test_deliveries_corrections_and_voids(school: School) -> None:
    school.happen(
        [
            Event("assessments arrive", 1),
            Event("comments are corrected", 2),
            Event("records are voided or come back", 3),
        ]
    )
    told = school.build(tested=True)
    assert not told.is_full
    assert told.moved["evidence"] > 0
    assert school.differing() == []


def test_people_turn_out_to_be_one(school: School) -> None:
    school.happen(
        [
            Event("one learner turns out to be two", 4),
            Event("two assessors turn out to be one", 5),
            Event("two learners turn out to be one", 6),
        ]
    )
    assert school.build().moved["evidence"] > 0
    assert school.differing() == []


def test_a_roster_comes_late(school: School) -> None:
    school.happen([Event("a roster comes late or is withdrawn", 7), Event("stages move", 8)])
    assert school.build().moved["evidence"] > 0
    assert school.differing() == []


def test_rules_and_calibration_change(school: School) -> None:
    school.happen([Event("rules for comments change", 9), Event("other rules change", 9)])
    with open_warehouse(school.home, school.settings) as con:
        con.execute("update raw.calibration_component set variance_share = variance_share / 2")
    told = school.build()
    assert (told.moved["evidence"], told.moved["portfolio"]) == (0, 0)
    assert told.moved["narratives"] > 0
    assert school.differing() == []


def test_the_day_moves_on_and_back(school: School) -> None:
    for days in (181, -90):
        school.as_of += timedelta(days=days)
        assert school.build().moved["evidence"] == 0
    assert school.differing() == []


@pytest.mark.parametrize("model", STOPPED_AT[:2])
def test_a_build_is_stopped_and_what_it_took_in_is_withdrawn(school: School, model: str) -> None:
    """What the stopped build made stands committed, and the next one must not believe it."""
    event = Event("levels are corrected", 10)
    with open_warehouse(school.home, school.settings) as con:
        con.execute("create table first_day.levels as from raw.workplace_assessment")
    school.happen([event])

    school.build_and_stop(model)
    with open_warehouse(school.home, school.settings) as con:
        con.execute("delete from raw.workplace_assessment")
        con.execute("insert into raw.workplace_assessment from first_day.levels")
        con.execute("drop table first_day.levels")
    assert school.build(tested=True).moved["evidence"] > 0
    assert school.differing() == []


def test_after_all_of_it_every_table_is_that_of_a_build_from_nothing(school: School) -> None:
    kept = school.hashes()
    assert school.build(full_refresh=True).is_full
    whole = school.hashes()
    assert kept == whole
    assert len(whole) > 60
