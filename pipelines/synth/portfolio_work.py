"""What learners and committees write: declarations, reflections, meetings, decisions, actions."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from pipelines.synth.people import Block, Bools, Ints, as_date, day_number
from pipelines.synth.school import policy_level
from pipelines.synth.words import (
    AI_PURPOSES,
    AI_TOOLS,
    OUTPUT_CHANGES,
    REFLECTIONS,
    VERIFICATION,
)

NOTE = "Went through the portfolio; agreed the next observations."
PROGRESS = "Enough evidence across competencies and assessors; discussed in full."
SUPPORT = "Evidence in one area stays below the target; support agreed with the learner."
WITHIN = {2: ("planning", "ideas", "structure"), 3: ("drafting", "revising", "language")}
BEYOND = {2: "drafting", 3: "complete_text"}
"""A stage of work that the policy of each level does not open."""
EXTENTS = ("minor", "moderate", "substantial")
TERM = ("2020-01-01", "2029-12-31")
_ESSAY_AT = "T17:00:00+00:00"


def declarations(block: Block, essays: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return declarations for the essays handed in, and what should come of each.

    Args:
        block: the people.
        essays: the truth of the essays: who handed in which task.
    """
    use, rng = block.request.parameters.ai_use, block.generator("declarations")
    n = essays.height
    due = essays["task_id"].str.slice(-7).to_list()
    day_of_month = {
        text[:2]: int(text[3:]) for text in block.request.parameters.exams.essay_days.value
    }
    days = np.array([day_number(date(int(d[:4]), int(d[5:]), day_of_month[d[5:]])) for d in due])
    level = np.array([policy_level(int(day)) for day in days], dtype=np.int64)
    draw = rng.random(n)
    missing = use.missing_share.value
    asked = missing + use.not_declared_share.value
    status = np.select([draw < missing, draw < asked], [0, 1], default=2)
    uses = (status == 2) & (rng.random(n) < use.used_share.value)
    status = np.where(uses, 3, status)
    beyond = uses & (rng.random(n) < use.beyond_policy_share.value)
    stage = rng.integers(0, 3, n)
    stages = [
        [BEYOND[int(one)] if too_far else WITHIN[int(one)][kind]]
        for one, too_far, kind in zip(level, beyond, stage, strict=True)
    ]
    tool = rng.integers(0, len(AI_TOOLS), n)
    purposes = rng.permuted(np.tile(np.arange(len(AI_PURPOSES)), (n, 1)), axis=1)
    two = rng.random(n) < 1 / 3
    patient = uses & (rng.random(n) < use.patient_data_share.value)
    exempt = uses & (rng.random(n) < use.exemption_share.value)
    checked = rng.random(n) < use.verified_share.value
    accepted = status >= 2
    number = np.arange(1, n + 1) + block.number * 10_000_000
    ids = [f"{block.request.prefix}D{k}" for k in number]
    at = [f"{as_date(int(day)).isoformat()}{_ESSAY_AT}" for day in days]
    frame = pl.DataFrame(
        {
            "id": ids,
            "programme": [block.request.programme] * n,
            "student": essays["learner_id"],
            "task": essays["task_id"],
            "at": at,
            "status": pl.Series(("", "not_declared", "not_used", "used")).gather(status),
            "statement_accepted": _when(at, accepted),
            "tools": pl.Series(
                [
                    [{"name": AI_TOOLS[k][0], "version": AI_TOOLS[k][1]}] if used else None
                    for k, used in zip(tool, uses, strict=True)
                ],
                dtype=pl.List(pl.Struct({"name": pl.String, "version": pl.String})),
            ),
            "purposes": pl.Series(
                [
                    [AI_PURPOSES[k] for k in row[: 1 + more]] if used else None
                    for row, more, used in zip(purposes, two, uses, strict=True)
                ],
                dtype=pl.List(pl.String),
            ),
            "stages": pl.Series(
                [names if used else None for names, used in zip(stages, uses, strict=True)],
                dtype=pl.List(pl.String),
            ),
            "extent": _when(pl.Series(EXTENTS).gather(rng.integers(0, 3, n)).to_list(), uses),
            "changes": _when(
                pl.Series(OUTPUT_CHANGES).gather(rng.integers(0, len(OUTPUT_CHANGES), n)).to_list(),
                uses,
            ),
            "verification": _when(
                pl.Series(VERIFICATION).gather(rng.integers(0, len(VERIFICATION), n)).to_list(),
                uses & checked,
            ),
            "verified": _when(checked.tolist(), uses),
            "patient_data": _when(patient.tolist(), uses),
            "exemption": _when(exempt.tolist(), uses),
        }
    )
    expected = np.select(
        [status <= 1, exempt, beyond], ["missing", "exempt", "differs"], default="within"
    )
    truth = pl.DataFrame(
        {
            "record_id": ids,
            "learner_id": essays["learner_id"],
            "task_id": essays["task_id"],
            "day": pl.Series(days.astype("datetime64[D]")),
            "policy_level": level,
            "is_sent": status > 0,
            "expected": expected,
            "has_patient_data": patient,
        }
    )
    return frame.filter(pl.Series(status > 0, dtype=pl.Boolean)), truth


def reflections(block: Block) -> pl.DataFrame:
    """Return what learners wrote, twice a year."""
    who, days, rng = _twice_a_year(block)
    n = len(who)
    kinds = pl.Series(("reflection", "reflection", "goal"))
    at = pl.Series(days * 86_400 + 18 * 3600 + 1800)
    return pl.DataFrame(
        {
            "id": _numbered(block, "R", n),
            "programme": [block.request.programme] * n,
            "student": pl.Series(block.learners.ids, dtype=pl.String).gather(who),
            "type": kinds.gather(rng.integers(0, 3, n)),
            "text": pl.Series(REFLECTIONS).gather(rng.integers(0, len(REFLECTIONS), n)),
            "at": pl.from_epoch(at, time_unit="s").dt.to_string("%Y-%m-%dT%H:%M:%S+00:00"),
        }
    )


def meetings(block: Block) -> pl.DataFrame:
    """Return notes of mentor meetings, a week after each reflection."""
    who, days, _ = _twice_a_year(block)
    held = days + 7 <= block.last_day
    who, days = who[held], days[held] + 7
    n = len(who)
    return pl.DataFrame(
        {
            "Note": _numbered(block, "N", n),
            "Programme": [block.request.programme] * n,
            "Student": pl.Series(block.learners.ids, dtype=pl.String).gather(who),
            "Mentor": pl.Series(block.assessors.ids).gather(block.learners.mentor[who]),
            "Date": pl.Series(days.astype("datetime64[D]")).dt.to_string("%Y-%m-%d"),
            "Summary": [NOTE] * n,
        }
    )


def committee(block: Block) -> pl.DataFrame:
    """Return members of the committee and its meetings."""
    request = block.request
    size = request.parameters.committee.members.value
    rows: list[tuple[str, ...]] = [
        ("member", name, "chair" if n == 0 else "member", *TERM, "", "", "")
        for n, name in enumerate(_members(block, size))
    ]
    quorum = str(request.parameters.committee.quorum.value)
    rows += [
        ("meeting", "", "", "", "", _meeting(block, on), on.isoformat(), quorum)
        for on in request.meeting_days
    ]
    columns = (
        "Programme",
        "Entry",
        "Staff ID",
        "Role",
        "From",
        "To",
        "Meeting",
        "Meets on",
        "Quorum",
    )
    return pl.DataFrame([(request.programme, *row) for row in rows], schema=columns, orient="row")


def decisions(block: Block, chair: Block) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return decisions of past meetings about a block's learners, and the actions agreed.

    Args:
        block: whom it is about.
        chair: the block whose assessors sit on the committee.
    """
    request, learners = block.request, block.learners
    work, rng = request.parameters.committee, block.generator("decisions")
    members = _members(chair, work.members.value)
    present = members[: max(work.quorum.value, len(members) - 2)]
    last = request.parameters.school.last_day.value
    decided, agreed, number = [], [], 0
    for on in (day for day in request.meeting_days if day <= last):
        day = day_number(on)
        here = np.flatnonzero((learners.entered_on <= day) & (day <= learners.leaves_on))
        n = len(here)
        helped = learners.general[here] < work.help_below.value
        ids = [f"{request.prefix}DEC{k}" for k in _numbers(block, number, n)]
        number += n
        decided.append(
            pl.DataFrame(
                {
                    "id": ids,
                    "programme": [request.programme] * n,
                    "student": pl.Series(learners.ids, dtype=pl.String).gather(here),
                    "meeting": [_meeting(chair, on)] * n,
                    "present": [present] * n,
                    "outcome": pl.Series(("progressing as expected", "targeted support")).gather(
                        helped.astype(np.int64)
                    ),
                    "rationale": pl.Series((PROGRESS, SUPPORT)).gather(helped.astype(np.int64)),
                    "at": [f"{on.isoformat()}T15:00:00+00:00"] * n,
                },
                schema_overrides={"present": pl.List(pl.String)},
            )
        )
        places = np.flatnonzero(helped)
        done = rng.random(len(places)) < work.done_share.value
        weakest = learners.specific[here[places]].argmin(axis=1) if len(places) else places
        codes = [f"EPA{k + 1:02d}" for k in weakest]
        done_on = as_date(day + work.done_after_days.value).isoformat()
        agreed.append(
            pl.DataFrame(
                {
                    "id": [f"{ids[k]}-A" for k in places],
                    "programme": [request.programme] * len(places),
                    "student": pl.Series(learners.ids, dtype=pl.String).gather(here[places]),
                    "decision": [ids[k] for k in places],
                    "what": [f"Three observed encounters in {code}" for code in codes],
                    "epa": codes,
                    "owner": ["mentor"] * len(places),
                    "agreed": [on.isoformat()] * len(places),
                    "due": [as_date(day + work.action_days.value).isoformat()] * len(places),
                    "status": pl.Series(("open", "done")).gather(done.astype(np.int64)),
                    "done": _when([done_on] * len(places), done),
                },
                schema_overrides=dict.fromkeys(
                    ("id", "programme", "decision", "what", "epa", "owner", "agreed", "due"),
                    pl.String,
                ),
            )
        )
    return _concat(decided), _concat(agreed)


def faulty_declarations(block: Block) -> list[tuple[str, str]]:
    """Return lines that a learner's form should never send, each with the code that it earns."""
    prefix, ids = block.request.prefix, block.learners.ids
    on = block.request.parameters.school.last_day.value
    task = f'"task": "{prefix}essay-{on.year}-10", "at": "{on.year}-10-12T17:00:00+00:00"'
    programme = f'"programme": "{block.request.programme}"'

    def line(n: int, rest: str) -> str:
        student = ids[n % len(ids)]
        return f'{{"id": "{prefix}D9000{n}", {programme}, "student": "{student}", {task}, {rest}'

    return [
        (line(1, '"status": "used"}'), "field_needed"),
        (line(2, '"status": "not_used", "status": "used"}'), "duplicate_key"),
        (line(3, '"status": "not_used", "score": NaN}'), "not_finite"),
        (line(4, '"status": '), "not_json"),
        (line(5, '"status": "probably"}'), "not_in_list"),
    ]


def nobody_decided(block: Block) -> pl.DataFrame:
    """Return a decision that names nobody."""
    last = block.request.parameters.school.last_day.value
    return pl.DataFrame(
        {
            "id": [f"{block.request.prefix}DEC-9001"],
            "programme": [block.request.programme],
            "student": [block.learners.ids[0]],
            "meeting": [_meeting(block, block.request.meeting_days[0])],
            "present": [[]],
            "outcome": ["progressing as expected"],
            "rationale": ["Entered without naming anybody."],
            "at": [f"{last.year - 1}-11-28T15:00:00+00:00"],
        },
        schema_overrides={"present": pl.List(pl.String)},
    )


def _members(block: Block, n: int) -> list[str]:
    step = max(1, len(block.assessors) // n)
    return [block.assessors.ids[place * step] for place in range(n)]


def _meeting(block: Block, on: date) -> str:
    return f"{block.request.prefix}PC-{on:%Y-%m}"


def _twice_a_year(block: Block) -> tuple[Ints, Ints, np.random.Generator]:
    rng = block.generator("reflections")
    last = block.request.parameters.school.last_day.value
    whos, days = [], []
    for year in range(last.year - block.request.years + 1, last.year + 1):
        for month in (5, 11):
            first = day_number(date(year, month, 1))
            day = first + rng.integers(0, 14, len(block.learners))
            here = (block.learners.entered_on <= day) & (day <= block.learners.leaves_on)
            here &= day <= block.last_day
            whos.append(np.flatnonzero(here))
            days.append(day[here])
    return np.concatenate(whos), np.concatenate(days), rng


def _numbers(block: Block, before: int, n: int) -> range:
    first = block.number * 10_000_000 + before + 1
    return range(first, first + n)


def _numbered(block: Block, letter: str, n: int) -> list[str]:
    return [f"{block.request.prefix}{letter}{k}" for k in _numbers(block, 0, n)]


def _when(values: list[object] | list[str], keep: Bools) -> list[object]:
    return [value if is_kept else None for value, is_kept in zip(values, keep, strict=True)]


def _concat(parts: list[pl.DataFrame]) -> pl.DataFrame:
    filled = [part for part in parts if part.height]
    return pl.concat(filled, how="vertical_relaxed") if filled else pl.DataFrame()
