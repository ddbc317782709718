"""Sets cut-scores from what a sitting and its panel gave, by the methods of measurement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipelines.home import Home
from pipelines.measurement import standard_setting as methods
from pipelines.measurement.refusal import UnmeasurableError
from pipelines.warehouse.cut_scores import CutScore
from pipelines.warehouse.panels import judged, told
from pipelines.warehouse.sittings import (
    SLACK,
    Sitting,
    exam_of,
    refuse_other_total,
    stations_of,
    totals_of,
    wrong_share,
)
from pipelines.warehouse.standard_parameters import (
    codes_of,
    named,
    positions_asked,
    refuse_others,
    refuse_unfit,
)

SOURCES = {
    "angoff": "Angoff 1971; Brennan and Lockwood 1980, Appl Psychol Meas 4:219",
    "ebel": "Ebel 1972, Essentials of Educational Measurement",
    "hofstee": "Hofstee 1983, in Anderson and Helmick (eds.), On Educational Testing",
    "cohen": "Cohen-Schotanus and van der Vleuten 2010, Med Teach 32:154",
    "borderline_regression": (
        "Kramer et al. 2003, Med Educ 37:132; Hejri et al. 2013, J Res Med Sci 18:887"
    ),
}


AHEAD = ("angoff", "ebel")
"""Methods that need no scores."""


def set_by(
    home: Home,
    sitting: Sitting,
    method: str,
    decided_by: str,
    parameters: dict[str, Any],
    panels: Sequence[Path] = (),
    *,
    is_ahead: bool = False,
) -> list[CutScore]:
    """Set the cut-score of a sitting by one of the methods of `SOURCES`.

    Args:
        home: whose current edition.
        sitting: programme, task and sitting.
        method: how.
        decided_by: the body that decided.
        parameters: what the method is given.
        panels: judgements, for Angoff: one file a round, in their order.
        is_ahead: whether the sitting is still to come, so that nothing can be held against it.

    Raises:
        UnmeasurableError: the method cannot set it from what it was given.
    """
    if method != "angoff" and panels:
        raise UnmeasurableError(f"{method} takes no --panel: only angoff does.")
    if is_ahead and method not in AHEAD:
        raise UnmeasurableError(f"{method} goes by scores, which a sitting to come has not.")
    if method == "angoff":
        if not panels:
            raise UnmeasurableError("angoff needs --panel with a CSV file of judgements.")
        for panel in panels:
            if not panel.is_file():
                raise UnmeasurableError(f"{panel}: there is no such file of judgements.")
        if parameters:
            raise UnmeasurableError("angoff takes no --parameters: its panel says all.")
        return angoff(home, sitting, decided_by, panels, is_ahead=is_ahead)
    if method == "ebel":
        return ebel(home, sitting, decided_by, parameters, is_ahead=is_ahead)
    if method == "borderline_regression":
        return borderline_regression(home, sitting, decided_by, parameters)
    return from_totals(home, sitting, method, decided_by, parameters)


def angoff(
    home: Home,
    sitting: Sitting,
    decided_by: str,
    panels: Sequence[Path],
    *,
    is_ahead: bool = False,
) -> list[CutScore]:
    """Set the cut-score from a CSV of one row an item: its name, then one column a judge.

    Of several rounds the last sets it; what the earlier ones gave is kept beside it.

    Raises:
        UnmeasurableError: a panel cannot carry a cut-score, or did not judge the sitting's items.
    """
    exam = exam_of(home, sitting, is_ahead=is_ahead)
    rounds = [judged(exam, panel) for panel in panels]
    last = rounds[-1]
    parameters: dict[str, Any] = {"n_items": last.n_items, "min_score": last.min_score}
    if len(rounds) > 1:
        parameters["earlier_rounds"] = [told(one) for one in rounds[:-1]]
    return [
        _record(
            sitting,
            "angoff",
            decided_by,
            last.found.cut_score,
            max_score=last.max_score,
            standard_error=last.found.standard_error,
            n_judges=last.found.n_judges,
            panel=last.by_judge,
            parameters=parameters,
        )
    ]


def ebel(
    home: Home,
    sitting: Sitting,
    decided_by: str,
    parameters: dict[str, Any],
    *,
    is_ahead: bool = False,
) -> list[CutScore]:
    """Set the cut-score from points on offer and shares of right answers by class of items.

    Raises:
        UnmeasurableError: a class is not told whole, the classes do not make up the exam, or wrong
            answers cost different shares of the points.
    """
    refuse_others("ebel", parameters, ("items", "expected"))
    items, expected = named(parameters, "items"), named(parameters, "expected")
    exam = exam_of(home, sitting, is_ahead=is_ahead)
    wrong = wrong_share(exam)
    cut = methods.ebel(items, expected, wrong_share=wrong)
    most = float(sum(items.values()))
    refuse_other_total(exam, most, "The classes of items offer")
    return [
        _record(
            sitting,
            "ebel",
            decided_by,
            cut,
            max_score=most,
            parameters=parameters | {"min_score": most * wrong},
        )
    ]


def from_totals(
    home: Home, sitting: Sitting, method: str, decided_by: str, parameters: dict[str, Any]
) -> list[CutScore]:
    """Set the cut-score by Hofstee or Cohen from the scores that the current edition holds.

    Raises:
        UnmeasurableError: the parameters or the scores carry no cut-score.
    """
    chosen: dict[str, Callable[..., float]] = {"hofstee": methods.hofstee, "cohen": methods.cohen}
    refuse_unfit(method, chosen[method], parameters)
    exam = exam_of(home, sitting)
    scores = totals_of(home, sitting, exam.max_score)
    cut = chosen[method](scores, **parameters)
    return [
        _record(
            sitting,
            method,
            decided_by,
            cut,
            max_score=exam.max_score,
            n_examinees=len(scores),
            parameters=dict(parameters),
        )
    ]


def borderline_regression(
    home: Home, sitting: Sitting, decided_by: str, parameters: dict[str, Any]
) -> list[CutScore]:
    """Set the cut-score of every station, and of the exam as their sum.

    `parameters`: `grades`, the code of each global grade as it is written; `borderline`, one of
    them; and, if wanted, `positions`: by name of an assumption, the position of each grade. What
    the cut-score would be under those, and under `alternative_positions`, is its sensitivity. A
    station whose grades all lie above the borderline one, or all below, is marked as extrapolated,
    and so is the exam.

    Raises:
        UnmeasurableError: a grade is not told, or a station carries no cut-score.
    """
    refuse_others("borderline_regression", parameters, ("grades", "borderline", "positions"))
    codes, borderline = codes_of(parameters), parameters.get("borderline")
    if borderline not in codes:
        raise UnmeasurableError(f"The borderline grade {borderline!r} is none of the grades.")
    at = codes[borderline]
    assumed = methods.alternative_positions(list(codes.values()), at) | positions_asked(
        parameters, codes
    )
    exam = exam_of(home, sitting)
    stations = stations_of(home, sitting)
    unknown = sorted(set(stations["global_ratings"].explode().drop_nulls()) - codes.keys())
    if unknown:
        raise UnmeasurableError(f"No code was given for the grade: {', '.join(unknown)}.")
    records, lines, examinees = [], [], []
    for (station_id,), part in stations.group_by("station_id", maintain_order=True):
        rated = part.drop_nulls("global_ratings")
        points = rated["points"].cast(pl.Float64).to_numpy()
        grades = [[codes[grade] for grade in given] for given in rated["global_ratings"]]
        equal = {code: float(code) for code in codes.values()}
        try:
            line = methods.borderline_regression(points, methods.positions_of(grades, equal), at)
            others = methods.equal_interval_sensitivity(points, grades, at, assumed)
        except UnmeasurableError as refusal:
            raise UnmeasurableError(f"Station {station_id}: {refusal}") from None
        lines.append(line)
        examinees.append(rated["sitting_key"].to_list())
        records.append(
            _record(
                sitting,
                "borderline_regression",
                decided_by,
                line.cut_score,
                station_id=station_id,
                max_score=part.select(pl.col("max_points").cast(pl.Float64).max()).item(),
                standard_error=line.standard_error,
                n_examinees=line.n,
                rmse=line.rmse,
                r_squared=line.r_squared,
                slope=line.slope,
                parameters=parameters | {"is_extrapolated": _is_beyond(at, grades)},
                sensitivity={name: other.cut_score for name, other in others.items()},
            )
        )
    whole = sum(line.cut_score for line in lines)
    record = _record(
        sitting,
        "borderline_regression",
        decided_by,
        whole,
        max_score=exam.max_score,
        standard_error=methods.standard_error_of_sum(lines, examinees),
        n_examinees=stations["sitting_key"].n_unique(),
        parameters=parameters
        | {"is_extrapolated": any(one.parameters["is_extrapolated"] for one in records)}
        | _minimum(stations, [line.cut_score for line in lines], whole),
        sensitivity={
            name: sum(one.sensitivity[name] for one in records) for name in sorted(assumed)
        },
    )
    return [record, *records]


def _is_beyond(borderline: int, grades: Sequence[Sequence[int]]) -> bool:
    """Return whether the line is read where it has no grades: all are above, or all below."""
    given = [code for codes in grades for code in codes]
    return not min(given) <= borderline <= max(given)


def _minimum(stations: pl.DataFrame, cuts: list[float], whole: float) -> dict[str, Any]:
    """Return the stations that a borderline examinee passes, by those who met every station."""
    wide = stations.pivot("station_id", index="sitting_key", values="points").drop("sitting_key")
    if wide.width < 2:
        return {}
    scores = wide.drop_nulls().cast(pl.Float64).to_numpy()
    try:
        found = methods.minimum_stations(scores, np.array(cuts), whole)
    except UnmeasurableError as refusal:
        return {"minimum_stations": None, "why_no_minimum": str(refusal)}
    return {
        "n_met_every_station": len(scores),
        "minimum_stations": found.minimum,
        "expected_stations": round(found.expected, 4),
        "n_failing_by_stations_alone": found.n_failing_by_it_alone,
    }


def _record(
    sitting: Sitting,
    method: str,
    decided_by: str,
    cut_score: float,
    *,
    max_score: float | None,
    station_id: str | None = None,
    **fields: Any,
) -> CutScore:
    """Return the record of a cut-score that somebody can reach.

    Raises:
        UnmeasurableError: it lies below 0 or above the most points.
    """
    most = None if max_score is None else float(max_score)
    if cut_score < 0 or (most is not None and cut_score > most + SLACK):
        where = "the exam" if station_id is None else f"station {station_id}"
        top = "" if most is None else f" to {most:g}"
        raise UnmeasurableError(
            f"The cut-score of {where} would be {cut_score:.2f}, and its points go from 0{top}: "
            "check what the method was given."
        )
    return CutScore(
        **sitting,
        method=method,
        cut_score=cut_score,
        max_score=most,
        station_id=station_id,
        decided_by=decided_by,
        source=SOURCES[method],
        **fields,
    )
