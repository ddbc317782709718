"""Sets cut-scores from what a sitting and its panel gave, by the methods of measurement."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from pipelines.home import Home
from pipelines.measurement import standard_setting as methods
from pipelines.measurement.refusal import UnmeasurableError
from pipelines.warehouse.cut_scores import PLACES, CutScore
from pipelines.warehouse.editions import DATABASE, folder_of

SOURCES = {
    "angoff": "Angoff 1971; Brennan and Lockwood 1980, Appl Psychol Meas 4:219",
    "ebel": "Ebel 1972, Essentials of Educational Measurement",
    "hofstee": "Hofstee 1983, in Anderson and Helmick (eds.), On Educational Testing",
    "cohen": "Cohen-Schotanus and van der Vleuten 2010, Med Teach 32:154",
    "borderline_regression": (
        "Kramer et al. 2003, Med Educ 37:132; Hejri et al. 2013, J Res Med Sci 18:887"
    ),
}

SLACK = 1e-6
NAMED = 10
"""How many items an error names at most."""

Sitting = Mapping[str, str]


@dataclass(frozen=True)
class Exam:
    """What the current edition says of one sitting.

    Attributes:
        points: by item, the points that it offers, or None where nobody said; empty where the
            source sent totals alone. An item of a station whose name other stations use too is
            named `station/item`.
        wrong: by item, the points of a wrong answer, or None where points were taken off and no
            rule says how many.
        max_score: the most points; None where nobody said.
        each: the points of a right and of a wrong answer to an item of which nothing more is known.
    """

    points: dict[str, float | None]
    wrong: dict[str, float | None]
    max_score: float | None
    each: tuple[float, float | None]


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
    rounds = [_judged(exam, panel) for panel in panels]
    last = rounds[-1]
    parameters: dict[str, Any] = {"n_items": last.n_items, "min_score": last.min_score}
    if len(rounds) > 1:
        parameters["earlier_rounds"] = [_told(one) for one in rounds[:-1]]
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


def _judged(exam: Exam, panel: Path) -> Round:
    """Return what a panel's file of one round gives."""
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


def _told(one: Round) -> dict[str, Any]:
    """Return what is kept of an earlier round."""
    error = one.found.standard_error
    return {
        "cut_score": round(one.found.cut_score, PLACES),
        "standard_error": None if error is None else round(error, PLACES),
        "panel": {judge: round(cut, PLACES) for judge, cut in one.by_judge.items()},
    }


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
    _refuse_others("ebel", parameters, ("items", "expected"))
    items, expected = _named(parameters, "items"), _named(parameters, "expected")
    exam = exam_of(home, sitting, is_ahead=is_ahead)
    wrong_share = _wrong_share(exam)
    cut = methods.ebel(items, expected, wrong_share=wrong_share)
    most = float(sum(items.values()))
    _refuse_other_total(exam, most, "The classes of items offer")
    return [
        _record(
            sitting,
            "ebel",
            decided_by,
            cut,
            max_score=most,
            parameters=parameters | {"min_score": most * wrong_share},
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
    _refuse_unfit(method, chosen[method], parameters)
    exam = exam_of(home, sitting)
    scores = _totals(home, sitting, exam.max_score)
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
    _refuse_others("borderline_regression", parameters, ("grades", "borderline", "positions"))
    codes, borderline = _codes(parameters), parameters.get("borderline")
    if borderline not in codes:
        raise UnmeasurableError(f"The borderline grade {borderline!r} is none of the grades.")
    at = codes[borderline]
    assumed = methods.alternative_positions(list(codes.values()), at) | _positions(
        parameters, codes
    )
    exam = exam_of(home, sitting)
    stations = _stations(home, sitting)
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
        _refuse_other_total(exam, len(items) * right, f"The judged items, at {right:g} each, offer")
        return [right] * len(items), _told_wrong(dict.fromkeys(items, wrong), items)
    unknown = [f"{name or 'no name'} (line {lines[name][0]})" for name in items]
    unknown = [told for told, name in zip(unknown, items, strict=True) if name not in exam.points]
    if unknown:
        raise UnmeasurableError(f"{panel}: the sitting has no item {_listed(unknown)}.")
    unjudged = sorted(exam.points.keys() - lines.keys())
    if unjudged:
        raise UnmeasurableError(
            f"{panel}: {len(unjudged)} of {len(exam.points)} items of the sitting were not judged: "
            f"{_listed(unjudged)}."
        )
    told = {name: points for name, points in exam.points.items() if points is not None}
    untold = sorted(exam.points.keys() - told.keys())
    if untold:
        raise UnmeasurableError(
            f"The current edition does not say how many points there are for {_listed(untold)}: "
            "deliver max_score with the responses, or points_right with the task."
        )
    return [told[name] for name in items], _told_wrong(exam.wrong, items)


def _told_wrong(wrong: Mapping[str, float | None], items: Sequence[str]) -> list[float]:
    """Return what wrong answers to the items give, where that is known."""
    untold = sorted(name for name in items if wrong[name] is None)
    if untold:
        raise UnmeasurableError(
            f"Points were taken off at {_listed(untold)}, and no task says how many: deliver the "
            "exam as a task with scoring_rule formula, points_right and points_wrong."
        )
    return [float(wrong[name] or 0) for name in items]


def _wrong_share(exam: Exam) -> float:
    """Return what a wrong answer gives for each point of a right one, alike at all items."""
    points, wrong = exam.points, exam.wrong
    if not points:
        points, wrong = {"the exam": exam.each[0]}, {"the exam": exam.each[1]}
    least = _told_wrong(wrong, list(points))
    shares = {
        round(given / most, PLACES) if given and most else 0.0
        for given, most in zip(least, points.values(), strict=True)
    }
    if len(shares) > 1:
        raise UnmeasurableError(
            "A wrong answer does not cost the same share of the points at every item, and ebel "
            "knows classes of items only: use angoff."
        )
    return shares.pop()


def _refuse_other_total(exam: Exam, offered: float, words: str) -> None:
    if exam.max_score is not None and abs(offered - exam.max_score) > SLACK:
        raise UnmeasurableError(
            f"{words} {offered:g} points, and the sitting {exam.max_score:g}: "
            "every item counts, and counts once."
        )


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


def _refuse_others(method: str, parameters: Mapping[str, Any], takes: Sequence[str]) -> None:
    unknown = sorted(parameters.keys() - set(takes))
    if unknown:
        raise UnmeasurableError(
            f"{method} does not take {', '.join(unknown)}: it takes {', '.join(takes)}."
        )


def _refuse_unfit(
    method: str, function: Callable[..., float], parameters: Mapping[str, Any]
) -> None:
    """Refuse parameters that a method does not take, lacks, or that are no numbers."""
    takes = {
        name: one.default is one.empty
        for name, one in signature(function).parameters.items()
        if one.kind is one.KEYWORD_ONLY
    }
    _refuse_others(method, parameters, list(takes))
    missing = [name for name, is_needed in takes.items() if is_needed and name not in parameters]
    if missing:
        raise UnmeasurableError(f"{method} needs {', '.join(missing)}.")
    for name, value in parameters.items():
        _number(value, name)


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise UnmeasurableError(f"{name} is a number, not {json.dumps(value)}.")
    return float(value)


def _named(parameters: Mapping[str, Any], name: str) -> dict[str, float]:
    value = parameters.get(name)
    if not isinstance(value, dict) or not value:
        raise UnmeasurableError(f"Give {name} as names with numbers, such as {_EXAMPLE[name]}.")
    return {key: _number(one, f"{name}, {key},") for key, one in value.items()}


def _codes(parameters: Mapping[str, Any]) -> dict[str, int]:
    """Return the code of each grade: whole numbers, each once."""
    given = _named(parameters, "grades")
    codes = {grade: int(code) for grade, code in given.items()}
    if any(code != given[grade] for grade, code in codes.items()):
        raise UnmeasurableError("The codes of grades are whole numbers; distances are positions.")
    if len(set(codes.values())) < len(codes):
        raise UnmeasurableError("Two grades have the same code.")
    return codes


def _positions(
    parameters: Mapping[str, Any], codes: Mapping[str, int]
) -> dict[str, dict[int, float]]:
    """Return the positions of grades that were asked for, by name of the assumption."""
    given = parameters.get("positions", {})
    if not isinstance(given, dict):
        raise UnmeasurableError(f"Give positions by name, such as {_EXAMPLE['positions']}.")
    found = {}
    for name, placed in given.items():
        if not isinstance(placed, dict) or placed.keys() != codes.keys():
            raise UnmeasurableError(f"positions, {name}: give one for {', '.join(codes)}.")
        found[name] = {
            codes[grade]: _number(at, f"positions, {name}, {grade},")
            for grade, at in placed.items()
        }
    return found


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


_EXAMPLE = {
    "items": json.dumps({"essential easy": 20}),
    "expected": json.dumps({"essential easy": 0.9}),
    "grades": json.dumps({"fail": 0, "borderline": 1, "pass": 2}),
    "positions": json.dumps({"ours": {"fail": 0, "borderline": 1.5, "pass": 2}}),
}


def exam_of(home: Home, sitting: Sitting, *, is_ahead: bool = False) -> Exam:
    """Return what the current edition says of a sitting; of one to come, the rule of its task.

    Raises:
        UnmeasurableError: it has no such sitting, or has one that is said to be still to come.
    """
    totals = _ask(
        home,
        "select sitting_id, max(max_points) as max_points, min(points) as least "
        "from fct_exam_sitting "
        "where programme_id = ? and task_id = ? group by all order by all",
        sitting,
        ("programme_id", "task_id"),
    )
    sittings = {name: (most, least) for name, most, least in totals.iter_rows()}
    each = _each(home, sitting)
    if is_ahead:
        if sitting["sitting_id"] in sittings:
            raise UnmeasurableError("That sitting is in the edition already: leave --ahead out.")
        return Exam({}, {}, None, each or (1.0, 0.0))
    if sitting["sitting_id"] not in sittings:
        raise UnmeasurableError(
            f"The current edition has no sitting {sitting['sitting_id']} of "
            f"{sitting['task_id']} in programme {sitting['programme_id']}; it has "
            f"{_listed([str(one) for one in sittings]) or 'none of that exam'}. "
            "For a sitting that is still to come, angoff and ebel take --ahead."
        )
    items = _ask(
        home,
        "with offered as (select station_id, item_id, max(max_points) as most, "
        "case when min(points) >= 0 then coalesce(min(points_wrong), 0) else min(points_wrong) end "
        "as wrong from fct_exam_response where programme_id = ? and task_id = ? and sitting_id = ? "
        "and not is_banked and points is not null group by all) "
        "select case when count(*) over (partition by item_id) = 1 then item_id "
        "else concat_ws('/', station_id, item_id) end as item, most, wrong "
        "from offered order by item",
        sitting,
    )
    points = {name: _or_none(most) for name, most, _ in items.iter_rows()}
    wrong = {name: _or_none(given) for name, _, given in items.iter_rows()}
    if not points:
        most, least = sittings[sitting["sitting_id"]]
        return Exam({}, {}, _or_none(most), each or (1.0, 0.0 if (least or 0) >= 0 else None))
    told = [most for most in points.values() if most is not None]
    return Exam(points, wrong, sum(told) if len(told) == len(points) else None, (1.0, 0.0))


def _each(home: Home, sitting: Sitting) -> tuple[float, float] | None:
    """Return what a right and a wrong answer give by the formula of the exam's task, if any."""
    rules = _ask(
        home,
        "select coalesce(points_right, 1), coalesce(points_wrong, 0) from dim_task "
        "where programme_id = ? and task_id = ? and scoring_rule = 'formula'",
        sitting,
        ("programme_id", "task_id"),
    )
    for right, wrong in rules.iter_rows():
        return float(right), float(wrong)
    return None


def _or_none(value: Any) -> float | None:
    return None if value is None else float(value)


def _totals(home: Home, sitting: Sitting, max_score: float | None) -> Any:
    """Return the points of everybody who sat all of it: of several attempts, of the first.

    Raises:
        UnmeasurableError: nobody was marked out of all its points.
    """
    frame = _ask(
        home,
        "select points, max_points from fct_exam_sitting where programme_id = ? and task_id = ? "
        "and sitting_id = ? and points is not null and not is_banked "
        "qualify row_number() over (partition by learner_key order by attempt) = 1 "
        "order by sitting_key",
        sitting,
    ).cast({"points": pl.Float64, "max_points": pl.Float64})
    whole = frame
    if max_score is not None:
        whole = frame.filter((pl.col("max_points") - max_score).abs().fill_null(0) <= SLACK)
    if whole.is_empty() and not frame.is_empty():
        raise UnmeasurableError(
            f"None of {len(frame)} examinees was marked out of all {max_score:g} points of the "
            "sitting: forms that share no examinee need a cut-score each, as sittings of their own."
        )
    return whole["points"].to_numpy()


def _stations(home: Home, sitting: Sitting) -> pl.DataFrame:
    """Return one row a station and examinee: its points, and the global grades of its examiners.

    Of several attempts at the sitting the first counts.

    Raises:
        UnmeasurableError: the edition has no station of that sitting with a global grade.
    """
    frame = _ask(
        home,
        "with responses as (select * from fct_exam_response "
        "where programme_id = ? and task_id = ? and sitting_id = ? "
        "and station_id is not null and points is not null and not is_banked "
        "qualify attempt = min(attempt) over (partition by learner_key)), "
        "items as (select sitting_key, station_id, item_id, avg(points) as points, "
        "max(max_points) as max_points from responses group by all), "
        "scores as (select sitting_key, station_id, sum(points) as points, "
        "sum(max_points) as max_points from items group by all), "
        "given as (select distinct sitting_key, station_id, examiner_key, global_rating "
        "from responses where global_rating is not null), "
        "grades as (select sitting_key, station_id, "
        "list(global_rating order by examiner_key, global_rating) as global_ratings "
        "from given group by all) "
        "select scores.*, grades.global_ratings from scores "
        "left join grades using (sitting_key, station_id) order by station_id, sitting_key",
        sitting,
    )
    if frame["global_ratings"].null_count() == len(frame):
        raise UnmeasurableError("No station of that sitting has a global grade.")
    return frame


def _ask(
    home: Home,
    sql: str,
    sitting: Sitting,
    names: Sequence[str] = ("programme_id", "task_id", "sitting_id"),
) -> pl.DataFrame:
    edition = folder_of(home, None)
    with duckdb.connect(str(edition / DATABASE), read_only=True) as connection:
        given = [sitting[name] for name in names]
        try:
            found: pl.DataFrame = connection.sql(sql, params=given).pl()
        except duckdb.BinderException:
            raise UnmeasurableError(
                "The current edition is of an earlier release, which did not publish what this "
                "needs: make a new one with tessera run."
            ) from None
    return found
