"""What a spec must keep beyond its own shape: it refers only to what exists."""

from __future__ import annotations

import csv
from typing import Any

import polars as pl
from pydantic import ValidationError

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import Column, columns
from pipelines.sources.codes import reason_never_taken
from pipelines.sources.faults import Fault, known
from pipelines.sources.readers import READERS, Wanted
from pipelines.sources.spec import FieldMap, Lookup, RecordMap, SourceSpec
from pipelines.sources.text import folded, parse_template
from pipelines.sources.yaml_file import Place, YamlFile

SCALE_COMPANIONS: dict[str, tuple[str, str | None, str | None]] = {
    "level": ("scale_id", "scale_version", "raw_label"),
    "ai_policy_level": ("ai_policy_scale", "ai_policy_scale_version", None),
    "target_level": ("target_scale_id", None, None),
}
"""For a field read through a scale: the fields that take scale, version and label as written."""


def wanted(spec: SourceSpec) -> Wanted:
    """Return the columns that the mapping of a spec asks its reader for."""
    names: set[str] = set()
    patterns: list[str] = []
    for record in spec.records:
        names |= _columns_read(record)
        if record.wide is not None:
            patterns.append(record.wide.columns)
    if spec.known_at.column is not None:
        names.add(spec.known_at.column)
    return Wanted(frozenset(names), tuple(patterns))


def _columns_read(record: RecordMap) -> set[str]:
    made = record.wide.made_columns() if record.wide is not None else set()
    names: set[str] = set()
    for _, mapping in record.field_maps():
        names.update(mapping.columns())
        names.update(mapping.column or ())
    for condition in record.conditions():
        names.update(condition.columns())
    return names - made - {"source_row"}


class SpecCheck:
    """What a spec must keep beyond its own shape: it refers only to what exists."""

    def __init__(self, spec: SourceSpec, file: YamlFile, codes: dict[str, pl.DataFrame]) -> None:
        self.spec, self.file, self.codes = spec, file, codes
        self.faults: list[Fault] = []

    def fault(self, place: Place, message: str, remedy: str) -> None:
        name = ".".join(map(str, place))
        self.faults.append(Fault(self.file.path, self.file.line_of(place), name, message, remedy))

    def all(self) -> None:
        self.reader()
        self.values()
        for n, record in enumerate(self.spec.records):
            self.record(("records", n), record)
        asked = wanted(self.spec)
        for n, column in enumerate(self.spec.drop):
            if column in asked.columns:
                self.fault(("drop", n), f"{column!r} is mapped too", "Drop it or map it, not both")
        for column in self.spec.refuse:
            if column in asked.columns:
                self.fault(("refuse", column), "is mapped too", "Take the mapping out")

    def reader(self) -> None:
        choice = self.spec.reader
        reader = READERS.get(choice.name)
        if reader is None:
            self.fault(
                ("reader", "name"), f"no reader {choice.name!r}", known(READERS, choice.name)
            )
            return
        try:
            reader.options.model_validate(choice.options)
        except ValidationError as error:
            for details in error.errors():
                place: Place = ("reader", *details["loc"])
                if details["type"] == "extra_forbidden":
                    names = reader.options.model_fields
                    self.fault(place, "is unknown", known(names, str(details["loc"][-1])))
                else:
                    self.fault(place, str(details["msg"]), "Correct the option of the reader")

    def values(self) -> None:
        kinds = [CONTRACTS[r.kind] for r in self.spec.records if r.kind in CONTRACTS]
        for name, value in self.spec.values.items():
            found = [c for kind in kinds for c in columns(kind) if c.name == name]
            if not found:
                names = sorted({c.name for kind in kinds for c in columns(kind)})
                self.fault(("values", name), "no kind of this spec has it", known(names, name))
            for column in found[:1]:
                self.choice(("values", name), column, value)

    def record(self, place: Place, record: RecordMap) -> None:
        contract = CONTRACTS.get(record.kind)
        if contract is None:
            self.fault((*place, "kind"), f"no kind {record.kind!r}", known(CONTRACTS, record.kind))
            return
        by_name = {column.name: column for column in columns(contract)}
        for name, mapping in record.fields.items():
            if name in by_name:
                self.mapping((*place, "fields", name), by_name[name], mapping)
            else:
                self.fault(
                    (*place, "fields", name), f"{record.kind} has no field {name!r}",
                    known(by_name, name),
                )  # fmt: skip
        self.mapping((*place, "record_id"), by_name["record_id"], record.record_id)
        self.void(place, record)
        given = {"record_id", *record.fields, *self.spec.values}
        if record.wide is not None:
            given |= record.wide.made_columns()
        for name, mapping in record.fields.items():
            if mapping.scale is not None:
                given.update(filter(None, SCALE_COMPANIONS.get(name, ())))
        for column in by_name.values():
            if column.required and column.name not in given:
                self.fault(
                    (*place, "fields") if record.fields else place,
                    f"{record.kind} needs {column.name}, and nothing is mapped to it",
                    f"Add `{column.name}: {{column: …}}`, or a constant under `values:`",
                )
        for n, note in enumerate(record.notes):
            if note.field is not None and note.field not in by_name:
                self.fault(
                    (*place, "notes", n, "field"), f"{record.kind} has no field {note.field!r}",
                    known(by_name, note.field),
                )  # fmt: skip
        self.never_taken(place, record)

    def never_taken(self, place: Place, record: RecordMap) -> None:
        for name, mapping in record.field_maps():
            for column in {*mapping.columns(), *(mapping.column or ())}:
                if reason := reason_never_taken(self.codes, column):
                    self.fault(
                        (*place, *(("fields", name) if name in record.fields else (name,))),
                        f"column {column!r} is never taken: {reason}", "Take the mapping out",
                    )  # fmt: skip

    def void(self, place: Place, record: RecordMap) -> None:
        if record.void is None:
            return
        if record.kind == "void":
            self.fault((*place, "void"), "a void cannot be withdrawn", "Take `void` out")
        by_name = {column.name: column for column in columns(CONTRACTS["void"])}
        for name in ("reason", "voided_at"):
            if (mapping := getattr(record.void, name)) is not None:
                self.mapping((*place, "void", name), by_name[name], mapping)

    def mapping(self, place: Place, column: Column, mapping: FieldMap) -> None:
        is_time = isinstance(column.dtype, pl.Date | pl.Datetime)
        is_version = column.name == "source_version"
        if mapping.format and not (is_time or is_version):
            self.fault((*place, "format"), f"{column.name} is no time", "Take `format` out")
        if mapping.days_after is not None and not is_time:
            self.fault((*place, "days_after"), f"{column.name} is no date", "Take it out")
        if mapping.split is not None and not isinstance(column.dtype, pl.List):
            self.fault((*place, "split"), f"{column.name} holds one value", "Take `split` out")
        if (mapping.decimal or mapping.thousands) and column.dtype.is_nested():
            self.fault((*place, "decimal"), f"{column.name} is no number", "Take it out")
        for name in filter(None, (mapping.lookup, getattr(mapping.days_after, "lookup", None))):
            if name not in self.spec.lookups:
                self.fault((*place, "lookup"), f"no lookup {name!r}",
                           known(self.spec.lookups, name))  # fmt: skip
        self.scale(place, column, mapping)
        if isinstance(mapping.value, str | bool | int):
            self.choice((*place, "value"), column, mapping.value)
        for n, case in enumerate(mapping.cases or ()):
            if case.value is not None and mapping.map is None:
                self.choice((*place, "cases", n, "value"), column, case.value)
        if mapping.default is not None:
            self.choice((*place, "default"), column, mapping.default)
        if mapping.map is not None:
            seen: dict[str, str] = {}
            for key, short in zip(mapping.map, folded(mapping.map), strict=True):
                if short in seen:
                    self.fault((*place, "map", key), f"reads the same as {seen[short]!r}",
                               "Keep one of the two: labels are compared without case and spaces")  # fmt: skip
                seen[short] = key
                if mapping.map[key] is not None and mapping.lookup is None:
                    self.choice((*place, "map", key), column, mapping.map[key])

    def scale(self, place: Place, column: Column, mapping: FieldMap) -> None:
        if mapping.scale is None:
            return
        scales = self.codes["scales"]
        if mapping.scale not in scales["scale_id"]:
            self.fault((*place, "scale"), f"no scale {mapping.scale!r}",
                       known(scales["scale_id"].unique(), mapping.scale)
                       + ". Scales lie in codes/scales.csv")  # fmt: skip
            return
        if column.dtype != pl.Int64():
            self.fault((*place, "scale"), f"{column.name} takes no level", "Take `scale` out")
        versions = scales.filter(pl.col("scale_id") == mapping.scale)["scale_version"].unique()
        if mapping.scale_version is not None and mapping.scale_version not in versions:
            self.fault((*place, "scale_version"), f"no version {mapping.scale_version}",
                       known(versions, mapping.scale_version))  # fmt: skip

    def choice(self, place: Place, column: Column, value: Any) -> None:
        if column.choices is not None and str(value) not in column.choices:
            self.fault(
                place, f"{column.name} cannot be {value!r}", known(column.choices, str(value))
            )

    def lookup(self, name: str, lookup: Lookup) -> dict[str, str]:
        if lookup.values is not None:
            return dict(zip(folded(lookup.values), lookup.values.values(), strict=True))
        path = self.file.path.parent / str(lookup.file)
        place: Place = ("lookups", name)
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = list(csv.DictReader(file, strict=True))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            self.fault(
                (*place, "file"), f"{path} cannot be read: {error}", "Put it beside the spec"
            )
            return {}
        table: dict[str, str] = {}
        for template in (lookup.key, lookup.value):
            names = [part for part, is_column in parse_template(template or "") if is_column]
            for lost in [part for part in names if rows and part not in rows[0]]:
                self.fault(place, f"{lookup.file} has no column {lost!r}", known(rows[0], lost))
                return {}
        for row in rows:
            table[_fill(str(lookup.key), row)] = _fill(str(lookup.value), row)
        return dict(zip(folded(table), table.values(), strict=True))


def _fill(template: str, row: dict[str, str]) -> str:
    return "".join(row[part].strip() if is_column else part
                   for part, is_column in parse_template(template))  # fmt: skip
