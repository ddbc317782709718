"""Sets cut-scores from what a sitting and its panel gave, by the methods of measurement."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from pipelines.home import Home
from pipelines.measurement import standard_setting as methods
from pipelines.measurement.refusal import UnmeasurableError
from pipelines.warehouse.cut_scores import CutScore
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

Sitting = Mapping[str, str]


def angoff(sitting: Sitting, decided_by: str, panel: Path) -> list[CutScore]:
    """Set the cut-score from a CSV of one row an item: its name, then one column a judge.

    Raises:
        UnmeasurableError: the panel cannot carry a cut-score.
    """
    table = pl.read_csv(panel, infer_schema_length=None)
    judges = table.columns[1:]
    if not judges:
        raise UnmeasurableError("The file has no column of a judge after that of the items.")
    try:
        values = table.select(pl.col(judges).cast(pl.Float64)).to_numpy()
    except pl.exceptions.PolarsError:
        raise UnmeasurableError(
            "A judgement is a chance from 0 to 1; one is not a number."
        ) from None
    found = methods.angoff(values)
    return [
        _record(
            sitting,
            "angoff",
            decided_by,
            found.cut_score,
            max_score=len(table),
            standard_error=found.standard_error,
            n_judges=found.n_judges,
            panel=dict(zip(judges, found.by_judge, strict=True)),
            parameters={"n_items": len(table)},
        )
    ]


def ebel(sitting: Sitting, decided_by: str, parameters: dict[str, Any]) -> list[CutScore]:
    """Set the cut-score from points on offer and expected shares by class of items."""
    cut = methods.ebel(_named(parameters, "items"), _named(parameters, "expected"))
    most = float(sum(parameters["items"].values()))
    return [_record(sitting, "ebel", decided_by, cut, max_score=most, parameters=dict(parameters))]


def from_totals(
    home: Home, sitting: Sitting, method: str, decided_by: str, parameters: dict[str, Any]
) -> list[CutScore]:
    """Set the cut-score by Hofstee or Cohen from the scores that the current edition holds."""
    scores = _totals(home, sitting)
    chosen: dict[str, Callable[..., float]] = {"hofstee": methods.hofstee, "cohen": methods.cohen}
    try:
        cut = chosen[method](scores, **parameters)
    except TypeError:
        raise UnmeasurableError(
            f"{method} does not take these parameters: {', '.join(sorted(parameters)) or 'none'}."
        ) from None
    return [
        _record(
            sitting, method, decided_by, cut, n_examinees=len(scores), parameters=dict(parameters)
        )
    ]


def borderline_regression(
    home: Home, sitting: Sitting, decided_by: str, parameters: dict[str, Any]
) -> list[CutScore]:
    """Set the cut-score of every station, and of the exam as their sum.

    `parameters`: `grades`, the code of each global grade as it is written; `borderline`, one of
    them; and, if wanted, `positions`: by name of an assumption, the position of each grade.
    """
    codes, borderline = _named(parameters, "grades"), parameters.get("borderline")
    if borderline not in codes:
        raise UnmeasurableError(f"The borderline grade {borderline!r} is none of the grades.")
    assumed = {
        name: {int(codes[grade]): float(at) for grade, at in placed.items() if grade in codes}
        for name, placed in parameters.get("positions", {}).items()
    }
    stations = _stations(home, sitting)
    unknown = sorted(set(stations["global_rating"].drop_nulls()) - codes.keys())
    if unknown:
        raise UnmeasurableError(f"No code was given for the grade: {', '.join(unknown)}.")
    records, cuts = [], []
    for (station_id,), part in stations.group_by("station_id", maintain_order=True):
        rated = part.drop_nulls("global_rating")
        found = methods.equal_interval_sensitivity(
            rated["points"].cast(pl.Float64).to_numpy(),
            rated["global_rating"].replace_strict(codes, return_dtype=pl.Int64).to_numpy(),
            int(codes[borderline]),
            assumed,
        )
        line = found.pop("equal")
        cuts.append(line)
        records.append(
            _record(
                sitting,
                "borderline_regression",
                decided_by,
                line.cut_score,
                station_id=station_id,
                standard_error=line.standard_error,
                n_examinees=line.n,
                rmse=line.rmse,
                r_squared=line.r_squared,
                slope=line.slope,
                parameters=dict(parameters),
                sensitivity={name: other.cut_score for name, other in found.items()},
            )
        )
    whole = sum(line.cut_score for line in cuts)
    record = _record(
        sitting,
        "borderline_regression",
        decided_by,
        whole,
        standard_error=float(np.sqrt(sum(line.standard_error**2 for line in cuts))),
        n_examinees=stations["sitting_key"].n_unique(),
        parameters=parameters | _minimum(stations, [line.cut_score for line in cuts], whole),
        sensitivity={
            name: sum(one.sensitivity[name] for one in records) for name in sorted(assumed)
        },
    )
    return [record, *records]


def _minimum(stations: pl.DataFrame, cuts: list[float], whole: float) -> dict[str, Any]:
    """Return the stations that a borderline examinee passes, where everybody met every station."""
    wide = stations.pivot("station_id", index="sitting_key", values="points").drop("sitting_key")
    scores = wide.cast(pl.Float64).to_numpy()
    if scores.shape[1] < 2 or not np.isfinite(scores).all():
        return {}
    found = methods.minimum_stations(scores, np.array(cuts), whole)
    return {
        "minimum_stations": found.minimum,
        "expected_stations": round(found.expected, 4),
        "n_failing_by_stations_alone": found.n_failing_by_it_alone,
    }


def _record(
    sitting: Sitting, method: str, decided_by: str, cut_score: float, **fields: Any
) -> CutScore:
    return CutScore(
        **sitting,
        method=method,
        cut_score=cut_score,
        decided_by=decided_by,
        source=SOURCES[method],
        **fields,
    )


def _named(parameters: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = parameters.get(name)
    if not isinstance(value, dict) or not value:
        raise UnmeasurableError(f"Give {name} as names with numbers, such as {_EXAMPLE[name]}.")
    return value


_EXAMPLE = {
    "items": json.dumps({"essential easy": 20}),
    "expected": json.dumps({"essential easy": 0.9}),
    "grades": json.dumps({"fail": 0, "borderline": 1, "pass": 2}),
}


def _totals(home: Home, sitting: Sitting) -> Any:
    frame = _ask(
        home,
        "select points from fct_exam_sitting where programme_id = ? and task_id = ? "
        "and sitting_id = ? and points is not null and not is_banked order by sitting_key",
        sitting,
    )
    return frame["points"].cast(pl.Float64).to_numpy()


def _stations(home: Home, sitting: Sitting) -> pl.DataFrame:
    """Return one row a station and sitting: its points and its global grade.

    Raises:
        UnmeasurableError: the edition has no station of that sitting with a global grade.
    """
    frame = _ask(
        home,
        "with items as (select sitting_key, station_id, item_id, avg(points) as points, "
        "min(global_rating) as global_rating from fct_exam_response where programme_id = ? "
        "and task_id = ? and sitting_id = ? and station_id is not null and points is not null "
        "and not is_banked group by all) select sitting_key, station_id, sum(points) as points, "
        "min(global_rating) as global_rating from items group by all "
        "order by station_id, sitting_key",
        sitting,
    )
    if frame["global_rating"].null_count() == len(frame):
        raise UnmeasurableError("No station of that sitting has a global grade.")
    return frame


def _ask(home: Home, sql: str, sitting: Sitting) -> pl.DataFrame:
    edition = folder_of(home, None)
    with duckdb.connect(str(edition / DATABASE), read_only=True) as connection:
        given = [sitting["programme_id"], sitting["task_id"], sitting["sitting_id"]]
        asked: pl.DataFrame = connection.sql(sql, params=given).pl()
    return asked
