"""What evidence hangs on: rosters, calendars, consent, the framework, the plan, the tasks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pipelines.synth.exams import ESSAY_POINTS, STATION_POINTS, sittings, task_id
from pipelines.synth.faults import merged_learner, other_id, reusing_learner
from pipelines.synth.patterns import ESSAY_COMPETENCIES
from pipelines.synth.people import Block, as_date, day_number, programme_years
from pipelines.synth.request import Request
from pipelines.synth.words import (
    DOMAINS,
    EPAS,
    FAMILY_NAMES,
    GIVEN_NAMES,
    ROLES,
    ROTATIONS,
)

HALF_YEAR = (7, 1)
"""The day from which the AI policy of open tasks allows more."""
POLICY_BEFORE, POLICY_AFTER = 2, 3
PLAN_SOURCE = "local choice: example programme handbook"
REQUIRED, REQUIRED_ASSESSORS = 4, 2
ENTRY_ROUTES = ("school", "graduate", "access")
YES_NO = ("no", "yes")


def roster(block: Block) -> pl.DataFrame:
    """Return the roster as it is on the last day."""
    learners = block.learners
    merged = merged_learner(block)
    return pl.DataFrame(
        {
            "Programme": [block.request.programme] * len(learners),
            "Student ID": [name.upper() for name in learners.ids],
            "Other IDs": [
                other_id(name) if place == merged else "" for place, name in enumerate(learners.ids)
            ],
            "Given name": learners.given_name,
            "Family name": learners.family_name,
            "E-mail": [f"{name}@school.example" for name in learners.ids],
            "Cohort": [f"C{year}" for year in learners.entry_year],
            "Mentor": pl.Series(block.assessors.ids).gather(learners.mentor),
            "Entry date": pl.Series(learners.entered_on.astype("datetime64[D]")).dt.to_string(
                "%Y-%m-%d"
            ),
        }
    )


def former_roster(block: Block, on: date) -> pl.DataFrame | None:
    """Return the roster of an earlier day, with somebody whose id was given away since."""
    heir = reusing_learner(block)
    if heir is None:
        return None
    rng = block.generator("former")
    present = roster(block).with_columns(
        entered=pl.Series(block.learners.entered_on), place=pl.int_range(pl.len())
    )
    here = present.filter(pl.col("entered") <= day_number(on))
    if here.is_empty():
        return None
    former = present.filter(pl.col("place") == heir).with_columns(
        pl.lit(str(rng.choice(GIVEN_NAMES))).alias("Given name"),
        pl.lit(str(rng.choice(FAMILY_NAMES))).alias("Family name"),
        pl.lit("former@school.example").alias("E-mail"),
        pl.lit(f"C{on.year - 3}").alias("Cohort"),
        pl.lit(f"{on.year - 3}-01-15").alias("Entry date"),
    )
    others = here.filter(pl.col("place") != heir)
    return pl.concat([others, former]).drop("entered", "place")


def calendar(block: Block) -> pl.DataFrame:
    """Return enrolments, stages, rotations and leave, past and planned."""
    learners, request = block.learners, block.request
    n, length = len(learners), programme_years(request)
    ids = np.array(learners.ids)
    rows: list[tuple[Any, Any, Any, Any, Any, Any]] = []
    everybody = np.arange(n)
    status = np.where(learners.is_withdrawn, "withdrawn", "")
    rows.append(
        (everybody, "enrolment", request.programme, learners.entered_on, learners.leaves_on, status)
    )
    school = request.parameters.school
    for calendar_year in range(1, length + 2):
        repeats = learners.repeats_year
        stage = calendar_year - ((repeats > 0) & (calendar_year > repeats))
        is_in = (calendar_year <= length) | (repeats > 0)
        begins = _anniversary(learners.entry_year + calendar_year - 1, school)
        ends = np.minimum(
            _anniversary(learners.entry_year + calendar_year, school) - 1, learners.leaves_on
        )
        some = everybody[is_in & (begins <= learners.leaves_on)]
        names = np.array([f"Year {k}" for k in stage])
        rows.append((some, "stage", names[some], begins[some], ends[some], ""))
    days = 7 * school.rotation_weeks.value
    horizon = np.minimum(learners.leaves_on, block.last_day + school.planned_days.value)
    for slot in range(learners.rotations.shape[1]):
        begins = learners.entered_on + slot * days
        some = everybody[begins <= horizon]
        names = np.array(ROTATIONS)[learners.rotations[:, slot]]
        ends = np.minimum(begins + days - 1, learners.leaves_on)
        rows.append((some, "rotation", names[some], begins[some], ends[some], ""))
    some = everybody[learners.leave_from <= np.minimum(learners.leaves_on, block.last_day)]
    ends = np.minimum(learners.leave_to, learners.leaves_on)
    rows.append((some, "leave", "parental leave", learners.leave_from[some], ends[some], ""))
    parts = [
        pl.DataFrame(
            {
                "Programme": [request.programme] * len(who),
                "Student ID": ids[who],
                "Type": [kind] * len(who),
                "Name": np.broadcast_to(np.asarray(name), len(who)),
                "starts": np.asarray(begins),
                "ends": np.asarray(until),
                "Status": np.broadcast_to(np.asarray(state), len(who)),
            },
            schema_overrides={"starts": pl.Int64, "ends": pl.Int64},
        )
        for who, kind, name, begins, until, state in rows
        if len(who)
    ]
    frame = pl.concat(
        [
            part.with_columns(pl.col("Name", "Status", "Student ID").cast(pl.String))
            for part in parts
        ]
    )
    order = {name: place for place, name in enumerate(learners.ids)}
    frame = frame.with_columns(
        place=pl.col("Student ID").replace_strict(order, return_dtype=pl.Int64),
        Planned=pl.when(pl.col("starts") > block.last_day)
        .then(pl.lit("yes"))
        .otherwise(pl.lit("no")),
        From=pl.from_epoch("starts", time_unit="d").dt.to_string("%Y-%m-%d"),
        To=pl.from_epoch("ends", time_unit="d").dt.to_string("%Y-%m-%d"),
    ).sort("place", "starts", "Type", maintain_order=True)
    return frame.select(
        "Programme", "Student ID", "Type", "Name", "From", "To", "Planned", "Status"
    )


def staff(block: Block) -> pl.DataFrame:
    """Return everybody who assesses."""
    people = block.assessors
    return pl.DataFrame(
        {
            "Programme": [block.request.programme] * len(people),
            "Staff ID": people.ids,
            "Given name": people.given_name,
            "Family name": people.family_name,
            "Role": pl.Series(ROLES).gather(people.role),
            "Department": pl.Series(ROTATIONS).gather(people.rotation),
            "Trained": pl.Series(YES_NO).gather(people.is_trained.astype(np.int64)),
        }
    )


def background(block: Block) -> pl.DataFrame:
    """Return what learners said about their background."""
    learners = block.learners
    routes = block.generator("routes").integers(0, len(ENTRY_ROUTES), len(learners))
    return pl.DataFrame(
        {
            "Programme": [block.request.programme] * len(learners),
            "Student ID": learners.ids,
            "First in family at university": pl.Series(YES_NO).gather(
                learners.first_in_family.astype(np.int64)
            ),
            "Entry route": pl.Series(ENTRY_ROUTES).gather(routes),
        }
    )


def consent(block: Block) -> pl.DataFrame:
    """Return consent to research."""
    learners = block.learners
    share = block.request.parameters.school.consent_withdrawn_share.value
    refused = block.generator("consent").random(len(learners)) < share
    at = pl.Series(learners.entered_on * 86_400 + 9 * 3600)
    return pl.DataFrame(
        {
            "programme": [block.request.programme] * len(learners),
            "student": learners.ids,
            "purpose": ["research"] * len(learners),
            "decision": pl.Series(("given", "withdrawn")).gather(refused.astype(np.int64)),
            "at": pl.from_epoch(at, time_unit="s").dt.to_string("%Y-%m-%dT%H:%M:%S+00:00"),
        }
    )


def framework(request: Request) -> pl.DataFrame:
    """Return domains, EPAs, and which EPA belongs to which domain."""
    rows = [
        ("item", f"D{n}", "domain", title, "", str(n)) for n, title in enumerate(DOMAINS, start=1)
    ]
    rows += [
        ("item", code, "epa", title, "", str(n)) for n, (code, title, _) in enumerate(EPAS, 11)
    ]
    rows += [
        ("link", code, "", "", f"D{DOMAINS.index(domain) + 1}", "") for code, _, domain in EPAS
    ]
    columns = ("Programme", "Entry", "Code", "Type", "Title", "Parent", "Order")
    return pl.DataFrame([(request.programme, *row) for row in rows], schema=columns, orient="row")


def plan(request: Request) -> pl.DataFrame:
    """Return what each year asks for."""
    columns = (
        "Programme",
        "Stage",
        "EPA",
        "Required",
        "Different assessors",
        "Target level",
        "Source",
    )
    rows = [
        (
            request.programme,
            f"Year {year}",
            code,
            REQUIRED,
            REQUIRED_ASSESSORS,
            request.parameters.target(year),
            PLAN_SOURCE,
        )
        for year in range(1, programme_years(request) + 1)
        for code, _, _ in EPAS
    ]
    return pl.DataFrame(rows, schema=columns, orient="row")


def tasks(block: Block) -> pl.DataFrame:
    """Return exams and open tasks with their AI policy; a change of policy is another row."""
    return pl.DataFrame(list(_tasks(block)), infer_schema_length=None)


def policy_level(day: int) -> int:
    """Return the level of the AI policy of open tasks on a day."""
    on = as_date(day)
    return POLICY_AFTER if (on.month, on.day) >= HALF_YEAR else POLICY_BEFORE


def _tasks(block: Block) -> Iterator[dict[str, Any]]:
    exams = block.request.parameters.exams
    programme = block.request.programme
    for year, day in sittings(block, exams.essay_days.value):
        base = {
            "programme": programme,
            "task": task_id(block, "essay", day),
            "title": f"Case essay {year}/{as_date(day).month}",
            "modality": "written",
            "instrument": "coursework",
            "lane": "open",
            "due": as_date(day).isoformat(),
            "max": str(ESSAY_POINTS),
            "cut": str(exams.essay_cut.value),
            "competencies": list(ESSAY_COMPETENCIES),
            "declaration": True,
        }
        yield base | {"ai_level": POLICY_BEFORE, "from": f"{year}-01-01", "to": f"{year}-06-30"}
        yield base | {"ai_level": POLICY_AFTER, "from": f"{year}-07-01", "to": f"{year}-12-31"}
    secured: dict[str, Any] = {"programme": programme, "modality": "examination", "lane": "secured"}
    secured |= {"ai_level": 1, "declaration": False}
    per_year = len(exams.progress_sittings.value)
    for place, (year, day) in enumerate(sittings(block, exams.progress_sittings.value)):
        number = place % per_year + 1
        yield secured | {
            "task": task_id(block, "progress", day, number),
            "title": f"Progress test {number} of {year}",
            "instrument": "progress_test",
            "due": as_date(day).isoformat(),
            "max": str(exams.progress_items.value),
            "from": f"{year}-01-01",
            "scoring": "formula",
            "right": "1",
            "wrong": "-0.25",
            "dont_know": "0",
        }
    for year, day in sittings(block, [exams.osce_day.value]):
        yield secured | {
            "task": task_id(block, "osce", day),
            "title": f"OSCE {year}",
            "instrument": "osce",
            "due": as_date(day).isoformat(),
            "max": str(exams.osce_stations.value * STATION_POINTS),
            "cut": str(exams.osce_cut.value),
            "from": f"{year}-01-01",
        }


def _anniversary(years: Any, school: Any) -> Any:
    months = (years - 1970).astype("datetime64[Y]").astype("datetime64[M]")
    first = months + (school.entry_month.value - 1)
    return first.astype("datetime64[D]").astype(np.int64) + school.entry_day.value - 1
