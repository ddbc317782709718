"""The invented people of the example cohort, their calendar and what would be seen of them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from pipelines.synth.words import (
    CASE_TYPES,
    CONCERNS,
    EPAS,
    FAMILY_NAMES,
    GIVEN_NAMES,
    IMPROVEMENTS,
    ROTATIONS,
    SETTINGS,
    STRENGTHS,
)

LAST_DAY = date(2026, 11, 20)
ENTRY_YEARS = {2024: 22, 2025: 20, 2026: 18}
ENTRY_DAY = (1, 15)
ROTATION_WEEKS = 6
ASSESSORS_PER_ROTATION = 6
FORMS_PER_MONTH = 6
INSTRUMENTS = ("mini-CEX", "DOPS", "CbD", "ACAT", "EPA observation", "Field note")
ROLES = ("Consultant", "Registrar", "Nurse", "Allied health")


@dataclass(frozen=True)
class Period:
    """A stretch of a learner's calendar."""

    kind: str
    name: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class Student:
    """An invented learner with what only the generator knows: ability and growth."""

    student_id: str
    given_name: str
    family_name: str
    entry_year: int
    ability: float
    growth: float
    mentor_id: str
    calendar: tuple[Period, ...]
    weak_epa: str | None = None

    @property
    def entered_on(self) -> date:
        """Return the first day in the programme."""
        return date(self.entry_year, *ENTRY_DAY)

    def periods(self, kind: str) -> list[Period]:
        """Return the stretches of one kind."""
        return [period for period in self.calendar if period.kind == kind]

    def on(self, day: date, kind: str) -> Period | None:
        """Return the stretch of that kind which holds the day."""
        return next((p for p in self.periods(kind) if p.starts_on <= day <= p.ends_on), None)

    def is_away(self, day: date) -> bool:
        """Tell whether the learner is on leave that day."""
        return self.on(day, "leave") is not None


@dataclass(frozen=True)
class Rater:
    """An invented assessor with a stringency that only the generator knows."""

    staff_id: str
    given_name: str
    family_name: str
    role: str
    rotation: str
    stringency: float


@dataclass(frozen=True)
class Observation:
    """One filled-in form."""

    form_no: int
    student: Student
    rater: Rater
    instrument: str
    epa: str
    level: int
    setting: str
    case_type: str
    complexity: str
    strengths: str
    improvements: str
    is_concern: bool
    observed_at: datetime
    submitted_at: datetime


@dataclass
class Cohort:
    """Everybody in the example, and the forms that were filled in about them."""

    students: list[Student]
    raters: list[Rater]
    observations: list[Observation] = field(default_factory=list)


def make_cohort(rng: random.Random) -> Cohort:
    """Make the people, their calendars and three years of observations."""
    raters = _make_raters(rng)
    students = _make_students(rng, raters)
    cohort = Cohort(students, raters)
    cohort.observations = _observe(rng, cohort)
    return cohort


def stage_on(entry_year: int, day: date) -> int:
    """Return the year of study (1 to 3) on a day."""
    return min(3, max(1, day.year - entry_year + (1 if (day.month, day.day) >= ENTRY_DAY else 0)))


def _make_raters(rng: random.Random) -> list[Rater]:
    raters: list[Rater] = []
    for rotation in ROTATIONS:
        for place in range(ASSESSORS_PER_ROTATION):
            raters.append(
                Rater(
                    staff_id=f"T{2000 + len(raters)}",
                    given_name=rng.choice(GIVEN_NAMES),
                    family_name=rng.choice(FAMILY_NAMES),
                    role=ROLES[place % len(ROLES)],
                    rotation=rotation,
                    stringency=rng.gauss(0, 0.35),
                )
            )
    return raters


def _make_students(rng: random.Random, raters: list[Rater]) -> list[Student]:
    students: list[Student] = []
    for entry_year, size in ENTRY_YEARS.items():
        for _ in range(size):
            number = len(students)
            students.append(
                Student(
                    student_id=f"s{100200 + 7 * number}",
                    given_name=rng.choice(GIVEN_NAMES),
                    family_name=rng.choice(FAMILY_NAMES),
                    entry_year=entry_year,
                    ability=rng.gauss(0, 0.45),
                    growth=rng.uniform(0.7, 1.1),
                    mentor_id=rng.choice(raters).staff_id,
                    calendar=tuple(_calendar(rng, entry_year, has_leave=number % 12 == 5)),
                    weak_epa=EPAS[number % len(EPAS)][0] if number % 9 == 4 else None,
                )
            )
    return students


def _calendar(rng: random.Random, entry_year: int, *, has_leave: bool) -> list[Period]:
    start = date(entry_year, *ENTRY_DAY)
    periods = [Period("enrolment", "MED", start, date(entry_year + 3, 1, 14))]
    for year in (1, 2, 3):
        begins = date(entry_year + year - 1, *ENTRY_DAY)
        periods.append(Period("stage", f"Year {year}", begins, date(begins.year + 1, 1, 14)))
    day, queue = start, list[str]()
    horizon = min(date(entry_year + 3, 1, 14), LAST_DAY + timedelta(days=120))
    while day < horizon:
        queue = queue or rng.sample(ROTATIONS, len(ROTATIONS))
        name = queue.pop()
        ends = day + timedelta(weeks=ROTATION_WEEKS, days=-1)
        periods.append(Period("rotation", name, day, ends))
        day = ends + timedelta(days=1)
    if has_leave:
        leave_from = start + timedelta(days=rng.randrange(150, 250))
        periods.append(
            Period("leave", "parental leave", leave_from, leave_from + timedelta(days=42))
        )
    return periods


def _observe(rng: random.Random, cohort: Cohort) -> list[Observation]:
    by_rotation = {name: [r for r in cohort.raters if r.rotation == name] for name in ROTATIONS}
    seen: list[Observation] = []
    for student in cohort.students:
        day = student.entered_on + timedelta(days=10)
        while day <= LAST_DAY:
            rotation = student.on(day, "rotation")
            if rotation is not None and not student.is_away(day):
                rater = rng.choice(by_rotation[rotation.name])
                seen.append(_one_observation(rng, len(seen), student, rater, day))
            day += timedelta(days=max(1, round(rng.expovariate(FORMS_PER_MONTH / 30))))
    return seen


def _one_observation(
    rng: random.Random, number: int, student: Student, rater: Rater, day: date
) -> Observation:
    epa = rng.choice(EPAS)[0]
    years = (day - student.entered_on).days / 365
    complexity = rng.choice(("low", "medium", "medium", "high"))
    expected = (
        1.9
        + student.ability
        + student.growth * years
        - rater.stringency
        - (1.2 if epa == student.weak_epa else 0)
        - (0.3 if complexity == "high" else 0)
    )
    level = min(5, max(1, round(expected + rng.gauss(0, 0.6))))
    is_concern = (level == 1 and years > 1) or rng.random() < 0.006
    observed_at = datetime.combine(day, time(rng.randrange(8, 18), rng.choice((0, 15, 30, 45))))
    delay = timedelta(hours=rng.choice((1, 3, 20, 26, 50, 120, 300)))
    return Observation(
        form_no=50_000 + number,
        student=student,
        rater=rater,
        instrument=rng.choice(INSTRUMENTS),
        epa=epa,
        level=level,
        setting=rng.choice(SETTINGS),
        case_type=rng.choice(CASE_TYPES),
        complexity=complexity,
        strengths=rng.choice(STRENGTHS) if rng.random() < 0.7 else "",
        improvements=rng.choice(CONCERNS)
        if is_concern
        else (rng.choice(IMPROVEMENTS) if rng.random() < 0.6 else ""),
        is_concern=is_concern,
        observed_at=observed_at,
        submitted_at=observed_at + delay,
    )
