"""Work in progress on one delivery under one interpretation, and the frames it consists of."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.home import Home
from pipelines.intake.records import NOTES, REFUSED

REFUSED_SCHEMA: dict[str, pl.DataType] = {
    "source_row": pl.Int64(),
    "source_cell": pl.String(),
    "kind": pl.String(),
    "record_key": pl.String(),
    "code": pl.String(),
    "field": pl.String(),
    "message": pl.String(),
    "value_masked": pl.String(),
    "suggestion": pl.String(),
    "owner": pl.String(),
    "is_first": pl.Boolean(),
}
NOTES_SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "record_key": pl.String(),
    "source_row": pl.Int64(),
    "source_cell": pl.String(),
    "kind": pl.String(),
    "code": pl.String(),
    "field": pl.String(),
    "detail": pl.String(),
}
ORIGINALS_SCHEMA: dict[str, pl.DataType] = {
    "source_row": pl.Int64(),
    "source_cell": pl.String(),
    "kind": pl.String(),
    "record_key": pl.String(),
    "record": pl.String(),
    "original": pl.String(),
}
"""Refused records as mapped (`record`) and as delivered (`original`), both as JSON text."""

JUDGED_FOLDER = "judged"

PROBLEM = pl.Struct(
    {"code": pl.String, "field": pl.String, "value": pl.String, "suggestion": pl.String}
)
NOTE = pl.Struct({"code": pl.String, "field": pl.String, "detail": pl.String})


@dataclass(frozen=True)
class Staging:
    """The folder between read and commit."""

    folder: Path

    @classmethod
    def of(cls, home: Home, delivery_id: str, interpretation_id: str) -> Staging:
        """Return the folder of one delivery under one interpretation."""
        return cls(home.staging / delivery_id / interpretation_id)

    @property
    def read(self) -> Path:
        """Return the folder that the read stage fills."""
        return self.folder / "read"

    @property
    def read_report(self) -> Path:
        """Return what reading found; its presence says that reading is done."""
        return self.read / "read.json"

    @property
    def judged(self) -> Path:
        """Return the folder of records that were judged as they were read, if they were."""
        return self.read / JUDGED_FOLDER

    @property
    def working(self) -> Path:
        """Return the folder of unfinished parts."""
        return self.folder / "working"

    @property
    def accepted(self) -> Path:
        """Return the folder of accepted events, `<kind>.parquet`."""
        return self.folder / "accepted"

    @property
    def refused(self) -> Path:
        """Return the problems of refused records."""
        return self.folder / REFUSED

    @property
    def notes(self) -> Path:
        """Return the oddities that refuse nothing."""
        return self.folder / NOTES

    @property
    def originals(self) -> Path:
        """Return the refused records as they came."""
        return self.folder / "originals.parquet"

    @property
    def persons(self) -> Path:
        """Return the persons that the accepted records name."""
        return self.folder / "persons.parquet"

    @property
    def validated(self) -> Path:
        """Return what validating gave; its presence says that validating is done."""
        return self.folder / "validate.json"

    @property
    def check(self) -> Path:
        """Return the verdict of the delivery check."""
        return self.folder / "check.json"

    @property
    def finished(self) -> Path:
        """Return the folder that becomes the committed interpretation by one rename."""
        return self.folder / "finished"

    def clear(self) -> None:
        """Remove everything of this interpretation, and the delivery's folder if it is empty."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.parent.exists() and not any(self.folder.parent.iterdir()):
            self.folder.parent.rmdir()


def parts(folder: Path) -> list[Path]:
    """Return the numbered part files of a folder in order."""
    return sorted(folder.glob("*.parquet"))
