"""Decisions as a table for the student record: those that stand, after the programme's embargo."""

from __future__ import annotations

import csv
import io
import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from pipelines.committee.edition import find
from pipelines.committee.pack import PackError
from pipelines.committee.people import people_of
from pipelines.committee.recording import SOURCE
from pipelines.home import Home
from pipelines.intake.cells import inert, storable
from pipelines.settings import Settings
from pipelines.sources import catalogue

COLUMNS = (
    "learner_id",
    "programme_id",
    "site_id",
    "record_id",
    "decision_kind",
    "committee_id",
    "meeting_id",
    "vocabulary_id",
    "outcome",
    "outcome_title",
    "decided_on",
    "out_on",
    "appeal_status",
    "corrects_record_id",
    "is_corrected",
    "is_latest",
)
"""What goes out. Neither who decided nor why: the student record is no file of the committee."""
_SQL = """
    select * from committee_student_record
    where is_out and ($1 is null or programme_id = $1)
    order by programme_id, learner_key, decided_on, record_id
"""
_WAITING = "select count(*) from committee_student_record where not is_out"


class ExportError(PackError):
    """Nothing was exported; the message says why and what to do."""


@dataclass(frozen=True)
class Exported:
    """What went out."""

    edition_id: str
    n_decisions: int
    n_waiting: int
    """Decisions under embargo."""
    without_id: tuple[str, ...]
    """Keys of learners who have no id in the name space: their decisions did not go out."""


def export(
    home: Home,
    settings: Settings,
    to: Path,
    *,
    edition_id: str | None = None,
    programme_id: str | None = None,
    namespace: str | None = None,
) -> Exported:
    """Write the decisions whose embargo is over as CSV or Parquet, readable by the owner only.

    Args:
        home: whose edition and vault.
        settings: which site's sources and vocabularies.
        to: the file, by whose name the format is chosen.
        edition_id: which edition; the current one by default.
        programme_id: of one programme only.
        namespace: of the learners' ids; that of the recorded decisions by default.

    Raises:
        ExportError: the file cannot be written, or the edition knows no such table.
        EditionError: there is no such edition, or it is not what was published.
        SourceError: the site's specs or code lists have faults.
    """
    if to.suffix.lower() not in {".csv", ".parquet"}:
        raise ExportError(f"{to.name}: name the file .csv or .parquet")
    declared = catalogue.load(settings)
    source = find(home, edition_id)
    source.verify()
    with closing(duckdb.connect(str(source.database), read_only=True)) as connection:
        try:
            decided = connection.sql(_SQL, params=[programme_id]).pl()
            ((n_waiting,),) = connection.execute(_WAITING).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException):
            raise ExportError(
                f"edition {source.edition_id} knows no embargo, so another version of Tessera "
                "published it: publish again with `tessera run`"
            ) from None
    people = people_of(home, settings, namespace or declared.sources[SOURCE].namespace)
    titles = declared.codes["decision_outcomes"].select(
        "vocabulary_id", "outcome", outcome_title="title"
    )
    table = decided.join(titles, on=["vocabulary_id", "outcome"], how="left", maintain_order="left")
    ids = pl.col("learner_key").replace_strict(people.ids, default=None, return_dtype=pl.String)
    table = table.with_columns(learner_id=ids)
    without_id = table.filter(pl.col("learner_id").is_null())["learner_key"].unique().sort()
    out = table.filter(pl.col("learner_id").is_not_null()).select(COLUMNS)
    _write(to, out)
    return Exported(source.edition_id, out.height, int(n_waiting), tuple(without_id))


def _write(path: Path, table: pl.DataFrame) -> None:
    data = io.BytesIO()
    if path.suffix.lower() == ".parquet":
        table.write_parquet(data)
    else:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(table.columns)
        for row in table.iter_rows():
            writer.writerow([_cell(value) for value in row])
        data.write(text.getvalue().encode("utf-8-sig"))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ExportError(f"{path} is there already: name another file, or move it away") from None
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data.getvalue())


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return inert(storable(value)) if isinstance(value, str) else value
