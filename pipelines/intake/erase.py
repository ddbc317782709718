"""Takes a person out of the evidence log, the archive and the quarantine.

Records about the person go. Where the person only appears, as an assessor or by name in somebody
else's record, a tombstone stands in their place. Rows keep their numbers, so that every other
record is still found where it was.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import columns
from pipelines.home import Home, write_atomically
from pipelines.identity.dates import DATED_BY
from pipelines.identity.tombstones import NAMESPACE
from pipelines.identity.vault import PERSON_SCHEMA, persons_path
from pipelines.intake.chunk import ERASED
from pipelines.intake.records import (
    INTAKE_RECORD,
    IntakeRecord,
    Receipt,
    interpretation_folder,
    kind_of,
    segments,
)
from pipelines.intake.segment import originals_path
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.checks import wanted
from pipelines.sources.readers import READERS, Unreadable
from pipelines.sources.spec import SourceSpec

MARK = "[erased]"
TEXT_READERS = ("delimited", "jsonl")
"""Readers whose files can be rewritten row by row."""
_NO_LETTER = r"[^\pL\pN]"


@dataclass(frozen=True)
class Target:
    """The person who is erased, by everything that tells who they are.

    Attributes:
        ids: every id that was nobody else's, by name space.
        shared: ids that other people had as well, before or after.
        stretches: pseudonyms, each with the first and last day on which it meant the person.
        words: texts that give the person away wherever they stand: names, addresses, long ids.
        stone_id: the id that stands in their place.
        stone_pseudonym: its pseudonym.
    """

    ids: frozenset[tuple[str, str]]
    shared: frozenset[tuple[str, str]]
    stretches: tuple[tuple[str, date | None, date | None], ...]
    words: frozenset[str]
    stone_id: str
    stone_pseudonym: str

    @property
    def pseudonyms(self) -> list[str]:
        """Return the pseudonyms of the person."""
        return sorted({pseudonym for pseudonym, _, _ in self.stretches})

    @property
    def pattern(self) -> str:
        """Return an expression for the words, in the dialect of polars and DuckDB."""
        listed = "|".join(re.escape(word).replace("/", "/") for word in _longest_first(self.words))
        return rf"(?i)(^|{_NO_LETTER})(?:{listed})($|{_NO_LETTER})" if listed else ""

    def scrub(self, text: str) -> str:
        """Return a text without the words."""
        if not self.words:
            return text
        listed = "|".join(map(re.escape, _longest_first(self.words)))
        return re.sub(rf"(?i)(?<![^\W_])(?:{listed})(?![^\W_])", MARK, text)

    def scrubbed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return a frame without the words in any of its texts."""
        if not self.pattern:
            return frame
        texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
        twice = [self._without(self._without(pl.col(name))) for name in texts]
        return frame.with_columns(twice)

    def _without(self, text: pl.Expr) -> pl.Expr:
        return text.str.replace_all(self.pattern, f"${{1}}{MARK}${{2}}")

    def is_about(self, kind: str, column: str, present: Iterable[str]) -> pl.Expr:
        """Tell whether a pseudonym means the person, on the day of the record."""
        dated_by = DATED_BY.get(kind)
        day = pl.col("known_at").dt.date()
        if dated_by in set(present):
            day = pl.coalesce(pl.col(str(dated_by)).cast(pl.Date), day)
        is_meant = pl.lit(value=False)
        for pseudonym, begins, ends in self.stretches:
            is_then = (day >= (begins or date.min)) & (day <= (ends or date.max))
            is_meant |= (pl.col(column) == pseudonym) & is_then
        return is_meant


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(words, key=lambda word: (-len(word), word))


@dataclass
class Taken:
    """What an erasure took from one delivery."""

    delivery_id: str
    rows: set[int] = field(default_factory=set)
    n_records: int = 0
    is_frozen: bool = False


ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "windows-1252", "gb18030")
BLOCK_BYTES = 1 << 20
"""How much of a delivered file is looked through at once."""

Changed = Callable[[Path, bytes | None], None]
"""Called with a file and its new bytes; None removes it. Keeps old and new hash on record."""


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
    folder = interpretation_folder(home, record.delivery_id, record.interpretation_id)
    frames = dict(_segments(folder, record))
    originals = _originals(home, record)
    for path, frame in frames.items():
        taken.rows |= _rows_about(kind_of(path), frame, target)
    taken.rows |= _refused_about(originals, record, target, catalogue)
    taken.rows |= _refused_as_erased(folder)
    archived = home.archive / record.sha256[:2] / record.sha256
    is_named = _is_named(home, record, target) or _holds(originals, frames, target)
    if not (taken.rows or is_named or _bytes_hold(archived, target)):
        return None
    n_before = record.n_events + record.refused
    _rewrite_log(folder, frames, record, taken, target, change)
    _rewrite_restricted(home, record, originals, taken, target, change)
    now = IntakeRecord.model_validate_json((folder / INTAKE_RECORD).read_bytes())
    taken.n_records = n_before - now.n_events - now.refused
    if archived.exists():
        taken.is_frozen = not _rewrite_archive(archived, receipt, record, taken, target, catalogue,
                                               change)  # fmt: skip
    return taken


def _segments(folder: Path, record: IntakeRecord) -> Iterator[tuple[Path, pl.DataFrame]]:
    for kind in record.accepted_events:
        for path in segments(folder, kind):
            yield path, pl.read_parquet(path)


def _originals(home: Home, record: IntakeRecord) -> pl.DataFrame:
    path = originals_path(home, record.delivery_id, record.interpretation_id)
    return pl.read_parquet(path) if path.exists() else pl.DataFrame()


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
    refused = pl.read_parquet(folder / "refused.parquet")
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


def _holds(originals: pl.DataFrame, frames: dict[Path, pl.DataFrame], target: Target) -> bool:
    if not target.pattern:
        return False
    for frame in (originals, *frames.values()):
        texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
        if (
            texts
            and frame.select(
                pl.any_horizontal(pl.col(texts).str.contains(target.pattern)).any()
            ).item()
        ):
            return True
    return False


def _bytes_hold(path: Path, target: Target) -> bool:
    """Tell whether delivered bytes hold one of the words, in the encodings that schools use."""
    if not path.exists():
        return False
    written = {
        word.lower().encode(encoding, "ignore") for word in target.words for encoding in ENCODINGS
    } - {b""}
    overlap = max(map(len, written), default=1) - 1
    before = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            content = before + block.lower()
            if any(word in content for word in written):
                return True
            before = content[-overlap:] if overlap else b""
    return False


def _rewrite_log(
    folder: Path,
    frames: dict[Path, pl.DataFrame],
    record: IntakeRecord,
    taken: Taken,
    target: Target,
    change: Changed,
) -> None:
    gone = list(taken.rows)
    accepted: Counter[str] = Counter()
    for path, frame in frames.items():
        kind = kind_of(path)
        kept = frame.filter(~pl.col("source_row").is_in(gone))
        kept = target.scrubbed(_without_mentions(kind, kept, target))
        accepted[kind] += kept.height
        change(path, as_parquet(kept))
    counted = {}
    for name in ("refused", "notes"):
        told = pl.read_parquet(folder / f"{name}.parquet")
        told = target.scrubbed(told.filter(~pl.col("source_row").is_in(gone)))
        counted[name] = told.filter("is_first") if name == "refused" else told
        change(folder / f"{name}.parquet", as_parquet(told))
    refused = counted["refused"].height
    now = record.model_copy(
        update={
            "accepted_events": dict(accepted),
            "refused": refused,
            "rows_read": sum(accepted.values()) + refused,
            "source_rows": max(record.source_rows - len(gone), 0),
            "reasons": _counts(counted["refused"]),
            "notes": _counts(counted["notes"]),
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
    originals: pl.DataFrame,
    taken: Taken,
    target: Target,
    change: Changed,
) -> None:
    if originals.height:
        kept = originals.filter(~pl.col("source_row").is_in(list(taken.rows)))
        path = originals_path(home, record.delivery_id, record.interpretation_id)
        change(path, as_parquet(target.scrubbed(_without_ids(kept, target))))
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


def _rewrite_archive(
    archived: Path,
    receipt: Receipt,
    record: IntakeRecord,
    taken: Taken,
    target: Target,
    catalogue: Catalogue,
    change: Changed,
) -> bool:
    """Rewrite delivered bytes without the person; remove them where their format forbids it.

    What was rewritten is read again and must give the other rows as they were.
    """
    spec = catalogue.sources.get(record.source_id)
    if receipt.replayed_by is not None:
        change(archived, _replay_without(archived, taken.rows, target))
        return True
    content = None
    if spec is not None:
        content = _text_without(archived, spec, record, taken.rows, target)
    change(archived, content)
    return content is not None


def _replay_without(archived: Path, rows: set[int], target: Target) -> bytes:
    lines = archived.read_bytes().decode("utf-8", "surrogatepass").split("\n")
    kept = []
    for number, line in enumerate(lines, 1):
        if number in rows and line:
            at = json.loads(line)["replays"]
            line = json.dumps(
                {"replays": at, "record": {}, "corrections": {}, "problems": [], "original": None}
            )
        kept.append(target.scrub(line))
    return "\n".join(kept).encode("utf-8", "surrogatepass")


def _text_without(
    archived: Path, spec: SourceSpec, record: IntakeRecord, rows: set[int], target: Target
) -> bytes | None:
    """Return the bytes of a text file without some rows, or None where that cannot be proven."""
    facts = record.read.get("facts", {})
    if spec.reader.name not in TEXT_READERS:
        return None
    encoding = str(facts.get("encoding") or "utf-8")
    delimiter = str(facts.get("delimiter") or "")
    declared = str(spec.reader.options.get("quote", '"'))
    quote = declared if delimiter and declared != "none" else ""
    try:
        text = archived.read_bytes().decode(encoding)
        before = _read(archived, spec)
        records = list(_records(text, quote))
        n_above = _n_above(spec, delimiter)
        n_cells = len(before.columns) - 1
        empty = delimiter * max(n_cells - 1, 0) if delimiter else "{}"
        names = _person_columns(spec)
        mentions = _mentions(before, names, target)
        if mentions and any(_is_a_number_too(person_id) for _, person_id in target.ids):
            return None
        out = []
        for index, piece in enumerate(records):
            number = index - n_above + 1
            end = piece[len(piece.rstrip("\r\n")) :]
            if number in rows:
                piece = empty + end
            elif number in mentions:
                piece = _without_short_ids(piece, target)
            out.append(target.scrub(piece))
        content = "".join(out).encode(encoding)
        proof = archived.with_name(f".{archived.name}.proof")
        try:
            proof.write_bytes(content)
            after = _read(proof, spec)
        finally:
            proof.unlink(missing_ok=True)
    except (Unreadable, UnicodeError, LookupError, OSError, pl.exceptions.PolarsError):
        return None
    return content if _is_same_but(before, after, rows, mentions, target) else None


def _records(text: str, quote: str) -> Iterator[str]:
    """Cut a text into records: lines, joined while a quote is open."""
    pending = ""
    for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text):
        pending += line
        if not quote or pending.count(quote) % 2 == 0:
            if pending:
                yield pending
            pending = ""
    if pending:
        yield pending


def _n_above(spec: SourceSpec, delimiter: str) -> int:
    if not delimiter:
        return 0
    options = spec.reader.options
    return int(options.get("skip_rows", 0)) + int(options.get("header_rows", 1))


def _read(path: Path, spec: SourceSpec) -> pl.DataFrame:
    reader = READERS[spec.reader.name]
    options = reader.options.model_validate(spec.reader.options)
    chunks = reader.open(path, options, wanted(spec)).chunks
    return pl.concat([chunk.originals for chunk in chunks], how="diagonal").sort("source_row")


def _person_columns(spec: SourceSpec) -> set[str]:
    names: set[str] = set()
    for block in spec.records:
        people = {c.name for c in columns(CONTRACTS[block.kind]) if c.is_personal}
        for name, mapping in block.field_maps():
            if name in people:
                names |= {*mapping.columns(), *(mapping.column or ())}
    return names


def _mentions(frame: pl.DataFrame, names: set[str], target: Target) -> set[int]:
    """Return the rows in which the person's id stands in a column of persons."""
    ids = sorted({person_id.casefold() for _, person_id in target.ids})
    present = [name for name in frame.columns if name in names]
    if "line" in frame.columns:
        line = pl.col("line").str.to_lowercase()
        is_in = [
            line.str.contains(rf'"{re.escape(i)}"|[:\[,]\s*{re.escape(i)}\s*[,\]}}]') for i in ids
        ]
        return set(frame.filter(pl.any_horizontal(is_in))["source_row"])
    if not present:
        return set()
    is_id = pl.any_horizontal(
        pl.col(name).str.strip_chars().str.to_lowercase().is_in(ids) for name in present
    )
    return set(frame.filter(is_id)["source_row"])


def _is_a_number_too(person_id: str) -> bool:
    """Tell whether an id might stand in a row as a mark or a level as well."""
    return person_id.isdecimal() and len(person_id) < 4


def _without_short_ids(piece: str, target: Target) -> str:
    ids = "|".join(re.escape(i) for i in _longest_first({i for _, i in target.ids}))
    return re.sub(rf"(?i)(?<![^\W_])(?:{ids})(?![^\W_])", target.stone_id, piece)


def _is_same_but(
    before: pl.DataFrame,
    after: pl.DataFrame,
    rows: set[int],
    mentions: set[int],
    target: Target,
) -> bool:
    """Tell whether two readings agree on every row but those that were to change."""
    untouched = ~pl.col("source_row").is_in(list(rows | mentions))
    if before.columns != after.columns:
        return False
    if set(before["source_row"]) - rows != set(after["source_row"]) - rows:
        return False
    return target.scrubbed(before.filter(untouched)).equals(after.filter(untouched))


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
