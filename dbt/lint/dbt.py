"""Stands in for dbt's own macros when sqlfluff renders a model."""

from __future__ import annotations


def type_string() -> str:
    """Return the type of text."""
    return "varchar"
