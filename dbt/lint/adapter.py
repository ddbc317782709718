"""Stands in for the `adapter` of dbt when sqlfluff renders a model: DuckDB's macros."""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, name: str, package: str | None = None) -> Callable[..., str]:
    """Return the macro that DuckDB would use."""
    del package
    macro: Callable[..., str] = context.resolve(f"default__{name}")
    return macro
