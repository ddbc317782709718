"""Takes a person out of the evidence log, the archive and the quarantine.

Records about the person go. Where the person only appears, as an assessor or by name in somebody
else's record, a tombstone stands in their place. Rows keep their numbers, so that every other
record is still found where it was.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns
from pipelines.home import Home, write_atomically
from pipelines.identity.tombstones import NAMESPACE
from pipelines.identity.vault import PERSON_SCHEMA, persons_path
from pipelines.intake import erase_rows
from pipelines.intake.chunk import ERASED
from pipelines.intake.erase_archive import replay_without, without_person
from pipelines.intake.erase_members import members_hold
from pipelines.intake.erase_target import MARK, Target
from pipelines.intake.records import (
    INTAKE_RECORD,
    REFUSED,
    IntakeRecord,
    Receipt,
    kind_of,
    record_folder,
    segments,
)
from pipelines.intake.segment import originals_path
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.spec import SourceSpec


@dataclass
class Taken:
    """What an erasure took from one delivery."""

    delivery_id: str
    rows: set[int] = field(default_factory=set)
    n_records: int = 0
    is_frozen: bool = False


ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "windows-1252", "gb18030")

Changed = Callable[[Path, bytes | Path | None], None]
"""Called with a file and its new bytes, or the file that takes its place; None removes it. Keeps
old and new hash on record."""

BATCH_ROWS = 50_000
"""How many rows of a Parquet file are held at once."""


def erase_delivery(
    home: Home,
    record: IntakeRecord,
    receipt: Receipt,
    target: Target,
    catalogue: Catalogue,
    change: Changed,
) -> Taken | None:
    """Take the person out of one delivery, or return None where it does not name them."""
    taken = Taken(record.delivery_id)
    folder = record_folder(home, record)
    originals = originals_path(home, record.delivery_id, record.interpretation_id)
    events = [path for kind in record.accepted_events for path in segments(folder, kind)]
    is_named = _is_named(home, record, target)
    for path in events:
        for frame in frames(path):
            taken.rows |= _rows_about(kind_of(path), frame, target)
            is_named = is_named or _holds(frame, target)
    for frame in frames(originals):
        taken.rows |= _refused_about(frame, record, target, catalogue)
        is_named = is_named or _holds(frame, target)
    taken.rows |= _refused_as_erased(folder)
    archived = home.archive / record.sha256[:2] / record.sha256
    if not (taken.rows or is_named or _bytes_hold(archived, target)):
        return None
    n_before = record.n_events + record.refused
    _rewrite_log(folder, events, record, taken, target, change)
    _rewrite_restricted(home, record, originals, taken, target, change)
    now = IntakeRecord.model_validate_json((folder / INTAKE_RECORD).read_bytes())
    taken.n_records = n_before - now.n_events - now.refused
    if archived.exists():
        spec = catalogue.sources.get(record.source_id)
        if receipt.replayed_by is not None:
            change(archived, replay_without(archived, taken.rows, target))
        elif spec is None:
            change(archived, None)
            taken.is_frozen = True
        else:
            with without_person(archived, spec, taken.rows, target) as made:
                change(archived, made)
                taken.is_frozen = made is None
    return taken


def frames(path: Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of a Parquet file some at a time, and one frame of an empty file."""
    if not path.exists():
        return
    scanned = pl.scan_parquet(path)
    height = scanned.select(pl.len()).collect().item()
    for start in range(0, max(height, 1), BATCH_ROWS):
        yield scanned.slice(start, BATCH_ROWS).collect()


def _rewrite(
    path: Path, change: Changed, clean: Callable[[pl.DataFrame], pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """Put what a function makes of its rows in the place of a Parquet file; yield it on the way."""
    made = path.with_name(f".{path.name}.erasing")
    writer = None
    try:
        for frame in frames(path):
            kept = clean(frame)
            table = kept.to_arrow(compat_level=pl.CompatLevel.oldest())
            if writer is None:
                descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                os.close(descriptor)
                writer = pq.ParquetWriter(made, table.schema, compression="zstd")
            writer.write_table(table)
            yield kept
        if writer is not None:
            writer.close()
            change(path, made)
    finally:
        if writer is not None:
            writer.close()
        made.unlink(missing_ok=True)


def _rows_about(kind: str, frame: pl.DataFrame, target: Target) -> set[int]:
    """Return the rows whose records are about the person: as a learner, or in a roster."""
    subject = next((c for c in columns(CONTRACTS[kind]) if c.is_person), None)
    is_roster = kind == "assessor"
    if subject is None or subject.stored_name is None or subject.stored_name not in frame.columns:
        return set()
    if subject.person_role != "learner" and not is_roster:
        return set()
    about = frame.filter(target.is_about(kind, subject.stored_name, frame.columns))
    return set(about["source_row"])


def _refused_as_erased(folder: Path) -> set[int]:
    """Return the rows that name persons who were erased before."""
    refused = pl.read_parquet(folder / REFUSED)
    return set(refused.filter(pl.col("code") == ERASED)["source_row"])


def _refused_about(
    originals: pl.DataFrame, record: IntakeRecord, target: Target, catalogue: Catalogue
) -> set[int]:
    """Return the rows of refused records that name the person as the one they are about."""
    spec = catalogue.sources.get(record.source_id)
    if not originals.height or spec is None:
        return set()
    rows = set()
    for source_row, kind, text in originals.select("source_row", "kind", "record").iter_rows():
        mapped = json.loads(text)
        subject = next((c for c in columns(CONTRACTS[kind]) if c.is_person), None)
        written = mapped.get(subject.name) if subject is not None else None
        if isinstance(written, str) and _is_id(written, spec, target):
            rows.add(source_row)
    return rows


def _is_id(written: str, spec: SourceSpec, target: Target) -> bool:
    from pipelines.identity.pseudonyms import Folding

    folding = Folding(spec.person_ids.fold_case, spec.person_ids.strip_leading_zeros)
    return (spec.namespace, folding.fold(written.strip())) in target.ids


def _is_named(home: Home, record: IntakeRecord, target: Target) -> bool:
    path = persons_path(home, record.delivery_id, record.interpretation_id)
    if not path.exists():
        return False
    return bool(pl.read_parquet(path)["pseudonym"].is_in(target.pseudonyms).any())


def _holds(frame: pl.DataFrame, target: Target) -> bool:
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    if not (target.pattern and texts):
        return False
    found = pl.any_horizontal(pl.col(texts).str.contains(target.pattern)).any()
    return bool(frame.select(found).item())


def _bytes_hold(path: Path, target: Target) -> bool:
    """Tell whether delivered bytes hold one of the words, in the encodings that schools use."""
    if not path.exists():
        return False
    written = {
        word.lower().encode(encoding, "ignore") for word in target.words for encoding in ENCODINGS
    }
    if holds_any(path, written):
        return True
    with suppress(zipfile.BadZipFile):
        return zipfile.is_zipfile(path) and members_hold(path, written)
    return False


def holds_any(path: Path, written: Iterable[bytes]) -> bool:
    """Tell whether a file holds one of some bytes, letter case of ASCII aside."""
    with path.open("rb") as file:
        return erase_rows.holds_any(file, written)


def _rewrite_log(
    folder: Path,
    events: Iterable[Path],
    record: IntakeRecord,
    taken: Taken,
    target: Target,
    change: Changed,
) -> None:
    gone = list(taken.rows)
    accepted: Counter[str] = Counter()
    for path in events:
        kind = kind_of(path)

        def clean(frame: pl.DataFrame, kind: str = kind) -> pl.DataFrame:
            kept = frame.filter(~pl.col("source_row").is_in(gone))
            return target.scrubbed(_without_mentions(kind, kept, target))

        accepted[kind] += sum(kept.height for kept in _rewrite(path, change, clean))
    counted: dict[str, Counter[str]] = {}
    for name in ("refused", "notes"):
        counted[name] = Counter()
        told = _rewrite(
            folder / f"{name}.parquet",
            change,
            lambda frame: target.scrubbed(frame.filter(~pl.col("source_row").is_in(gone))),
        )
        for frame in told:
            first = frame.filter("is_first") if name == "refused" else frame
            counted[name].update(_counts(first))
    refused = counted["refused"].total()
    now = record.model_copy(
        update={
            "accepted_events": dict(accepted),
            "refused": refused,
            "rows_read": sum(accepted.values()) + refused,
            "source_rows": max(record.source_rows - len(gone), 0),
            "reasons": dict(sorted(counted["refused"].items())),
            "notes": dict(sorted(counted["notes"].items())),
            "erased": record.erased + len(gone),
            "file": target.scrub(record.file),
        }
    )
    change(folder / INTAKE_RECORD, target.scrub(now.to_bytes().decode()).encode())


def _without_mentions(kind: str, frame: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Put the tombstone where the person is named in a record about somebody else."""
    for column in columns(CONTRACTS[kind]):
        stored = column.stored_name
        if not column.is_person or stored is None or stored not in frame.columns:
            continue
        stone = pl.lit(target.stone_pseudonym)
        if isinstance(column.dtype, pl.List):
            element = pl.element()
            value = pl.when(element.is_in(target.pseudonyms)).then(stone).otherwise(element)
            frame = frame.with_columns(pl.col(stored).list.eval(value))
        else:
            is_meant = target.is_about(kind, stored, frame.columns)
            value = pl.when(is_meant).then(stone).otherwise(pl.col(stored))
            frame = frame.with_columns(value.alias(stored))
    return frame


def _counts(frame: pl.DataFrame) -> dict[str, int]:
    counted = frame["code"].value_counts(name="n").sort("code")
    return dict(counted.iter_rows())


def _rewrite_restricted(
    home: Home,
    record: IntakeRecord,
    originals: Path,
    taken: Taken,
    target: Target,
    change: Changed,
) -> None:
    def clean(frame: pl.DataFrame) -> pl.DataFrame:
        kept = frame.filter(~pl.col("source_row").is_in(list(taken.rows)))
        return target.scrubbed(_without_ids(kept, target))

    for _ in _rewrite(originals, change, clean):
        pass
    path = persons_path(home, record.delivery_id, record.interpretation_id)
    if path.exists():
        change(path, as_parquet(_without_person(pl.read_parquet(path), target)))


def _without_ids(originals: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Take short ids out of the originals of other people's refused records, cell by cell."""
    ids = {person_id for _, person_id in target.ids}

    def clean(text: str | None) -> str | None:
        if text is None:
            return None
        cells = json.loads(text)
        return json.dumps(
            {
                name: MARK if isinstance(value, str) and value.strip() in ids else value
                for name, value in cells.items()
            },
            ensure_ascii=False,
        )

    return originals.with_columns(
        pl.Series(name, [clean(text) for text in originals[name]], dtype=pl.String)
        for name in ("record", "original")
    )


def _without_person(people: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Leave the tombstone where the person stood in the vault."""
    is_shared = target.is_about("learner", "pseudonym", people.columns)
    is_person = is_shared & pl.col("event_id").is_not_null()
    is_linked = pl.lit(value=False)
    for namespace, person_id in target.ids:
        is_person |= (pl.col("namespace") == namespace) & (pl.col("person_id") == person_id)
        is_linked |= (pl.element().struct["namespace"] == namespace) & (
            pl.element().struct["person_id"] == person_id
        )
    met = people.filter(is_person)
    links = pl.col("links").list.filter(~is_linked)
    kept = people.filter(~is_person).with_columns(links)
    stones = (
        met.group_by("role")
        .agg(pl.col("known_at").min())
        .select(
            pl.lit(NAMESPACE).alias("namespace"),
            "role",
            pl.lit(target.stone_id).alias("person_id"),
            pl.lit(target.stone_pseudonym).alias("pseudonym"),
            "known_at",
        )
    )
    return pl.concat([kept, stones], how="diagonal").select(*PERSON_SCHEMA)


def as_parquet(frame: pl.DataFrame) -> bytes:
    """Return a frame as the bytes of a Parquet file."""
    from io import BytesIO

    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def remove_older(home: Home, record: IntakeRecord, change: Changed) -> None:
    """Remove interpretations of a delivery that are no longer in force."""
    for path in sorted((home.deliveries / record.delivery_id).glob("*/*")):
        if path.parent.name != record.interpretation_id:
            change(path, None)
    for folder in (home.vault / "persons", home.refused_originals):
        for path in sorted((folder / record.delivery_id).glob("*.parquet")):
            if path.stem != record.interpretation_id:
                change(path, None)
    for folder in sorted((home.deliveries / record.delivery_id).iterdir()):
        if not any(folder.iterdir()):
            folder.rmdir()


def write_restricted(path: Path, content: bytes) -> None:
    """Write a file that keeps its mode."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    write_atomically(path, content)
    path.chmod(mode)


def put_restricted(path: Path, made: Path) -> None:
    """Put a finished file in the place of another, whose mode it gets."""
    made.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o600)
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.replace(path)
