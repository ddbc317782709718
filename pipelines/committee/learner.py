"""One learner's page: the rows of an edition put in the reading order of a member."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

from pipelines.committee import charts, words
from pipelines.committee.evidence import Behind, Form, Row, data_points, form, ids
from pipelines.committee.grid import NOT_ENOUGH_EVIDENCE, Competency, grid
from pipelines.committee.queries import NOT_JUDGED, OF_LEARNERS, Portfolio

TOLD = ("differs", "missing")
"""The ways of declaring that the page tells one by one."""

TIME_OUT = ("leave", "intercalation", "clock_stop")
"""Periods that stand grey behind the trend, and in which signals that ask for evidence wait."""


COUNTING = frozenset({"stands", NOT_JUDGED})
"""What is not said to be recorded and not counted: an edition may have judged no decision."""

NOT_NAMED = "no competency"

ROTATION = "rotation"

MENTOR_MEETING = "mentor"

TO_WORK_ON = ("needs_discussion", "developing")
"""What a status says where a learner may want to practise."""

SUGGESTED = 5
"""How many comments on what to improve a learner's overview holds; the page has them all."""

A_PAGE = 400
"""How many forms a page of evidence holds, so that it opens at once; three lines of a table weigh
as much as one form."""

ABSENT = "absent"
"""A sitting that took place without the learner."""

ANSWER_COUNTS = (
    ("n_right", "Right"),
    ("n_wrong", "Wrong"),
    ("n_dont_know", "Don’t know"),
    ("n_omitted", "Omitted"),
)
"""What sittings may count of their answers, and how it is named."""

OTHERS = "others"
"""All respondents of multisource feedback that show, but the learner."""


@dataclass(frozen=True)
class Series:
    """Sittings of one series of exams, and their drawing where it is a progress test."""

    title: str
    sittings: tuple[Row, ...]
    drawing: charts.Drawing | None
    alternative: str

    @property
    def n_absent(self) -> int:
        """Return how many sittings took place without the learner."""
        return sum(r["sitting_status"] == ABSENT for r in self.sittings)

    @property
    def below_cut(self) -> tuple[Row, ...]:
        """Return the exams that are below their cut-score at their newest sitting."""
        return tuple(r for r in self.sittings if r["is_below_cut_at_newest"])

    @property
    def has_norm(self) -> bool:
        """Say whether a mean of the cohort is shown: enough of it sat."""
        return any(r["cohort_mean_share"] is not None for r in self.sittings)

    @property
    def has_cut(self) -> bool:
        """Say whether a cut-score is drawn."""
        return any(r["cut_share"] is not None for r in self.sittings)

    @property
    def has_error(self) -> bool:
        """Say whether the standard error of measurement of a sitting is known."""
        return any(r["sem_share"] is not None for r in self.sittings)


@dataclass(frozen=True)
class Feedback:
    """What one instrument of multisource feedback says on one competency, by respondents."""

    instrument_id: str
    competency: str
    groups: tuple[Row, ...]
    """All others together first, then each group, the learner's own answers last."""

    @property
    def shown(self) -> tuple[Row, ...]:
        """Return the groups that are large enough to show, and the learner's own answers."""
        return tuple(group for group in self.groups if not group["is_withheld"])

    @property
    def withheld(self) -> tuple[Row, ...]:
        """Return the groups of which too few answered, without the total of all groups."""
        return tuple(
            group
            for group in self.groups
            if group["is_withheld"] and group["respondent_group"] != OTHERS
        )


@dataclass(frozen=True)
class AiUse:
    """One way in which declarations stand to their tasks' policies.

    `n` may be more than the records behind it: what was asked for and is not there has none.
    """

    n: int
    sentence: str
    behind: Behind
    details: tuple[tuple[str, str], ...]
    """Task and sentence of each declaration that has to be talked about."""
    is_absent: bool
    """Whether nothing was declared, so that there is nothing to tell but the task."""


@dataclass(frozen=True)
class LearnerPage:
    """Everything that the two pages of one learner show."""

    row: Row
    periods: tuple[Row, ...]
    clocks: tuple[Row, ...]
    """Leave, stopped clocks and part time that hold on the day of the page."""
    ahead: tuple[Row, ...]
    """Rotations that begin after the day of the page."""
    decisions: tuple[Row, ...]
    known_since: tuple[str, ...]
    """Data points of up to the day of the last decision that came to be known after it."""
    actions: tuple[Row, ...]
    competencies: tuple[Competency, ...]
    drawing: charts.Drawing | None
    window: charts.Span
    conflicts: tuple[Row, ...]
    picked: tuple[Row, ...]
    comments: tuple[Row, ...]
    reflections: tuple[Row, ...]
    meetings: tuple[Row, ...]
    exams: tuple[Series, ...]
    requirements: tuple[Row, ...]
    circumstances: tuple[Row, ...]
    reports: tuple[Row, ...]
    ai_use: tuple[AiUse, ...]
    ai_privacy: Behind
    n_privacy_answered: int
    """How many declarations of use say whether patient data were entered."""
    n_privacy_unsaid: int
    """How many declarations of use do not say it."""
    signals: tuple[Row, ...]
    closed_signals: tuple[Row, ...]
    forms: tuple[Form, ...]
    behind: tuple[Behind, ...]
    precision: tuple[Row, ...]
    feedback: tuple[Feedback, ...]
    feedback_comments: tuple[Row, ...]
    growth: tuple[Row, ...]
    one_look: tuple[str, ...] = field(default=())

    @property
    def key(self) -> str:
        """Return the learner's key."""
        return str(self.row["learner_key"])

    @property
    def unseen_shortfalls(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the competencies that are short of what no column counts, each with of what."""
        short = ((line.title, line.unseen_shortfalls) for line in self.competencies)
        return tuple((title, unseen) for title, unseen in short if unseen)

    @cached_property
    def disputed(self) -> frozenset[str]:
        """Return the evidence whose dispute is not settled."""
        return frozenset(
            row["about_evidence_id"]
            for row in self.reflections
            if row["dispute_status"] == "raised" and row["about_evidence_id"]
        )

    @property
    def answer_counts(self) -> tuple[tuple[str, str], ...]:
        """Return the counts of answers, with their names, that a sitting tells."""
        return tuple(
            (name, label)
            for name, label in ANSWER_COUNTS
            if any(row[name] is not None for series in self.exams for row in series.sittings)
        )

    @property
    def not_met(self) -> tuple[Row, ...]:
        """Return the mandatory requirements that are neither met nor waived."""
        return tuple(row for row in self.requirements if row["state"] not in ("met", "waived"))

    @property
    def standing(self) -> str:
        """Return in short what is mandatory, granted, disclosed or reported."""
        parts = []
        if self.requirements:
            met = len(self.requirements) - len(self.not_met)
            all_of_them = words.count(len(self.requirements), "requirement")
            parts.append(f"{met} of {all_of_them} met or waived")
        for rows, one, many in (
            (self.time_out, "time away or part time", "times away or part time"),
            (self.circumstances, "circumstance", "circumstances"),
            (self.reports, "report on conduct", "reports on conduct"),
        ):
            if rows:
                parts.append(words.count(len(rows), one, many))
        told = words.listed(parts)
        return f"{told[:1].upper()}{told[1:]}."

    @property
    def time_out(self) -> tuple[Row, ...]:
        """Return leave, stopped clocks and part time, past and planned."""
        return tuple(row for row in self.periods if row["period_type"] in words.CLOCKS)

    @property
    def is_away(self) -> bool:
        """Say whether the learner's clock stands still on the day of the page."""
        return any(period["period_type"] in TIME_OUT for period in self.clocks)

    @property
    def held_back(self) -> tuple[str, ...]:
        """Return the rules that the limit of signals a learner holds back, by their titles."""
        return tuple(title for signal in self.signals for title in signal["held_back_titles"])

    @property
    def next_meeting(self) -> Row | None:
        """Return the newest note of a meeting with the mentor, where it names the next one."""
        newest = next((row for row in self.meetings if row["meeting_type"] == MENTOR_MEETING), None)
        return newest if newest and newest["next_on"] else None

    @property
    def agreed(self) -> tuple[Row, ...]:
        """Return the actions that are still to be done."""
        return tuple(row for row in self.actions if row["state"] in ("overdue", "open"))

    @property
    def to_work_on(self) -> tuple[Competency, ...]:
        """Return the competencies with enough evidence, of which too little is at target."""
        return tuple(line for line in self.competencies if line.status in TO_WORK_ON)

    @property
    def suggested(self) -> tuple[Row, ...]:
        """Return the newest comments that say what to improve."""
        said = [row for row in self.comments if row["narrative_improvements"]]
        said.sort(key=lambda row: (row["occurred_on"], row["evidence_id"]), reverse=True)
        return tuple(said[:SUGGESTED])

    @property
    def below_cut(self) -> tuple[Row, ...]:
        """Return the exams that are below their cut-score at their newest sitting."""
        return tuple(row for series in self.exams for row in series.below_cut)

    @property
    def n_dependable(self) -> int:
        """Return on how many competencies the ratings reach the wanted dependability."""
        return sum(bool(row["is_reached"]) for row in self.precision)

    @property
    def n_seen_otherwise(self) -> int:
        """Return on how many items of multisource feedback the learner stands apart from others."""
        return sum(any(group["is_self_apart"] for group in f.groups) for f in self.feedback)

    @property
    def last_decision(self) -> Row | None:
        """Return the newest decision that stands."""
        return next((row for row in self.decisions if row["is_latest"]), None)

    @property
    def decisions_that_do_not_stand(self) -> tuple[Row, ...]:
        """Return what was recorded and does not count, the newest first."""
        return tuple(row for row in self.decisions if row["standing"] not in COUNTING)

    @cached_property
    def evidence_pages(self) -> tuple[tuple[Form, ...], ...]:
        """Return the forms by page; the first one holds the lists of all competencies as well."""
        lines = sum(len(line.forms) for line in self.competencies)
        first = max(A_PAGE - lines // 3, 0)
        later = range(first, len(self.forms), A_PAGE)
        return self.forms[:first], *(self.forms[at : at + A_PAGE] for at in later)

    @cached_property
    def _page_of(self) -> dict[str, int]:
        return {
            form.evidence_id: number
            for number, forms in enumerate(self.evidence_pages)
            for form in forms
        }

    def file_of(self, evidence_id: str | None = None, number: int = 0) -> str:
        """Return the file that holds a form, or the one of a page by its number from 0."""
        number = number if evidence_id is None else self._page_of.get(evidence_id, 0)
        return f"{self.key}{f'-{number + 1}' if number else ''}.html"

    @property
    def has_evidence(self) -> bool:
        """Say whether there is anything to show at all."""
        return bool(self.forms)


def assemble(portfolio: Portfolio, row: Row) -> LearnerPage:
    """Put one learner's rows in the order in which a member reads them."""
    key = str(row["learner_key"])
    sections = {name: _titled(portfolio, portfolio.rows(name, key)) for name in OF_LEARNERS}
    evidence = sections["evidence"]
    observations = [e for e in evidence if e["kind"] == "workplace_assessment"]
    window = charts.window_of((e["occurred_on"] for e in observations), portfolio.as_of)
    lines = grid(portfolio, sections["status"], evidence)
    drawing = None
    if lines.points:
        leave = [
            charts.Span(p["starts_on"], p["ends_on"] or portfolio.as_of)
            for p in sections["periods"]
            if p["period_type"] in TIME_OUT and p["starts_on"] and p["starts_on"] <= portfolio.as_of
        ]
        drawing = charts.strips(lines.points, lines.targets, leave, window, lines.n_strips)
    ai_use, ai_privacy = _ai_use(sections["declarations"])
    of_use = [d["has_patient_data"] for d in sections["declarations"] if d["status"] == "used"]
    n_privacy_unsaid = of_use.count(None)
    behind = [
        *(b for c in lines.competencies for b in (c.at_target, c.recent, c.flagged) if b.n),
        *(use.behind for use in ai_use if use.behind.n),
    ]
    if ai_privacy.n:
        behind.append(ai_privacy)
    return LearnerPage(
        row=row,
        periods=tuple(sections["periods"]),
        clocks=tuple(p for p in sections["periods"] if _holds(p, portfolio.as_of)),
        ahead=tuple(
            p
            for p in sections["periods"]
            if p["period_type"] == ROTATION and p["starts_on"] and p["starts_on"] > portfolio.as_of
        ),
        decisions=tuple(sections["decisions"]),
        known_since=_known_since(sections["decisions"], evidence),
        actions=tuple(sections["actions"]),
        competencies=lines.competencies,
        drawing=drawing,
        window=window,
        conflicts=tuple(sections["conflicts"]),
        picked=tuple(
            sorted(
                (c for c in sections["comments"] if c["is_picked"]),
                key=lambda c: not c["is_flagged"],
            )
        ),
        comments=tuple(sections["comments"]),
        reflections=tuple(sections["reflections"]),
        meetings=tuple(sections["meetings"]),
        exams=_exams(sections["sittings"], portfolio.as_of),
        requirements=tuple(sections["requirements"]),
        circumstances=tuple(sections["circumstances"]),
        reports=tuple(sections["reports"]),
        ai_use=ai_use,
        ai_privacy=ai_privacy,
        n_privacy_answered=len(of_use) - n_privacy_unsaid,
        n_privacy_unsaid=n_privacy_unsaid,
        signals=tuple(
            s | {"recommendation": _recommendation(portfolio, s)} for s in sections["signals"]
        ),
        closed_signals=tuple(sections["closed_signals"]),
        forms=_forms(sections),
        behind=tuple(behind),
        precision=tuple(sections["precision"]),
        feedback=_feedback(sections["feedback"]),
        feedback_comments=tuple(sections["feedback_comments"]),
        growth=tuple(sections["growth"]),
        one_look=_one_look([s for s in sections["status"] if s["is_required"]], bool(evidence)),
    )


def _holds(period: Row, as_of: date) -> bool:
    """Say whether leave, a stopped clock or part time holds on a day, and not only in a plan."""
    return (
        period["period_type"] in words.CLOCKS
        and not period["is_planned"]
        and (period["starts_on"] or date.min) <= as_of <= (period["ends_on"] or date.max)
    )


def _titled(portfolio: Portfolio, rows: Iterable[Row]) -> list[Row]:
    """Return rows with the title of their competency, None where they name none."""
    return [r | {"competency": portfolio.title(r)} for r in rows]


def _known_since(decisions: Sequence[Row], evidence: Iterable[Row]) -> tuple[str, ...]:
    """Return the data points that the last decision could not know, although they are older.

    Of a decision from before files arrived nobody can say what it knew.
    """
    last = next((row for row in decisions if row["is_latest"]), None)
    if last is None or not last["is_since_first_arrival"]:
        return ()
    return ids(
        e
        for e in evidence
        if (e["occurred_on"] or date.max) <= last["decided_on"]
        and e["known_at"] > last["decided_at"]
    )


def _exams(sittings: Sequence[Row], as_of: date) -> tuple[Series, ...]:
    series: dict[str, list[Row]] = {}
    for sitting in sittings:
        series.setdefault(sitting["series"], []).append(sitting)
    return tuple(_series(title, rows, as_of) for title, rows in series.items())


def _series(title: str, rows: Sequence[Row], as_of: date) -> Series:
    dated = [r for r in rows if r["occurred_on"] is not None]
    drawing = None
    if rows[0]["is_growth"] and sum(r["score_share"] is not None for r in dated) > 1:
        drawing = charts.growth(
            [_sitting(r) for r in dated],
            charts.window_of((r["occurred_on"] for r in dated), as_of),
        )  # fmt: skip
    said = "; ".join(
        f"{words.day(r['occurred_on'])} {words.share(r['score_share'])}"
        if r["score_share"] is not None
        else f"{words.day(r['occurred_on'])} {words.plain(r['sitting_status'])}"
        for r in dated
    )
    return Series(title, tuple(rows), drawing, said)


def _sitting(r: Row) -> charts.Sitting:
    return charts.Sitting(
        r["occurred_on"],
        _float(r["score_share"]),
        _float(r["cut_share"]),
        _float(r["cohort_mean_share"]),
        _float(r["sem_share"]),
    )


def _float(value: Decimal | float | None) -> float | None:
    return None if value is None else float(value)


def _feedback(rows: Iterable[Row]) -> tuple[Feedback, ...]:
    """Return multisource feedback by instrument, competency and scale, which are not pooled."""
    found: dict[tuple[str, str, str | None], list[Row]] = {}
    for row in rows:
        key = (row["instrument_id"], row["competency"] or NOT_NAMED, row["scale_id"])
        found.setdefault(key, []).append(row)
    return tuple(
        Feedback(instrument_id, competency, tuple(groups))
        for (instrument_id, competency, _), groups in found.items()
    )


def _ai_use(declarations: Sequence[Row]) -> tuple[tuple[AiUse, ...], Behind]:
    kinds: dict[str, list[Row]] = {code: [] for code in words.RECONCILIATION}
    for d in declarations:
        kinds.setdefault(d["reconciliation"], []).append(d)
    uses = tuple(
        AiUse(
            len(rows),
            words.reconciled(code, len(rows)),
            Behind(f"ai-{code.replace('_', '-')}", f"AI use: {words.plain(code)}", ids(rows)),
            tuple((r["title"] or r["task_id"], r["sentence"]) for r in rows)
            if code in TOLD
            else (),
            code == "missing",
        )
        for code, rows in kinds.items()
        if rows
    )
    privacy = Behind(
        "ai-privacy",
        "AI use: patient data entered",
        ids(d for d in declarations if d["has_patient_data"]),
    )
    return uses, privacy


def _recommendation(portfolio: Portfolio, signal: Row) -> str:
    """Return what a signal asks for: which assessment, of what, where and by whom."""
    if signal["recommended_instrument_id"] is None and signal["recommended_competency_id"] is None:
        return str(signal["remedy"])
    parts = [words.plain(signal["recommended_instrument_id"] or "an observation")]
    if signal["recommended_competency_id"]:
        parts.append(f"of “{portfolio.title(signal, 'recommended_competency_id')}”")
    if signal["recommended_setting"]:
        parts.append(f"in {words.plain(signal['recommended_setting'])}")
    if signal["recommended_assessor"]:
        parts.append(f"by {signal['recommended_assessor']}")
    if signal["recommended_rotation_id"]:
        parts.append(f"on rotation {words.plain(signal['recommended_rotation_id'])}")
    begins = signal["recommended_from_on"]
    if begins is not None and begins > portfolio.as_of:
        parts.append(f"from {words.day(begins)}")
    return f"Recommended: {' '.join(parts)}."


def _one_look(statuses: Sequence[Row], has_evidence: bool) -> tuple[str, ...]:
    """Return what the grid says in sentences; there is no score."""
    if not statuses:
        return (
            ("There is evidence, but no competency is required of this stage.",)
            if has_evidence
            else ("No evidence has arrived for this learner yet.",)
        )
    n = {code: sum(s["status"] == code for s in statuses) for code in words.STATUS}
    enough = len(statuses) - n[NOT_ENOUGH_EVIDENCE]
    sentences = [
        f"{enough} of {words.count(len(statuses), 'competency', 'competencies')} "
        f"{'has' if enough == 1 else 'have'} enough evidence."
    ]
    if enough:
        found = [
            code
            for code in ("at_or_above_target", "on_track", "developing", "needs_discussion")
            if n[code]
        ]
        if enough == 1:
            sentences.append(f"It {_in_sentence(found[0], 1)}.")
        else:
            parts = [f"{n[code]} {_in_sentence(code, n[code])}" for code in found]
            sentences.append(f"Of these, {words.listed(parts)}.")
    if n[NOT_ENOUGH_EVIDENCE]:
        missing = n[NOT_ENOUGH_EVIDENCE]
        sentences.append(
            f"{missing} {'does' if missing == 1 else 'do'} not have enough evidence yet: "
            "a task for the programme and the learner together."
        )
    return tuple(sentences)


def _in_sentence(code: str, n: int) -> str:
    verb = "is" if n == 1 else "are"
    if code == "needs_discussion":
        return f"need{'s' if n == 1 else ''} discussion"
    return f"{verb} {words.STATUS[code].lower()}"


def _forms(sections: Mapping[str, Sequence[Row]]) -> tuple[Form, ...]:
    """Return every record of the learner as it was written, newest first."""
    sources: tuple[tuple[str, str, str], ...] = (
        ("ai_use_declaration", "declarations", "declared_on"),
        ("reflection", "reflections", "occurred_on"),
        ("meeting_note", "meetings", "occurred_on"),
        ("decision", "decisions", "decided_on"),
        ("action", "actions", "agreed_on"),
        ("requirement", "requirements", "counted_on"),
        ("circumstance", "circumstances", "disclosed_on"),
        ("professionalism_report", "reports", "occurred_on"),
    )
    dated: dict[str, tuple[date | None, Form]] = {}
    for e in data_points(sections["evidence"]):
        dated.setdefault(
            e["evidence_id"],
            (e["occurred_on"], form(e["kind"], e, words.day(e["occurred_on"]))),
        )
    for kind, section, on in sources:
        for r in sections[section]:
            if r["evidence_id"] is None:
                continue
            dated.setdefault(r["evidence_id"], (r[on], form(kind, r, words.day(r[on]))))
    ordered = sorted(
        dated.values(), key=lambda pair: (pair[0] or date.min, pair[1].evidence_id), reverse=True
    )
    return tuple(f for _, f in ordered)
