"""Judges a OneRoster set: every row by its table, and all of them by what they refer to.

Everything is done table by table. What concerns a whole table is said at its line of the
manifest, or else at its first row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.contracts.problems import mask
from pipelines.sources.readers.base import SOURCE_ROW
from pipelines.sources.standards.judgement import Finding, Judgement
from pipelines.sources.standards.oneroster_package import MODES, Delivered, Package, read
from pipelines.sources.standards.oneroster_tables import (
    GRADED,
    METADATA,
    STATUSES,
    TABLES,
    VERSIONS,
    WITHDRAWN,
    Column,
    Table,
    Version,
)

GUID = r"^[0-9A-Za-z./@_-]{1,255}$"
FORMS = {
    "year": r"^\d{4}$",
    "float": r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$",
    "boolean": r"^(?i:true|false)$",
    "datetime": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$",
    "date": r"^\d{4}-\d{2}-\d{2}$",
}
FOUND = {
    SOURCE_ROW: pl.Int64(),
    "code": pl.String(),
    "field": pl.String(),
    "value": pl.String(),
}
"""Columns of what was found wrong with the rows of a table."""

_WORDS = {
    "missing": ("is missing", "fill it: the standard requires it"),
    "missing_column": ("is a column that the file lacks", "add the column to the export"),
    "bad_guid": (
        "is not an identifier of OneRoster",
        "use letters, digits and . - _ / @, at most 255",
    ),
    "not_a_date": ("is not a date", "write it as YYYY-MM-DD"),
    "not_a_time": ("is not a time", "write it like 2024-01-31T12:00:00.000Z"),
    "not_a_year": ("is not a year", "write four digits"),
    "not_a_number": ("is not a number", "write digits with a decimal point"),
    "not_yes_or_no": ("is neither true nor false", "write true or false"),
    "not_in_list": ("is none of the values that the standard allows", "use one of: {choices}"),
    "duplicate_id": ("names another row of the file too", "give each row an identifier of its own"),
    "unknown_reference": (
        "names nothing in {table}.csv",
        "send what it names too, or correct the identifier",
    ),
    "out_of_order": ("lies before {first}", "correct one of the two dates"),
    "no_role": (
        "has no role in this set, so nobody can tell learners from teachers",
        "send roles.csv with the roles of every user whom the set names",
    ),
}
_CODES = {
    "guid": "bad_guid",
    "guids": "bad_guid",
    "date": "not_a_date",
    "datetime": "not_a_time",
    "year": "not_a_year",
    "float": "not_a_number",
    "boolean": "not_yes_or_no",
    "choice": "not_in_list",
}
_SUGGESTED = "correct the row and export it again"


@dataclass(frozen=True)
class Remark:
    """Something about a whole table or the manifest."""

    code: str
    table: str | None
    words: str
    is_error: bool = False
    remedy: str = "nothing needs to be done"


@dataclass
class Judged:
    """A set, judged: what was found in the rows of each table, and what concerns whole tables."""

    package: Package
    found: dict[str, pl.DataFrame]
    remarks: list[Remark]


def check(path: Path) -> Iterator[Judgement]:
    """Judge a OneRoster set: the lines of its manifest, then the rows of every table.

    Raises:
        Unreadable: it is no such set, or a table cannot be read.
    """
    judged = judge(read(path))
    package = judged.package
    waiting = defaultdict(list)
    for remark in judged.remarks:
        waiting[_line_of(package, remark)].append(remark)
    yield from _manifest_verdicts(package, waiting)
    for name, table in package.tables.items():
        yield from _row_verdicts(package, table, judged.found[name], waiting.pop((name, 1), []))
    left = [remark for remarks in waiting.values() for remark in remarks]
    if left:
        yield _verdict(1, package.manifest.member if package.manifest else "manifest.csv", [], left)


def judge(package: Package) -> Judged:
    """Judge what a set holds."""
    remarks = list(_manifest_remarks(package))
    found = {}
    for name, delivered in package.tables.items():
        table = package.table(name)
        remarks += _header_remarks(delivered, table)
        found[name] = pl.concat(
            [
                _unread(delivered),
                *_cells(delivered, table, is_delta=package.is_delta(name)),
                *_duplicates(delivered),
                *_scores(delivered, package.version),
                *_order(delivered, table),
                *_references(delivered, table, package),
            ]
        )
        remarks += _table_remarks(package, delivered, table)
    return Judged(package, found, remarks)


def finding(
    code: str, name: str | None, value: str | None, table: Table, version: Version
) -> Finding:
    """Return in words what was found at one cell."""
    column = next((c for c in table.columns if c.name == name), Column(name or ""))
    words, remedy = _WORDS.get(code, ("cannot be read", _SUGGESTED))
    given = {
        "choices": ", ".join(column.choices),
        "table": column.refers_to or "",
        "first": next((a for a, b in table.ordered if b == name), ""),
    }
    masked = mask(value, personal=column.kind in {"text", "guid", "guids"}) if value else None
    subject = name or "the row"
    return Finding(
        code,
        name or "",
        f"{subject} {words.format(**given)}" + (f": {masked}" if masked else ""),
        remedy.format(**given),
        f"OneRoster {version} CSV {table.name}{f'.{name}' if name else ''}",
    )


def _line_of(package: Package, remark: Remark) -> tuple[str | None, int]:
    """Return where a remark is said: at a line of the manifest, or the first row of a table."""
    properties = list(package.properties)[::-1]
    name = f"file.{remark.table}" if remark.table else ""
    if package.manifest is not None and name in properties:
        rows = package.manifest.rows
        lines = rows.filter(pl.col("propertyName").str.strip_chars() == name)[SOURCE_ROW]
        return None, int(lines[0])
    if remark.table in package.tables and package.tables[remark.table].rows.height:
        return remark.table, 1
    return None, 1


def _manifest_verdicts(
    package: Package, waiting: dict[tuple[str | None, int], list[Remark]]
) -> Iterator[Judgement]:
    if package.manifest is None:
        return
    rows = package.manifest.rows[SOURCE_ROW].to_list()
    unread = dict(package.manifest.problems.select(SOURCE_ROW, "code").iter_rows())
    for row in sorted({*rows, *unread}):
        lost = unread.get(row)
        errors = [Finding(lost, "", "the line cannot be read", _SUGGESTED)] if lost else []
        yield _verdict(row, package.manifest.member, errors, waiting.pop((None, row), []))


def _row_verdicts(
    package: Package, table: Delivered, found: pl.DataFrame, remarks: list[Remark]
) -> Iterator[Judgement]:
    declared = package.table(table.name)
    errors: dict[int, list[Finding]] = defaultdict(list)
    for row, code, name, value in found.iter_rows():
        errors[row].append(finding(code, name, value, declared, package.version))
    rows = pl.concat([table.rows[SOURCE_ROW], table.problems[SOURCE_ROW]]).unique().sort()
    for n, row in enumerate(rows):
        yield _verdict(row, table.member, errors.get(row, []), remarks if n == 0 else [])


def _verdict(row: int, place: str, errors: list[Finding], remarks: list[Remark]) -> Judgement:
    said = [(r.is_error, Finding(r.code, r.table or "", r.words, r.remedy)) for r in remarks]
    return Judgement(
        row,
        f"{place}, row {row}",
        (*errors, *(f for is_error, f in said if is_error)),
        tuple(f for is_error, f in said if not is_error),
    )


def _manifest_remarks(package: Package) -> Iterator[Remark]:
    if package.is_single:
        yield Remark("no_set", None, "one table alone: what it refers to cannot be looked up")
        return
    if package.manifest is None:
        yield Remark(
            "missing_file",
            None,
            "the set has no manifest.csv",
            is_error=True,
            remedy="send the manifest: it says how each table is to be taken",
        )
    elif not package.properties:
        yield Remark(
            "missing_column",
            None,
            "manifest.csv has no columns propertyName and value",
            is_error=True,
            remedy="write the header propertyName,value",
        )
    else:
        yield from _property_remarks(package)
    for member in package.unknown:
        yield Remark(
            "unknown_file",
            None,
            f"{member} is of no table of OneRoster {package.version}: it is not read",
        )


def _property_remarks(package: Package) -> Iterator[Remark]:
    stated = package.properties.get("oneroster.version")
    remedy = f"export as one of: {', '.join(VERSIONS)}"
    if stated is None:
        yield Remark(
            "missing",
            None,
            "the manifest does not say oneroster.version",
            is_error=True,
            remedy=remedy,
        )
    elif not any(stated == v or stated.startswith(f"{v}.") for v in VERSIONS):
        words = "the manifest states a version that is not read here"
        yield Remark("not_in_list", None, words, is_error=True, remedy=remedy)
    if package.properties.get("manifest.version") != "1.0":
        yield Remark("manifest_version", None, "manifest.version is not 1.0")
    for name in package.said_twice:
        words = f"the manifest says two things of {name}"
        remedy_twice = "keep the line that is right"
        yield Remark("duplicate_id", None, words, is_error=True, remedy=remedy_twice)
    for name, value in package.properties.items():
        if name.startswith("file."):
            yield from _mode_remarks(package, name.removeprefix("file."), value)
    for table in package.tables:
        if f"file.{table}" not in package.properties:
            words = f"the manifest does not name {table}.csv: read as bulk"
            yield Remark("not_announced", table, words)


def _mode_remarks(package: Package, table: str, mode: str) -> Iterator[Remark]:
    """Say where the set is not as its manifest announces it."""
    is_there = table in package.tables
    is_known = table in TABLES[package.version]
    if mode not in MODES:
        words = f"file.{table} is neither bulk, delta nor absent"
        remedy = f"write one of: {', '.join(MODES)}"
        yield Remark("not_in_list", table, words, is_error=True, remedy=remedy)
    elif not is_known and mode != "absent":
        words = f"the manifest names {table}.csv, which is of no table that is read here"
        yield Remark("unknown_file", table, words)
    elif mode != "absent" and not is_there:
        words = f"{table}.csv is announced as {mode} and is not there"
        yield Remark("missing_file", table, words, is_error=True, remedy="send it, or say absent")
    elif mode == "absent" and is_there:
        words = f"{table}.csv is announced as absent and is there"
        yield Remark("unexpected_file", table, words, is_error=True, remedy="say bulk or delta")


def _header_remarks(delivered: Delivered, table: Table) -> Iterator[Remark]:
    if not delivered.header:
        yield Remark(
            "missing_column",
            table.name,
            f"{table.name}.csv is empty: it has no header",
            is_error=True,
            remedy="write the header of the standard, and no rows where there are none",
        )
        return
    known = set(table.names)
    header = [name for name in delivered.header if name in known]
    own = [name for name in delivered.header if name not in known]
    unknown = [name for name in own if not name.startswith(METADATA)]
    lacking = [c.name for c in table.columns if c.name not in delivered.header and not c.required]
    if lacking:
        yield Remark(
            "column_absent",
            table.name,
            f"{table.name}.csv lacks optional columns: {', '.join(lacking)}",
        )
    if unknown:
        yield Remark(
            "unknown_column",
            table.name,
            f"{table.name}.csv has columns that are not of "
            f"the standard and are not taken: {', '.join(unknown)[:400]}",
        )
    if header != [name for name in table.names if name in header] or (
        own and set(delivered.header[-len(own) :]) != set(own)
    ):
        yield Remark(
            "column_order",
            table.name,
            f"the columns of {table.name}.csv do not stand in the order of the standard",
        )
    if delivered.had_secret:
        yield Remark("secret_left", table.name, f"the passwords of {table.name}.csv are not read")
    if delivered.encoding not in {"utf-8", "utf-8-sig"}:
        yield Remark(
            "not_utf8", table.name, f"{table.name}.csv is not UTF-8: read as {delivered.encoding}"
        )


def _table_remarks(package: Package, delivered: Delivered, table: Table) -> Iterator[Remark]:
    rows = delivered.rows
    if "status" in rows.columns and not package.is_delta(table.name):
        given = rows.filter(_given("status"))
        if given.height:
            yield Remark(
                "status_in_bulk",
                table.name,
                f"{table.name}.csv is sent as bulk and "
                "states a status, which the standard leaves empty",
            )
    for column in table.columns:
        if column.refers_to is None or column.name not in rows.columns:
            continue
        if not _can_look_up(package, column.refers_to) and rows.filter(_given(column.name)).height:
            yield Remark(
                "not_looked_up",
                table.name,
                f"{column.name} is not looked up: "
                f"{column.refers_to}.csv is not sent, or holds changes only",
            )
    if table.name == "users" and package.version == "1.2" and "roles" in package.tables:
        named = package.tables["roles"].rows
        if "userSourcedId" in named.columns and "sourcedId" in rows.columns:
            ids = named["userSourcedId"].str.strip_chars().unique().to_list()
            n_without = rows.filter(~pl.col("sourcedId").str.strip_chars().is_in(ids)).height
            if n_without:
                yield Remark("no_role", "users", f"{n_without} users have no role in roles.csv")


def _given(name: str) -> pl.Expr:
    return (pl.col(name).str.strip_chars() != "").fill_null(value=False)


def _empty() -> pl.DataFrame:
    return pl.DataFrame(schema=FOUND)


def _some(rows: pl.DataFrame, mask_: pl.Expr, code: str, name: str | None) -> pl.DataFrame:
    value = pl.col(name) if name in rows.columns else pl.lit(None, pl.String)
    return rows.filter(mask_).select(
        SOURCE_ROW,
        pl.lit(code).alias("code"),
        pl.lit(name, pl.String).alias("field"),
        value.cast(pl.String).alias("value"),
    )


def _unread(delivered: Delivered) -> pl.DataFrame:
    return delivered.problems.select(
        SOURCE_ROW,
        "code",
        pl.lit(None, pl.String).alias("field"),
        pl.lit(None, pl.String).alias("value"),
    )


def _cells(delivered: Delivered, table: Table, *, is_delta: bool) -> Iterator[pl.DataFrame]:
    rows = delivered.rows
    late = {"status", "dateLastModified"} if is_delta else set()
    for column in table.columns:
        needed = column.required or column.name in late
        if column.name not in rows.columns:
            if needed and column.name not in delivered.header:
                yield _some(rows, pl.lit(value=True), "missing_column", column.name)
            continue
        if needed:
            yield _some(rows, ~_given(column.name), "missing", column.name)
        if column.kind != "text":
            bad = _given(column.name) & ~_well_formed(column)
            yield _some(rows, bad, _CODES[column.kind], column.name)


def _well_formed(column: Column) -> pl.Expr:
    text = pl.col(column.name).str.strip_chars()
    if column.kind == "choice":
        known = text.is_in(list(column.choices))
        return known | text.str.contains("^ext:.+") if column.open_list else known
    if column.kind == "guid":
        return text.str.contains(GUID)
    if column.kind == "guids":
        inner = pl.element().str.strip_chars().str.contains(GUID)
        return text.str.split(",").list.eval(inner).list.all()
    shape = text.str.contains(FORMS[column.kind])
    if column.kind in {"date", "datetime"}:
        day = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).is_not_null()
        return shape & day
    return shape


def _duplicates(delivered: Delivered) -> Iterator[pl.DataFrame]:
    if "sourcedId" in delivered.rows.columns:
        name = pl.col("sourcedId").str.strip_chars()
        again = _given("sourcedId") & name.is_duplicated() & ~name.is_first_distinct()
        yield _some(delivered.rows, again, "duplicate_id", "sourcedId")


def _scores(delivered: Delivered, version: Version) -> Iterator[pl.DataFrame]:
    """Refuse results that were graded and have no score."""
    rows = delivered.rows
    if delivered.name != "results" or not {"score", "scoreStatus"} <= set(rows.columns):
        return
    has_score = _given("score")
    if version == "1.2" and "textScore" in rows.columns:
        has_score |= _given("textScore")
    graded = pl.col("scoreStatus").str.strip_chars().is_in(list(GRADED)).fill_null(value=False)
    yield _some(rows, graded & ~has_score, "missing", "score")


def _order(delivered: Delivered, table: Table) -> Iterator[pl.DataFrame]:
    for first, second in table.ordered:
        if {first, second} <= set(delivered.rows.columns):
            start, end = (
                pl.col(c).str.strip_chars().str.to_date("%Y-%m-%d", strict=False)
                for c in (first, second)
            )
            yield _some(
                delivered.rows, (end < start).fill_null(value=False), "out_of_order", second
            )


def _references(delivered: Delivered, table: Table, package: Package) -> Iterator[pl.DataFrame]:
    rows = delivered.rows
    for column in table.columns:
        target = column.refers_to
        if target is None or column.name not in rows.columns or not _can_look_up(package, target):
            continue
        known = (
            package.tables[target]
            .rows.select(pl.col("sourcedId").str.strip_chars().alias("__id"))
            .unique()
        )
        named = rows.filter(_given(column.name)).select(
            SOURCE_ROW,
            pl.col(column.name),
            pl.col(column.name).str.split(",").alias("__id")
            if column.kind == "guids"
            else pl.concat_list(pl.col(column.name)).alias("__id"),
        )
        named = named.explode("__id").with_columns(pl.col("__id").str.strip_chars())
        lost = named.join(known, on="__id", how="anti").filter(pl.col("__id").str.contains(GUID))
        yield _some(
            lost.unique(SOURCE_ROW, keep="first", maintain_order=True),
            pl.lit(value=True),
            "unknown_reference",
            column.name,
        )


def _can_look_up(package: Package, target: str) -> bool:
    """Tell whether everything that a table may hold is here: changes alone do not tell."""
    there = package.tables.get(target)
    return there is not None and "sourcedId" in there.rows.columns and not package.is_delta(target)


def withdrawn() -> pl.Expr:
    """Return whether a row withdraws what it names."""
    return pl.col("status").str.strip_chars() == WITHDRAWN


__all__ = ["STATUSES", "Judged", "Mapping", "check", "finding", "judge", "withdrawn"]
