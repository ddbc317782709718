"""What the current edition says of a sitting whose standard is set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from pipelines.home import Home
from pipelines.measurement.refusal import UnmeasurableError
from pipelines.warehouse.cut_scores import PLACES
from pipelines.warehouse.editions import DATABASE, folder_of

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
            f"{listed([str(one) for one in sittings]) or 'none of that exam'}. "
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


def totals_of(home: Home, sitting: Sitting, max_score: float | None) -> Any:
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


def stations_of(home: Home, sitting: Sitting) -> pl.DataFrame:
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


def told_wrong(wrong: Mapping[str, float | None], items: Sequence[str]) -> list[float]:
    """Return what a wrong answer to each of the items gives, in points.

    Raises:
        UnmeasurableError: of an item that is not known.
    """
    untold = sorted(name for name in items if wrong[name] is None)
    if untold:
        raise UnmeasurableError(
            f"Points were taken off at {listed(untold)}, and no task says how many: deliver the "
            "exam as a task with scoring_rule formula, points_right and points_wrong."
        )
    return [float(wrong[name] or 0) for name in items]


def wrong_share(exam: Exam) -> float:
    """Return what a wrong answer gives for each point of a right one, alike at all items.

    Raises:
        UnmeasurableError: it is not known, or not alike.
    """
    points, wrong = exam.points, exam.wrong
    if not points:
        points, wrong = {"the exam": exam.each[0]}, {"the exam": exam.each[1]}
    least = told_wrong(wrong, list(points))
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


def refuse_other_total(exam: Exam, offered: float, words: str) -> None:
    """Refuse what offers other points than the sitting does.

    Raises:
        UnmeasurableError: it does; `words` begins the sentence.
    """
    if exam.max_score is not None and abs(offered - exam.max_score) > SLACK:
        raise UnmeasurableError(
            f"{words} {offered:g} points, and the sitting {exam.max_score:g}: "
            "every item counts, and counts once."
        )


def listed(names: Sequence[str]) -> str:
    """Return some names for a sentence, and how many more there are."""
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
