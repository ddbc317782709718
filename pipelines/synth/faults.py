"""Faults that real exports have, planted among a block's forms, each with its expected outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

from pipelines.synth.people import Block, Ints, day_number
from pipelines.synth.request import EXPORTED_BEFORE
from pipelines.synth.words import HOSTILE_TEXTS, IDENTIFIED_PATIENTS, LABEL_TYPOS, LABEL_WORDS
from pipelines.synth.workplace import DAY_SECONDS, FORM_COLUMNS, MICROSECONDS, TIME_FORMAT

ACCEPTED, DUPLICATE, SUPERSEDED = "accepted", "duplicate", "superseded"
VOIDED, QUARANTINED = "voided", "quarantined"
OUTCOMES = (ACCEPTED, DUPLICATE, SUPERSEDED, VOIDED, QUARANTINED)
CLEAN_ENCODING_PERIOD = 1
"""The export that is sent in an old encoding, which cannot hold every hostile text."""

Cells = dict[str, pl.Expr | str]


@dataclass(frozen=True)
class Fault:
    """One planted fault: where it is, and what should become of it."""

    kind: str
    file: str
    row: int | None
    record_id: str | None
    expected: tuple[str, ...]
    code: str | None = None
    detail: str | None = None


@dataclass
class Export:
    """The rows of one export of forms, with what should become of each."""

    until: date
    rows: pl.DataFrame
    """The columns of the sheet, then `outcome`, `fault`, `code` and `detail`."""

    def faults(self, file: str) -> list[Fault]:
        """Return what is planted in it."""
        planted = self.rows.with_row_index("row", offset=1).filter(pl.col("fault") != "")
        return [
            Fault(
                kind=row["fault"],
                file=file,
                row=row["row"],
                record_id=row["Form ID"],
                expected=tuple(row["outcome"].split("|")),
                code=row["code"] or None,
                detail=row["detail"] or None,
            )
            for row in planted.iter_rows(named=True)
        ]

    def counts(self) -> dict[str, int]:
        """Return how many rows should have which outcome, the first where several may be."""
        first = self.rows["outcome"].str.split("|").list.first()
        found = dict(first.value_counts().iter_rows())
        return {outcome: found.get(outcome, 0) for outcome in OUTCOMES}


@dataclass
class _Planting:
    block: Block
    rows: pl.DataFrame
    ends: list[date]
    rng: np.random.Generator
    extra: list[pl.DataFrame] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)


def period_ends(block: Block) -> list[date]:
    """Return the days on which exports end: before each meeting, and the last day."""
    last = block.request.parameters.school.last_day.value
    before = (on - EXPORTED_BEFORE for on in block.request.meeting_days)
    return [end for end in before if end < last] + [last]


def exports(block: Block, sheet: pl.DataFrame) -> list[Export]:
    """Return the exports of a block's forms with their overlaps and planted faults.

    Args:
        block: the people.
        sheet: every form, with the second of its submission in `submitted`.
    """
    ends = period_ends(block)
    planting = _Planting(block, _prepared(block, sheet, ends), ends, block.generator("faults"))
    level = block.request.parameters.faults.levels.value[block.request.mess]
    if level > 0:
        _merge_a_person(planting)
        for kind, rate in block.request.parameters.faults.rates.items():
            wanted = max(1, round(rate.value * level * sheet.height / 1000))
            _PLANTERS[kind](planting, kind, wanted)
        _reuse_an_id(planting)
    return [_export(planting, place) for place in range(len(ends))]


def _prepared(block: Block, sheet: pl.DataFrame, ends: Sequence[date]) -> pl.DataFrame:
    bounds = np.array([day_number(end) for end in ends]) * DAY_SECONDS
    submitted = sheet["submitted"].to_numpy()
    period = np.searchsorted(bounds, submitted, side="right")
    overlap = block.request.parameters.faults.overlap_days.value * DAY_SECONDS
    until = bounds[np.minimum(period, len(bounds) - 1)]
    repeated = (submitted >= until - overlap) & (period < len(bounds) - 1)
    return sheet.with_columns(
        pl.Series("period", period),
        pl.Series("repeated", repeated),
        outcome=pl.lit(ACCEPTED),
        fault=pl.lit(""),
        code=pl.lit(""),
        detail=pl.lit(""),
    ).with_row_index("place")


def _export(planting: _Planting, place: int) -> Export:
    rows = planting.rows
    own = rows.filter(pl.col("period") == place)
    again = rows.filter((pl.col("period") == place - 1) & pl.col("repeated")).with_columns(
        outcome=pl.when(pl.col("outcome").str.starts_with(QUARANTINED))
        .then("outcome")
        .otherwise(pl.lit(DUPLICATE)),
        fault=pl.lit(""),
    )
    base = pl.concat([again, own]).sort("submitted", "place")
    extra = [part.filter(pl.col("period") == place) for part in planting.extra]
    laid_out = [*FORM_COLUMNS, "outcome", "fault", "code", "detail"]
    return Export(planting.ends[place], pl.concat([base, *extra]).select(laid_out))


def _candidates(planting: _Planting, condition: pl.Expr | None = None) -> Ints:
    """Return rows that stand in one export only and have no fault yet."""
    alone = (pl.col("period") < len(planting.ends)) & ~pl.col("repeated") & (pl.col("fault") == "")
    wanted = alone if condition is None else alone & condition
    return planting.rows.filter(wanted)["place"].to_numpy()


def _choose(planting: _Planting, wanted: int, condition: pl.Expr | None = None) -> list[int]:
    found = _candidates(planting, condition)
    n = min(wanted, len(found))
    return sorted(int(i) for i in planting.rng.choice(found, n, replace=False)) if n else []


def _mark(
    planting: _Planting, places: list[int], kind: str, outcome: str, code: str, cells: Cells
) -> None:
    """Give rows a fault: other cells, the expected outcome, and the code that it should have."""
    if not places:
        return
    chosen = pl.col("place").is_in(places)
    new = {
        name: pl.when(chosen)
        .then(cell if isinstance(cell, pl.Expr) else pl.lit(cell))
        .otherwise(name)
        for name, cell in cells.items()
    }
    marks = {"outcome": outcome, "fault": kind, "code": code}
    planting.rows = planting.rows.with_columns(
        *(expression.alias(name) for name, expression in new.items()),
        *(
            pl.when(chosen).then(pl.lit(value)).otherwise(name).alias(name)
            for name, value in marks.items()
        ),
    )


def _texts(planting: _Planting, texts: Sequence[str]) -> pl.Expr:
    """Return one of the texts for every row, by its place, so that all of them occur."""
    pool = pl.Series(texts)
    places = planting.rows["place"].cast(pl.Int64) % len(texts)
    return pl.lit(pool.gather(places))


def _wrong_cells(
    outcome: str, code: str, cells: Callable[[_Planting], Cells]
) -> Callable[[_Planting, str, int], None]:
    """Return a planter that spoils cells in place."""

    def planter(planting: _Planting, kind: str, wanted: int) -> None:
        condition = pl.col("period") != CLEAN_ENCODING_PERIOD if kind == "hostile_text" else None
        places = _choose(planting, wanted, condition)
        _mark(planting, places, kind, outcome, code, cells(planting))

    return planter


def _later_copy(
    first: str, cells: Callable[[_Planting], Cells]
) -> Callable[[_Planting, str, int], None]:
    """Return a planter that sends a changed copy with the next export."""

    def planter(planting: _Planting, kind: str, wanted: int) -> None:
        places = _choose(planting, wanted, pl.col("period") < len(planting.ends) - 1)
        _copy(planting, places, kind, 1, ACCEPTED, cells(planting))
        _mark(planting, places, f"{kind}_target", first, "", {})

    return planter


def _copy(
    planting: _Planting, places: list[int], kind: str, later: int, outcome: str, cells: Cells
) -> None:
    if not places:
        return
    changed = planting.rows.with_columns(
        **{
            name: cell if isinstance(cell, pl.Expr) else pl.lit(cell)
            for name, cell in cells.items()
        },
        period=pl.col("period") + later,
        repeated=pl.lit(False),
        outcome=pl.lit(outcome),
        fault=pl.lit(kind),
    )
    planting.extra.append(changed.filter(pl.col("place").is_in(places)))


def _plant_void_before(planting: _Planting, kind: str, wanted: int) -> None:
    places = _choose(planting, wanted, pl.col("period") > 0)
    _copy(planting, places, kind, -1, ACCEPTED, {"Status": "withdrawn"})
    _mark(planting, places, f"{kind}_target", VOIDED, "", {})


def _plant_duplicate_row(planting: _Planting, kind: str, wanted: int) -> None:
    places = _choose(planting, wanted)
    _copy(planting, places, kind, 0, DUPLICATE, {})
    _mark(planting, places, f"{kind}_target", ACCEPTED, "", {})


def _plant_late_form(planting: _Planting, kind: str, wanted: int) -> None:
    """Hand forms in months later; they belong to the export of that day."""
    from_days, below_days = planting.block.request.parameters.faults.late_form_days.value
    latest = (planting.block.last_day - below_days - 8) * DAY_SECONDS
    places = _choose(planting, wanted, pl.col("submitted") < latest)
    days = planting.rng.integers(from_days, below_days, size=len(places))
    later = pl.DataFrame(
        {"place": places, "later": days * DAY_SECONDS},
        schema={"place": planting.rows.schema["place"], "later": pl.Int64},
    )
    rows = planting.rows.join(later, on="place", how="left", maintain_order="left")
    moved = pl.col("submitted") + pl.col("later").fill_null(0)
    stamped = pl.from_epoch(moved * MICROSECONDS, time_unit="us").dt.to_string(TIME_FORMAT)
    marks = rows.select("outcome", "fault", "code", "detail")
    rows = rows.with_columns(
        submitted=moved,
        Submitted=pl.when(pl.col("later").is_null()).then("Submitted").otherwise(stamped),
    )
    fresh = _prepared(
        planting.block, rows.select(*FORM_COLUMNS, "submitted"), planting.ends
    ).with_columns(*marks.get_columns())
    planting.rows = fresh
    _mark(planting, places, kind, ACCEPTED, "", {})


def _plant_clock(month: int, outcome: str, code: str) -> Callable[[_Planting, str, int], None]:
    """Return a planter that dates forms into the hour that the clock skips or repeats."""

    def planter(planting: _Planting, kind: str, wanted: int) -> None:
        last = planting.block.request.parameters.school.last_day.value
        change = _last_sunday(last.year, month)
        after = (day_number(change) + 2) * DAY_SECONDS
        places = _choose(planting, wanted, pl.col("submitted") > after)
        cells: Cells = {
            "Observed": f"{change:%d.%m.%Y} 02:30",
            "Requested": f"{change:%d.%m.%Y} 01:00",
        }
        _mark(planting, places, kind, outcome, code, cells)

    return planter


def _merge_a_person(planting: _Planting) -> None:
    """Let a part of one learner's forms come under the learner's other id."""
    learner = merged_learner(planting.block)
    if learner is None:
        return
    own = planting.block.learners.ids[learner]
    theirs = pl.col("Student").str.to_lowercase() == own.lower()
    places = planting.rows.filter(theirs & (pl.col("place") % 3 == 0))["place"].to_list()
    chosen = pl.col("place").is_in(places)
    planting.rows = planting.rows.with_columns(
        Student=pl.when(chosen).then(pl.lit(other_id(own))).otherwise("Student"),
        fault=pl.when(chosen).then(pl.lit("merged_person")).otherwise("fault"),
        detail=pl.when(chosen).then(pl.lit(own)).otherwise("detail"),
    )


def _reuse_an_id(planting: _Planting) -> None:
    """Add forms about somebody who had a present learner's id before that learner came."""
    block = planting.block
    heir = reusing_learner(block)
    if heir is None:
        return
    entered = int(block.learners.entered_on[heir]) * DAY_SECONDS
    condition = pl.col("submitted") < entered - 30 * DAY_SECONDS
    places = _choose(planting, block.request.parameters.faults.reused_forms.value, condition)
    cells: Cells = {
        "Form ID": pl.col("Form ID") + "R",
        "Student": block.learners.ids[heir],
        "detail": block.learners.ids[heir],
    }
    _copy(planting, places, "reused_id", 0, ACCEPTED, cells)


def merged_learner(block: Block) -> int | None:
    """Return the learner of a block who has two ids, where something is wrong on purpose."""
    if block.request.parameters.faults.levels.value[block.request.mess] == 0:
        return None
    return int(block.generator("merged").integers(len(block.learners)))


def other_id(student_id: str) -> str:
    """Return the other id of a learner who has two."""
    return student_id.replace("s", "x", 1) if "-" not in student_id else f"{student_id}x"


def reusing_learner(block: Block) -> int | None:
    """Return the learner of a block whose id belonged to somebody else before."""
    if block.request.parameters.faults.levels.value[block.request.mess] == 0:
        return None
    newest = np.flatnonzero(block.learners.entry_year == block.learners.entry_year.max())
    if block.request.years < 2:
        return None
    heir = int(block.generator("reused").choice(newest))
    return heir if heir != merged_learner(block) else None


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


_PLANTERS: dict[str, Callable[[_Planting, str, int], None]] = {
    "late_form": _plant_late_form,
    "amended_form": _later_copy(
        SUPERSEDED,
        lambda _: {"What to work on": "Corrected: the earlier text belonged to another form."},
    ),
    "void_after": _later_copy(VOIDED, lambda _: {"Status": "withdrawn"}),
    "void_before": _plant_void_before,
    "duplicate_row": _plant_duplicate_row,
    "unknown_learner": _wrong_cells(
        QUARANTINED, "waiting", lambda p: {"Student": f"{p.block.request.prefix}s999999"}
    ),
    "missing_learner": _wrong_cells(QUARANTINED, "missing", lambda _: {"Student": ""}),
    "missing_competency": _wrong_cells(QUARANTINED, "missing", lambda _: {"EPA": ""}),
    "label_typo": _wrong_cells(
        QUARANTINED, "unknown_label", lambda p: {"Rating": _texts(p, LABEL_TYPOS)}
    ),
    "label_words": _wrong_cells(
        QUARANTINED, "unknown_label", lambda p: {"Rating": _texts(p, LABEL_WORDS)}
    ),
    "date_format": _wrong_cells(
        QUARANTINED, "bad_date", lambda _: {"Observed": "03/05/2026 10:00"}
    ),
    "impossible_date": _wrong_cells(
        QUARANTINED, "bad_date", lambda _: {"Observed": "31.02.2026 10:00"}
    ),
    "future_date": _wrong_cells(
        QUARANTINED,
        "in_future",
        lambda _: {"Observed": "03.09.2031 10:00", "Submitted": "03.09.2031 11:00"},
    ),
    "out_of_order": _wrong_cells(
        QUARANTINED, "out_of_order", lambda _: {"Submitted": "01.01.2000 08:00"}
    ),
    "not_in_list": _wrong_cells(QUARANTINED, "not_in_list", lambda _: {"Complexity": "enormous"}),
    "patient_identifier": _wrong_cells(
        QUARANTINED, "", lambda p: {"What to work on": _texts(p, IDENTIFIED_PATIENTS)}
    ),
    "hostile_text": _wrong_cells(
        ACCEPTED, "", lambda p: {"What went well": _texts(p, HOSTILE_TEXTS)}
    ),
    "clock_gap": _plant_clock(3, ACCEPTED, ""),
    "clock_repeat": _plant_clock(10, ACCEPTED, ""),
}
