"""Progress tests, open written tasks, the OSCE and multisource feedback of a block."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from pipelines.synth import model
from pipelines.synth.patterns import ESSAY_COMPETENCIES, LEAVES_NO_STATION, place_of
from pipelines.synth.people import (
    COMPETENCIES,
    Block,
    Bools,
    Floats,
    Ints,
    as_date,
    away,
    day_number,
)

MSF_ITEMS = ("Communication", "Teamwork", "Reliability", "Respect for patients")
MSF_GROUPS = ("self", "senior", "peer", "nurse", "allied_health", "patient")
MSF_HIGHEST = 6
ESSAY_POINTS = 20
STATION_POINTS = 20
GLOBAL_RATINGS = ("fail", "borderline", "pass", "good")


def sittings(block: Block, days: list[str]) -> list[tuple[int, int]]:
    """Return every past day of these as (year, days since 1970), the first first."""
    last = block.request.parameters.school.last_day.value
    first = last.year - block.request.years + 1
    found = []
    for year in range(first, last.year + 1):
        for text in days:
            day = date(year, int(text[:2]), int(text[3:]))
            if day <= last:
                found.append((year, day_number(day)))
    return found


def task_id(block: Block, kind: str, day: int, number: int | None = None) -> str:
    """Return the id of an exam or essay of a day."""
    on = as_date(day)
    if kind == "essay":
        return f"{block.request.prefix}essay-{on:%Y-%m}"
    if kind == "progress":
        return f"{block.request.prefix}progress-{on.year}-{number}"
    return f"{block.request.prefix}osce-{on.year}"


def progress(block: Block) -> pl.DataFrame:
    """Return progress tests: who was away or absent has no score, and not zero."""
    exams, rng = block.request.parameters.exams, block.generator("progress")
    parts = []
    per_year = len(exams.progress_sittings.value)
    for place, (_, day) in enumerate(sittings(block, exams.progress_sittings.value)):
        who = _enrolled(block, day)
        n = len(who)
        gone = away(block.learners, who, np.full(n, day))
        gone |= rng.random(n) < exams.progress_absent_share.value
        grown = _grown(block, who, day)
        share = np.clip(
            exams.progress_start.value
            + exams.progress_growth.value * grown
            + exams.progress_learner_sd.value * block.learners.general[who]
            + rng.normal(0, exams.progress_noise_sd.value, n),
            0.05,
            0.95,
        )
        items = exams.progress_items.value
        right = np.rint(items * share).astype(np.int64)
        guess = rng.uniform(*exams.progress_guess.value, n)
        wrong = np.minimum(items - right, np.rint(guess * (items - right)).astype(np.int64))
        quarters = 4 * right - wrong
        numbers = {
            "Right": right,
            "Wrong": wrong,
            "Don't know": items - right - wrong,
        }
        frame = pl.DataFrame(
            {
                "Programme": [block.request.programme] * n,
                "Test": [task_id(block, "progress", day, place % per_year + 1)] * n,
                "Student": _ids(block, who),
                "Date": [as_date(day).isoformat()] * n,
                "Present": pl.Series(("yes", "no")).gather(gone.astype(np.int64)),
                **{name: _text(values, gone) for name, values in numbers.items()},
                "Score": [
                    "" if missing else f"{value / 4:.2f}"
                    for value, missing in zip(quarters, gone, strict=True)
                ],
            }
        )
        parts.append(frame)
    return _stacked(
        parts,
        (
            "Programme",
            "Test",
            "Student",
            "Date",
            "Present",
            "Right",
            "Wrong",
            "Don't know",
            "Score",
        ),
    )


def essays(block: Block) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return essays as they are sent, and the truth of each."""
    exams, rng = block.request.parameters.exams, block.generator("essays")
    parts, truths = [], []
    struggling = block.request.parameters.pattern("struggling_learner")
    for _, day in sittings(block, exams.essay_days.value):
        who = _enrolled(block, day)
        who = who[~away(block.learners, who, np.full(len(who), day))]
        n = len(who)
        has = block.learners.planted.has(place_of(block.request, struggling.id))[who]
        has &= day >= block.last_day - struggling.onset_days.value
        lost = np.where(has, block.request.effect(struggling.id), 0.0) * (
            exams.essay_learner_sd.value
            / model.component_sd(block, model.reference(block), "learner")
        )
        expected = (
            exams.essay_mean.value
            + exams.essay_learner_sd.value * _seen_in_essays(block, who, day)
            - lost
        )
        mark = np.clip(np.rint(expected + rng.normal(0, exams.essay_noise_sd.value, n)), 2, 20)
        late = rng.random(n) < exams.essay_late_share.value
        days_late = rng.integers(1, exams.essay_late_days.value + 1, n)
        handed_in = day + np.where(late, days_late, -rng.integers(0, 4, n))
        unmarked = rng.random(n) < exams.essay_unmarked_share.value
        task = task_id(block, "essay", day)
        dates = pl.Series(handed_in.astype("datetime64[D]"))
        parts.append(
            pl.DataFrame(
                {
                    "Programme": [block.request.programme] * n,
                    "Task": [task] * n,
                    "Student": _ids(block, who),
                    "Handed in": dates.dt.to_string("%Y-%m-%d"),
                    "Mark": _text(mark.astype(np.int64), unmarked),
                }
            )
        )
        truths.append(
            pl.DataFrame(
                {
                    "learner_id": _ids(block, who),
                    "task_id": [task] * n,
                    "day": dates,
                    "expected": expected.astype(np.float32),
                    "mark": mark.astype(np.int8),
                    "is_marked": ~unmarked,
                }
            )
        )
    columns = ("Programme", "Task", "Student", "Handed in", "Mark")
    names = ("learner_id", "task_id", "day", "expected", "mark", "is_marked")
    return _stacked(parts, columns), _stacked(truths, names)


def stations(block: Block) -> pl.DataFrame:
    """Return OSCE stations: a checklist and the examiner's global rating."""
    exams, rng = block.request.parameters.exams, block.generator("osce")
    n_stations = min(exams.osce_stations.value, len(COMPETENCIES))
    parts = []
    for _, day in sittings(block, [exams.osce_day.value]):
        who = _enrolled(block, day)
        who = who[~away(block.learners, who, np.full(len(who), day))]
        who = np.repeat(who, n_stations)
        station = np.tile(np.arange(n_stations), len(who) // n_stations)
        present = ~_leaves_no_station(block, who, station)
        who, station = who[present], station[present]
        n = len(who)
        days = np.full(n, day)
        examiner = rng.integers(0, len(block.assessors), n)
        short = model.secured_shortfall(block, who, days)
        base = model.expected_level(block, who, station, days) - short
        growth = block.request.parameters.growth
        years = (base - growth.entry_level.value) / growth.levels_per_year.value
        points = (
            exams.osce_mean.value
            + exams.osce_growth.value * years
            + exams.osce_learner_sd.value * model.ability(block, who, station, days, 0)
            - exams.osce_examiner_sd.value * block.assessors.stringency[examiner]
            + rng.normal(0, exams.osce_noise_sd.value, n)
        )
        checklist = np.clip(np.rint(points), 0, STATION_POINTS).astype(np.int64)
        rating = np.searchsorted(exams.osce_steps.value, checklist, side="right")
        at = day * 86_400 + 9 * 3600 + (station + 1) * 720
        parts.append(
            pl.DataFrame(
                {
                    "programme": [block.request.programme] * n,
                    "exam": [task_id(block, "osce", day)] * n,
                    "student": _ids(block, who),
                    "station": pl.Series([f"S{k + 1}" for k in range(n_stations)]).gather(station),
                    "epa": pl.Series(COMPETENCIES).gather(station),
                    "examiner": pl.Series(block.assessors.ids).gather(examiner),
                    "checklist": checklist,
                    "max": np.full(n, STATION_POINTS),
                    "global": pl.Series(GLOBAL_RATINGS).gather(rating),
                    "at": pl.from_epoch(pl.Series(at), time_unit="s").dt.to_string(
                        "%Y-%m-%dT%H:%M:%S+00:00"
                    ),
                }
            )
        )
    columns = (
        "programme",
        "exam",
        "student",
        "station",
        "epa",
        "examiner",
        "checklist",
        "max",
        "global",
        "at",
    )
    return _stacked(parts, columns)


def multisource(block: Block) -> pl.DataFrame:
    """Return multisource feedback, one row a respondent; marks pile up at the top."""
    msf, rng = block.request.parameters.msf, block.generator("msf")
    parts, first = [], 1
    day_text = f"{msf.month.value:02d}-{msf.day.value:02d}"
    for _, day in sittings(block, [day_text]):
        members = _enrolled(block, day)
        members = members[~away(block.learners, members, np.full(len(members), day))]
        least, most = msf.respondents.value
        counts = rng.integers(least, most + 1, (len(members), len(MSF_GROUPS)))
        counts[:, 0] = 1
        who = np.repeat(members, counts.sum(axis=1))
        group = np.repeat(np.tile(np.arange(len(MSF_GROUPS)), len(members)), counts.ravel())
        n = len(who)
        mean = (
            msf.mean.value
            + msf.learner_sd.value * block.learners.general[who]
            + np.where(group == 0, msf.self_difference.value, 0)
        )
        skewed = _skewed(rng, (n, len(MSF_ITEMS)), msf.skew.value) * msf.residual_sd.value
        marks = np.clip(np.rint(mean[:, None] + skewed), msf.lowest.value, MSF_HIGHEST)
        blank = rng.random((n, len(MSF_ITEMS))) < msf.blank_share.value
        numbers = first + np.arange(n) + block.number * 10_000_000
        first += n
        parts.append(
            pl.DataFrame(
                {
                    "Response": pl.Series(numbers)
                    .to_frame("n")
                    .select(pl.format(f"{block.request.prefix}M{{}}", "n"))[:, 0],
                    "Programme": [block.request.programme] * n,
                    "Student": _ids(block, who),
                    "Group": pl.Series(MSF_GROUPS).gather(group),
                    "Date": [as_date(day).isoformat()] * n,
                    **{
                        item: _text(marks[:, place].astype(np.int64), blank[:, place])
                        for place, item in enumerate(MSF_ITEMS)
                    },
                    "Comment": [""] * n,
                }
            )
        )
    columns = ("Response", "Programme", "Student", "Group", "Date", *MSF_ITEMS, "Comment")
    return _stacked(parts, columns)


def _seen_in_essays(block: Block, who: Ints, day: int) -> Floats:
    """Return ability in what essays are about, in standard deviations."""
    days = np.full(len(who), day)
    places = [COMPETENCIES.index(code) for code in ESSAY_COMPETENCIES]
    each = [model.ability(block, who, np.full(len(who), place), days, 0) for place in places]
    mean: Floats = np.mean(each, axis=0)
    return mean


def _leaves_no_station(block: Block, who: Ints, station: Ints) -> Bools:
    """Tell whose planted pattern leaves no observed evidence on what the station is about."""
    planted = block.learners.planted
    has = np.isin(
        planted.pattern[who], [place_of(block.request, name) for name in LEAVES_NO_STATION]
    )
    about: Bools = has & (planted.competency[who] == station)
    return about


def _grown(block: Block, who: Ints, day: int) -> Floats:
    """Return years of growth in knowledge by the day."""
    growth = block.request.parameters.growth
    days = np.full(len(who), day)
    level = model.expected_level(block, who, np.zeros(len(who), dtype=np.int64), days)
    level = level - model.secured_shortfall(block, who, days)
    return (level - growth.entry_level.value) / growth.levels_per_year.value


def _enrolled(block: Block, day: int) -> Ints:
    learners = block.learners
    here = (learners.entered_on + 14 <= day) & (day <= learners.leaves_on)
    return np.flatnonzero(here)


def _ids(block: Block, who: Ints) -> pl.Series:
    return pl.Series(block.learners.ids, dtype=pl.String).gather(who)


def _text(values: Ints, blank: Bools) -> pl.Series:
    text = pl.Series(values).cast(pl.String)
    return pl.select(pl.when(pl.Series(blank)).then(pl.lit("")).otherwise(text)).to_series()


def _skewed(rng: np.random.Generator, shape: tuple[int, int], skew: float) -> Floats:
    """Return skew-normal numbers of mean 0 and SD 1 with the long tail below."""
    delta = skew / np.sqrt(1 + skew**2)
    one, other = rng.standard_normal(shape), rng.standard_normal(shape)
    raw = delta * np.abs(one) + np.sqrt(1 - delta**2) * other
    mean = delta * np.sqrt(2 / np.pi)
    scaled: Floats = -(raw - mean) / np.sqrt(1 - mean**2)
    return scaled


def _stacked(parts: list[pl.DataFrame], columns: tuple[str, ...]) -> pl.DataFrame:
    if parts:
        return pl.concat(parts).select(columns)
    return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
