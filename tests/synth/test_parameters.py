from __future__ import annotations

from typing import Any

import pytest
import yaml

from pipelines.synth.parameters import ParameterError, parse, shipped, source_text


def leaves(value: Any, path: str = "") -> list[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict) and "value" in value:
        return [(path, value)]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [
        leaf
        for name, each in items
        if isinstance(each, dict | list)
        for leaf in leaves(each, f"{path}.{name}")
    ]


def test_every_number_names_its_source() -> None:
    found = leaves(yaml.safe_load(source_text()))
    assert len(found) > 150
    assert [path for path, leaf in found if len(leaf.get("source", "")) < 8] == []


def test_a_number_without_a_source_is_refused_by_place() -> None:
    text = source_text().replace(
        "cap: {value: 4.6, unit: levels, source: local choice}", "cap: {value: 4.6}"
    )
    with pytest.raises(ParameterError, match=r"growth\.cap\.source"):
        parse(text)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("learner: {value: 0.31,", "learner: {value: 0.41,", "sum to 1.1, not to 1"),
        ("value: [1.5, 2.5, 3.5, 4.5]", "value: [1.5, 2.5, 2.5, 4.5]", "do not rise"),
        ("scale: o_score_5\n", "scale: o_score_6\n", "o_score_6, not given"),
        ("weight: {value: 0.12,", "weight: {value: 0.2,", "instruments sum to"),
        ("late_share: {value: 0.1,", "late_share: {value: 1.1,", "delays.late_share"),
        ("spread:", "sprade:", "workplace.spread"),
    ],
)
def test_impossible_parameters_are_refused_with_the_place(old: str, new: str, words: str) -> None:
    assert old in source_text()
    with pytest.raises(ParameterError, match=words):
        parse(source_text().replace(old, new))


def test_components_published_for_dops_are_those_of_the_publication() -> None:
    dops = next(form for form in shipped().workplace.instruments if form.id == "DOPS")
    parts = dops.components
    published = (0.31, 0.08, 0.18, 0.43)
    stated = (parts.learner, parts.stringency, parts.subjectivity, parts.case)
    assert tuple(part.value for part in stated) == published


def test_every_planted_pattern_has_a_curve_that_holds_its_size() -> None:
    for pattern in shipped().patterns:
        assert pattern.curve.value == sorted(pattern.curve.value)
        assert len(pattern.curve.value) >= 3


def test_each_pattern_of_a_learner_costs_an_even_part_of_what_the_rules_may_raise() -> None:
    of_learners = [each for each in shipped().patterns if each.about != "cohort"]
    assert len(of_learners) == 8
    assert shipped().price_of_a_pattern == 0.1 / 8
