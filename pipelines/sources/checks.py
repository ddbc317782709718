"""What a spec must keep beyond its own shape: it refers only to what exists."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import Any

import polars as pl
from pydantic import ValidationError

from pipelines.contracts import CONTRACTS
from pipelines.contracts.schema import Column, columns
from pipelines.rules.yaml_lines import Place, YamlFile
from pipelines.sources.codes import reason_never_taken, versions_of
from pipelines.sources.faults import Fault, known
from pipelines.sources.readers import READERS, Wanted
from pipelines.sources.readers.base import union
from pipelines.sources.spec import FieldMap, Lookup, RecordMap, SourceSpec
from pipelines.sources.text import folded, parse_template

RELEASED = "released"
"""The note of a record that a named person lets in as it is."""

SCALE_COMPANIONS: dict[str, tuple[str, str | None, str | None]] = {
    "level": ("scale_id", "scale_version", "raw_label"),
    "ai_policy_level": ("ai_policy_scale", "ai_policy_scale_version", None),
    "target_level": ("target_scale_id", "target_scale_version", None),
}
"""For a field read through a scale: the fields that take scale, version and label as written."""
OF_EVERY_VERSION = frozenset({"target_level"})
"""Fields whose levels hold for every version of the scale where the spec names none."""


def wanted(spec: SourceSpec) -> Wanted:
    """Return the columns that the mapping of a spec asks its reader for."""
    known_at = frozenset(filter(None, [spec.known_at.column]))
    by_part = tuple((record.part, _asked(record, known_at)) for record in spec.records)
    asked = union(wanted for _, wanted in by_part)
    if all(record.part is None for record in spec.records):
        return asked
    return replace(asked, by_part=by_part)


def _asked(record: RecordMap, known_at: frozenset[str]) -> Wanted:
    patterns = (record.wide.columns,) if record.wide is not None else ()
    return Wanted(known_at | _columns_read(record), patterns)


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
    """Collects the faults of one spec."""

    def __init__(self, spec: SourceSpec, file: YamlFile, codes: dict[str, pl.DataFrame]) -> None:
        self.spec, self.file, self.codes = spec, file, codes
        self.faults: list[Fault] = []

    def run(self) -> None:
        """Look at everything that refers to something else."""
        self._reader()
        self._constants()
        for n, record in enumerate(self.spec.records):
            self._record(("records", n), record)
        asked = wanted(self.spec).columns
        for n, column in enumerate(self.spec.drop):
            if column in asked:
                self._fault(("drop", n), f"{column!r} is mapped too", "Drop it or map it, not both")
        known_rules = self.codes["identifiers"]["identifier_id"].to_list()
        for rule in self.spec.allow_identifiers:
            if rule not in known_rules:
                self._fault(("allow_identifiers", rule), "no such rule", known(known_rules, rule))
        for column in self.spec.refuse:
            if column in asked:
                self._fault(("refuse", column), "is mapped too", "Take the mapping out")

    def lookup(self, name: str, lookup: Lookup) -> dict[str, str]:
        """Return a lookup table by folded key."""
        if lookup.values is not None:
            return dict(zip(folded(lookup.values), lookup.values.values(), strict=True))
        place: Place = ("lookups", name)
        path = self.file.path.parent / str(lookup.file)
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = list(csv.DictReader(file, strict=True))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            remedy = "Put a UTF-8 CSV file of that name beside the spec"
            self._fault((*place, "file"), f"{path} cannot be read: {error}", remedy)
            return {}
        key, value = str(lookup.key), str(lookup.value)
        named = [part for part, is_column in parse_template(key + value) if is_column]
        lost = [part for part in named if rows and part not in rows[0]]
        for part in lost:
            self._fault(place, f"{lookup.file} has no column {part!r}", known(rows[0], part))
        table = {} if lost else {_fill(key, row): _fill(value, row) for row in rows}
        return dict(zip(folded(table), table.values(), strict=True))

    def _fault(self, place: Place, message: str, remedy: str) -> None:
        name = ".".join(map(str, place))
        self.faults.append(Fault(self.file.path, self.file.line(place), name, message, remedy))

    def _reader(self) -> None:
        choice = self.spec.reader
        reader = READERS.get(choice.name)
        if reader is None:
            remedy = known(READERS, choice.name)
            self._fault(("reader", "name"), f"no reader {choice.name!r}", remedy)
            return
        for n, record in enumerate(self.spec.records):
            if record.part is not None and not reader.has_parts:
                message = f"a file of reader {choice.name} is one table and has no parts"
                self._fault(("records", n, "part"), message, "Take `part` out")
        try:
            reader.options.model_validate(choice.options)
        except ValidationError as error:
            for details in error.errors():
                place: Place = ("reader", *details["loc"])
                if details["type"] == "extra_forbidden":
                    names = reader.options.model_fields
                    self._fault(place, "is unknown", known(names, str(details["loc"][-1])))
                else:
                    self._fault(place, str(details["msg"]), "Correct the option of the reader")

    def _constants(self) -> None:
        kinds = [CONTRACTS[r.kind] for r in self.spec.records if r.kind in CONTRACTS]
        by_name = {c.name: c for kind in kinds for c in columns(kind)}
        for name, value in self.spec.values.items():
            if name in by_name:
                self._choice(("values", name), by_name[name], value)
            else:
                self._fault(("values", name), "no kind of this spec has it", known(by_name, name))

    def _record(self, place: Place, record: RecordMap) -> None:
        contract = CONTRACTS.get(record.kind)
        if contract is None:
            remedy = known(CONTRACTS, record.kind)
            self._fault((*place, "kind"), f"no kind {record.kind!r}", remedy)
            return
        by_name = {column.name: column for column in columns(contract)}
        self._mapping((*place, "record_id"), by_name["record_id"], record.record_id)
        for name, mapping in record.fields.items():
            if name in by_name:
                self._mapping((*place, "fields", name), by_name[name], mapping)
            else:
                message = f"{record.kind} has no field {name!r}"
                self._fault((*place, "fields", name), message, known(by_name, name))
        for n, note in enumerate(record.notes):
            if note.code == RELEASED:
                message = "says that a person let the record in, which no spec can"
                self._fault((*place, "notes", n, "code"), message, "Name the note otherwise")
            if note.field is not None and note.field not in by_name:
                message = f"{record.kind} has no field {note.field!r}"
                self._fault((*place, "notes", n, "field"), message, known(by_name, note.field))
        self._void(place, record)
        self._all_given(place, record, by_name)
        self._never_taken(place, record)

    def _all_given(self, place: Place, record: RecordMap, by_name: dict[str, Column]) -> None:
        given = {"record_id", *record.fields, *self.spec.values}
        if record.wide is not None:
            given |= record.wide.made_columns()
        for name, mapping in record.fields.items():
            if mapping.scale is not None:
                given.update(filter(None, SCALE_COMPANIONS.get(name, ())))
        for column in by_name.values():
            if column.required and column.name not in given:
                self._fault(
                    (*place, "fields") if record.fields else place,
                    f"{record.kind} needs {column.name}, and nothing is mapped to it",
                    f"Add `{column.name}: {{column: …}}`, or a constant under `values:`",
                )

    def _never_taken(self, place: Place, record: RecordMap) -> None:
        for name, mapping in record.field_maps():
            at = (*place, "fields", name) if name in record.fields else (*place, name)
            for column in sorted({*mapping.columns(), *(mapping.column or ())}):
                if reason := reason_never_taken(self.codes, column):
                    message = f"column {column!r} is never taken: {reason}"
                    self._fault(at, message, "Take the mapping out")

    def _void(self, place: Place, record: RecordMap) -> None:
        if record.void is None:
            return
        if record.kind == "void":
            self._fault((*place, "void"), "a void cannot be withdrawn", "Take `void` out")
        programme = record.fields.get("programme_id")
        is_constant = programme is None or programme.value is not None
        if self.spec.reader.name == "xapi" and not (is_constant or record.void.programmes):
            self._fault(
                (*place, "void"),
                "a voiding statement names no programme, and the records are of several",
                "Write `programmes: […]` beside `when`: every programme that the store holds",
            )
        by_name = {column.name: column for column in columns(CONTRACTS["void"])}
        for name in ("reason", "voided_at"):
            if (mapping := getattr(record.void, name)) is not None:
                self._mapping((*place, "void", name), by_name[name], mapping)

    def _mapping(self, place: Place, column: Column, mapping: FieldMap) -> None:
        is_time = isinstance(column.dtype, pl.Date | pl.Datetime)
        is_number = column.dtype.is_numeric()
        misplaced = {
            "format": bool(mapping.format) and not (is_time or column.name == "source_version"),
            "days_after": mapping.days_after is not None and not is_time,
            "split": mapping.split is not None and not isinstance(column.dtype, pl.List),
            "decimal": mapping.decimal is not None and not is_number,
            "thousands": mapping.thousands is not None and not is_number,
            "scale": mapping.scale is not None and column.dtype != pl.Int64(),
            "identity": mapping.identity is not None and column.name != "record_id",
        }
        for name, is_misplaced in misplaced.items():
            if is_misplaced:
                message = f"{column.name} is of another type ({column.duckdb_type})"
                self._fault((*place, name), message, f"Take `{name}` out")
        looked_up = (mapping.lookup, mapping.days_after.lookup if mapping.days_after else None)
        for name in filter(None, looked_up):
            if name not in self.spec.lookups:
                remedy = known(self.spec.lookups, name) + " Lookups stand under `lookups:`"
                self._fault((*place, "lookup"), f"no lookup {name!r}", remedy)
        self._scale(place, column, mapping)
        self._values(place, column, mapping)

    def _values(self, place: Place, column: Column, mapping: FieldMap) -> None:
        """Look at the constants of a mapping: choices of the contract, labels that meet."""
        constants: list[tuple[Place, Any]] = [(("default",), mapping.default)]
        if mapping.map is None:
            constants.append((("value",), mapping.value))
            cases = enumerate(mapping.cases or ())
            constants += [(("cases", n, "value"), case.value) for n, case in cases]
        elif mapping.lookup is None:
            constants += [(("map", key), value) for key, value in mapping.map.items()]
        for inner, value in constants:
            if value is not None and not isinstance(value, list):
                self._choice((*place, *inner), column, value)
        seen: dict[str, str] = {}
        for key, short in zip(mapping.map or (), folded(mapping.map or ()), strict=True):
            if short in seen:
                message = f"reads the same as {seen[short]!r}: case and spaces do not count"
                self._fault((*place, "map", key), message, "Keep one of the two")
            seen[short] = key

    def _scale(self, place: Place, column: Column, mapping: FieldMap) -> None:
        if mapping.scale is None:
            return
        versions = versions_of(self.codes, mapping.scale)
        if not versions:
            remedy = known(self.codes["scales"]["scale_id"].unique(), mapping.scale)
            message = f"no scale {mapping.scale!r}"
            self._fault((*place, "scale"), message, f"{remedy} Scales lie in codes/scales.csv")
        elif mapping.scale_version is not None and mapping.scale_version not in versions:
            remedy = known(versions, mapping.scale_version)
            self._fault((*place, "scale_version"), f"no version {mapping.scale_version}", remedy)
        elif (
            mapping.scale_version is None
            and len(versions) > 1
            and column.name not in OF_EVERY_VERSION
        ):
            told = " and ".join(versions)
            self._fault(
                (*place, "scale"),
                f"scale {mapping.scale!r} has versions {told}, and none is named",
                "Say by `scale_version` which one these labels are on; where forms changed from "
                "one to the other, write a block for each, with `when`",
            )

    def _choice(self, place: Place, column: Column, value: Any) -> None:
        if column.choices is not None and str(value) not in column.choices:
            message = f"{column.name} cannot be {value!r}"
            self._fault(place, message, known(column.choices, str(value)))


def _fill(template: str, row: dict[str, str]) -> str:
    return "".join(
        row[part].strip() if is_column else part for part, is_column in parse_template(template)
    )
