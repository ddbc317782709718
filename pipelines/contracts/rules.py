"""Rules between the fields of one record, written once and enforced twice.

Each rule can judge a record (`broken_by`) and can say as a polars expression when a row keeps it
(`holds`). Contracts list their rules; the vectorised screen is generated from the same list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl


@dataclass(frozen=True)
class Broken:
    """What a rule found: a stable code, the field to look at, a sentence and what to do."""

    code: str
    field: str
    message: str
    suggestion: str


class Condition(Protocol):
    """A question that a record answers with yes or no."""

    def met_by(self, record: Any) -> bool:
        """Tell whether the record meets the condition."""

    def expr(self) -> pl.Expr:
        """Return the same condition over columns; never null."""

    def __str__(self) -> str:
        """Return the condition in words."""


@dataclass(frozen=True)
class Is:
    """The field holds one of the values."""

    field: str
    values: tuple[str, ...]

    def __init__(self, field: str, *values: str) -> None:
        object.__setattr__(self, "field", field)
        object.__setattr__(self, "values", values)

    def met_by(self, record: Any) -> bool:
        return getattr(record, self.field) in self.values

    def expr(self) -> pl.Expr:
        return pl.col(self.field).is_in(list(self.values)).fill_null(value=False)

    def __str__(self) -> str:
        return f"{self.field} is {' or '.join(self.values)}"


@dataclass(frozen=True)
class Present:
    """The field holds something."""

    field: str

    def met_by(self, record: Any) -> bool:
        return getattr(record, self.field) is not None

    def expr(self) -> pl.Expr:
        return pl.col(self.field).is_not_null()

    def __str__(self) -> str:
        return f"{self.field} is given"


@dataclass(frozen=True)
class Both:
    """Two conditions are met together."""

    first: Condition
    second: Condition

    def met_by(self, record: Any) -> bool:
        return self.first.met_by(record) and self.second.met_by(record)

    def expr(self) -> pl.Expr:
        return self.first.expr() & self.second.expr()

    def __str__(self) -> str:
        return f"{self.first} and {self.second}"


class Rule(Protocol):
    """A rule between fields of one record."""

    def broken_by(self, record: Any) -> Broken | None:
        """Return what is wrong with the record, or None."""

    def holds(self) -> pl.Expr:
        """Return an expression over typed columns that is true where the rule is kept."""


@dataclass(frozen=True)
class Needs:
    """Where the condition is met, the field must be given."""

    field: str
    when: Condition

    def broken_by(self, record: Any) -> Broken | None:
        if not self.when.met_by(record) or getattr(record, self.field) is not None:
            return None
        return Broken(
            "field_needed",
            self.field,
            f"{self.field} must be given where {self.when}",
            f"fill {self.field}, or correct the field that asks for it",
        )

    def holds(self) -> pl.Expr:
        return ~self.when.expr() | pl.col(self.field).is_not_null()


@dataclass(frozen=True)
class Bars:
    """Where the condition is met, the field must be empty."""

    field: str
    when: Condition

    def broken_by(self, record: Any) -> Broken | None:
        if not self.when.met_by(record) or getattr(record, self.field) is None:
            return None
        return Broken(
            "field_not_allowed",
            self.field,
            f"{self.field} must be empty where {self.when}",
            f"empty {self.field}, or correct the field that excludes it",
        )

    def holds(self) -> pl.Expr:
        return ~self.when.expr() | pl.col(self.field).is_null()


@dataclass(frozen=True)
class AnyOf:
    """At least one of the fields must be given."""

    fields: tuple[str, ...]

    def __init__(self, *fields: str) -> None:
        object.__setattr__(self, "fields", fields)

    def broken_by(self, record: Any) -> Broken | None:
        if any(getattr(record, field) is not None for field in self.fields):
            return None
        listed = ", ".join(self.fields)
        return Broken(
            "nothing_given",
            self.fields[0],
            f"none of {listed} is given",
            f"fill at least one of {listed}",
        )

    def holds(self) -> pl.Expr:
        return pl.any_horizontal(pl.col(field).is_not_null() for field in self.fields)


@dataclass(frozen=True)
class Ordered:
    """The second field, where both are given, is not smaller than the first."""

    smaller: str
    larger: str

    def broken_by(self, record: Any) -> Broken | None:
        low, high = getattr(record, self.smaller), getattr(record, self.larger)
        if low is None or high is None or low <= high:
            return None
        return Broken(
            "out_of_order",
            self.larger,
            f"{self.larger} lies below {self.smaller}",
            f"check {self.smaller} and {self.larger}: one of them is wrong or they are swapped",
        )

    def holds(self) -> pl.Expr:
        return (pl.col(self.smaller) <= pl.col(self.larger)).fill_null(value=True)


@dataclass(frozen=True)
class Apart:
    """Nobody stands in both lists."""

    field: str
    other: str
    because: str
    """Why not, as the end of a sentence."""

    def broken_by(self, record: Any) -> Broken | None:
        both = set(getattr(record, self.field) or ()) & set(getattr(record, self.other) or ())
        if not both:
            return None
        return Broken(
            "in_both_lists",
            self.field,
            f"{self.field} names somebody who is in {self.other}: {self.because}",
            f"take the person out of {self.field} or of {self.other}",
        )

    def holds(self) -> pl.Expr:
        shared = pl.col(self.field).list.set_intersection(pl.col(self.other))
        return (shared.list.len() == 0).fill_null(value=True)


@dataclass(frozen=True)
class Within:
    """Everybody in the first list stands in the second, where that is given."""

    field: str
    other: str

    def broken_by(self, record: Any) -> Broken | None:
        inner, outer = getattr(record, self.field), getattr(record, self.other)
        if inner is None or outer is None or set(inner) <= set(outer):
            return None
        return Broken(
            "not_in_list_of",
            self.field,
            f"{self.field} names somebody who is not in {self.other}",
            f"add the person to {self.other}, or take them out of {self.field}",
        )

    def holds(self) -> pl.Expr:
        outside = pl.col(self.field).list.set_difference(pl.col(self.other))
        return (outside.list.len() == 0).fill_null(value=True)


@dataclass(frozen=True)
class ExactlyOne:
    """Where the condition is met, the list names one person and no more."""

    field: str
    when: Condition

    def broken_by(self, record: Any) -> Broken | None:
        if not self.when.met_by(record) or len(set(getattr(record, self.field) or ())) == 1:
            return None
        return Broken(
            "not_exactly_one",
            self.field,
            f"{self.field} must name exactly one person where {self.when}",
            f"leave one person in {self.field}, or correct the field that asks for it",
        )

    def holds(self) -> pl.Expr:
        return ~self.when.expr() | (pl.col(self.field).list.n_unique() == 1).fill_null(value=False)


@dataclass(frozen=True)
class Reaches:
    """The first list that is given names at least as many people as the number says."""

    fields: tuple[str, ...]
    least: str

    def broken_by(self, record: Any) -> Broken | None:
        least = getattr(record, self.least)
        people = next((p for f in self.fields if (p := getattr(record, f)) is not None), None)
        if least is None or people is None or len(set(people)) >= least:
            return None
        return Broken(
            "too_few_people",
            self.fields[0],
            f"{self.fields[0]} names fewer people than {self.least} asks for",
            f"correct {self.fields[0]} or {self.least}; without them there is no decision",
        )

    def holds(self) -> pl.Expr:
        people = pl.coalesce(pl.col(field).list.n_unique() for field in self.fields)
        return (people >= pl.col(self.least)).fill_null(value=True)
