"""The records that the rows of a delivery hold, as its spec declares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from pipelines.contracts import contract_for
from pipelines.contracts.schema import Column, columns
from pipelines.sources.catalogue import Catalogue
from pipelines.sources.checks import OF_EVERY_VERSION, SCALE_COMPANIONS
from pipelines.sources.codes import crosswalk, newest_version
from pipelines.sources.mapping import times
from pipelines.sources.mapping.conditions import compile_condition
from pipelines.sources.mapping.fields import FieldReader, Rows, canonical
from pipelines.sources.mapping.frames import AT, Log, records_schema
from pipelines.sources.mapping.identities import RowIdentity
from pipelines.sources.mapping.vocabularies import check_outcomes
from pipelines.sources.mapping.wide import SOURCE_CELL, Melted, melt
from pipelines.sources.readers import Chunk
from pipelines.sources.readers.base import is_part
from pipelines.sources.spec import Condition, FieldMap, RecordMap, SourceSpec
from pipelines.sources.text import folded

NO_RECORD = (
    "No `when` of the spec takes this row: correct the row, add a block of records for it, or "
    "write `unmatched: skip`."
)


@dataclass
class Counts:
    """What the mapping met."""

    records: Counter[str] = field(default_factory=Counter)
    rows_blank: int = 0
    rows_skipped: int = 0
    cells_blank: int = 0

    def add(self, other: Counts) -> None:
        """Add what the mapping met elsewhere."""
        self.records += other.records
        self.rows_blank += other.rows_blank
        self.rows_skipped += other.rows_skipped
        self.cells_blank += other.cells_blank


class Mapping:
    """The mapping of one spec, made once for a part and applied to chunk after chunk."""

    def __init__(
        self,
        spec: SourceSpec,
        catalogue: Catalogue,
        *,
        has_header: bool,
        part: str | None = None,
        counts: Counts | None = None,
    ) -> None:
        self.spec = spec
        self.has_header = has_header
        self.blocks = [
            _Block(spec, record, catalogue)
            for record in spec.records
            if part is None or is_part(part, record.part)
        ]
        self.counts = Counts() if counts is None else counts

    def apply(self, chunk: Chunk) -> Iterator[tuple[str, pl.DataFrame]]:
        """Return frames of records, each with its kind; rows that hold none are counted."""
        rows = self._without_blank_rows(chunk.rows)
        taken: list[pl.Series] = []
        for block in self.blocks:
            yield from self._counted(block.apply(rows, taken, self.counts))
        refused = [_row_problems(chunk.problems)] if chunk.problems.height else []
        lost = rows.select("source_row").join(
            pl.DataFrame({"source_row": pl.concat(taken)}).unique(), on="source_row", how="anti"
        )
        if lost.height and self.spec.unmatched == "skip":
            self.counts.rows_skipped += lost.height
        elif lost.height:
            refused.append(
                _row_problems(
                    lost.with_columns(
                        code=pl.lit("no_record_matches"), suggestion=pl.lit(NO_RECORD)
                    )
                )
            )
        if refused:
            kind = self.blocks[0].record.kind
            yield from self._counted(iter([(kind, _laid_out(pl.concat(refused), kind))]))

    def _counted(
        self, frames: Iterator[tuple[str, pl.DataFrame]]
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        for kind, frame in frames:
            if frame.height:
                self.counts.records[kind] += frame.height
                yield kind, frame

    def _without_blank_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Leave out rows of empty cells, unless blank cells are records of their own."""
        names = [name for name in rows.columns if name != "source_row"]
        if not self.has_header or not names or any(block.keeps_blank for block in self.blocks):
            return rows
        blank = pl.repeat(value=True, n=rows.height, dtype=pl.Boolean, eager=True)
        for name in names:  # the first column with something in every row settles it
            blank &= (rows[name].str.strip_chars() == "").fill_null(value=True)
            if not blank.any():
                return rows
        kept = rows.filter(~blank)
        self.counts.rows_blank += rows.height - kept.height
        return kept


class _Block:
    """One block of `records`."""

    def __init__(self, spec: SourceSpec, record: RecordMap, catalogue: Catalogue) -> None:
        self.spec, self.record, self.catalogue = spec, record, catalogue
        by_name = {column.name: column for column in columns(contract_for(record.kind))}
        maps = {"record_id": record.record_id, **self._implied(by_name), **record.fields}
        maps["record_id"] = record.record_id
        self.readers = {name: self._reader(by_name[name], field) for name, field in maps.items()}
        self.void_readers: dict[str, FieldReader] = {}
        if record.void is not None:
            void = {column.name: column for column in columns(contract_for("void"))}
            given = {"reason": record.void.reason, "voided_at": record.void.voided_at}
            self.void_readers = {
                name: self._reader(void[name], mapping)
                for name, mapping in given.items()
                if mapping is not None
            } | {"record_id": self._reader(void["record_id"], record.record_id)}

    @property
    def keeps_blank(self) -> bool:
        return self.record.wide is not None and self.record.wide.blank == "keep"

    def apply(
        self, rows: pl.DataFrame, taken: list[pl.Series], counts: Counts
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        taken.append(pl.Series("source_row", [], dtype=pl.Int64))
        for long in self._long(rows):
            chosen, is_blank = long.rows, long.is_blank
            if self.record.when is not None:
                met = chosen.select(self._condition(self.record.when, chosen))[:, 0]
                chosen, is_blank = chosen.filter(met), is_blank.filter(met)
            taken.append(chosen["source_row"].unique())
            counts.cells_blank += int(is_blank.sum())
            if not self.keeps_blank:
                chosen = chosen.filter(~is_blank)
            yield from self._records(chosen)

    def _long(self, rows: pl.DataFrame) -> Iterator[Melted]:
        if self.record.wide is None:
            yield Melted(rows, pl.repeat(value=False, n=rows.height, eager=True, dtype=pl.Boolean))
        else:
            yield from melt(self.record.wide, rows, rows.columns[1:], self.spec.missing)

    def _records(self, rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
        if self.record.void is not None:
            is_void = rows.select(self._condition(self.record.void.when, rows))[:, 0]
            voids, rows = rows.filter(is_void), rows.filter(~is_void)
            if voids.height:
                for programme in self.record.void.programmes or (None,):
                    yield "void", self._void(voids, programme)
        if rows.height:
            yield self.record.kind, self._read(rows)

    def _read(self, frame: pl.DataFrame) -> pl.DataFrame:
        rows, log = Rows(frame), Log()
        cells = {name: reader.read(rows, log) for name, reader in self.readers.items()}
        for name, companions in SCALE_COMPANIONS.items():
            if name in cells and self.readers[name].mapping.scale is not None:
                self._fill_companions(name, companions, cells, rows)
        if self.record.kind == "decision":
            check_outcomes(cells, self.catalogue.codes["decision_outcomes"], log)
        for note in self.record.notes:
            met = frame.select(self._condition(note.when, frame))[:, 0]
            if met.any():
                log.note(met.arg_true(), note.code, note.field, note.detail)
        return self._finished(frame, cells, log, self.record.kind)

    def _void(self, frame: pl.DataFrame, programme: str | None) -> pl.DataFrame:
        """Return the voids of rows, in one programme where the rows themselves name none."""
        rows, log = Rows(frame), Log()
        shared = ("programme_id", "site_id", "source_version")
        taken = [n for n in shared if n in self.readers and not (programme and n == shared[0])]
        cells = {name: self.readers[name].read(rows, log) for name in taken}
        if programme is not None:
            cells[shared[0]] = rows.constant(programme)
        cells |= {name: reader.read(rows, log) for name, reader in self.void_readers.items()}
        cells["target_kind"] = rows.constant(self.record.kind)
        return self._finished(frame, cells, log, "void")

    def _fill_companions(
        self,
        name: str,
        companions: tuple[str, str | None, str | None],
        cells: dict[str, pl.Series],
        rows: Rows,
    ) -> None:
        reader = self.readers[name]
        scale = str(reader.mapping.scale)
        version = reader.mapping.scale_version
        if version is None and name not in OF_EVERY_VERSION:
            version = newest_version(self.catalogue.codes, scale)
        written = reader.source_text(rows)
        shown = pl.when(written.is_not_null())
        values = (pl.lit(scale), pl.lit(version), pl.lit(written))
        for companion, value in zip(companions, values, strict=True):
            if companion is not None and companion not in self.readers:
                cells[companion] = pl.select(shown.then(value).alias(companion)).to_series()

    def _finished(
        self, frame: pl.DataFrame, cells: dict[str, pl.Series], log: Log, kind: str
    ) -> pl.DataFrame:
        known = self._known_at(frame, log)
        made = pl.DataFrame([frame["source_row"], *(s.alias(n) for n, s in cells.items()), known])
        if SOURCE_CELL in frame.columns and self.record.wide is not None:
            made = made.with_columns(frame[SOURCE_CELL])
        return _laid_out(log.attach(made.with_row_index(AT)), kind)

    def _known_at(self, frame: pl.DataFrame, log: Log) -> pl.Series:
        known = self.spec.known_at
        rows = Rows(frame)
        if known.column is None:
            return rows.constant(None).alias("row_known_at")
        text = rows.trimmed(known.column, self.spec.missing)
        zone = known.time_zone or self.spec.time_zone
        read = times.parse(text, known.format or ["iso"], zone, "start", "instant")
        failed = read["value"].is_null()
        if failed.any():
            log.note(failed.arg_true(), "known_at_of_receipt", None, f"{known.column} has no time")
        return read["value"].alias("row_known_at")

    def _condition(self, condition: Condition, frame: pl.DataFrame) -> pl.Expr:
        return compile_condition(condition, frame.columns, self.spec.missing)

    def _implied(self, by_name: dict[str, Column]) -> dict[str, FieldMap]:
        """Return constants of the spec, and columns made from wide ones named like a field."""
        implied = {
            name: FieldMap(value=value)
            for name, value in self.spec.values.items()
            if name in by_name
        }
        if self.record.wide is not None:
            made = self.record.wide.made_columns() & by_name.keys()
            implied |= {name: FieldMap(column=[name]) for name in sorted(made)}
        return implied

    def _reader(self, column: Column, mapping: FieldMap) -> FieldReader:
        labels: dict[str, str] = {}
        tables = self.catalogue.lookups[self.spec.source]
        if mapping.scale is not None:
            levels = crosswalk(self.catalogue.codes, mapping.scale, mapping.scale_version)
            labels = {label: str(level) for label, level in levels.items()}
        elif mapping.lookup is not None:
            labels = tables[mapping.lookup]
        if mapping.map is not None:
            meanings = ["" if v is None else canonical(v) for v in mapping.map.values()]
            written = dict(zip(folded(mapping.map), meanings, strict=True))
            labels = (
                written
                if mapping.lookup is None
                else {key: labels.get(folded([value])[0], value) for key, value in written.items()}
                | labels
            )
        starts = (
            tables[str(mapping.days_after.lookup)]
            if (mapping.days_after is not None and mapping.days_after.lookup is not None)
            else {}
        )
        return FieldReader(
            column=column,
            mapping=mapping,
            missing=self.spec.missing,
            zone=self.spec.time_zone,
            labels=labels,
            starts=starts,
            row_identity=(
                RowIdentity(numbered=mapping.equal_rows == "count") if mapping.identity else None
            ),
        )


def _row_problems(problems: pl.DataFrame) -> pl.DataFrame:
    """Return records without fields for rows that hold none, each with its problem."""
    entry = pl.struct(
        "code",
        pl.lit(None, pl.String).alias("field"),
        pl.lit(None, pl.String).alias("value"),
        "suggestion",
    )
    return problems.select("source_row", pl.concat_list(entry).alias("problems"))


def _laid_out(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return the frame with exactly the columns of the kind."""
    schema = records_schema(kind)
    empty = [
        pl.lit([] if isinstance(dtype, pl.List) else None, dtype=dtype).alias(name)
        for name, dtype in schema.items()
        if name not in frame.columns
    ]
    return frame.with_columns(empty).select(pl.col(n).cast(d) for n, d in schema.items())
