"""Rosters and gradebooks as a OneRoster 1.2 bundle: a zip of CSV files with its manifest."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.synth.exams import ESSAY_POINTS
from pipelines.synth.faults import merged_learner, other_id
from pipelines.synth.people import Block, programme_years
from pipelines.synth.writers import csv_bytes, write_zip

SOURCE = "oneroster_bulk"
SOURCE_FORMAT = "oneroster"
VERSION = "1.2"
ORG = "school"
FULLY_GRADED, NOT_SUBMITTED, SUBMITTED = "fully graded", "not submitted", "submitted"
BULK = (
    "academicSessions",
    "classes",
    "courses",
    "enrollments",
    "lineItems",
    "orgs",
    "results",
    "roles",
    "users",
)
RECORDS = ("enrollments", "lineItems", "results", "users")
ABSENT = (
    "categories",
    "classResources",
    "courseResources",
    "demographics",
    "lineItemLearningObjectiveIds",
    "lineItemScoreScales",
    "resources",
    "resultLearningObjectiveIds",
    "resultScoreScales",
    "scoreScales",
    "userProfiles",
    "userResources",
)
PROGRESS_CLASS, ESSAY_CLASS = "progress-tests", "case-essays"


def write(block: Block, progress: pl.DataFrame, essays: pl.DataFrame, path: Path) -> int:
    """Write the bundle of a block, and return how many records it holds.

    Records are users, enrolments, line items and results.
    """
    results = _results(block, progress, essays)
    tables = {
        "academicSessions": _sessions(block),
        "classes": _classes(block),
        "courses": _courses(block),
        "enrollments": _enrolments(block),
        "lineItems": _line_items(results),
        "orgs": _org(block),
        "results": results.drop("maximum"),
        "roles": _roles(block),
        "users": _users(block),
    }
    members = {"manifest.csv": csv_bytes(_manifest())}
    members |= {f"{name}.csv": csv_bytes(tables[name]) for name in BULK}
    write_zip(members, path)
    return sum(tables[name].height for name in RECORDS)


def _manifest() -> pl.DataFrame:
    rows = [("manifest.version", "1.0"), ("oneroster.version", VERSION)]
    rows += [(f"file.{name}", "bulk") for name in BULK]
    rows += [(f"file.{name}", "absent") for name in ABSENT]
    rows += [("source.systemName", "Example school"), ("source.systemCode", "example")]
    return pl.DataFrame(rows, schema=("propertyName", "value"), orient="row")


def _common(ids: list[str]) -> dict[str, list[str]]:
    return {"sourcedId": ids, "status": [""] * len(ids), "dateLastModified": [""] * len(ids)}


def _org(block: Block) -> pl.DataFrame:
    return pl.DataFrame(
        _common([ORG])
        | {
            "name": ["Example school"],
            "type": ["school"],
            "identifier": [block.request.programme],
            "parentSourcedId": [""],
        }
    )


def _sessions(block: Block) -> pl.DataFrame:
    last = block.request.parameters.school.last_day.value.year
    years = list(range(last - block.request.years + 1, last + 1))
    return pl.DataFrame(
        _common([f"year-{year}" for year in years])
        | {
            "title": [f"Year {year}" for year in years],
            "type": ["schoolYear"] * len(years),
            "startDate": [f"{year}-01-15" for year in years],
            "endDate": [f"{year + 1}-01-14" for year in years],
            "parentSourcedId": [""] * len(years),
            "schoolYear": [str(year) for year in years],
        }
    )


def _courses(block: Block) -> pl.DataFrame:
    names = [PROGRESS_CLASS, ESSAY_CLASS]
    return pl.DataFrame(
        _common([f"course-{name}" for name in names])
        | {
            "schoolYearSourcedId": [""] * 2,
            "title": ["Progress tests", "Case essays"],
            "courseCode": names,
            "grades": [""] * 2,
            "orgSourcedId": [ORG] * 2,
            "subjects": ["Medicine"] * 2,
            "subjectCodes": [block.request.programme] * 2,
        }
    )


def _classes(block: Block) -> pl.DataFrame:
    sessions = ",".join(_sessions(block)["sourcedId"])
    names = [PROGRESS_CLASS, ESSAY_CLASS]
    return pl.DataFrame(
        _common(names)
        | {
            "title": ["Progress tests", "Case essays"],
            "grades": [""] * 2,
            "courseSourcedId": [f"course-{name}" for name in names],
            "classCode": names,
            "classType": ["scheduled"] * 2,
            "location": [""] * 2,
            "schoolSourcedId": [ORG] * 2,
            "termSourcedIds": [sessions] * 2,
            "subjects": ["Medicine"] * 2,
            "subjectCodes": [block.request.programme] * 2,
            "periods": [""] * 2,
        }
    )


def _users(block: Block) -> pl.DataFrame:
    learners, merged = block.learners, merged_learner(block)
    n = len(learners)
    return pl.DataFrame(
        _common(learners.ids)
        | {
            "enabledUser": ["true"] * n,
            "username": learners.ids,
            "userIds": [f"{{student:{name}}}" for name in learners.ids],
            "givenName": learners.given_name,
            "familyName": learners.family_name,
            "middleName": [""] * n,
            "identifier": [
                f"{name},{other_id(name)}" if place == merged else name
                for place, name in enumerate(learners.ids)
            ],
            "email": [f"{name}@school.example" for name in learners.ids],
            "sms": [""] * n,
            "phone": [""] * n,
            "agentSourcedIds": [""] * n,
            "grades": [f"entry {year}" for year in learners.entry_year],
            "password": [""] * n,
            "userMasterIdentifier": [""] * n,
            "preferredGivenName": [""] * n,
            "preferredMiddleName": [""] * n,
            "preferredFamilyName": [""] * n,
            "primaryOrgSourcedId": [ORG] * n,
            "pronouns": [""] * n,
        }
    )


def _roles(block: Block) -> pl.DataFrame:
    learners, ends = block.learners, programme_years(block.request)
    n = len(learners)
    return pl.DataFrame(
        _common([f"role-{name}" for name in learners.ids])
        | {
            "userSourcedId": learners.ids,
            "roleType": ["primary"] * n,
            "role": ["student"] * n,
            "beginDate": [f"{year}-01-15" for year in learners.entry_year],
            "endDate": [f"{year + ends}-01-14" for year in learners.entry_year],
            "orgSourcedId": [ORG] * n,
            "userProfileSourcedId": [""] * n,
        }
    )


def _enrolments(block: Block) -> pl.DataFrame:
    learners, ends = block.learners, programme_years(block.request)
    parts = []
    for name in (PROGRESS_CLASS, ESSAY_CLASS):
        n = len(learners)
        parts.append(
            pl.DataFrame(
                _common([f"enr-{name}-{one}" for one in learners.ids])
                | {
                    "classSourcedId": [name] * n,
                    "schoolSourcedId": [ORG] * n,
                    "userSourcedId": learners.ids,
                    "role": ["student"] * n,
                    "primary": ["false"] * n,
                    "beginDate": [f"{year}-01-15" for year in learners.entry_year],
                    "endDate": [f"{year + ends}-01-14" for year in learners.entry_year],
                }
            )
        )
    return pl.concat(parts)


def _line_items(results: pl.DataFrame) -> pl.DataFrame:
    items = results.group_by("lineItemSourcedId", maintain_order=True).agg(
        pl.col("classSourcedId").first(), pl.col("scoreDate").max(), pl.col("maximum").first()
    )
    n = items.height
    names = items["lineItemSourcedId"].to_list()
    return pl.DataFrame(
        _common(names)
        | {
            "title": names,
            "description": [""] * n,
            "assignDate": items["scoreDate"].to_list(),
            "dueDate": items["scoreDate"].to_list(),
            "classSourcedId": items["classSourcedId"].to_list(),
            "categorySourcedId": ["exam"] * n,
            "academicSessionSourcedId": [f"year-{day[:4]}" for day in items["scoreDate"]],
            "resultValueMin": ["0"] * n,
            "resultValueMax": items["maximum"].to_list(),
            "schoolSourcedId": [ORG] * n,
        }
    )


def _results(block: Block, progress: pl.DataFrame, essays: pl.DataFrame) -> pl.DataFrame:
    items = block.request.parameters.exams.progress_items.value
    tests = progress.select(
        task=pl.col("Test"),
        student=pl.col("Student"),
        day=pl.col("Date"),
        score=pl.col("Score"),
        state=pl.when(pl.col("Present") == "yes")
        .then(pl.lit(FULLY_GRADED))
        .otherwise(pl.lit(NOT_SUBMITTED)),
        group=pl.lit(PROGRESS_CLASS),
        maximum=pl.lit(str(items)),
    )
    works = essays.select(
        task=pl.col("Task"),
        student=pl.col("Student"),
        day=pl.col("Handed in"),
        score=pl.col("Mark"),
        state=pl.when(pl.col("Mark") == "").then(pl.lit(SUBMITTED)).otherwise(pl.lit(FULLY_GRADED)),
        group=pl.lit(ESSAY_CLASS),
        maximum=pl.lit(str(ESSAY_POINTS)),
    )
    empty = pl.lit("")
    return pl.concat([tests, works]).select(
        pl.concat_str("task", pl.lit("/"), "student").alias("sourcedId"),
        empty.alias("status"),
        empty.alias("dateLastModified"),
        pl.col("task").alias("lineItemSourcedId"),
        pl.col("student").alias("studentSourcedId"),
        pl.col("state").alias("scoreStatus"),
        pl.col("score"),
        pl.col("day").alias("scoreDate"),
        empty.alias("comment"),
        empty.alias("textScore"),
        pl.col("group").alias("classSourcedId"),
        empty.alias("inProgress"),
        empty.alias("incomplete"),
        empty.alias("late"),
        pl.when(pl.col("state") == NOT_SUBMITTED)
        .then(pl.lit("true"))
        .otherwise(pl.lit("false"))
        .alias("missing"),
        pl.col("maximum"),
    )
