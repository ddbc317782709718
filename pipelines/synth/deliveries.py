"""The example cohort as a school's systems would export it: sheets, lines and some rubbish."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pipelines.synth.cohort import LAST_DAY, Cohort, Observation, Student, stage_on
from pipelines.synth.words import (
    AI_PURPOSES,
    AI_TOOLS,
    DOMAINS,
    EPAS,
    OUTPUT_CHANGES,
    REFLECTIONS,
    VERIFICATION,
)

LEVEL_LABELS = {
    1: "Level 1 - observe only",
    2: "Level 2 - direct supervision",
    3: "Level 3 - indirect supervision",
    4: "Level 4 - unsupervised",
    5: "Level 5 - may supervise others",
}
TARGETS = {1: 2, 2: 3, 3: 4}
MSF_ITEMS = ("Communication", "Teamwork", "Reliability", "Respect for patients")
MSF_GROUPS = ("self", "senior", "peer", "nurse", "allied_health", "patient")
PROGRESS_SITTINGS_A_YEAR = ((3, 10), (6, 12), (9, 15), (11, 5))
PROGRESS_ITEMS = 120
ESSAYS_A_YEAR = ((4, 20, "open"), (10, 12, "open"))


@dataclass(frozen=True)
class Delivery:
    """One file as it lands in the inbox, and when it was sent."""

    path: str
    data: bytes
    sent_at: datetime | None

    @property
    def manifest(self) -> bytes:
        """Return what the sender says about the file: time and checksum."""
        sent = {} if self.sent_at is None else {"sent_at": self.sent_at.isoformat()}
        facts = sent | {"sha256": hashlib.sha256(self.data).hexdigest()}
        return json.dumps(facts, indent=1).encode()


def write(deliveries: Iterable[Delivery], inbox: Path) -> list[Path]:
    """Write deliveries below the inbox, each with its manifest first, and return their paths."""
    written = []
    for delivery in deliveries:
        path = inbox / delivery.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if delivery.sent_at is not None:
            path.with_name(path.name + ".manifest.json").write_bytes(delivery.manifest)
        path.write_bytes(delivery.data)
        written.append(path)
    return written


def make_deliveries(rng: random.Random, cohort: Cohort) -> list[Delivery]:
    """Return everything that the example school sends, rubbish included."""
    return [
        *_people(cohort),
        *_programme(),
        *_forms(rng, cohort),
        *_msf(rng, cohort),
        *_exams(rng, cohort),
        *_declarations(rng, cohort),
        *_words(rng, cohort),
        *_committee(rng, cohort),
        *_rubbish(cohort),
    ]


def _sent(day: date, hour: int = 2) -> datetime:
    return datetime.combine(day, time(hour, 10), tzinfo=UTC)


def _sheet(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    delimiter: str = ",",
    bom: bool = False,
) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


def _lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def _people(cohort: Cohort) -> list[Delivery]:
    roster = _sheet(
        ("Student ID", "Given name", "Family name", "E-mail", "Cohort", "Mentor", "Entry date"),
        (
            (
                s.student_id.upper(),
                s.given_name,
                s.family_name,
                f"{s.student_id}@school.example",
                f"C{s.entry_year}",
                s.mentor_id,
                s.entered_on.isoformat(),
            )
            for s in cohort.students
        ),
        bom=True,
    )
    calendar = _sheet(
        ("Student ID", "Type", "Name", "From", "To", "Planned"),
        (
            (
                s.student_id,
                p.kind,
                p.name,
                p.starts_on.isoformat(),
                p.ends_on.isoformat(),
                "yes" if p.starts_on > LAST_DAY else "no",
            )
            for s in cohort.students
            for p in s.calendar
        ),
    )
    staff = _sheet(
        ("Staff ID", "Given name", "Family name", "Role", "Department", "Trained"),
        (
            (r.staff_id, r.given_name, r.family_name, r.role, r.rotation, "yes" if n % 7 else "no")
            for n, r in enumerate(cohort.raters)
        ),
    )
    background = _sheet(
        ("Student ID", "First in family at university", "Entry route"),
        (
            (s.student_id, ("yes", "no")[n % 3 > 0], ("school", "graduate", "access")[n % 5 % 3])
            for n, s in enumerate(cohort.students)
        ),
    )
    consent = _lines(
        {
            "student": s.student_id,
            "purpose": "research",
            "decision": "given" if n % 4 else "withdrawn",
            "at": _sent(s.entered_on, 9).isoformat(),
        }
        for n, s in enumerate(cohort.students)
    )
    day = _sent(LAST_DAY)
    return [
        Delivery("example_roster/learners.csv", roster, day),
        Delivery("example_calendar/calendar.csv", calendar, day),
        Delivery("example_staff/assessors.csv", staff, day),
        Delivery("example_background/background.csv", background, day),
        Delivery("example_consent/consent.jsonl", consent, day),
    ]


def _programme() -> list[Delivery]:
    entries: list[tuple[Any, ...]] = [
        ("item", f"D{n}", "domain", title, "", n) for n, title in enumerate(DOMAINS, start=1)
    ]
    entries += [("item", code, "epa", title, "", n) for n, (code, title, _) in enumerate(EPAS, 11)]
    entries += [
        ("link", code, "", "", f"D{DOMAINS.index(domain) + 1}", "") for code, _, domain in EPAS
    ]
    framework = _sheet(("Entry", "Code", "Type", "Title", "Parent", "Order"), entries)
    plan = _sheet(
        ("Stage", "EPA", "Required", "Different assessors", "Target level", "Source"),
        (
            (f"Year {year}", code, 4, 2, TARGETS[year], "local choice: example programme handbook")
            for year in TARGETS
            for code, _, _ in EPAS
        ),
    )
    tasks = _lines(_tasks())
    start = _sent(date(2024, 1, 8))
    return [
        Delivery("example_framework/framework.csv", framework, start),
        Delivery("example_plan/plan.csv", plan, start),
        Delivery("example_tasks/tasks.jsonl", tasks, start),
    ]


def _tasks() -> Iterable[dict[str, Any]]:
    for year in (2024, 2025, 2026):
        for month, day, _ in ESSAYS_A_YEAR:
            essay = f"essay-{year}-{month:02d}"
            base = {
                "task": essay,
                "title": f"Case essay {year}/{month}",
                "modality": "written",
                "instrument": "coursework",
                "lane": "open",
                "due": date(year, month, day).isoformat(),
                "max": "20",
                "competencies": ["EPA02", "EPA05"],
            }
            yield base | {
                "ai_level": 2,
                "declaration": True,
                "from": f"{year}-01-01",
                "to": f"{year}-06-30",
            }
            yield base | {
                "ai_level": 3,
                "declaration": True,
                "from": f"{year}-07-01",
                "to": f"{year}-12-31",
            }
        for number, (month, day) in enumerate(PROGRESS_SITTINGS_A_YEAR, start=1):
            yield {
                "task": f"progress-{year}-{number}",
                "title": f"Progress test {number} of {year}",
                "modality": "examination",
                "instrument": "progress_test",
                "lane": "secured",
                "due": date(year, month, day).isoformat(),
                "max": str(PROGRESS_ITEMS),
                "ai_level": 1,
                "declaration": False,
                "from": f"{year}-01-01",
                "scoring": "formula",
                "right": "1",
                "wrong": "-0.25",
                "dont_know": "0",
            }
        yield {
            "task": f"osce-{year}",
            "title": f"OSCE {year}",
            "modality": "examination",
            "instrument": "osce",
            "lane": "secured",
            "due": date(year, 11, 12).isoformat(),
            "max": "160",
            "cut": "88",
            "ai_level": 1,
            "declaration": False,
            "from": f"{year}-01-01",
        }


FORM_COLUMNS = (
    "Form ID",
    "Student",
    "Form",
    "EPA",
    "Rating",
    "Assessor",
    "Assessor role",
    "Place",
    "Case",
    "Complexity",
    "Observed",
    "Submitted",
    "What went well",
    "What to work on",
    "Concern",
    "Status",
)


def _form_row(o: Observation) -> list[str]:
    return [
        f"F{o.form_no}",
        o.student.student_id.upper() if o.form_no % 3 else o.student.student_id,
        o.instrument,
        o.epa,
        LEVEL_LABELS[o.level] if o.form_no % 5 else LEVEL_LABELS[o.level].upper() + " ",
        o.rater.staff_id,
        o.rater.role,
        o.setting,
        o.case_type,
        o.complexity,
        o.observed_at.strftime("%d.%m.%Y %H:%M"),
        o.submitted_at.strftime("%d.%m.%Y %H:%M"),
        o.strengths,
        o.improvements,
        "yes" if o.is_concern else "no",
        "submitted",
    ]


def _forms(rng: random.Random, cohort: Cohort) -> list[Delivery]:
    """One export a half-year; each overlaps the one before by a week, the last has faults."""
    ordered = sorted(cohort.observations, key=lambda o: (o.submitted_at, o.form_no))
    ends = [date(2024, 7, 1), date(2024, 12, 1), date(2025, 7, 1), date(2025, 12, 1)]
    ends += [date(2026, 7, 1), LAST_DAY]
    deliveries, since = [], date(2024, 1, 1)
    for number, until in enumerate(ends):
        rows = [
            _form_row(o)
            for o in ordered
            if since - timedelta(days=7) <= o.submitted_at.date() < until
        ]
        if number == len(ends) - 1:
            rows += _faulty_forms(rng, rows)
        deliveries.append(
            Delivery(
                f"example_forms/forms_to_{until:%Y%m%d}.csv",
                _sheet(FORM_COLUMNS, rows, delimiter=";"),
                _sent(until),
            )
        )
        since = until
    return deliveries


def _faulty_forms(rng: random.Random, rows: list[list[str]]) -> list[list[str]]:
    """Copies of good rows, each with one fault that a real export has."""
    faults: list[dict[str, str]] = [
        {"Rating": "Leve 3 - indirect supervison"},
        {"Rating": "quite good"},
        {"Observed": "31.02.2026 10:00"},
        {"Observed": "03.09.2031 10:00", "Submitted": "03.09.2031 11:00"},
        {"Student": ""},
        {"EPA": ""},
        {"Complexity": "enormous"},
        {"Submitted": "01.01.2024 08:00"},
    ]
    faulty = []
    for number, fault in enumerate(faults):
        row = dict(zip(FORM_COLUMNS, rng.choice(rows), strict=True))
        faulty.append(list((row | {"Form ID": f"F9{number:04d}"} | fault).values()))
    corrected = dict(zip(FORM_COLUMNS, rows[10], strict=True)) | {
        "What to work on": "Corrected: the earlier text belonged to another form.",
    }
    withdrawn = dict(zip(FORM_COLUMNS, rows[20], strict=True)) | {"Status": "withdrawn"}
    unknown = dict(zip(FORM_COLUMNS, rows[30], strict=True)) | {
        "Form ID": "F99990",
        "Student": "s999999",
    }
    return [*faulty, rows[5], *(list(row.values()) for row in (corrected, withdrawn, unknown))]


def _msf(rng: random.Random, cohort: Cohort) -> list[Delivery]:
    rows, number = [], 0
    for student in cohort.students:
        for year in range(student.entry_year, 2027):
            day = date(year, 10, 5)
            for group in MSF_GROUPS:
                for _ in range(1 if group == "self" else rng.randrange(1, 4)):
                    number += 1
                    marks: list[Any] = [
                        min(6, max(3, round(rng.gauss(5.2, 0.7)))) for _ in MSF_ITEMS
                    ]
                    if number % 40 == 0:
                        marks[rng.randrange(len(marks))] = ""
                    rows.append(
                        (f"M{number}", student.student_id, group, day.isoformat(), *marks, "")
                    )
    columns = ("Response", "Student", "Group", "Date", *MSF_ITEMS, "Comment")
    return [Delivery("example_msf/msf.csv", _sheet(columns, rows), _sent(date(2026, 10, 20)))]


def _exams(rng: random.Random, cohort: Cohort) -> list[Delivery]:
    progress: list[tuple[Any, ...]] = []
    essays: list[tuple[Any, ...]] = []
    stations: list[dict[str, Any]] = []
    for student in cohort.students:
        for year in range(student.entry_year, 2027):
            for number, (month, day) in enumerate(PROGRESS_SITTINGS_A_YEAR, start=1):
                on = date(year, month, day)
                progress.append(_progress_row(rng, student, f"progress-{year}-{number}", on))
            for month, day, _ in ESSAYS_A_YEAR:
                due = date(year, month, day)
                late = rng.choice((-3, -1, 0, 0, 2))
                mark = min(20, max(4, round(13 + 2 * student.ability + rng.gauss(0, 2))))
                essays.append(
                    (
                        f"essay-{year}-{month:02d}",
                        student.student_id,
                        (due + timedelta(days=late)).isoformat(),
                        "" if rng.random() < 0.02 else mark,
                    )
                )
            stations += _stations(rng, student, year, cohort)
    return [
        Delivery(
            "example_progress/progress_tests.csv",
            _sheet(
                ("Test", "Student", "Date", "Present", "Right", "Wrong", "Don't know", "Score"),
                progress,
            ),
            _sent(date(2026, 11, 10)),
        ),
        Delivery(
            "example_essays/essays.csv",
            _sheet(("Task", "Student", "Handed in", "Mark"), essays),
            _sent(date(2026, 11, 2)),
        ),
        Delivery(
            "example_osce/stations.jsonl",
            _lines(stations),
            _sent(date(2026, 11, 14)),
        ),
    ]


def _progress_row(rng: random.Random, student: Student, test: str, on: date) -> tuple[Any, ...]:
    if student.is_away(on) or rng.random() < 0.03:
        return (test, student.student_id, on.isoformat(), "no", "", "", "", "")
    years = (on - student.entered_on).days / 365
    share = min(0.9, max(0.05, 0.18 + 0.17 * years + 0.06 * student.ability + rng.gauss(0, 0.03)))
    right = round(PROGRESS_ITEMS * share)
    wrong = min(PROGRESS_ITEMS - right, round(rng.uniform(0.1, 0.3) * (PROGRESS_ITEMS - right)))
    score = right - wrong / 4
    return (
        test,
        student.student_id,
        on.isoformat(),
        "yes",
        right,
        wrong,
        PROGRESS_ITEMS - right - wrong,
        f"{score:.2f}",
    )


def _stations(
    rng: random.Random, student: Student, year: int, cohort: Cohort
) -> Iterable[dict[str, Any]]:
    on = datetime(year, 11, 12, 9, 0, tzinfo=UTC)
    if on.date() > LAST_DAY or student.is_away(on.date()):
        return
    for station in range(1, 9):
        rater = rng.choice(cohort.raters)
        years = stage_on(student.entry_year, on.date())
        points = 9.5 + 1.6 * years + 1.5 * student.ability - rater.stringency + rng.gauss(0, 2)
        checklist = min(20, max(0, round(points)))
        rating = ("fail", "borderline", "pass", "good")[min(3, max(0, (checklist - 7) // 4))]
        yield {
            "exam": f"osce-{year}",
            "student": student.student_id,
            "station": f"S{station}",
            "epa": EPAS[station - 1][0],
            "examiner": rater.staff_id,
            "checklist": checklist,
            "max": 20,
            "global": rating,
            "at": (on + timedelta(minutes=12 * station)).isoformat(),
        }


_ESSAY = '"task": "essay-2026-10", "at": "2026-10-12T17:00:00+00:00"'
FAULTY_DECLARATIONS = (
    f'{{"id": "D90001", "student": "s100200", {_ESSAY}, "status": "used"}}',
    f'{{"id": "D90002", "student": "s100207", {_ESSAY}, "status": "not_used", "status": "used"}}',
    f'{{"id": "D90003", "student": "s100214", {_ESSAY}, "status": "not_used", "score": NaN}}',
    f'{{"id": "D90004", "student": "s100221", {_ESSAY}, "status": ',
    f'{{"id": "D90005", "student": "s100228", {_ESSAY}, "status": "probably"}}',
)


def _declarations(rng: random.Random, cohort: Cohort) -> list[Delivery]:
    records, number = [], 0
    for student in cohort.students:
        for year in range(student.entry_year, 2027):
            for month, day, _ in ESSAYS_A_YEAR:
                number += 1
                task = f"essay-{year}-{month:02d}"
                at = datetime(year, month, day, 17, 0, tzinfo=UTC)
                records.append(_declaration(rng, number, student, task, at))
    text = _lines(record for record in records if record)
    data = text + "".join(line + "\n" for line in FAULTY_DECLARATIONS).encode()
    return [Delivery("example_ai/declarations.jsonl", data, _sent(date(2026, 11, 2)))]


def _declaration(
    rng: random.Random, number: int, student: Student, task: str, at: datetime
) -> dict[str, Any] | None:
    draw = rng.random()
    base = {
        "id": f"D{number}",
        "student": student.student_id,
        "task": task,
        "at": at.isoformat(),
    }
    if draw < 0.04:
        return None
    if draw < 0.08:
        return base | {"status": "not_declared"}
    accepted = {"statement_accepted": at.isoformat()}
    if draw < 0.45:
        return base | accepted | {"status": "not_used"}
    name, version = rng.choice(AI_TOOLS)
    return (
        base
        | accepted
        | {
            "status": "used",
            "tools": [{"name": name, "version": version}],
            "purposes": rng.sample(AI_PURPOSES, rng.choice((1, 1, 2))),
            "stages": [rng.choice(("planning", "drafting", "revising"))],
            "extent": rng.choice(("minor", "minor", "moderate", "substantial")),
            "changes": rng.choice(OUTPUT_CHANGES),
            "verification": rng.choice(VERIFICATION) if rng.random() < 0.8 else None,
            "verified": rng.random() < 0.8,
            "patient_data": rng.random() < 0.01,
            "exemption": rng.random() < 0.02,
        }
    )


def _words(rng: random.Random, cohort: Cohort) -> list[Delivery]:
    reflections: list[dict[str, Any]] = []
    meetings: list[tuple[str, ...]] = []
    for student in cohort.students:
        for year in range(student.entry_year, 2027):
            for month in (5, 11):
                at = datetime(year, month, rng.randrange(1, 15), 18, 30, tzinfo=UTC)
                if at.date() > LAST_DAY:
                    continue
                reflections.append(
                    {
                        "id": f"R{len(reflections) + 1}",
                        "student": student.student_id,
                        "type": rng.choice(("reflection", "reflection", "goal")),
                        "text": rng.choice(REFLECTIONS),
                        "at": at.isoformat(),
                    }
                )
                meetings.append(
                    (
                        f"N{len(meetings) + 1}",
                        student.student_id,
                        student.mentor_id,
                        (at + timedelta(days=7)).date().isoformat(),
                        "Went through the portfolio; agreed the next observations.",
                    )
                )
    held = [row for row in meetings if row[3] <= LAST_DAY.isoformat()]
    return [
        Delivery("example_reflections/reflections.jsonl", _lines(reflections), _sent(LAST_DAY)),
        Delivery(
            "example_meetings/mentor_meetings.csv",
            _sheet(("Note", "Student", "Mentor", "Date", "Summary"), held),
            _sent(LAST_DAY),
        ),
    ]


PROGRESS = "Enough evidence across competencies and assessors; discussed in full."
SUPPORT = "Evidence in one area stays below the target; support agreed with the learner."


def _committee(rng: random.Random, cohort: Cohort) -> list[Delivery]:
    members = [
        ("member", f"T{2000 + 6 * n}", "chair" if n == 0 else "member", "2024-01-01", "2027-12-31")
        for n in range(8)
    ]
    sheet = [(*member, "", "", "") for member in members] + [
        ("meeting", "", "", "", "", f"PC-{on:%Y-%m}", on.isoformat(), 5)
        for on in (date(2024, 11, 29), date(2025, 11, 28), date(2026, 11, 30))
    ]
    decisions: list[dict[str, Any]] = []
    actions: list[dict[str, Any]] = []
    for on in (date(2024, 11, 29), date(2025, 11, 28)):
        present = [member[1] for member in members[:6]]
        for student in cohort.students:
            if student.entered_on > on:
                continue
            number = len(decisions) + 1
            needs_help = student.ability < -0.5 or student.weak_epa is not None
            decisions.append(
                {
                    "id": f"DEC{number}",
                    "student": student.student_id,
                    "meeting": f"PC-{on:%Y-%m}",
                    "present": present,
                    "outcome": "targeted support" if needs_help else "progressing as expected",
                    "rationale": SUPPORT if needs_help else PROGRESS,
                    "at": datetime.combine(on, time(15, 0), tzinfo=UTC).isoformat(),
                }
            )
            if needs_help:
                done = rng.random() < 0.5
                actions.append(
                    {
                        "id": f"ACT{len(actions) + 1}",
                        "student": student.student_id,
                        "decision": f"DEC{number}",
                        "what": f"Three observed encounters in {student.weak_epa or 'EPA07'}",
                        "epa": student.weak_epa or "EPA07",
                        "owner": "mentor",
                        "agreed": on.isoformat(),
                        "due": (on + timedelta(days=120)).isoformat(),
                        "status": "done" if done else "open",
                        "done": (on + timedelta(days=100)).isoformat() if done else None,
                    }
                )
    nobody = {
        "id": "DEC9001",
        "student": cohort.students[0].student_id,
        "meeting": "PC-2025-11",
        "present": [],
        "outcome": "progressing as expected",
        "rationale": "Entered without naming anybody.",
        "at": "2025-11-28T15:00:00+00:00",
    }
    columns = ("Entry", "Staff ID", "Role", "From", "To", "Meeting", "Meets on", "Quorum")
    return [
        Delivery("example_committee/committee.csv", _sheet(columns, sheet), _sent(LAST_DAY)),
        Delivery(
            "example_decisions/decisions.jsonl",
            _lines([*decisions, nobody]),
            _sent(date(2025, 12, 1)),
        ),
        Delivery("example_actions/actions.jsonl", _lines(actions), _sent(LAST_DAY)),
    ]


def _rubbish(cohort: Cohort) -> list[Delivery]:
    """Files that no pipeline should choke on."""
    some = [_form_row(o) for o in cohort.observations[:12]]
    without_rating = [c for c in FORM_COLUMNS if c != "Rating"]
    at = FORM_COLUMNS.index("Rating")
    missing = _sheet(without_rating, ([*row[:at], *row[at + 1 :]] for row in some), delimiter=";")
    mangled = _sheet(FORM_COLUMNS, some, delimiter=";")[:-40] + b"\xff\xfe\x00\x81 \xc3\x28"
    return [
        Delivery("example_forms/forms_without_rating.csv", missing, _sent(LAST_DAY)),
        Delivery("example_forms/forms_broken_bytes.csv", mangled, _sent(LAST_DAY)),
        Delivery("example_forms/forms_empty.csv", b"", None),
        Delivery("example_forms/forms_upload.csv.part", _sheet(FORM_COLUMNS, some[:3]), None),
        Delivery("somebody_elses_system/export.csv", b"a,b\r\n1,2\r\n", None),
    ]
