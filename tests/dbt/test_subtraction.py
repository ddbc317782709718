"""Whatever the school: no two numbers of the programme's page leave too few people between them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import duckdb
import pytest

from pipelines.committee.programme import TOO_FEW, Mart, shown
from pipelines.home import marts_beside
from pipelines.warehouse.connection import attach
from pipelines.warehouse.dbt_project import Artefacts
from tests.dbt.conftest import Built

FEWEST = 5
TARGETS = {"EPA01": 2, "EPA02": 1}
INSTRUMENTS = ("cbd", "dops")
HALF_YEARS = ("2024-02-01", "2024-08-01", "2025-02-01", "2025-08-01")
STATIONS = ("s1", "s2", "s3")
SITES = ("north", "south", "west")

VIEWS = (
    "int_scales__described",
    "int_forms__counted",
    "int_ratings__versioned",
    "int_levels__counted",
    "int_single_shots__counted",
    "int_exam_responses__scored",
    "int_exam_items__gathered",
    "int_exam_totals__summed",
    "int_exam_items__analysed",
    "int_examiners__counted",
)
"""What the marts are counted from, each after what it reads."""
EMPTY = (
    "staging.stg_exam_response",
    "intermediate.int_plan_targets__dated",
    "intermediate.int_learner_stages__spanned",
    "intermediate.int_learner_time_out__dated",
    "intermediate.int_rounds__formed",
    "intermediate.int_tasks__dated",
    "intermediate.int_tasks__current",
)
Out = dict[str, list[dict[str, Any]]]
"""The rows of each mart as they go out."""
MARTS = (
    "programme_blueprint_coverage",
    "programme_single_shot",
    "programme_assessor_engagement",
    "programme_instrument_performance",
    "programme_rating_drift",
    "programme_exam_analysis",
    "programme_item_analysis",
    "programme_station_analysis",
)


@dataclass(frozen=True)
class School:
    """Who is where, who rated whom when, and who examined whom at which station."""

    sites: tuple[str, ...]
    """Of each learner."""
    plans: frozenset[str | None]
    """The sites that have a plan of their own; None for a plan of all."""
    ratings: dict[tuple[str, str, str], dict[int, int]]
    """Of a competency, instrument and half-year: which assessor rated each learner."""
    at_target: frozenset[tuple[str, int]]
    """Half-years and learners that reach the target."""
    responses: dict[str, dict[int, int]] = field(default_factory=dict)
    """Of each station: which examiner saw each learner."""

    def rated(self, competency: str | None = None, half_year: str | None = None) -> set[int]:
        """Return the learners with a rating."""
        return {
            who
            for (epa, _, day), by in self.ratings.items()
            for who in by
            if competency in (None, epa) and half_year in (None, day)
        }


def school(seed: int) -> School:
    """Make a school in which nearly everybody has nearly everything: what is missing is of few."""
    draw = random.Random(seed)
    learners = range(draw.randint(5, 24))

    def some() -> set[int]:
        return set(draw.sample(learners, draw.randint(0, min(6, len(learners) - 1))))

    def seen_by(most: int, never: Collection[int] = ()) -> dict[int, int]:
        absent = some()
        n, first = draw.randint(1, most), draw.randint(0, 3)
        return {who: first + who % n for who in learners if who not in {*absent, *never}}

    never = {competency: some() for competency in TARGETS}

    return School(
        sites=tuple(draw.choice(SITES) for _ in learners),
        plans=frozenset(draw.sample((None, *SITES), draw.randint(3, 4))),
        ratings={
            cell: seen_by(8, never[cell[0]])
            for cell in product(TARGETS, INSTRUMENTS, HALF_YEARS)
            if draw.random() < 0.6
        },
        at_target=frozenset(
            (day, who) for day in HALF_YEARS for who in learners if draw.random() < 0.5
        ),
        responses={station: seen_by(9) for station in STATIONS},
    )


class Page:
    """The compiled SQL of the marts, on a school of one's own, and what goes out of them."""

    def __init__(self, built: Built) -> None:
        self.sql = {n["name"]: n["compiled_code"] for n in built.nodes("model")}
        self.marts = {mart.name: mart for mart in Artefacts(built.target).marts()}
        self.connection = connection = duckdb.connect()
        connection.execute(f"attach '{built.warehouse}' as standing (read_only)")
        attach(connection, marts_beside(built.warehouse), "standing_marts", read_only=True)
        connection.execute("attach ':memory:' as build; attach ':memory:' as marts")
        connection.execute("create schema build.staging; create schema build.intermediate")
        for table in (
            "staging.stg_build_input",
            "staging.stg_scale_level",
            "intermediate.int_rules__chosen",
        ):
            connection.execute(f"create table build.{table} as from standing.{table}")
        for table in EMPTY:
            connection.execute(f"create table build.{table} as from standing.{table} limit 0")
        connection.execute(
            "create table marts.dim_scale_level as from standing_marts.dim_scale_level"
        )
        for table in ("fct_evidence", "dim_learner"):
            connection.execute(f"create table marts.{table} as from standing_marts.{table} limit 0")
        connection.execute(
            """
            create view build.intermediate.int_cell_evidence__assigned as
            select *, true as is_data_point from marts.fct_evidence;
            create view build.intermediate.int_cells__counted as
            select learner_key, programme_id, stage_id, competency_id, count(*) as n_data_points
            from marts.fct_evidence group by all
            """
        )
        for view in VIEWS:
            connection.execute(f"create view build.intermediate.{view} as {self.sql[view]}")

    def of(self, school: School) -> Out:
        """Return the rows of each mart as they go out."""
        self._enrol(school)
        self._rate(school)
        self._examine(school)
        told = shown([self._read(name) for name in MARTS], FEWEST)
        return {mart.name: list(mart.rows) for mart in told}

    def _read(self, name: str) -> Mart:
        rows = self.connection.execute(self.sql[name])
        columns = tuple(column[0] for column in rows.description or ())
        page, key = self.marts[name].programme_page, self.marts[name].key
        assert page is not None
        return Mart(
            name,
            columns,
            tuple(dict(zip(columns, row, strict=True)) for row in rows.fetchall()),
            page,
            key,
        )

    def _fill(self, table: str, rows: list[dict[str, Any]]) -> None:
        self.connection.execute(f"delete from {table}")
        if rows:
            names = ", ".join(rows[0])
            values = ", ".join(
                f"unnest(cast(? as {'boolean' if isinstance(v, bool) else 'varchar'}[])) as {name}"
                for name, v in rows[0].items()
            )
            self.connection.execute(
                f"insert into {table} ({names}) select {values}",
                [[row[name] for row in rows] for name in rows[0]],
            )

    def _enrol(self, school: School) -> None:
        who = [f"L-{n}" for n in range(len(school.sites))]
        of_all = {"programme_id": "MED", "stage_id": "Y1"}
        days = {"from_on": "2024-01-01", "to_on": "2030-01-01"}
        self._fill(
            "marts.dim_learner",
            [
                {**of_all, "learner_key": key, "site_id": site}
                for key, site in zip(who, school.sites, strict=True)
            ],
        )
        self._fill(
            "build.intermediate.int_learner_stages__spanned",
            [
                {**of_all, **days, "learner_key": key, "site_id": site, "is_current": True}
                | {"judged_on": "2026-02-21"}
                for key, site in zip(who, school.sites, strict=True)
            ],
        )
        self._fill(
            "build.intermediate.int_plan_targets__dated",
            [
                {**of_all, **days, "plan_id": "P", "site_id": site, "competency_id": competency}
                | {"required_n": n}
                for site in sorted(school.plans, key=str)
                for competency, n in TARGETS.items()
            ],
        )

    def _rate(self, school: School) -> None:
        self._fill(
            "marts.fct_evidence",
            [
                {
                    "programme_id": "MED",
                    "stage_id": "Y1",
                    "kind": "workplace_assessment",
                    "is_new_evidence": True,
                    "is_withheld": False,
                    "record_key": f"{competency}-{instrument}-{day}-{who}",
                    "competency_id": competency,
                    "instrument_id": instrument,
                    "scale_id": "entrustment_5",
                    "level": "3",
                    "learner_key": f"L-{who}",
                    "assessor_key": f"A-{assessor}",
                    "occurred_on": day,
                    "submitted_on": day,
                    "is_at_or_above_target": (day, who) in school.at_target,
                }
                for (competency, instrument, day), by in school.ratings.items()
                for who, assessor in by.items()
            ],
        )

    def _examine(self, school: School) -> None:
        self._fill(
            "build.staging.stg_exam_response",
            [
                {
                    "programme_id": "MED",
                    "task_id": "OSCE",
                    "sitting_id": "S",
                    "station_id": station,
                    "item_id": "i",
                    "attempt": "1",
                    "is_banked": False,
                    "response_status": "scored",
                    "record_key": f"{station}-{who}",
                    "learner_key": f"L-{who}",
                    "examiner_key": f"E-{examiner}",
                    "score": str(who % 4),
                    "max_score": "4",
                    "occurred_on": "2026-01-10",
                }
                for station, by in school.responses.items()
                for who, examiner in by.items()
            ],
        )


@pytest.fixture(scope="module")
def page(built: Built) -> Iterator[Page]:
    page = Page(built)
    yield page
    page.connection.close()


@pytest.fixture(scope="module")
def published(page: Page) -> list[tuple[School, Out]]:
    """Many small schools, each with what goes out of it."""
    return [(one, page.of(one)) for one in map(school, range(40))]


def is_few(people: set[Any]) -> bool:
    return 0 < len(people) < FEWEST


def half_year_of(day: str) -> str:
    """Return the first month of the half-year of a day."""
    return f"{day[:5]}{'01' if day[5:7] < '07' else '07'}"


def told(rows: list[dict[str, Any]], count: str) -> list[dict[str, Any]]:
    """Return the rows in which a count shows."""
    return [row for row in rows if row[count] not in (TOO_FEW, None)]


def test_no_count_is_a_little_smaller_than_that_of_all_learners_of_its_group(
    page: Page, published: list[tuple[School, Out]]
) -> None:
    n_held = 0
    for _, out in published:
        wholes: dict[Any, list[int]] = defaultdict(list)
        counts: dict[Any, list[int]] = defaultdict(list)
        for name, rows in out.items():
            says = page.marts[name].programme_page
            assert says is not None
            columns = (*says.counts_of_learners, *says.parts_of_learners)
            for row, group in product(rows, (*says.whole_of, *says.part_of)):
                named = tuple((column, row[column]) for column in group)
                numbers = [row[c] for c in columns if row[c] not in (TOO_FEW, None, 0)]
                counts[named] += numbers
                if group in says.whole_of and (not says.apart_by or row[says.apart_by] is None):
                    wholes[named] += numbers[:1]
        for named, numbers in counts.items():
            assert min(numbers, default=FEWEST) >= FEWEST, named
            whole = max(wholes[named], default=0)
            assert not [n for n in numbers if 0 < whole - n < FEWEST], named
            n_held += len(numbers) if whole else 0
    assert n_held > 300


def test_blueprint_less_single_shots_does_not_tell_how_few_have_no_evidence(
    published: list[tuple[School, Out]],
) -> None:
    for school, out in published:
        everybody = set(range(len(school.sites)))
        planned = [r for r in out["programme_blueprint_coverage"] if r["is_planned"]]
        if told([r for r in planned if r["site_id"] is None], "n_learners"):
            for row in told(out["programme_single_shot"], "n_learners"):
                with_evidence = school.rated(row["competency_id"])
                assert row["n_learners"] == len(with_evidence)
                assert not is_few(everybody - with_evidence)


def test_all_learners_of_a_stage_less_those_of_the_sites_shown_are_not_few(
    published: list[tuple[School, Out]],
) -> None:
    for school, out in published:
        rows = told(out["programme_blueprint_coverage"], "n_learners")
        sites = {row["site_id"] for row in rows if row["is_planned"]}
        if None in sites and len(sites) > 1:
            assert not is_few({n for n, site in enumerate(school.sites) if site not in sites})


def test_an_exam_less_an_item_does_not_tell_how_few_were_not_presented_with_it(
    published: list[tuple[School, Out]],
) -> None:
    for school, out in published:
        sat = set().union(*school.responses.values())
        if told(out["programme_exam_analysis"], "n_examinees"):
            for row in told(out["programme_item_analysis"], "n_presented"):
                assert not is_few(sat - school.responses[row["station_id"]].keys())


def test_no_station_of_few_examiners_shows_or_is_had_from_the_exam_less_the_others(
    published: list[tuple[School, Out]],
) -> None:
    for school, out in published:
        fewest = min(len({*by.values()}) for by in school.responses.values())
        for mart in ("programme_station_analysis", "programme_item_analysis"):
            assert not told(out[mart], "max_points") or fewest >= FEWEST
        if told(out["programme_exam_analysis"], "n_examinees"):
            assert not is_few({who for by in school.responses.values() for who in by.values()})


def test_an_instrument_less_its_half_years_shown_is_about_neither_few_learners_nor_few_assessors(
    published: list[tuple[School, Out]],
) -> None:
    for (school, out), instrument in product(published, INSTRUMENTS):
        rows = [r for r in out["programme_rating_drift"] if r["instrument_id"] == instrument]
        shown = {f"{row['half_year_on']:%Y-%m}" for row in told(rows, "share_at_target")}
        if shown:
            hidden = [
                pair
                for (_, used, day), by in school.ratings.items()
                for pair in by.items()
                if used == instrument and half_year_of(day) not in shown
            ]
            assert not is_few({learner for learner, _ in hidden})
            assert not is_few({assessor for _, assessor in hidden})


def test_an_instrument_less_a_month_does_not_tell_how_few_had_no_form_in_it(
    published: list[tuple[School, Out]],
) -> None:
    for (school, out), instrument in product(published, INSTRUMENTS):
        by_month: dict[str, set[int]] = defaultdict(set)
        for (_, used, day), by in school.ratings.items():
            if used == instrument:
                by_month[f"{day[:7]}-01"] |= by.keys()
        everybody = set().union(*by_month.values())
        whole, months = (
            [row for row in told(out[mart], "n_learners") if row["instrument_id"] == instrument]
            for mart in ("programme_instrument_performance", "programme_assessor_engagement")
        )
        for row in months if whole else ():
            span = (str(row["month_on"]), str(row["to_month_on"]))
            within = [who for month, who in by_month.items() if span[0] <= month <= span[1]]
            assert row["n_learners"] == len(set().union(*within))
            assert not is_few(everybody - set().union(*within))


def test_much_of_a_school_of_many_is_shown(page: Page) -> None:
    everybody = range(60)
    out = page.of(
        School(
            sites=tuple(SITES[n % 2] for n in everybody),
            plans=frozenset([None, *SITES[:2]]),
            ratings={
                cell: {n: n % 12 for n in everybody}
                for cell in product(TARGETS, INSTRUMENTS, HALF_YEARS)
            },
            at_target=frozenset((day, n) for day in HALF_YEARS for n in everybody if n % 2),
            responses={station: {n: n % 6 for n in everybody} for station in STATIONS},
        )
    )
    for name, rows in out.items():
        assert rows
        assert TOO_FEW not in [value for row in rows for value in row.values()], name
