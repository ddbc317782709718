"""The model of a source spec: what may stand in the YAML, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    model_validator,
)

from pipelines.sources.text import parse_template

SOURCE_ID_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
SPECIAL_FORMATS = (
    "iso",
    "excel_serial",
    "excel_serial_1904",
    "epoch_seconds",
    "epoch_milliseconds",
)
MAX_DAYS_AHEAD = 1.0
"""A day for clocks and time zones that are off. Source: local choice."""
MOST_DAYS_AHEAD = 36_500
MIN_SNAPSHOT_SHARE = 0.6
"""Least part of the snapshot before it that a snapshot must hold. Source: local choice, as a third
of a three-year programme may leave at once."""

Scalar = str | bool | int


class Part(BaseModel):
    """A part of a spec: unknown fields are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _as_list(value: Any) -> Any:
    return value if value is None or isinstance(value, list) else [value]


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


zones = cache(available_timezones)
"""The names of time zones; looking for them walks through the files of all."""


def _known_zone(name: str) -> str:
    if name not in zones():
        raise ValueError(f"no time zone {name!r}; write it as Region/City, such as Europe/Vienna")
    return name


def _compiled(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


def _checked_template(template: str) -> str:
    parse_template(template)
    return template


def _checked_format(text: str) -> str:
    if text in SPECIAL_FORMATS:
        return text
    directives = set(re.findall(r"%[-.]?([A-Za-z])", text))
    allowed = set("dmyYbBjHIMSpfzaAeTFRD")
    if not directives:
        raise ValueError(
            f"format {text!r} has no directives; write it like %d.%m.%Y %H:%M, or one of "
            + ", ".join(SPECIAL_FORMATS)
        )
    if unknown := directives - allowed:
        raise ValueError(f"format {text!r}: unknown directive %{min(unknown)}")
    if not (directives & set("FD") or (directives & set("yY") and directives & set("mbBj"))):
        raise ValueError(f"format {text!r} says no year and month")
    return text


Text = Annotated[str, BeforeValidator(_as_text)]
Texts = Annotated[list[Text], BeforeValidator(_as_list)]
Pattern = Annotated[str, AfterValidator(_compiled)]
Template = Annotated[str, AfterValidator(_checked_template)]
Format = Annotated[str, AfterValidator(_checked_format)]
ZoneName = Annotated[str, AfterValidator(_known_zone)]
Name = Annotated[str, StringConstraints(pattern=SOURCE_ID_PATTERN)]


class TimeZone(Part):
    """The zone of times without one, and what an hour that the clock repeats or skips means."""

    name: ZoneName
    ambiguous: Literal["earlier", "later", "refuse"] = "refuse"


def _as_zone(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


Zone = Annotated[TimeZone, BeforeValidator(_as_zone)]


class Condition(Part):
    """A question about one row. Texts are compared without outer spaces and without case."""

    column: str | None = None
    is_: Texts | None = Field(default=None, alias="is")
    is_not: Texts | None = None
    matches: Pattern | None = None
    missing: bool | None = None
    all_: list[Condition] | None = Field(default=None, alias="all")
    any_: list[Condition] | None = Field(default=None, alias="any")
    not_: Condition | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        asked = [self.is_, self.is_not, self.matches, self.missing]
        n_asked = sum(item is not None for item in asked)
        n_groups = sum(item is not None for item in (self.all_, self.any_, self.not_))
        if n_groups == 1 and n_asked == 0 and self.column is None:
            return self
        if n_groups == 0 and n_asked == 1 and self.column is not None:
            return self
        raise ValueError(
            "a condition is {column, is|is_not|matches|missing} or one of {all}, {any}, {not}"
        )

    def columns(self) -> Iterator[str]:
        """Return the columns that the condition looks at."""
        if self.column is not None:
            yield self.column
        for inner in (*(self.all_ or ()), *(self.any_ or ())):
            yield from inner.columns()
        if self.not_ is not None:
            yield from self.not_.columns()


def _as_conjunction(value: Any) -> Any:
    return {"all": value} if isinstance(value, list) else value


When = Annotated[Condition, BeforeValidator(_as_conjunction)]


class Repair(Part):
    """Cells that another program mangled, and what stood there before."""

    pattern: Pattern | None = None
    cell: Text | None = None
    to: Text
    note: Name = "label_repaired"

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.pattern is None) == (self.cell is None):
            raise ValueError("a repair names either the whole `cell` or a `pattern`")
        return self


class DaysAfter(Part):
    """A number of days is counted from this date: fixed, or looked up by a key."""

    date: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    lookup: str | None = None
    key: Template | None = None

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if (self.date is None) == (self.lookup is None) or (self.lookup is None) != (
            self.key is None
        ):
            raise ValueError("name either a fixed `date`, or a `lookup` with the template `key`")
        return self


class Case(Part):
    """A value, or a column, that is taken where a condition is met."""

    when: When
    value: Scalar | None = None
    column: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.value is None) == (self.column is None):
            raise ValueError("a case gives either a `value` or a `column`")
        return self


class Split(Part):
    """One cell holds several values."""

    by: str = Field(min_length=1)
    into: Name | None = None
    """Where the list is one of objects: which of their fields takes the value."""
    prefix: str = ""
    """What is put before each value, such as the name space of an id."""


def _as_split(value: Any) -> Any:
    return {"by": value} if isinstance(value, str) else value


class FieldMap(Part):
    """Where the value of one field comes from, and how it is read. Steps run in this order."""

    column: Annotated[list[str], BeforeValidator(_as_list)] | None = None
    """The column; of several names, the first that the file has."""
    first_of: list[str] | None = None
    """Several columns: the first that holds something in this row."""
    template: Template | None = None
    identity: Annotated[list[str], Field(min_length=1)] | None = None
    """Columns whose content makes the id of a record, where rows have no id of their own."""
    equal_rows: Literal["count", "once"] = "count"
    """Whether rows of one file that are equal in these columns are so many records, or one."""
    row_number: list[Text] | None = None
    """The nth row of the file takes the nth value."""
    value: Scalar | list[Text] | None = None
    cases: list[Case] | None = None
    """The first case whose condition is met; where none is, the field is missing."""

    optional: bool = False
    """Whether the file may lack the column."""
    missing: Texts | None = None
    repair: Annotated[list[Repair], BeforeValidator(_as_list)] = []
    map: dict[str, Scalar | None] | None = None
    unmapped: Literal["refuse", "keep", "missing"] = "refuse"
    lookup: str | None = None
    scale: str | None = None
    scale_version: Text | None = None
    format: Annotated[list[Format], BeforeValidator(_as_list)] | None = None
    time_zone: Zone | None = None
    at: Literal["start", "noon"] = "start"
    """What a date without an hour means where an instant is wanted."""
    days_after: DaysAfter | None = None
    decimal: Literal[",", "."] | None = None
    thousands: Literal[",", ".", " ", "'"] | None = None
    split: Annotated[Split, BeforeValidator(_as_split)] | None = None
    default: Scalar | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = (
            self.column,
            self.first_of,
            self.template,
            self.identity,
            self.row_number,
            self.value,
            self.cases,
        )
        if sum(item is not None for item in sources) != 1:
            raise ValueError(
                "say where the value comes from, once: column, first_of, template, identity, "
                "row_number, value or cases"
            )
        if self.equal_rows != "count" and self.identity is None:
            raise ValueError("equal_rows needs identity")
        if self.scale is not None and (self.map is not None or self.lookup is not None):
            raise ValueError("scale cannot be combined with map or lookup")
        if self.scale_version is not None and self.scale is None:
            raise ValueError("scale_version needs scale")
        if self.thousands is not None and self.thousands == (self.decimal or "."):
            raise ValueError("the decimal and the thousands mark are the same")
        return self

    def columns(self) -> Iterator[str]:
        """Return the columns that the field is read from, the first of several names each."""
        if self.column is not None:
            yield self.column[0]
        yield from self.first_of or ()
        yield from self.identity or ()
        for case in self.cases or ():
            yield from case.when.columns()
            if case.column is not None:
                yield case.column
        for template in (self.template, self.days_after.key if self.days_after else None):
            for part, is_column in parse_template(template or ""):
                if is_column:
                    yield part


def _as_field(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


def _as_record_id(value: Any) -> Any:
    return {"template": value} if isinstance(value, str) else value


FieldEntry = Annotated[FieldMap, BeforeValidator(_as_field)]


class Spread(Part):
    """Which group of a pattern tells the column of the long row, and which columns there are."""

    group: str
    columns: list[str] = Field(min_length=1)


class Wide(Part):
    """Columns that are really rows.

    Named groups of the pattern become columns of the long rows; without named groups the first
    group, or else the whole name, becomes the column `name_to`. The cell becomes `value_to`.
    With `spread`, one of the named groups tells which column of the long row the cell belongs to.
    """

    columns: Pattern
    name_to: str | None = None
    value_to: str | None = None
    spread: Spread | None = None
    blank: Literal["skip", "keep"] = "skip"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        groups = set(re.compile(self.columns).groupindex)
        if self.spread is not None:
            if self.spread.group not in groups or self.value_to is not None:
                raise ValueError("spread names a group of the pattern and stands without value_to")
        elif self.value_to is None:
            raise ValueError("value_to names the column that takes the cell")
        if self.name_to is None and not self._naming_groups():
            raise ValueError("name_to names the column that takes the name of the wide column")
        return self

    def made_columns(self) -> set[str]:
        """Return the columns that long rows have beside those of the file."""
        cells = set(self.spread.columns) if self.spread is not None else set()
        named = {name for name in (self.name_to, self.value_to) if name}
        return self._naming_groups() | cells | named

    def _naming_groups(self) -> set[str]:
        spread = {self.spread.group} if self.spread is not None else set()
        return set(re.compile(self.columns).groupindex) - spread


class VoidMap(Part):
    """Rows with which the source withdraws a record."""

    when: When
    reason: FieldEntry | None = None
    voided_at: FieldEntry | None = None
    programmes: Annotated[list[Text] | None, BeforeValidator(_as_list), Field(min_length=1)] = None
    """Where such a row names no programme: every programme in which the record may be."""


def _as_void(value: Any) -> Any:
    return {"when": value} if isinstance(value, dict) and "when" not in value else value


class NoteMap(Part):
    """An oddity that refuses nothing and is counted."""

    code: Name
    when: When
    field: str | None = None
    detail: str | None = None


class RecordMap(Part):
    """One kind of record that rows of the file hold."""

    kind: str
    part: str | None = Field(default=None, min_length=1)
    """The sheet or member that holds the rows, or a pattern over such names; case does not count.
    None where the file has one part, or every part is read."""
    part_optional: bool = False
    """Whether the file may lack the part."""
    when: When | None = None
    record_id: Annotated[FieldMap, BeforeValidator(_as_record_id)]
    fields: dict[str, FieldEntry] = {}
    wide: Wide | None = None
    void: Annotated[VoidMap, BeforeValidator(_as_void)] | None = None
    notes: list[NoteMap] = []

    @model_validator(mode="after")
    def _optional_part_is_named(self) -> Self:
        if self.part_optional and self.part is None:
            raise ValueError("part_optional needs part")
        return self

    def field_maps(self) -> Iterator[tuple[str, FieldMap]]:
        """Return every field mapping of the block."""
        yield "record_id", self.record_id
        yield from self.fields.items()
        if self.void is not None:
            for name in ("reason", "voided_at"):
                if (mapping := getattr(self.void, name)) is not None:
                    yield f"void.{name}", mapping

    def conditions(self) -> Iterator[Condition]:
        """Return every condition of the block."""
        if self.when is not None:
            yield self.when
        if self.void is not None:
            yield self.void.when
        for note in self.notes:
            yield note.when


class ReaderChoice(BaseModel):
    """Which reader, and its options (checked by the reader itself)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    @property
    def options(self) -> dict[str, Any]:
        """Return what is said beside the name."""
        return dict(self.model_extra or {})


class KnownAt(Part):
    """When a record became known: at its receipt, by a manifest, or by a trusted column."""

    from_: Literal["receipt", "manifest"] | None = Field(default=None, alias="from")
    column: str | None = None
    format: Annotated[list[Format], BeforeValidator(_as_list)] | None = None
    time_zone: Zone | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.from_ is None) == (self.column is None):
            raise ValueError("write either from: receipt, from: manifest, or column: NAME")
        return self


class PersonIds(Part):
    """What makes two ids of the source the same person."""

    fold_case: bool = False
    strip_leading_zeros: bool = False


class Gates(Part):
    """What a delivery must keep, or it is held whole."""

    min_rows: int | None = Field(default=None, ge=0)
    max_rows: int | None = Field(default=None, ge=0)
    max_refused_share: Annotated[float, Field(ge=0, le=1)] | None = None
    max_age_days: int | None = Field(default=None, ge=0)
    min_match_share: Annotated[float, Field(ge=0, le=1)] | None = None
    min_snapshot_share: Annotated[float, Field(ge=0, le=1)] = MIN_SNAPSHOT_SHARE
    max_days_ahead: Annotated[float, Field(ge=0, le=MOST_DAYS_AHEAD)] = MAX_DAYS_AHEAD
    """How long after its delivery arrived a record may say that something took place. Unlike the
    others, this one quarantines the record, not the delivery."""


class Pull(Part):
    """From which Learning Record Store statements are pulled, and how often all of them.

    What it is asked with comes from the environment, never from here.
    """

    endpoint: str | None = Field(default=None, pattern=r"^https?://[^\s@]+$")
    lrs: Literal["standard", "ralph"] = "standard"
    xapi_version: Literal["1.0.3", "2.0"] = "1.0.3"
    overlap_minutes: int = Field(default=60, ge=0)
    """How far back each pull asks, where the store does not say what is complete."""
    reconcile_days: int | None = Field(default=None, ge=1)
    """How often everything is asked for again; by default as the kind of store needs it."""
    page_size: int = Field(default=500, ge=1)
    filters: dict[str, Text] = {}
    """Parameters of every query, such as `verb` or `activity`."""


class Lookup(Part):
    """A table of the spec's own: written out, or a CSV file beside the spec."""

    values: dict[str, Text] | None = None
    file: str | None = None
    key: Template | None = None
    value: Template | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        from_file = (self.file, self.key, self.value)
        if self.values is not None and not any(from_file):
            return self
        if self.values is None and all(from_file):
            return self
        raise ValueError("write either `values`, or `file` with the templates `key` and `value`")


class SourceSpec(Part):
    """A named feed: its files, how they are read, and what their rows mean."""

    source: Name
    title: str = Field(min_length=1)
    owner: Name
    folder: str | None = Field(default=None, pattern=r"^[^/\\.][^/\\]*$")
    files: Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]
    reader: ReaderChoice
    time_zone: Zone
    person_namespace: Name | None = None
    record_scope: Name | None = None
    person_ids: PersonIds = PersonIds()
    known_at: KnownAt = KnownAt(from_="receipt")
    on_change: Literal["version", "conflict"] = "version"
    """What another content under the id of a record is: its next version, or a conflict."""
    snapshot: Literal["append", "full"] = "append"
    vanished: Literal["keep", "withdraw"] = "keep"
    """What becomes of records that a later full snapshot lacks; they are reported either way."""
    gates: Gates = Gates()
    missing: Texts = [""]
    values: dict[str, Scalar] = {}
    lookups: dict[str, Lookup] = {}
    records: list[RecordMap] = Field(min_length=1)
    unknown_learners: Literal["wait", "accept"] | None = None
    """Whether records of learners whom no roster names wait; by default they do where a source of
    the same name space delivers rosters."""
    pull: Pull | None = None
    unmatched: Literal["refuse", "skip"] = "refuse"
    """What becomes of rows that no block of `records` wants."""
    drop: list[str] = []
    allow_identifiers: dict[str, str] = {}
    """Rules of `identifiers.csv` that do not hold for this source, with the reason."""
    refuse: dict[str, str] = {}
    """Columns that must never be taken, with the reason."""

    _path: Path | None = PrivateAttr(default=None)

    @property
    def path(self) -> Path | None:
        """Return the file that the spec was read from."""
        return self._path

    @property
    def inbox_folder(self) -> str:
        """Return the folder of the inbox that the deliveries of the source lie in."""
        return self.folder or self.source

    @property
    def namespace(self) -> str:
        """Return the name space of the person ids."""
        return self.person_namespace or self.source

    @property
    def scope(self) -> str:
        """Return the name space of the record ids."""
        return self.record_scope or self.source

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of record that reading may give, in order of the spec."""
        made = [record.kind for record in self.records]
        if any(record.void is not None for record in self.records):
            made.append("void")
        return tuple(dict.fromkeys(made))

    def takes(self, relative: str) -> bool:
        """Tell whether the file, named relative to the inbox, is one of this source."""
        folder, _, name = relative.partition("/")
        return folder == self.inbox_folder and any(fnmatchcase(name, glob) for glob in self.files)
