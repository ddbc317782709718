from __future__ import annotations

from dataclasses import replace
from datetime import date

import duckdb
import pytest

from pipelines.committee import queries
from pipelines.committee.edition import find
from pipelines.committee.queries import VERSION_ORDER, query, read
from pipelines.home import Home
from tests.committee.edition import FULL


def test_the_newest_version_of_a_framework_is_ten_and_not_nine() -> None:
    with duckdb.connect() as connection:
        connection.execute(VERSION_ORDER)
        connection.execute(
            "create table dim_competency as select * from (values "
            "('A', 'F', 'draft', 'The draft', 1), ('A', 'F', '10', 'The tenth', 1), "
            "('A', 'F', '9', 'The ninth', 1)) as given "
            "(competency_id, framework_id, framework_version, title, sort_order), "
            "(values ('P', true)) as shared (programme_id, is_in_force)"
        )
        assert connection.execute(query("competencies")).fetchall() == [("P", "A", "The tenth")]


def test_the_version_in_force_names_a_competency_and_programmes_number_theirs_alike() -> None:
    with duckdb.connect() as connection:
        connection.execute(VERSION_ORDER)
        connection.execute(
            "create table dim_competency as select *, 'F' as framework_id, 1 as sort_order from "
            "(values ('P', 'A', '1', 'Of this day', true), "
            "('P', 'A', '2', 'Of a day to come', false), "
            "('Q', 'A', '3', 'Of another programme', true)) "
            "as given (programme_id, competency_id, framework_version, title, is_in_force)"
        )
        assert connection.execute(query("competencies")).fetchall() == [
            ("P", "A", "Of this day"),
            ("Q", "A", "Of another programme"),
        ]


def test_nothing_of_after_the_as_of_day_is_on_a_page(home: Home) -> None:
    source = find(home, None)
    early = date(2026, 5, 1)
    then = replace(source, edition=source.edition.model_copy(update={"as_of": early}))
    days = {
        "evidence": "occurred_on",
        "decisions": "decided_on",
        "actions": "agreed_on",
        "meetings": "occurred_on",
        "reflections": "occurred_on",
        "declarations": "declared_on",
    }
    now, past = read(source), read(then)
    for section, day in days.items():
        rows = [row for mine in past.of_learners[section].values() for row in mine]
        assert all(row[day] is None or row[day] <= early for row in rows), section
    assert any(row["decided_on"] > early for row in now.rows("decisions", FULL))
    assert past.rows("evidence", FULL)


def test_the_length_of_a_printed_id_is_said_by_the_dbt_project_alone(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "printed_id_length", lambda: 5)
    portfolio = read(find(home, None))
    for section in ("decisions", "actions", "meetings", "reflections", "declarations"):
        rows = portfolio.rows(section, FULL)
        assert rows, section
        assert {len(row["evidence_id"] or "A-12345") for row in rows} == {7}, section
