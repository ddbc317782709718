"""The rows of a OneRoster set, table by table, with what other tables say of the same thing.

Every column of either version is there, empty where the file lacks it, and a sender's own columns
beside them. The reader adds:

- `users`: `roles`, all roles of the user, separated by commas (1.1 states one, 1.2 has
  `roles.csv`), or `withdrawn` for a user of 1.2 who is taken back without a word of the roles;
- `classes`: `course.title`, `course.courseCode`, and `startDate` and `endDate`, from the first day
  of the terms of the class to the last;
- `enrollments` and `lineItems`: `class.title`, `class.startDate`, `class.endDate`, `course.title`,
  `course.courseCode`; `lineItems` also `category.title` and `category.weight`;
- `results`: `lineItem.title`, `lineItem.dueDate`, `lineItem.resultValueMin`,
  `lineItem.resultValueMax`, `lineItem.classSourcedId`, `category.title`.

What is added is empty where the other table is not sent, as in a delta.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from pipelines.sources.readers.base import (
    ROW_PROBLEMS,
    SOURCE_ROW,
    Chunk,
    Opener,
    Reading,
    Unreadable,
    Wanted,
)
from pipelines.sources.standards.oneroster_check import FOUND, Judged, Remark, finding
from pipelines.sources.standards.oneroster_tables import SECRET, TABLES, WITHDRAWN

ROWS_AT_ONCE = 100_000
ID = "__id"


@dataclass(frozen=True)
class Added:
    """Columns of another table, joined over an identifier."""

    by: str
    prefix: str
    table: str
    columns: tuple[str, ...]


CLASS = Added("classSourcedId", "class", "classes", ("title", "startDate", "endDate"))
CLASS_COURSE = Added("classSourcedId", "", "classes", ("course.title", "course.courseCode"))
ADDED: dict[str, tuple[Added, ...]] = {
    "classes": (Added("courseSourcedId", "course", "courses", ("title", "courseCode")),),
    "enrollments": (CLASS, CLASS_COURSE),
    "lineItems": (
        CLASS,
        CLASS_COURSE,
        Added("categorySourcedId", "category", "categories", ("title", "weight")),
    ),
    "results": (
        Added(
            "lineItemSourcedId",
            "lineItem",
            "lineItems",
            ("title", "dueDate", "resultValueMin", "resultValueMax", "classSourcedId"),
        ),
        Added("lineItemSourcedId", "", "lineItems", ("category.title",)),
    ),
}


def refusal(remarks: list[Remark]) -> Unreadable | None:
    """Return why a set cannot be taken as a whole, if it cannot."""
    first = next((remark for remark in remarks if remark.is_error), None)
    if first is None:
        return None
    words = first.words[:1].upper() + first.words[1:]
    return Unreadable(first.code, f"{words}.", f"{first.remedy[:1].upper()}{first.remedy[1:]}.")


def openers(judged: Judged) -> dict[str, Opener]:
    """Return how each table of a set is opened."""
    tables = _Tables(judged)

    def opener(name: str) -> Callable[[Wanted], Reading]:
        return lambda wanted: tables.reading(name, wanted)

    return {name: opener(name) for name in judged.package.tables}


class _Tables:
    def __init__(self, judged: Judged) -> None:
        self.judged = judged
        self.made: dict[str, pl.DataFrame] = {}

    def reading(self, name: str, wanted: Wanted) -> Reading:
        """Return a table: the columns of the file, and those of the others that are asked for."""
        delivered = self.judged.package.tables[name]
        rows = self.rows(name)
        added = [n for n in rows.columns[1:] if n not in delivered.header and wanted.has(n)]
        header = [*delivered.header, *added]
        rows = rows.select(SOURCE_ROW, *(n for n in header if n in rows.columns))
        facts = {
            "mode": self.judged.package.mode(name) or "bulk",
            "encoding": delivered.encoding,
            "file": delivered.member,
        }
        return Reading(facts, self._chunks(name, rows), header=header, seen=set(header))

    def rows(self, name: str) -> pl.DataFrame:
        """Return the rows of a table with what the other tables say."""
        if name not in self.made:
            rows = self._padded(name)
            for added in ADDED.get(name, ()):
                rows = self._joined(rows, added)
            if name == "classes":
                rows = self._with_days(rows)
            if name == "users":
                rows = self._with_roles(rows)
            self.made[name] = rows
        return self.made[name]

    def _chunks(self, name: str, rows: pl.DataFrame) -> Iterator[Chunk]:
        package, found = self.judged.package, self.judged.found[name]
        delivered, declared = package.tables[name], package.table(name)
        if name == "users":
            found = pl.concat([found, self._without_role()])
        first = found.unique(SOURCE_ROW, keep="first", maintain_order=True).sort(SOURCE_ROW)
        said = []
        for row, code, field, value in first.iter_rows():
            words = finding(code, field, value, declared, package.version)
            said.append((row, code, f"{words.message}; {words.suggestion}"))
        problems = pl.DataFrame(said, schema=ROW_PROBLEMS, orient="row")
        originals = pl.concat([rows, delivered.lines], how="diagonal").sort(SOURCE_ROW)
        good = rows.join(first, on=SOURCE_ROW, how="anti", maintain_order="left")
        for part in originals.iter_slices(ROWS_AT_ONCE):
            here = pl.col(SOURCE_ROW).is_between(part[SOURCE_ROW][0], part[SOURCE_ROW][-1])
            yield Chunk(good.filter(here), part, problems.filter(here))

    def _padded(self, name: str) -> pl.DataFrame:
        """Return the rows with every column that either version may have, save required ones."""
        delivered = self.judged.package.tables[name]
        required = {c.name for c in self.judged.package.table(name).columns if c.required}
        names = [
            column.name
            for tables in TABLES.values()
            if name in tables
            for column in tables[name].columns
            if column.name not in required and column.name != SECRET
        ]
        lacking = [n for n in dict.fromkeys(names) if n not in delivered.rows.columns]
        return delivered.rows.with_columns(pl.lit(None, pl.String).alias(n) for n in lacking)

    def _joined(self, rows: pl.DataFrame, added: Added) -> pl.DataFrame:
        prefix = f"{added.prefix}." if added.prefix else ""
        made = {column: f"{prefix}{column}" for column in added.columns}
        if added.table not in self.judged.package.tables or added.by not in rows.columns:
            return rows.with_columns(pl.lit(None, pl.String).alias(n) for n in made.values())
        other = self.rows(added.table)
        if "sourcedId" not in other.columns:
            return rows.with_columns(pl.lit(None, pl.String).alias(n) for n in made.values())
        there = other.select(
            pl.col("sourcedId").str.strip_chars().alias(ID),
            *(
                (pl.col(c) if c in other.columns else pl.lit(None, pl.String)).alias(n)
                for c, n in made.items()
            ),
        ).unique(ID, keep="first", maintain_order=True)
        keyed = rows.with_columns(pl.col(added.by).str.strip_chars().alias(ID))
        return keyed.join(there, on=ID, how="left", maintain_order="left").drop(ID)

    def _with_days(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add the first and the last day of the terms of each class."""
        nothing = [pl.lit(None, pl.String).alias(n) for n in ("startDate", "endDate")]
        if "academicSessions" not in self.judged.package.tables:
            return rows.with_columns(nothing)
        sessions = self.rows("academicSessions")
        if not {"sourcedId", "startDate", "endDate"} <= set(sessions.columns) or (
            "termSourcedIds" not in rows.columns
        ):
            return rows.with_columns(nothing)
        terms = rows.select(SOURCE_ROW, pl.col("termSourcedIds").str.split(",").alias(ID))
        days = (
            terms.explode(ID)
            .with_columns(pl.col(ID).str.strip_chars())
            .join(
                sessions.select(
                    pl.col("sourcedId").str.strip_chars().alias(ID), "startDate", "endDate"
                ),
                on=ID,
            )
            .group_by(SOURCE_ROW)
            .agg(pl.col("startDate").min(), pl.col("endDate").max())
        )
        return rows.join(days, on=SOURCE_ROW, how="left", maintain_order="left")

    def _without_role(self) -> pl.DataFrame:
        """Return the users of 1.2 whose roles the set does not say, or says wrongly.

        In a full set with `roles.csv`, a user whom it does not name has no role and is none of
        ours; anywhere else, nobody knows.
        """
        package, rows = self.judged.package, self.rows("users")
        nothing = pl.DataFrame(schema=FOUND)
        if package.version == "1.1" or "sourcedId" not in rows.columns:
            return nothing
        unsaid = rows.filter(pl.col("roles").is_null())
        if "roles" in package.tables and not package.is_delta("users"):
            named = package.tables["roles"].rows.join(
                self.judged.found["roles"], on=SOURCE_ROW, how="semi"
            )
            if "userSourcedId" not in named.columns:
                return nothing
            wrong = named["userSourcedId"].str.strip_chars()
            unsaid = unsaid.filter(pl.col("sourcedId").str.strip_chars().is_in(wrong.implode()))
        return unsaid.select(
            SOURCE_ROW,
            code=pl.lit("no_role"),
            field=pl.lit("sourcedId"),
            value=pl.col("sourcedId"),
        )

    def _with_roles(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add all roles of each user: the one that 1.1 states, or those of `roles.csv`."""
        if self.judged.package.version == "1.1" and "role" in rows.columns:
            return rows.with_columns(pl.col("role").alias("roles"))
        is_withdrawn = (pl.col("status").str.strip_chars() == WITHDRAWN).fill_null(value=False)
        unsaid = pl.when(is_withdrawn).then(pl.lit("withdrawn"))
        if "roles" not in self.judged.package.tables:
            return rows.with_columns(unsaid.alias("roles"))
        stated = self.rows("roles")
        if not {"userSourcedId", "role"} <= set(stated.columns) or "sourcedId" not in rows.columns:
            return rows.with_columns(unsaid.alias("roles"))
        bad = self.judged.found["roles"].select(SOURCE_ROW)
        held = (
            stated.join(bad, on=SOURCE_ROW, how="anti")
            .filter((pl.col("status").str.strip_chars() != WITHDRAWN).fill_null(value=True))
            .select(
                pl.col("userSourcedId").str.strip_chars().alias(ID),
                pl.col("role").str.strip_chars().alias("roles"),
            )
            .group_by(ID)
            .agg(pl.col("roles").unique().sort().str.join(","))
        )
        keyed = rows.with_columns(pl.col("sourcedId").str.strip_chars().alias(ID))
        found = keyed.join(held, on=ID, how="left", maintain_order="left").drop(ID)
        return found.with_columns(pl.coalesce("roles", unsaid).alias("roles"))
