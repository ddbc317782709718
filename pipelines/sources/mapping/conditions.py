"""Conditions of a spec as polars expressions over text columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from pipelines.sources.spec import Condition
from pipelines.sources.text import fold, folded


def compile_condition(
    condition: Condition, columns: Collection[str], missing: Sequence[str]
) -> pl.Expr:
    """Return an expression that is true where the condition is met; never null."""
    if condition.all_ is not None:
        parts = [compile_condition(part, columns, missing) for part in condition.all_]
        return pl.all_horizontal(parts)
    if condition.any_ is not None:
        parts = [compile_condition(part, columns, missing) for part in condition.any_]
        return pl.any_horizontal(parts)
    if condition.not_ is not None:
        return ~compile_condition(condition.not_, columns, missing)
    return _question(condition, columns, missing)


def _question(condition: Condition, columns: Collection[str], missing: Sequence[str]) -> pl.Expr:
    name = str(condition.column)
    text = pl.col(name).cast(pl.String) if name in columns else pl.lit(None, pl.String)
    trimmed = text.str.strip_chars()
    is_missing = trimmed.is_null() | trimmed.is_in(list(missing))
    if condition.missing is not None:
        return is_missing if condition.missing else ~is_missing
    if condition.matches is not None:
        return trimmed.str.contains(condition.matches).fill_null(value=False)
    wanted = folded(condition.is_ if condition.is_ is not None else condition.is_not or [])
    is_one = fold(text).is_in(wanted).fill_null(value=False)
    return is_one if condition.is_ is not None else ~is_one
