"""Frames written as files, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl

ZIP_TIME = (2000, 1, 1, 0, 0, 0)
CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - spreadsheets know no zones
SENT_HOUR = time(2, 10, tzinfo=UTC)
SUFFIXES = {"csv": ".csv", "jsonl": ".jsonl", "xlsx": ".xlsx", "parquet": ".parquet"}
XLSX_ROWS = 1_048_575
BLOCK = 1 << 20


@dataclass(frozen=True)
class Dialect:
    """How a source writes CSV."""

    delimiter: str = ","
    bom: bool = False
    encoding: str = "utf-8"


def sent_on(day: date) -> datetime:
    """Return when a delivery of a day is sent: in the night."""
    return datetime.combine(day, SENT_HOUR)


def write_frame(frame: pl.DataFrame, path: Path, form: str, dialect: Dialect) -> None:
    """Write a frame in one of the formats of `SUFFIXES`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if form == "csv":
        _write_csv(frame, path, dialect)
    elif form == "jsonl":
        frame.write_ndjson(path)
    elif form == "parquet":
        frame.write_parquet(path, compression="zstd", compression_level=1, statistics=True)
    else:
        _write_xlsx(frame, path)


def write_zip(members: Mapping[str, bytes], path: Path) -> None:
    """Write a zip archive whose bytes depend on its members alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, compresslevel=6)


def csv_bytes(frame: pl.DataFrame, dialect: Dialect | None = None) -> bytes:
    """Return a frame as CSV with the line ends of spreadsheets."""
    chosen = dialect or Dialect()
    text = frame.write_csv(separator=chosen.delimiter, line_terminator="\r\n")
    if chosen.encoding == "utf-8":
        return text.encode("utf-8-sig" if chosen.bom else "utf-8")
    return text.encode(chosen.encoding)


def write_manifest(path: Path, sent_at: datetime) -> str:
    """Write what the sender says about a file beside it, and return the file's SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    facts = {"sent_at": sent_at.isoformat(), "sha256": digest.hexdigest()}
    beside = path.with_name(path.name + ".manifest.json")
    beside.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return digest.hexdigest()


def _write_csv(frame: pl.DataFrame, path: Path, dialect: Dialect) -> None:
    if dialect.encoding == "utf-8":
        frame.write_csv(
            path,
            separator=dialect.delimiter,
            line_terminator="\r\n",
            include_bom=dialect.bom,
        )
    else:
        path.write_bytes(csv_bytes(frame, dialect))


def _write_xlsx(frame: pl.DataFrame, path: Path) -> None:
    """Write one sheet; texts that look like formulas stay texts."""
    from xlsxwriter import Workbook

    if frame.height > XLSX_ROWS:
        raise ValueError(f"a sheet holds {XLSX_ROWS:,} rows, and this one has {frame.height:,}")
    with Workbook(
        path,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    ) as book:
        book.set_properties({"created": CREATED})
        sheet = book.add_worksheet("Export")
        sheet.write_row(0, 0, frame.columns)
        for number, row in enumerate(frame.iter_rows(), start=1):
            sheet.write_row(number, 0, ["" if cell is None else cell for cell in row])
