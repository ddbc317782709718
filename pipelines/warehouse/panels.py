"""Reads what the judges of a panel wrote down: one CSV file a round."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipelines.measurement import standard_setting as methods
from pipelines.measurement.refusal import UnmeasurableError
from pipelines.warehouse.cut_scores import PLACES
from pipelines.warehouse.sittings import Exam, listed, refuse_other_total, told_wrong


@dataclass(frozen=True)
class Round:
    """What a panel gave in one round.

    Attributes:
        found: its cut-score.
        by_judge: the cut-score of each judge alone, by name.
        n_items: items judged.
        max_score: the most points that they give.
        min_score: the points of who answers all of them wrongly.
    """

    found: methods.PanelCut
    by_judge: dict[str, float]
    n_items: int
    max_score: float
    min_score: float


def judged(exam: Exam, panel: Path) -> Round:
    """Return what a panel's file of one round gives.

    Raises:
        UnmeasurableError: it is no CSV, has no judge, or its items are not those of the exam.
    """
    try:
        table = pl.read_csv(panel, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise UnmeasurableError(f"{panel}: this is no CSV file: {error}") from None
    judges = table.columns[1:]
    if not judges:
        raise UnmeasurableError(f"{panel}: there is no column of a judge after that of the items.")
    items = [(name or "").strip() for name in table[table.columns[0]]]
    points, wrong = _points_judged(exam, items, panel)
    values = [
        [_chance(row[judge], f"{panel}, line {line}: {judge}") for judge in judges]
        for line, row in enumerate(table.iter_rows(named=True), start=2)
    ]
    found = methods.angoff(
        np.array(values).reshape(-1, len(judges)), np.array(points), np.array(wrong)
    )
    by_judge = dict(zip(judges, found.by_judge, strict=True))
    return Round(found, by_judge, len(items), sum(points), sum(wrong))


def told(one: Round) -> dict[str, Any]:
    """Return what is kept of an earlier round."""
    error = one.found.standard_error
    return {
        "cut_score": round(one.found.cut_score, PLACES),
        "standard_error": None if error is None else round(error, PLACES),
        "panel": {judge: round(cut, PLACES) for judge, cut in one.by_judge.items()},
    }


def _points_judged(exam: Exam, items: list[str], panel: Path) -> tuple[list[float], list[float]]:
    """Return what a right and what a wrong answer to each judged item gives.

    The items are those of the exam, each judged once.
    """
    lines: dict[str, list[int]] = {}
    for line, name in enumerate(items, start=2):
        lines.setdefault(name, []).append(line)
    twice = {name: at for name, at in lines.items() if len(at) > 1}
    if twice:
        name, at = next(iter(twice.items()))
        raise UnmeasurableError(
            f"{panel}, lines {' and '.join(map(str, at))}: item {name} is judged more than once."
        )
    if not exam.points:
        right, wrong = exam.each
        refuse_other_total(exam, len(items) * right, f"The judged items, at {right:g} each, offer")
        return [right] * len(items), told_wrong(dict.fromkeys(items, wrong), items)
    unknown = [f"{name or 'no name'} (line {lines[name][0]})" for name in items]
    unknown = [told for told, name in zip(unknown, items, strict=True) if name not in exam.points]
    if unknown:
        raise UnmeasurableError(f"{panel}: the sitting has no item {listed(unknown)}.")
    unjudged = sorted(exam.points.keys() - lines.keys())
    if unjudged:
        raise UnmeasurableError(
            f"{panel}: {len(unjudged)} of {len(exam.points)} items of the sitting were not judged: "
            f"{listed(unjudged)}."
        )
    told = {name: points for name, points in exam.points.items() if points is not None}
    untold = sorted(exam.points.keys() - told.keys())
    if untold:
        raise UnmeasurableError(
            f"The current edition does not say how many points there are for {listed(untold)}: "
            "deliver max_score with the responses, or points_right with the task."
        )
    return [told[name] for name in items], told_wrong(exam.wrong, items)


def _chance(text: str | None, where: str) -> float:
    if not text:
        raise UnmeasurableError(
            f"{where} is empty: a judge judges every item; leave out the column of one who was "
            "absent."
        )
    try:
        chance = float(text)
    except ValueError:
        chance = np.nan
    if not 0 <= chance <= 1:
        raise UnmeasurableError(
            f"{where}: a judgement is a chance from 0 to 1, not {text}; divide percentages by 100."
        )
    return chance
