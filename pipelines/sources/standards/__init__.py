"""Standards of other bodies that files may follow, each judged to the letter.

A standard is one module here with a function `check`, entered below by the name that
`tessera check --kind` knows it by.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pipelines.sources.standards.judgement import Checker, Finding, Judgement

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKERS: Mapping[str, str] = {
    "case": "pipelines.sources.standards.case_check",
    "oneroster": "pipelines.sources.standards.oneroster_check",
    "qti": "pipelines.sources.standards.qti_check",
}
"""The module of every standard by its name; none is imported before it is needed."""


def checker(name: str) -> Checker:
    """Return what judges files of a standard."""
    check: Checker = import_module(CHECKERS[name]).check
    return check


__all__ = ["CHECKERS", "Checker", "Finding", "Judgement", "checker"]
