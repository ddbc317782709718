"""Standards of other bodies that files may follow, each judged to the letter."""

from __future__ import annotations

from pipelines.sources.standards import case_check, qti_check
from pipelines.sources.standards.judgement import Checker, Finding, Judgement

CHECKERS: dict[str, Checker] = {
    "case": case_check.check,
    "qti": qti_check.check,
}
"""Every standard by the name that `tessera check --kind` knows it by."""

__all__ = ["CHECKERS", "Checker", "Finding", "Judgement"]
