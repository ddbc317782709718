"""One stretch of a read frame becomes accepted events, refused records and notes.

This is what worker processes run. The screen passes what it can prove; the rest goes to pydantic,
one record at a time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from pipelines.contracts import contract_for
from pipelines.contracts.base import Record
from pipelines.contracts.problems import Problem, describe, mask, problems
from pipelines.contracts.schema import Column, columns, segment_schema
from pipelines.contracts.screen import PROVEN, screen
from pipelines.identity.pseudonyms import pseudonymise
from pipelines.identity.tombstones import NAMESPACE
from pipelines.identity.vault import PERSON_SCHEMA
from pipelines.intake.context import Context
from pipelines.intake.identifiers import Identifiers
from pipelines.intake.ids import (
    contents,
    event_identity,
    hashed,
    record_identity,
    without_people,
)
from pipelines.intake.staging import NOTE, NOTES_SCHEMA, PROBLEM, REFUSED_SCHEMA
from pipelines.sources.checks import RELEASED

_ROW = "__row"
ERASED = "erased_person"
_NAMES = ("given_name", "family_name", "email")
_REFUSED_RECORD = {
    "source_row": pl.Int64(),
    "source_cell": pl.String(),
    "kind": pl.String(),
    "record_key": pl.String(),
    "record": pl.String(),
}


@dataclass(frozen=True)
class Chunk:
    """A stretch of rows of one read file."""

    number: int
    kind: str
    path: Path
    offset: int
    length: int


@dataclass
class Outcome:
    """What a chunk gave, as frames."""

    events: pl.DataFrame
    refused: pl.DataFrame
    refused_records: pl.DataFrame
    notes: pl.DataFrame
    persons: pl.DataFrame


@dataclass
class Counts:
    """What a chunk gave, as numbers."""

    rows: int = 0
    proven: int = 0
    refused: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add the numbers of another chunk."""
        self.rows += other.rows
        self.proven += other.proven
        self.refused += other.refused
        self.accepted += other.accepted
        self.reasons += other.reasons
        self.notes += other.notes


def work(chunk: Chunk, context: Context, folder: Path) -> Counts:
    """Judge a chunk, write its frames into `folder`, and return its numbers."""
    frame = pl.scan_parquet(chunk.path).slice(chunk.offset, chunk.length).collect()
    counts, _ = judge_into(folder, chunk.number, chunk.kind, frame, context)
    return counts


def judge_into(
    folder: Path, number: int, kind: str, frame: pl.DataFrame, context: Context
) -> tuple[Counts, pl.Series]:
    """Judge records of one kind, write what becomes of them under a number of their own.

    Returns:
        The numbers, and the rows of the source that refused records came from.
    """
    outcome, proven = judge(frame, contract_for(kind), context)
    written = {
        f"accepted-{kind}": outcome.events,
        "refused": outcome.refused,
        "records": outcome.refused_records,
        "notes": outcome.notes,
        "persons": outcome.persons,
    }
    for name, part in written.items():
        if part.height:
            target = folder / name / f"{number:09}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            if part is outcome.events:
                part.write_parquet(target, compression="zstd", compression_level=1)
            else:
                part.write_parquet(target, compression="lz4")
    counts = Counts(
        rows=frame.height,
        proven=proven,
        refused=outcome.refused_records.height,
        accepted=Counter({kind: outcome.events.height}),
        reasons=_counted(outcome.refused.filter("is_first")["code"]),
        notes=_counted(outcome.notes["code"]),
    )
    return counts, outcome.refused_records["source_row"]


def judge(frame: pl.DataFrame, contract: type[Record], context: Context) -> tuple[Outcome, int]:
    """Return what becomes of the records of a read frame, and how many the screen proved."""
    frame = _complete(frame, contract).with_row_index(_ROW)
    if context.erased:
        frame = _refuse_erased(frame, contract, context)
    screened = screen(contract).apply(frame).with_columns(frame[_ROW])
    is_proven = screened[PROVEN] & (frame["problems"].list.len().fill_null(0) == 0)
    unproven = frame.filter(~is_proven)
    judged = _Judged(contract)
    for row in unproven.iter_rows(named=True):
        judged.take(row)
    typed = pl.concat(
        [screened.filter(is_proven).drop(PROVEN), judged.typed(screened.drop(PROVEN).schema)]
    ).sort(_ROW)
    typed = _without_identifiers(frame, typed, judged, contract, context.identifiers)
    return _frames(frame, typed, judged, contract, context), frame.height - unproven.height


def _without_identifiers(
    frame: pl.DataFrame,
    typed: pl.DataFrame,
    judged: _Judged,
    contract: type[Record],
    identifiers: Identifiers,
) -> pl.DataFrame:
    """Refuse records whose texts point to a patient, unless a person released them."""
    in_codes = identifiers.in_codes()
    texts = {
        column.name: identifiers if column.is_verbatim else in_codes
        for column in columns(contract)
        if column.is_verbatim or _is_code(column)
    }
    if not texts or not identifiers.rules:
        return typed
    met = typed.filter(pl.any_horizontal(looked.screen(name) for name, looked in texts.items()))
    if not met.height:
        return typed
    codes = pl.col("notes").list.eval(pl.element().struct.field("code")).fill_null([])
    released = set(frame.filter(codes.list.contains(RELEASED))[_ROW])
    held = []
    for row in met.select(_ROW, *texts).iter_rows(named=True):
        found = [
            describe(rule.code, name, contract=contract, value=row[name], bound=rule.words)
            for name, looked in texts.items()
            if row[name] is not None
            for rule, _ in looked.find(row[name])
        ]
        if found and row[_ROW] not in released:
            held.append(row[_ROW])
            judged.refused.append((row[_ROW], list(dict.fromkeys(found))))
    return typed.filter(~pl.col(_ROW).is_in(held)) if held else typed


def _is_code(column: Column) -> bool:
    """Tell whether a field holds a short answer or a code; ids that a system gave are neither."""
    return (
        column.dtype == pl.String
        and column.choices is None
        and not column.is_personal
        and not column.name.endswith("record_id")
    )


def _refuse_erased(frame: pl.DataFrame, contract: type[Record], context: Context) -> pl.DataFrame:
    """Add a problem to records about persons who were erased."""
    subject = next((c for c in columns(contract) if c.is_person), None)
    if subject is None or (subject.person_role != "learner" and contract.kind != "assessor"):
        return frame
    met = pseudonymise(frame[subject.name], context.namespace, context.keys)
    gone = met.filter(pl.col("content").is_in(list(context.erased)))["written"]
    problem = pl.struct(
        pl.lit(ERASED).alias("code"),
        pl.lit(subject.name).alias("field"),
        pl.lit(None, pl.String).alias("value"),
        pl.lit(None, pl.String).alias("suggestion"),
    )
    problems = pl.col("problems").fill_null([])
    return frame.with_columns(
        pl.when(pl.col(subject.name).is_in(gone.implode()))
        .then(pl.concat_list(problem, problems))
        .otherwise(problems)
        .alias("problems")
    )


class _Judged:
    """Records that pydantic looked at: those it accepts, and what is wrong with the others."""

    def __init__(self, contract: type[Record]) -> None:
        self._contract = contract
        self._columns = columns(contract)
        self._accepted: list[dict[str, Any]] = []
        self.refused: list[tuple[int, list[Problem]]] = []

    def take(self, row: dict[str, Any]) -> None:
        values = {c.name: row[c.name] for c in self._columns if row[c.name] is not None}
        mapping = [
            describe(
                item["code"],
                item["field"] or "",
                contract=self._contract,
                value=item["value"],
                suggestion=item["suggestion"],
            )
            for item in row["problems"] or ()
        ]
        try:
            record = self._contract.model_validate(values)
        except ValidationError as error:
            found = problems(self._contract, error)
        else:
            found = []
            if not mapping:
                self._accepted.append({**record.model_dump(), _ROW: row[_ROW]})
                return
        self.refused.append((row[_ROW], mapping + _not_caused_by(mapping, found, values)))

    def typed(self, schema: pl.Schema) -> pl.DataFrame:
        return pl.DataFrame(self._accepted, schema=schema)


def _not_caused_by(
    mapping: list[Problem], found: list[Problem], values: dict[str, Any]
) -> list[Problem]:
    """Leave out what is only wrong because a value could not be mapped, or the row not be read."""
    if not mapping:
        return found
    if not values and all(not problem.field for problem in mapping):
        return []
    unmapped = {problem.field for problem in mapping}
    return [
        p for p in found if p.field not in unmapped and (p.code == "missing" or p.field in values)
    ]


def _complete(frame: pl.DataFrame, contract: type[Record]) -> pl.DataFrame:
    """Add what a reader may leave out: columns of fields that it does not fill."""
    expected: dict[str, pl.DataType] = {
        "source_row": pl.Int64(),
        "source_cell": pl.String(),
        "row_known_at": pl.String(),
        "problems": pl.List(PROBLEM),
        "notes": pl.List(NOTE),
    } | {column.name: pl.String() for column in columns(contract)}
    return frame.select(
        (pl.col(name).cast(dtype) if name in frame.columns else pl.lit(None, dtype=dtype)).alias(
            name
        )
        for name, dtype in expected.items()
    )


def _frames(
    frame: pl.DataFrame,
    typed: pl.DataFrame,
    judged: _Judged,
    contract: type[Record],
    context: Context,
) -> Outcome:
    events, persons = _events(frame, typed, contract, context)
    problem_rows = [
        (row, p.code, p.field, p.message, p.value_masked, p.suggestion, number == 0)
        for row, found in judged.refused
        for number, p in enumerate(found)
    ]
    found = pl.DataFrame(
        problem_rows,
        schema={
            _ROW: frame.schema[_ROW],
            **{n: REFUSED_SCHEMA[n] for n in ("code", "field", "message", "value_masked")},
            **{n: REFUSED_SCHEMA[n] for n in ("suggestion", "is_first")},
        },
        orient="row",
    )
    refused_frame = frame.filter(pl.col(_ROW).is_in(found[_ROW].unique().implode()))
    keys = _record_keys(refused_frame, contract, context)
    gone = found.filter(pl.col("code") == ERASED)[_ROW]
    is_gone = refused_frame[_ROW].is_in(gone.implode())
    where = refused_frame.select(_ROW, "source_row", "source_cell").with_columns(
        pl.lit(contract.kind).alias("kind"), keys.alias("record_key")
    )
    return Outcome(
        events=events.select(*segment_schema(contract)),
        refused=found.join(where, on=_ROW, how="left", maintain_order="left")
        .with_columns(pl.lit(context.owner).alias("owner"))
        .select(*REFUSED_SCHEMA),
        refused_records=_refused_records(
            refused_frame.filter(~is_gone), contract, keys.filter(~is_gone)
        ),
        notes=_notes(frame, events, contract),
        persons=persons,
    )


def _events(
    frame: pl.DataFrame, typed: pl.DataFrame, contract: type[Record], context: Context
) -> tuple[pl.DataFrame, pl.DataFrame]:
    lineage = frame.select(_ROW, "source_row", "source_cell", "row_known_at")
    typed = typed.join(lineage, on=_ROW, how="left", maintain_order="left").with_columns(
        pl.col("row_known_at")
        .str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
        .fill_null(pl.lit(context.known_at).cast(pl.Datetime("us", "UTC")))
        .alias("known_at")
    )
    typed, identities = _pseudonymised(typed, contract, context)
    ids = hashed(
        typed.select(
            event_identity(context.delivery_id, context.interpretation_id, contract.kind).alias(
                "event_id"
            ),
            record_identity(_kind(contract), context.record_scope).alias("record_key"),
        ).with_columns(contents(typed, contract, _sealed(contract)).alias("content_hash"))
    )
    typed = without_people(typed, contract, _stand_ins(contract))
    events = pl.concat([ids, typed], how="horizontal").with_columns(
        source_id=pl.lit(context.source_id),
        delivery_id=pl.lit(context.delivery_id),
        interpretation_id=pl.lit(context.interpretation_id),
        contract_version=pl.lit(contract.contract_version, pl.Int32),
    )
    return events, pl.concat([*identities, _details(events, contract, context)])


def _kind(contract: type[Record]) -> pl.Expr:
    """Return the kind that a record's key is about: a void has the key of what it withdraws."""
    return pl.col("target_kind") if contract.kind == "void" else pl.lit(contract.kind)


def _record_keys(frame: pl.DataFrame, contract: type[Record], context: Context) -> pl.Series:
    return hashed(
        frame.select(record_identity(_kind(contract), context.record_scope).alias("record_key"))
    )["record_key"]


def _sealed(contract: type[Record]) -> dict[str, pl.Expr]:
    """Return for each personal field the column that stands for it in the content hash."""
    sealed = {}
    for column in columns(contract):
        if column.stored_name is None or column.is_person:
            sealed[column.name] = pl.col(_seal_name(column))
    return sealed


def _stand_ins(contract: type[Record]) -> dict[str, str]:
    """Return for each column of one person that one whose value outlives the key of pseudonyms."""
    return {
        column.name: _seal_name(column)
        for column in columns(contract)
        if column.is_person and not isinstance(column.dtype, pl.List)
    }


def _seal_name(column: Column) -> str:
    return f"__sealed_{column.name}"


def _pseudonymised(
    typed: pl.DataFrame, contract: type[Record], context: Context
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Add pseudonyms and seals, and return the identities that were met."""
    identities = [pl.DataFrame(schema=PERSON_SCHEMA)]
    for column in columns(contract):
        if column.is_person and column.stored_name is not None:
            is_list = isinstance(column.dtype, pl.List)
            long = typed.select(pl.col(column.name).alias("written"), "known_at")
            met = long.explode("written") if is_list else long
            known = pseudonymise(met["written"], context.namespace, context.keys)
            known = _with_tombstones(known, context)
            typed = typed.with_columns(
                _replaced(column, known, "pseudonym").alias(column.stored_name),
                _joined_list(_replaced(column, known, "content"), is_list=is_list).alias(
                    _seal_name(column)
                ),
            )
            identities.append(_identities(met, known, column.person_role or ""))
        elif column.stored_name is None:
            typed = typed.with_columns(_seal(typed[column.name], context))
    return typed, identities


def _with_tombstones(known: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Put tombstones where erased persons are named in records about somebody else."""
    known = known.with_columns(pl.lit(context.namespace.name).alias("namespace"))
    if not context.erased:
        return known
    stones = context.erased
    ids = {content: stone.person_id for content, stone in stones.items()}
    pseudonyms = {content: stone.pseudonym(context.keys) for content, stone in stones.items()}
    content = pl.col("content")
    return known.with_columns(
        content.replace_strict(ids, default=pl.col("person_id")).alias("person_id"),
        content.replace_strict(pseudonyms, default=pl.col("pseudonym")).alias("pseudonym"),
        pl.when(content.is_in(list(stones)))
        .then(pl.lit(NAMESPACE))
        .otherwise("namespace")
        .alias("namespace"),
    )


def _replaced(column: Column, known: pl.DataFrame, by: str) -> pl.Expr:
    """Return the ids of a column replaced by what stands for them."""

    def replace(value: pl.Expr) -> pl.Expr:
        return value.replace_strict(
            known["written"], known[by], default=None, return_dtype=pl.String
        )

    value = pl.col(column.name)
    is_list = isinstance(column.dtype, pl.List)
    return value.list.eval(replace(pl.element())) if is_list else replace(value)


def _joined_list(value: pl.Expr, *, is_list: bool) -> pl.Expr:
    return value.list.join(",") if is_list else value


def _seal(values: pl.Series, context: Context) -> pl.Series:
    def seal(value: object) -> str | None:
        return None if value is None else context.keys.seal(json.dumps(value))

    return pl.Series(
        f"__sealed_{values.name}", [seal(value) for value in values.to_list()], dtype=pl.String
    )


def _identities(met: pl.DataFrame, known: pl.DataFrame, role: str) -> pl.DataFrame:
    return (
        met.drop_nulls("written")
        .join(known, on="written")
        .group_by("namespace", "person_id", "pseudonym")
        .agg(pl.col("known_at").min())
        .select(_person_row(namespace=pl.col("namespace"), role=pl.lit(role)))
    )


def _person_row(**given: pl.Expr) -> list[pl.Expr]:
    present = {"person_id", "pseudonym", "known_at"}
    return [
        given.get(name, pl.col(name) if name in present else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in PERSON_SCHEMA.items()
    ]


def _details(events: pl.DataFrame, contract: type[Record], context: Context) -> pl.DataFrame:
    """Return names and links of the persons whom records of this kind describe."""
    by_name = {column.name: column for column in columns(contract)}
    links = next((c for c in by_name.values() if c.is_person and c.stored_name is None), None)
    if links is None:
        return pl.DataFrame(schema=PERSON_SCHEMA)
    owner = next(c for c in by_name.values() if c.is_person)
    rows: list[dict[str, Any]] = []
    for event in events.iter_rows(named=True):
        linked = [context.namespace.identity_of(item) for item in event[links.name] or ()]
        linked = [who for who in linked if context.keys.content_of(*who) not in context.erased]
        own = {"role": owner.person_role, "known_at": event["known_at"]}
        rows.append(
            own
            | {name: event.get(name) for name in _NAMES}
            | {
                "namespace": context.namespace.name,
                "person_id": context.namespace.folding.fold(event[owner.name]),
                "pseudonym": event[str(owner.stored_name)],
                "event_id": event["event_id"],
                "links": [{"namespace": ns, "person_id": person} for ns, person in linked],
            }
        )
        rows.extend(
            own
            | {
                "namespace": ns,
                "person_id": person,
                "pseudonym": context.keys.pseudonym_of(ns, person),
            }
            for ns, person in linked
        )
    return pl.DataFrame(rows, schema=PERSON_SCHEMA)


def _refused_records(
    refused: pl.DataFrame, contract: type[Record], keys: pl.Series
) -> pl.DataFrame:
    names = [column.name for column in columns(contract)]
    records = [
        json.dumps({name: row[name] for name in names if row[name] is not None}, ensure_ascii=False)
        for row in refused.select(names).iter_rows(named=True)
    ]
    return refused.select(
        "source_row",
        "source_cell",
        pl.lit(contract.kind).alias("kind"),
        keys.alias("record_key"),
        pl.Series("record", records, dtype=pl.String),
    ).select(*_REFUSED_RECORD)


def _notes(frame: pl.DataFrame, events: pl.DataFrame, contract: type[Record]) -> pl.DataFrame:
    shown = {column.name for column in columns(contract) if not column.is_personal}
    noted = frame.filter(pl.col("notes").list.len() > 0)
    if not noted.height:
        return pl.DataFrame(schema=NOTES_SCHEMA)
    long = noted.select(_ROW, "source_row", "source_cell", "notes").explode("notes").unnest("notes")
    masked = pl.Series([mask(d, personal=True) for d in long["detail"]], dtype=pl.String)
    return (
        long.with_columns(
            pl.when(pl.col("field").is_in(shown))
            .then(pl.col("detail"))
            .otherwise(masked)
            .alias("detail"),
            pl.lit(contract.kind).alias("kind"),
        )
        .join(
            events.select(_ROW, "event_id", "record_key"),
            on=_ROW,
            how="left",
            maintain_order="left",
        )
        .select(*NOTES_SCHEMA)
    )


def _counted(codes: pl.Series) -> Counter[str]:
    return Counter(dict(codes.value_counts(name="n").iter_rows()))


def chunks(read: Path, rows: int) -> Iterator[Chunk]:
    """Yield the chunks of everything that was read, in order."""
    number = 0
    for path in sorted(read.glob("records-*.parquet"), key=_part_order):
        kind, _ = _part_order(path)
        height = int(pl.scan_parquet(path).select(pl.len()).collect().item())
        for offset in range(0, height, rows):
            yield Chunk(number, kind, path, offset, min(rows, height - offset))
            number += 1


def _part_order(path: Path) -> tuple[str, int]:
    _, kind, part = path.stem.split("-")
    return kind, int(part)
