"""Dates and times as sources write them, to ISO dates and UTC times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl

from pipelines.sources.spec import SPECIAL_FORMATS, TimeZone

ISO_PARTS = (
    r"^(?<day>\d{4}-\d{2}-\d{2})"
    r"(?:[Tt ](?<minute>\d{2}:\d{2})(?::(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?"
    r"\s*(?<offset>[Zz]|[+-]\d{2}(?::?\d{2})?)?)?$"
)
UTC_TEXT = "%Y-%m-%dT%H:%M:%S%.fZ"
CANONICAL = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
LARGEST = {
    "excel_serial": 110_000,
    "excel_serial_1904": 110_000,
    "epoch_seconds": 7.3e9,
    "epoch_milliseconds": 7.3e12,
}
FIRST_DAYS = {"excel_serial": "1899-12-30", "excel_serial_1904": "1904-01-01"}

Want = Literal["instant", "day", "version"]


def parse(
    text: pl.Series, formats: Sequence[str], zone: TimeZone, at: str, want: Want
) -> pl.DataFrame:
    """Read times: columns `value` (canonical text, null where it failed) and `code` (why).

    Args:
        text: the cells, without outer spaces.
        formats: tried in this order.
        zone: the zone of times without an offset.
        at: `start` or `noon`, for dates where an instant is wanted.
        want: `instant` gives UTC times, `day` dates in the zone, `version` microseconds.
    """
    is_canonical = _is_canonical(text) if want == "instant" and formats[0] == "iso" else None
    if is_canonical is None or not is_canonical.any():
        return _parse(text, formats, zone, at, want)
    if is_canonical.all():
        return text.alias("value").to_frame().with_columns(code=pl.lit(None, pl.String))
    other = ~is_canonical
    read = _parse(text.filter(other), formats, zone, at, want)
    where = other.arg_true()
    code = pl.repeat(None, len(text), dtype=pl.String, eager=True)
    return pl.DataFrame(
        {
            "value": text.clone().scatter(where, read["value"]),
            "code": code.scatter(where, read["code"]),
        }
    )


def _is_canonical(text: pl.Series) -> pl.Series:
    """Tell which texts are missing, or an instant just as it would be written back."""
    column = pl.col("text")
    time = column.str.head(19).str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
    good = column.str.contains(CANONICAL) & time.dt.year().is_between(EARLIEST_YEAR, LATEST_YEAR)
    return (
        text.alias("text").to_frame().select(column.is_null() | good.fill_null(value=False))[:, 0]
    )


def _parse(
    text: pl.Series, formats: Sequence[str], zone: TimeZone, at: str, want: Want
) -> pl.DataFrame:
    frame = (
        text.alias("text")
        .to_frame()
        .with_columns(
            local=pl.lit(None, pl.Datetime("us")), instant=pl.lit(None, pl.Datetime("us", "UTC"))
        )
    )
    is_open = pl.col("local").is_null() & pl.col("instant").is_null()
    for name in formats:
        local, instant = _reading(name, at)
        frame = frame.with_columns(
            local=pl.when(is_open).then(local).otherwise("local"),
            instant=pl.when(is_open).then(instant).otherwise("instant"),
        )
    return _finished(frame, zone, want)


def _reading(name: str, at: str) -> tuple[pl.Expr, pl.Expr]:
    """Return what a format reads: a local time, and an instant where an offset is written."""
    text = pl.col("text")
    no_local, no_instant = pl.lit(None, pl.Datetime("us")), pl.lit(None, pl.Datetime("us", "UTC"))
    if name == "iso":
        return _iso(at)
    if name in SPECIAL_FORMATS:
        number = text.cast(pl.Float64, strict=False)
        number = pl.when(number.is_between(-LARGEST[name], LARGEST[name])).then(number)
        if name in FIRST_DAYS:
            days = (number * 86_400_000).round().cast(pl.Int64)
            start = pl.lit(FIRST_DAYS[name]).str.to_datetime("%Y-%m-%d", time_unit="us")
            noon = pl.duration(hours=12 if at == "noon" else 0)
            shift = pl.when(number == number.floor()).then(noon).otherwise(pl.duration(hours=0))
            return _sensible(start + pl.duration(milliseconds=days) + shift), no_instant
        unit = 1_000_000 if name == "epoch_seconds" else 1_000
        micros = (number * unit).round().cast(pl.Int64)
        return no_local, micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if "%z" in name:
        return no_local, _sensible(text.str.to_datetime(name, strict=False, time_unit="us"))
    if any(f"%{directive}" in name for directive in "HIMSTRpf"):
        return _sensible(text.str.to_datetime(name, strict=False, time_unit="us")), no_instant
    return _sensible(_at(text.str.to_date(name, strict=False).cast(pl.Datetime("us")), at)), (
        no_instant
    )


def _at(day: pl.Expr, at: str) -> pl.Expr:
    return day + pl.duration(hours=12) if at == "noon" else day


def _sensible(time: pl.Expr) -> pl.Expr:
    return pl.when(time.dt.year().is_between(EARLIEST_YEAR, LATEST_YEAR)).then(time)


def _iso(at: str) -> tuple[pl.Expr, pl.Expr]:
    parts = pl.col("text").str.extract_groups(ISO_PARTS).struct
    minute, offset = parts.field("minute"), parts.field("offset").str.to_uppercase()
    written = pl.concat_str(
        parts.field("day"),
        pl.lit("T"),
        minute.fill_null("12:00" if at == "noon" else "00:00"),
        pl.lit(":"),
        parts.field("second").fill_null("00"),
        pl.lit("."),
        parts.field("fraction").fill_null("0").str.slice(0, 6),
    )
    local = _sensible(written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us"))
    sign = pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)
    digits = offset.str.replace_all(r"\D", "").str.pad_end(4, "0")
    hours = digits.str.slice(0, 2).cast(pl.Int64, strict=False)
    minutes = digits.str.slice(2, 2).cast(pl.Int64, strict=False)
    shift = sign * (hours * 60 + minutes)
    away = pl.when(hours.is_between(0, 18) & minutes.is_between(0, 59)).then(shift)
    instant = (local - pl.duration(minutes=away)).dt.replace_time_zone("UTC")
    return pl.when(offset.is_null()).then(local), pl.when(offset.is_not_null()).then(instant)


def _finished(frame: pl.DataFrame, zone: TimeZone, want: Want) -> pl.DataFrame:
    """Turn local times into instants, or instants into local days, and write them."""
    if want == "day":
        day = pl.coalesce("local", _wall(pl.col("instant"), zone.name)).dt.date()
        failed = pl.when(day.is_null() & pl.col("text").is_not_null()).then(pl.lit("bad_date"))
        return frame.select(value=day.dt.to_string("%Y-%m-%d"), code=failed)
    frame = frame.with_columns(utc=pl.coalesce("instant", _instants(zone)))
    frame = _choose_twice_or_never(frame, zone)
    utc = pl.col("utc")
    value = utc.dt.epoch("us").cast(pl.String) if want == "version" else utc.dt.to_string(UTC_TEXT)
    code = (
        pl.when(utc.is_not_null() | pl.col("text").is_null())
        .then(pl.lit(None, pl.String))
        .when(pl.col("local").is_null())
        .then(pl.lit("bad_date"))
        .when(_instants(zone, ambiguous="earliest").is_null())
        .then(pl.lit("nonexistent_time"))
        .otherwise(pl.lit("ambiguous_time"))
    )
    return frame.select(value=value, code=code)


def _wall(instant: pl.Expr, zone: str) -> pl.Expr:
    return instant.dt.convert_time_zone(zone).dt.replace_time_zone(None)


def _instants(
    zone: TimeZone, ambiguous: Literal["null", "earliest", "latest"] | None = None
) -> pl.Expr:
    chosen: dict[str, Literal["null", "earliest", "latest"]] = {
        "refuse": "null",
        "earlier": "earliest",
        "later": "latest",
    }
    how = ambiguous or chosen[zone.ambiguous]
    there = pl.col("local").dt.replace_time_zone(zone.name, ambiguous=how, non_existent="null")
    return there.dt.convert_time_zone("UTC")


def _choose_twice_or_never(frame: pl.DataFrame, zone: TimeZone) -> pl.DataFrame:
    """Read a local time that the clock skips as the spec says: with the offset before or after.

    `later` counts on with the offset before the change, `earlier` with the one after it.
    """
    skipped = pl.col("utc").is_null() & pl.col("local").is_not_null()
    if zone.ambiguous == "refuse" or not frame.select(skipped.any()).item():
        return frame
    day = pl.duration(days=1)
    near = pl.col("local") - day if zone.ambiguous == "later" else pl.col("local") + day
    known = near.dt.replace_time_zone(zone.name, ambiguous="earliest", non_existent="null")
    offset = near - known.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    there = (pl.col("local") - offset).dt.replace_time_zone("UTC")
    return frame.with_columns(utc=pl.when(skipped).then(there).otherwise("utc"))
