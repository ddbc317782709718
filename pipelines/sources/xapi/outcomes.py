"""Results and their scores (2.4.5; 4.2.2.4)."""

from __future__ import annotations

from typing import Any

from pipelines.sources.xapi.report import Path, Report
from pipelines.sources.xapi.shapes import (
    Check,
    Shape,
    boolean,
    duration,
    extensions,
    is_number,
    text,
)

_RULES = {"scaled": "00083", "raw": "00082", "min": "00081", "max": "00080"}


def _number(rule: str) -> Check:
    def check(value: Any, path: Path, report: Report) -> None:
        if not is_number(value):
            report.add("wrong_type", path, rule, "a number")

    return check


_SCORE = Shape("a score", "00079", {name: _number(rule) for name, rule in _RULES.items()})


def score(value: Any, path: Path, report: Report) -> None:
    """Check a score: each number by itself, and one against the other."""
    _SCORE.check(value, path, report)
    if not isinstance(value, dict):
        return
    scaled, raw, low, high = (
        number if is_number(number := value.get(name)) else None for name in _RULES
    )
    if scaled is not None and not -1 <= scaled <= 1:
        report.add("out_of_range", f"{path}.scaled", _RULES["scaled"], "from -1 to 1")
    if low is not None and high is not None and not low < high:
        report.add("out_of_range", f"{path}.min", "00081 00080", "less than max")
    if raw is not None and low is not None and raw < low:
        report.add("out_of_range", f"{path}.raw", _RULES["raw"], "not less than min")
    if raw is not None and high is not None and raw > high:
        report.add("out_of_range", f"{path}.raw", _RULES["raw"], "not more than max")


RESULT = Shape(
    "a result",
    "00006",
    {
        "score": score,
        "success": boolean("00074"),
        "completion": boolean("00075"),
        "response": text("00076"),
        "duration": duration("00077"),
        "extensions": extensions("00078"),
    },
)
