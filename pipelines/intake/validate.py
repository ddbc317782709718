"""Every record read is judged by its contract, in worker processes where there are many.

Workers that read stretches of a large file have judged its records already: they are gathered.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from itertools import starmap
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.contracts import contract_for
from pipelines.home import Home, write_atomically
from pipelines.identity.vault import PERSON_SCHEMA
from pipelines.intake import workers
from pipelines.intake.chunk import Chunk, Counts, chunks, work
from pipelines.intake.context import Context, context_of
from pipelines.intake.feeds import Feeds, load_feeds, source_of
from pipelines.intake.receive import archive_path
from pipelines.intake.records import ReadError, first_receipt, segment_name
from pipelines.intake.staging import (
    NOTES_SCHEMA,
    ORIGINALS_SCHEMA,
    REFUSED_SCHEMA,
    Staging,
    parts,
)
from pipelines.intake.stretches import JUDGED, Judged
from pipelines.settings import Settings
from pipelines.sources.readers.base import written_out

CHUNK_ROWS = 65_536
PARTS_AT_ONCE = 8
SMALL = 250_000
"""Up to this many records, starting workers costs more than it saves; some may stand already."""

Progress = Callable[[int, int], None]
"""Called with the records judged so far, and how many there are."""


class StageError(Exception):
    """A stage cannot run; the message says what is missing."""


class ValidateReport(BaseModel):
    """What judging one delivery gave."""

    model_config = ConfigDict(frozen=True)

    delivery_id: str
    interpretation_id: str
    readable: bool
    known_at: AwareDatetime | None = None
    """What the segments carry; an earlier arrival may come to light before they are committed."""
    error: ReadError | None = None
    source_rows: int
    rows_read: int
    proven: int
    accepted: dict[str, int]
    refused: int
    reasons: dict[str, int]
    notes: dict[str, int]
    contract_versions: dict[str, int]
    replays: int = 0
    """How many refused records of other deliveries it mends."""
    read: dict[str, Any] = {}
    """What the read stage found out about the file."""


def validate(
    home: Home,
    settings: Settings,
    delivery_id: str,
    *,
    feeds: Feeds | None = None,
    progress: Progress | None = None,
) -> ValidateReport:
    """Judge every record that was read of a delivery.

    Accepted events, refused records, notes and persons are staged; nothing enters the log yet.

    Raises:
        StageError: the delivery has not been read.
    """
    feed = (load_feeds(settings) if feeds is None else feeds)[source_of(delivery_id)]
    staging = Staging.of(home, delivery_id, feed.interpretation_id)
    if staging.validated.exists():
        return ValidateReport.model_validate_json(staging.validated.read_bytes())
    if not staging.read_report.exists():
        raise StageError(f"{delivery_id} has not been read: run the read stage first")
    read: dict[str, Any] = json.loads(staging.read_report.read_bytes())
    shutil.rmtree(staging.working, ignore_errors=True)
    staging.working.mkdir(parents=True)
    if staging.judged.exists():
        judged = Judged.model_validate_json((staging.judged / JUDGED).read_bytes())
        counts, known_at = judged.counts, judged.known_at
        if progress is not None:
            progress(counts.rows, counts.rows)
    else:
        context = context_of(home, feed, delivery_id)
        known_at = context.known_at
        todo = list(chunks(staging.read, CHUNK_ROWS)) if read["readable"] else []
        counts = _work_through(todo, context, staging.working, settings.workers, progress)
    archived = archive_path(home, first_receipt(home, delivery_id).sha256 or "")
    _gather(staging, archived)
    report = ValidateReport(
        delivery_id=delivery_id,
        interpretation_id=feed.interpretation_id,
        readable=read["readable"],
        known_at=known_at,
        error=read.get("error"),
        source_rows=read["source_rows"],
        rows_read=counts.rows,
        proven=counts.proven,
        accepted={kind: n for kind, n in sorted(counts.accepted.items()) if n},
        refused=counts.refused,
        reasons=dict(sorted(counts.reasons.items())),
        notes=dict(sorted(counts.notes.items())),
        contract_versions={
            kind: contract_for(kind).contract_version for kind in sorted(read.get("records", ()))
        },
        replays=read.get("replays", 0),
        read=read,
    )
    write_atomically(staging.validated, report.model_dump_json(indent=2).encode())
    return report


def _work_through(
    todo: list[Chunk], context: Context, folder: Path, n_workers: int, progress: Progress | None
) -> Counts:
    total = sum(chunk.length for chunk in todo)
    tasks = ((chunk, context, folder) for chunk in todo)
    is_small = n_workers == 1 or (total <= SMALL and not workers.stand())
    done: Iterable[Counts] = (
        starmap(work, tasks) if is_small else workers.each(work, tasks, n_workers)
    )
    counts = Counts()
    for part in done:
        counts.add(part)
        if progress is not None:
            progress(counts.rows, total)
    return counts


def _gather(staging: Staging, archived: Path) -> None:
    """Put what was judged in place: events as they are, the rest joined, in order."""
    judged = staging.judged if staging.judged.exists() else staging.working
    shutil.rmtree(staging.accepted, ignore_errors=True)
    made = staging.working / "accepted"
    made.mkdir()
    for folder in sorted(judged.glob("accepted-*")):
        kind = folder.name.removeprefix("accepted-")
        written = parts(folder)
        for number, part in enumerate(written, start=1):
            os.link(part, made / segment_name(kind, number, len(written)))
    _joined(judged / "refused", REFUSED_SCHEMA).write_parquet(staging.refused)
    _joined(judged / "notes", NOTES_SCHEMA).write_parquet(staging.notes)
    _persons(judged / "persons").write_parquet(staging.persons)
    _originals(staging, judged / "records", archived).write_parquet(staging.originals)
    made.rename(staging.accepted)
    shutil.rmtree(staging.working)


def _joined(folder: Path, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    found = parts(folder)
    return pl.read_parquet(found) if found else pl.DataFrame(schema=schema)


def _persons(folder: Path) -> pl.DataFrame:
    """Return who was met, once and with the earliest time, and what rosters say of persons.

    Most parts meet the same persons, so they are joined few at a time.
    """
    identities = pl.DataFrame(schema=PERSON_SCHEMA)
    details = [identities]
    is_detail = pl.col("event_id").is_not_null()
    met = parts(folder)
    for start in range(0, len(met), PARTS_AT_ONCE):
        some = pl.read_parquet(met[start : start + PARTS_AT_ONCE])
        details.append(some.filter(is_detail))
        identities = _earliest(pl.concat([identities, some.filter(~is_detail)]))
    order = ["role", "namespace", "person_id", "event_id"]
    return pl.concat([identities, *details]).sort(order)


def _earliest(identities: pl.DataFrame) -> pl.DataFrame:
    return (
        identities.group_by("namespace", "role", "person_id", "pseudonym")
        .agg(pl.col("known_at").min())
        .with_columns(
            pl.lit(None, dtype=dtype).alias(name)
            for name, dtype in PERSON_SCHEMA.items()
            if name in ("event_id", "given_name", "family_name", "email", "links")
        )
        .select(*PERSON_SCHEMA)
    )


def _originals(staging: Staging, folder: Path, archived: Path) -> pl.DataFrame:
    """Return refused records beside the rows that they came from; the archive has whole lines."""
    records = parts(folder)
    if not records:
        return pl.DataFrame(schema=ORIGINALS_SCHEMA)
    refused = pl.read_parquet(records)
    wanted = refused["source_row"].unique()
    is_wanted = pl.col("source_row").is_in(wanted.implode())
    rows = [
        (row.pop("source_row"), json.dumps(row, ensure_ascii=False))
        for path in sorted(staging.read.glob("source-*.parquet"))
        for row in written_out(
            pl.scan_parquet(path).filter(is_wanted).collect(), archived
        ).iter_rows(named=True)
    ]
    originals = pl.DataFrame(
        rows, schema={"source_row": pl.Int64, "original": pl.String}, orient="row"
    )
    return refused.join(originals, on="source_row", how="left", maintain_order="left").select(
        *ORIGINALS_SCHEMA
    )
