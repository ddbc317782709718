"""One field of a contract from the columns of a source, step by step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from pipelines.contracts.schema import Column
from pipelines.sources.crosswalk import nearest
from pipelines.sources.mapping import times
from pipelines.sources.mapping.conditions import compile_condition
from pipelines.sources.mapping.frames import AT, Log
from pipelines.sources.mapping.identities import RowIdentity
from pipelines.sources.spec import Case, FieldMap, TimeZone
from pipelines.sources.text import fold, folded, parse_template

Step = Callable[[pl.Series], pl.DataFrame]
"""Takes texts; gives columns `value` and `code`, which is null where the value was read."""

MANY = 0.5
SUGGESTIONS_AT_MOST = 200

BOOLEANS = {
    **dict.fromkeys(("true", "yes", "y", "1", "t", "on"), "true"),
    **dict.fromkeys(("false", "no", "n", "0", "f", "off"), "false"),
}


def canonical(value: Any) -> str:
    """Return a constant of a spec as canonical text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


class Rows:
    """The text columns of some rows, with missing markers taken out."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self._trimmed: dict[tuple[str, tuple[str, ...]], pl.Series] = {}

    @property
    def height(self) -> int:
        """Return how many rows there are."""
        return self.frame.height

    def trimmed(self, name: str, missing: Sequence[str]) -> pl.Series:
        """Return a column without outer spaces; null where it is missing or not in the file."""
        key = (name, tuple(missing))
        if key not in self._trimmed:
            if name in self.frame.columns:
                text = self.frame[name].cast(pl.String).str.strip_chars().alias("text")
                self._trimmed[key] = _without(text, missing)
            else:
                self._trimmed[key] = self.constant(None)
        return self._trimmed[key]

    def verbatim(self, name: str, missing: Sequence[str]) -> pl.Series:
        """Return a column as written; null where it is missing."""
        trimmed = self.trimmed(name, missing)
        if trimmed.null_count() == self.height:
            return self.constant(None)
        text = self.frame[name].cast(pl.String).alias("text")
        if trimmed.null_count() == text.null_count():
            return text
        frame = pl.DataFrame({"text": text, "has": trimmed.is_not_null()})
        return frame.select(pl.when("has").then("text"))["text"]

    def constant(self, value: str | None) -> pl.Series:
        """Return the same text for every row."""
        return pl.repeat(value, self.height, dtype=pl.String, eager=True).alias("text")


def _without(text: pl.Series, missing: Sequence[str]) -> pl.Series:
    """Return the texts without markers of what is missing; mostly there are none."""
    met = [marker for marker in missing if (text == marker).any()]
    if not met:
        return text
    return text.to_frame("text").select(pl.when(~pl.col("text").is_in(met)).then("text"))["text"]


@dataclass(frozen=True)
class FieldReader:
    """Reads one field as its mapping declares."""

    column: Column
    mapping: FieldMap
    missing: Sequence[str]
    zone: TimeZone
    labels: Mapping[str, str]
    """What folded labels mean, from `map`, `lookup` or the scale."""
    starts: Mapping[str, str]
    """The dates that days are counted from, by folded key."""
    row_identity: RowIdentity | None = None
    """What makes ids of rows that have none."""

    def read(self, rows: Rows, log: Log) -> pl.Series:
        """Return the field as canonical text; what cannot be read stays as written."""
        value = self._written(rows)
        failed: pl.Series | None = None
        for step, suggest in self._steps(rows, log):
            read = step(value)
            bad = read["code"].is_not_null()
            if bad.any():
                met = pl.DataFrame({"in": value, "code": read["code"]}).with_row_index(AT)
                self._report(met.filter(bad), suggest, log)
                failed = value.zip_with(bad, rows.constant(None) if failed is None else failed)
            value = read["value"]
        if failed is not None:
            value = value.zip_with(value.is_not_null(), failed)
        if self.mapping.default is not None:
            value = value.fill_null(canonical(self.mapping.default))
        return value.alias(self.column.name)

    def source_text(self, rows: Rows) -> pl.Series:
        """Return what the source wrote."""
        return self._written(rows)

    def _report(self, bad: pl.DataFrame, suggest: Callable[[str], str], log: Log) -> None:
        distinct = bad["in"].unique(maintain_order=True).head(SUGGESTIONS_AT_MOST).to_list()
        said = {text: suggest(text) for text in distinct}
        suggestions = bad["in"].replace_strict(
            list(said), list(said.values()), default=None, return_dtype=pl.String
        )
        log.problem(bad[AT], bad["code"], self.column.name, bad["in"], suggestions)

    def _written(self, rows: Rows) -> pl.Series:
        mapping = self.mapping
        missing = mapping.missing if mapping.missing is not None else self.missing
        take = rows.verbatim if self.column.is_verbatim else rows.trimmed
        if mapping.column is not None:
            name = next((n for n in mapping.column if n in rows.frame.columns), mapping.column[0])
            return take(name, missing)
        if mapping.first_of is not None:
            parts = pl.DataFrame({f"{n}": take(c, missing) for n, c in enumerate(mapping.first_of)})
            return parts.select(pl.coalesce(pl.all()))[:, 0]
        if mapping.identity is not None and self.row_identity is not None:
            return self.row_identity.of([rows.trimmed(name, missing) for name in mapping.identity])
        if mapping.template is not None:
            return fill_template(mapping.template, rows, missing)
        if mapping.row_number is not None:
            numbers = rows.frame["source_row"]
            listed = list(mapping.row_number)
            return numbers.replace_strict(
                list(range(1, len(listed) + 1)), listed, default=None, return_dtype=pl.String
            )
        if mapping.cases is not None:
            return self._first_case(mapping.cases, rows, missing)
        return rows.constant(canonical(mapping.value))

    def _first_case(self, cases: Sequence[Case], rows: Rows, missing: Sequence[str]) -> pl.Series:
        chosen = rows.constant(None)
        for case in reversed(cases):
            met = rows.frame.select(
                compile_condition(case.when, rows.frame.columns, missing).alias("met")
            )["met"]
            value = (
                rows.constant(canonical(case.value))
                if case.column is None
                else rows.trimmed(case.column, missing)
            )
            chosen = value.zip_with(met, chosen)
        return chosen

    def _steps(self, rows: Rows, log: Log) -> Iterable[tuple[Step, Callable[[str], str]]]:
        mapping = self.mapping
        if mapping.repair:
            yield (lambda text: self._repaired(text, log)), str
        if mapping.map is not None or mapping.lookup is not None or mapping.scale is not None:
            yield by_distinct(self._labelled), self._nearest
        if mapping.decimal is not None or mapping.thousands is not None:
            yield by_distinct(self._number), self._say_number
        if mapping.split is not None:
            yield by_distinct(self._split), str
        if mapping.days_after is not None:
            yield (lambda text: self._days_after(text, rows)), self._say_days
        elif want := self._time_wanted():
            yield by_distinct(lambda text: self._time(text, want)), self._say_time
        elif self.column.dtype == pl.Boolean():
            yield by_distinct(_boolean), str

    def _repaired(self, text: pl.Series, log: Log) -> pl.DataFrame:
        value = text
        for repair in self.mapping.repair:
            if repair.cell is not None:
                hit = (value == repair.cell.strip()).fill_null(value=False)
                mended = pl.repeat(repair.to, len(value), dtype=pl.String, eager=True)
            else:
                hit = value.str.contains(str(repair.pattern)).fill_null(value=False)
                mended = value.str.replace(str(repair.pattern), repair.to) if hit.any() else value
            if hit.any():
                at = hit.arg_true()
                rule = repair.cell if repair.cell is not None else repair.pattern
                log.note(at, repair.note, self.column.name, f"{rule} read as {repair.to}")
                value = mended.zip_with(hit, value)
        return read_well(value)

    def _labelled(self, text: pl.Series) -> pl.DataFrame:
        known = list(self.labels)
        meanings = [self.labels[label] or None for label in known]
        frame = text.alias("text").to_frame().with_columns(fold(pl.col("text")).alias("folded"))
        frame = frame.with_columns(
            value=pl.col("folded").replace_strict(
                known, meanings, default=None, return_dtype=pl.String
            ),
            is_known=pl.col("folded").is_null() | pl.col("folded").is_in(known),
        )
        unmapped = self.mapping.unmapped
        if unmapped == "keep":
            kept = pl.when("is_known").then("value").otherwise("text")
            return frame.select(value=kept, code=pl.lit(None, pl.String))
        code = "unknown_key" if self.mapping.lookup is not None else "unknown_label"
        failed = (
            pl.lit(None, pl.String)
            if unmapped == "missing"
            else (pl.when(~pl.col("is_known")).then(pl.lit(code)))
        )
        return frame.select("value", code=failed)

    @cached_property
    def _shown_labels(self) -> list[str]:
        return list(self.mapping.map or self.labels)

    def _nearest(self, text: str) -> str:
        short = dict(zip(folded(self._shown_labels), self._shown_labels, strict=True))
        near = nearest(text, short)
        if near:
            listed = " or ".join(repr(label.level) for label in near)
            return f"Nearest known: {listed}. Correct the label, or add it to the spec's labels."
        return "No known label is near. Correct it, or add it to the spec's labels."

    def _number(self, text: pl.Series) -> pl.DataFrame:
        point = self.mapping.decimal or "."
        group = self.mapping.thousands
        whole = rf"\d{{1,3}}(?:\{group}\d{{3}})+|\d+" if group else r"\d+"
        if group == " ":
            text = text.str.replace_all("[\u00a0\u202f]", " ")
        pattern = rf"^[+-]?(?:{whole})(?:\{point}\d+)?$|^[+-]?\{point}\d+$"
        frame = text.alias("text").to_frame()
        plain = pl.col("text").str.replace_all(group, "", literal=True) if group else pl.col("text")
        fits = pl.col("text").str.contains(pattern)
        return frame.select(
            value=pl.when(fits).then(plain.str.replace(point, ".", literal=True)),
            code=pl.when(~fits).then(pl.lit("bad_number")),
        )

    def _say_number(self, text: str) -> str:
        del text
        shown = f"1{self.mapping.thousands or ''}234{self.mapping.decimal or '.'}5"
        return f"Write numbers like {shown}, or correct the marks in the spec."

    def _split(self, text: pl.Series) -> pl.DataFrame:
        split = self.mapping.split
        if split is None:
            return read_well(text)
        lists = [
            None if part is None else [split.prefix + item.strip() for item in part if item.strip()]
            for part in text.str.split(split.by).to_list()
        ]
        into = split.into
        made = [
            None
            if items is None
            else canonical([{into: item} for item in items] if into else items)
            for items in lists
        ]
        return read_well(pl.Series("value", made, dtype=pl.String))

    def _time_wanted(self) -> times.Want | None:
        if self.column.dtype == pl.Date():
            return "day"
        if isinstance(self.column.dtype, pl.Datetime):
            return "instant"
        return "version" if self.column.name == "source_version" and self.mapping.format else None

    def _time(self, text: pl.Series, want: times.Want) -> pl.DataFrame:
        formats = self.mapping.format or ["iso"]
        return times.parse(
            text, formats, self.mapping.time_zone or self.zone, self.mapping.at, want
        )

    def _say_time(self, text: str) -> str:
        del text
        formats = " or ".join(self.mapping.format or ["iso"])
        zone = (self.mapping.time_zone or self.zone).name
        return f"Write it as {formats}, in the zone {zone}; or add the format to the spec."

    def _days_after(self, text: pl.Series, rows: Rows) -> pl.DataFrame:
        days_after = self.mapping.days_after
        if days_after is None:
            return read_well(text)
        if days_after.date is not None:
            start = rows.constant(days_after.date)
        else:
            key = fill_template(str(days_after.key), rows, self.missing)
            start = (
                key.to_frame("key")
                .select(fold(pl.col("key")))["key"]
                .replace_strict(
                    list(self.starts),
                    list(self.starts.values()),
                    default=None,
                    return_dtype=pl.String,
                )
            )
        frame = pl.DataFrame({"text": text, "start": start})
        days = pl.col("text").cast(pl.Int64, strict=False)
        day = pl.col("start").str.to_date("%Y-%m-%d", strict=False) + pl.duration(
            days=pl.when(days.is_between(-200_000, 200_000)).then(days)
        )
        frame = frame.with_columns(day=day.dt.to_string("%Y-%m-%d"))
        failed = (
            pl.when(pl.col("text").is_null() | pl.col("day").is_not_null())
            .then(pl.lit(None, pl.String))
            .when(pl.col("start").is_null())
            .then(pl.lit("unknown_key"))
            .otherwise(pl.lit("bad_number"))
        )
        frame = frame.select(value="day", code=failed)
        if self._time_wanted() == "day":
            return frame
        zone = self.mapping.time_zone or self.zone
        read = times.parse(frame["value"], ["iso"], zone, self.mapping.at, "instant")
        return read.select("value", code=pl.coalesce(frame["code"], "code"))

    def _say_days(self, text: str) -> str:
        del text
        return "Write a whole number of days, and see that the day counted from is in the lookup."


def fill_template(template: str, rows: Rows, missing: Sequence[str]) -> pl.Series:
    """Return the template with columns filled in; null where one of them is missing."""
    parts = [
        rows.trimmed(part, missing) if is_column else rows.constant(part)
        for part, is_column in parse_template(template)
    ]
    frame = pl.DataFrame({f"{n}": part for n, part in enumerate(parts)})
    return frame.select(pl.concat_str(pl.all()).alias("text"))["text"]


def by_distinct(step: Step) -> Step:
    """Run a step once for each distinct text, where texts repeat."""

    def run(text: pl.Series) -> pl.DataFrame:
        distinct = text.unique()
        if len(distinct) > MANY * len(text):
            return step(text)
        table = step(distinct).with_columns(distinct.alias("in"))
        return (
            text.to_frame("in")
            .join(table, on="in", how="left", nulls_equal=True, maintain_order="left")
            .select("value", "code")
        )

    return run


def read_well(value: pl.Series) -> pl.DataFrame:
    """Return values without a problem."""
    return value.alias("value").to_frame().with_columns(code=pl.lit(None, pl.String))


def _boolean(text: pl.Series) -> pl.DataFrame:
    """Read the usual words; anything else stays for the contract to judge."""
    words = fold(pl.col("text")).replace_strict(
        list(BOOLEANS), list(BOOLEANS.values()), default=None, return_dtype=pl.String
    )
    return read_well(text.to_frame("text").select(pl.coalesce(words, "text"))[:, 0])
