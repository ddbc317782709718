"""Thresholds of a site have values that somebody can mean."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules import RuleFileError, load_catalogue
from pipelines.rules.loader import SHIPPED
from pipelines.rules.ranges import RANGES, faults


def own(folder: Path, name: str, rule: str, threshold: str, value: str) -> Path:
    """Put a shipped rule file with another value of one threshold into a site's folder."""
    text = (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")
    text = text.replace('version: "', 'version: "ours-', 1)
    start = text.index(f"- id: {rule}\n")
    start = text.index(f"- name: {threshold}\n", start)
    changed = text[:start] + re.sub(r"value: .*", f"value: {value}", text[start:], count=1)
    path = folder / "site" / "rules" / f"{name}.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(changed, encoding="utf-8")
    return path


def test_every_shipped_threshold_lies_in_its_range() -> None:
    assert [f for rules in load_catalogue(None).rule_sets for f in faults(rules)] == []


@pytest.mark.parametrize(
    ("name", "rule", "threshold", "value", "told"),
    [
        ("msf", "respondents", "min", "1", "is 1: Write a whole number from 3"),
        ("privacy", "small_cells", "learners_min", "2", "is 2: Write a whole number from 3"),
        ("programmatic_assessment", "data_points", "min", "-5", "is -5: Write a whole number"),
        ("programmatic_assessment", "recency", "window_days", "182.5", "is 182.5: Write a whole"),
        ("programmatic_assessment", "interval", "z", "-1.64", "is -1.64: Write a number from 0.1"),
        (
            "programmatic_assessment",
            "interval",
            "assessor_variance_share",
            "37.68",
            "is 37.68: Write a number from 0 to 1",
        ),
        ("programmatic_assessment", "status", "summary", "3", "a whole number from 1 to 2"),
        ("programmatic_assessment", "status", "on_track_share_min", "50", "from 0 to 1"),
        ("programmatic_assessment", "status", "latest_at_target_min", "9", "Write 3 or less"),
        ("programmatic_assessment", "plan", "applies", "7", "a whole number from 0 to 1"),
        ("measurement", "components", "learner", "-31", "is -31: Write a number from 0 to 100"),
        ("measurement", "dependability", "wanted", "70", "is 70: Write a number from 0.01"),
        ("exams", "generalizability", "wanted", "80", "is 80: Write a number from 0.01"),
        ("exams", "d_study", "most", "0", "is 0: Write a number from 0.1 to 10"),
        ("conflicts", "score_narrative", "high_share_below_min", "80", "from 0 to 1"),
        ("conflicts", "score_narrative", "low_share_below_max", "0.9", "Write 0.8 or less"),
    ],
)
def test_a_value_that_nobody_can_mean_is_refused_with_line_and_range(
    tmp_path: Path, name: str, rule: str, threshold: str, value: str, told: str
) -> None:
    path = own(tmp_path, name, rule, threshold, value)

    with pytest.raises(RuleFileError) as caught:
        load_catalogue(tmp_path / "site")

    message = str(caught.value)
    assert told in message.replace(". Write", ": Write")
    line = next(int(n) for n in re.findall(rf"{re.escape(path.name)}:(\d+)", message))
    assert f"value: {value}" in path.read_text(encoding="utf-8").splitlines()[line - 1]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_a_range_holds_its_ends_and_nothing_beyond(value: Decimal) -> None:
    for _, found in RANGES:
        assert found.holds(found.low)
        assert found.holds(found.high)
        if not found.low <= value <= found.high:
            assert not found.holds(value)
