"""A vectorised screen, generated from a contract, that passes the rows it can prove good.

The screen reads the same core schema that pydantic validates by, so no rule is written twice. For
each column it gives the typed value and whether the text is *proven*: written in a plain form that
pydantic is known to accept with that very value. Whatever it does not understand it does not
prove, and the record goes to pydantic, which alone refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from pipelines.contracts.base import Record
from pipelines.contracts.fields import (
    FIRST_YEAR,
    LAST_YEAR,
    day_text,
    number_text,
    plausible,
    time_text,
    to_utc,
)
from pipelines.contracts.schema import Column, columns

PROVEN = "__proven"

_TEXT_IMPLIES = {day_text, number_text, plausible, time_text, to_utc}
"""Validators whose effect the plain forms below already include."""

_INTEGER = r"^(0|-?[1-9][0-9]{0,17})$"
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    r"(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])$"
)
_WHOLE_SECONDS = len("2026-02-21T06:00:00Z")
"""How most times come from the read stage; reading these costs a tenth of reading the others."""

_BOUNDS: dict[str, Callable[[pl.Expr, Any], pl.Expr]] = {
    "ge": pl.Expr.ge,
    "le": pl.Expr.le,
    "gt": pl.Expr.gt,
    "lt": pl.Expr.lt,
}


_TYPED = "__typed_"
"""Before the name of a column: what its texts mean, where it is told whether they are proven."""


@dataclass(frozen=True)
class _Proof:
    typed: pl.Expr
    good: pl.Expr
    """Speaks of texts by their name, and of typed values by theirs."""


@dataclass(frozen=True)
class Screen:
    """The expressions of one contract over a frame of all-text columns."""

    typed: tuple[pl.Expr, ...]
    good: tuple[pl.Expr, ...]
    rules: pl.Expr

    def apply(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the typed columns and `PROVEN`; values of unproven rows mean nothing."""
        typed = frame.select(self.typed)
        both = frame.hstack(typed.rename(lambda name: _TYPED + name))
        fields_good = both.select(pl.all_horizontal(self.good).alias(PROVEN))
        return typed.with_columns(fields_good[PROVEN] & typed.select(self.rules)[:, 0])


@cache
def screen(contract: type[Record]) -> Screen:
    """Generate the screen of a contract."""
    fields = _model_fields(contract)
    proofs = [_field(column, fields[column.name]["schema"]) for column in columns(contract)]
    holds = [rule.holds().fill_null(value=False) for rule in contract.rules]
    return Screen(
        typed=tuple(proof.typed for proof in proofs),
        good=tuple(proof.good.fill_null(value=False) for proof in proofs),
        rules=pl.all_horizontal([pl.lit(value=True), *holds]).alias(PROVEN),
    )


def _model_fields(contract: type[Record]) -> dict[str, Any]:
    node: Any = contract.__pydantic_core_schema__
    while node["type"] != "model-fields":
        node = node["schema"]
    fields: dict[str, Any] = node["fields"]
    return fields


def _field(column: Column, node: Any) -> _Proof:
    text = pl.col(column.name)
    default: pl.Expr = pl.lit(None)
    absent_is_good = pl.lit(value=False)
    if node["type"] == "default":
        absent_is_good = pl.lit(value="default" in node)
        default = pl.lit(node.get("default"))
        node = node["schema"]
    if node["type"] == "nullable":
        node = node["schema"]
    proof = _prove(text, node)
    if proof is None:
        proof = _Proof(pl.lit(None), pl.lit(value=False))
    typed = pl.when(text.is_null()).then(default).otherwise(proof.typed)
    return _Proof(
        typed.cast(column.dtype, strict=False).alias(column.name),
        pl.when(text.is_null()).then(absent_is_good).otherwise(proof.good),
    )


def _prove(text: pl.Expr, node: Any) -> _Proof | None:
    while node["type"] in ("function-before", "function-after"):
        if node["function"]["function"] not in _TEXT_IMPLIES:
            return None
        node = node["schema"]
    prover = _PROVERS.get(node["type"])
    if prover is None:
        return None
    make, understood = prover
    if not set(node) <= understood | {"type", "metadata"}:
        return None
    return make(text, node)


def _prove_text(text: pl.Expr, node: Any) -> _Proof:
    good = pl.lit(value=True)
    if "min_length" in node:
        good &= text.str.len_chars() >= node["min_length"]
    if "max_length" in node:
        good &= text.str.len_chars() <= node["max_length"]
    if "pattern" in node:
        good &= text.str.contains(node["pattern"])
    return _Proof(text, good)


def _prove_choice(text: pl.Expr, node: Any) -> _Proof:
    return _Proof(text, text.is_in(node["expected"]))


def _prove_truth(text: pl.Expr, _node: Any) -> _Proof:
    return _Proof(text == "true", text.is_in(["true", "false"]))


def _prove_integer(text: pl.Expr, node: Any) -> _Proof:
    typed = text.cast(pl.Int64, strict=False)
    return _Proof(typed, text.str.contains(_INTEGER) & _within_bounds(_typed(text), node))


def _prove_decimal(text: pl.Expr, node: Any) -> _Proof:
    digits, places = node.get("max_digits", 0), node.get("decimal_places", 0)
    typed = text.cast(pl.Decimal(max(digits, 1), places), strict=False)
    whole = digits - places - 1
    pattern = rf"^-?(0|[1-9][0-9]{{0,{max(whole, 0)}}})(\.[0-9]{{1,{max(places, 1)}}})?$"
    good = text.str.contains(pattern) & pl.lit(value=whole >= 0 and places > 0)
    return _Proof(typed, good & _within_bounds(_typed(text), node))


def _prove_day(text: pl.Expr, _node: Any) -> _Proof:
    typed = text.str.to_date("%Y-%m-%d", strict=False)
    return _Proof(
        typed, text.str.contains(_DAY) & _typed(text).is_not_null() & _plausible_year(text)
    )


def _prove_time(text: pl.Expr, _node: Any) -> _Proof:
    is_whole = (text.str.len_bytes() == _WHOLE_SECONDS) & text.str.ends_with("Z")
    whole = pl.when(is_whole).then(text.str.head(_WHOLE_SECONDS - 1))
    other = pl.when(~is_whole).then(text).str.replace("Z$", "+00:00")
    typed = pl.coalesce(
        whole.str.to_datetime(
            "%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False
        ).dt.replace_time_zone("UTC"),
        other.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=False),
    )
    return _Proof(
        typed, text.str.contains(_TIME) & _typed(text).is_not_null() & _plausible_year(text)
    )


def _typed(text: pl.Expr) -> pl.Expr:
    return pl.col(_TYPED + text.meta.output_name())


def _plausible_year(text: pl.Expr) -> pl.Expr:
    return text.str.slice(0, 4).is_between(pl.lit(str(FIRST_YEAR)), pl.lit(str(LAST_YEAR)))


def _within_bounds(typed: pl.Expr, node: Any) -> pl.Expr:
    good = typed.is_not_null()
    for name, compare in _BOUNDS.items():
        if name in node:
            good &= compare(typed, pl.lit(node[name]))
    return good


_PROVERS: dict[str, tuple[Callable[[pl.Expr, Any], _Proof], set[str]]] = {
    "str": (_prove_text, {"pattern", "min_length", "max_length"}),
    "literal": (_prove_choice, {"expected"}),
    "bool": (_prove_truth, set()),
    "int": (_prove_integer, {*_BOUNDS}),
    "decimal": (_prove_decimal, {"allow_inf_nan", "max_digits", "decimal_places", *_BOUNDS}),
    "date": (_prove_day, set()),
    "datetime": (_prove_time, {"tz_constraint", "microseconds_precision"}),
}
