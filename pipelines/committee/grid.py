"""The sufficiency grid of one learner: a line for each competency, and what its chart draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from pipelines.committee import charts, words
from pipelines.committee.evidence import VERBATIM, Behind, Row, ids
from pipelines.committee.queries import Competency as Named
from pipelines.committee.queries import Portfolio

NOT_REQUIRED = "not_required"
"""What stands for the status of a competency that the present stage does not ask for."""
NOT_ENOUGH_EVIDENCE = "not_enough_evidence"
COUNTED = frozenset({"data_points", "assessors", "methods", "contexts", "recent"})
"""Shortfalls that a column of the grid shows beside what is asked for."""
UNJUDGED: Row = {
    "status": NOT_REQUIRED,
    "status_reason": None,
    "target_scale_id": None,
    "target_scale_version": None,
    "counted_scale_version": None,
    "counted_direction": None,
    "target_level": None,
    "n_recent": 0,
    "n_data_points": 0,
    "share_at_target": None,
    "shortfall_codes": None,
    "shortfalls": None,
    "evidence_ids": (),
}
"""A competency that has evidence and is not required of the present stage."""


@dataclass(frozen=True)
class Strip:
    """One competency's observations on one version of a scale: a slice of the chart, in words."""

    index: int
    scale: str
    alternative: str


@dataclass(frozen=True)
class Competency:
    """One line of the sufficiency grid."""

    row: Row
    competency_id: str
    title: str
    status: str
    strips: tuple[Strip, ...]
    points: Behind
    at_target: Behind
    recent: Behind
    flagged: Behind
    narratives: Behind
    forms: tuple[Row, ...]
    """All evidence on this competency, newest first, also what the status does not count."""
    n_under_another_target: int
    """How many counted ratings on the scale of the target were given while it was another level."""

    @property
    def anchor(self) -> str:
        """Return where the evidence page speaks of this competency."""
        return self.points.anchor

    def is_short_of(self, what: str) -> bool:
        """Say whether a count is below what the rule set asks for."""
        required = self.row.get(f"required_{what}")
        return (
            self.status != NOT_REQUIRED
            and required is not None
            and (self.row.get(f"n_{what}") or 0) < required
        )

    @property
    def unseen_shortfalls(self) -> tuple[str, ...]:
        """Return what the competency is short of and no column of the grid counts."""
        if self.status != NOT_ENOUGH_EVIDENCE:
            return ()
        named = zip(self.row["shortfall_codes"] or (), self.row["shortfalls"] or (), strict=True)
        return tuple(text for code, text in named if code not in COUNTED)


@dataclass(frozen=True)
class Grid:
    """A line for each competency, and the points and targets of their strips."""

    competencies: tuple[Competency, ...]
    points: tuple[charts.Point, ...]
    targets: tuple[charts.Target, ...]

    @property
    def n_strips(self) -> int:
        """Return how many strips the chart has."""
        return sum(len(line.strips) for line in self.competencies)


def grid(portfolio: Portfolio, statuses: Iterable[Row], evidence: Iterable[Row]) -> Grid:
    """Return a line for every competency with a status or evidence, and what it draws."""
    by_id: dict[tuple[str, str], list[Row]] = {}
    for e in evidence:
        if e["competency_id"]:
            by_id.setdefault((e["programme_id"], e["competency_id"]), []).append(e)
    status_of = {(s["programme_id"], s["competency_id"]): s for s in statuses}

    def named(key: tuple[str, str]) -> Named:
        return portfolio.competency(key[1], key[0])

    order = sorted(status_of.keys() | by_id.keys(), key=lambda key: (named(key).place, key))
    drawn = _Drawn(portfolio)
    lines = []
    for place, key in enumerate(order, start=1):
        status = status_of.get(key, UNJUDGED)
        forms = sorted(by_id.get(key, []), key=_in_time)
        strips = drawn.strips(status, forms)
        lines.append(_line(f"c{place}", key[1], named(key).title, status, forms, strips))
    return Grid(tuple(lines), tuple(drawn.points), tuple(drawn.targets))


def shown_status(status: Row) -> str:
    """Return a status; too little evidence of what nobody asked for is not a shortfall."""
    if status["status"] == NOT_ENOUGH_EVIDENCE and not status["is_required"]:
        return NOT_REQUIRED
    return str(status["status"])


@dataclass
class _Drawn:
    """The points and targets of the chart, strip after strip."""

    portfolio: Portfolio
    points: list[charts.Point] = field(default_factory=list)
    targets: list[charts.Target] = field(default_factory=list)
    n_strips: int = 0

    def strips(self, status: Row, forms: Sequence[Row]) -> tuple[Strip, ...]:
        """Draw a competency's ratings, a strip for each version of a scale, what counts first.

        Forms with words and without a level stand on the first strip.
        """
        by_scale: dict[tuple[str, str], list[Row]] = {}
        for e in forms:
            if e["level"] is not None:
                by_scale.setdefault((e["scale_id"], e["scale_version"] or ""), []).append(e)
        counted = (status["target_scale_id"], status["counted_scale_version"])
        wordy = [e for e in forms if e["level"] is None and _has_words(e)]
        strips: list[Strip] = []
        for key in sorted(by_scale, key=lambda key: (key != counted, key[0] != counted[0], key)):
            rated = by_scale[key]
            target = status["target_level"] if key == counted else rated[-1]["target_level"]
            strips.append(self._strip(key, rated, () if strips else wordy, target))
        return tuple(strips)

    def _strip(
        self,
        scale: tuple[str, str],
        rated: Sequence[Row],
        wordy: Sequence[Row],
        target: int | None,
    ) -> Strip:
        scale_id, version = scale
        place_of = _Scale(self.portfolio.scales.get(scale), rated)
        index = self.n_strips
        self.n_strips += 1
        self.points += [_point(index, e, place_of) for e in (*rated, *wordy)]
        if target is not None:
            self.targets.append(charts.Target(index, place_of(target)))
        is_named = version and scale_id in self.portfolio.scales_of_versions
        named = f"{scale_id} version {version}" if is_named else scale_id
        return Strip(index, named, _said(rated, target))


def _line(
    anchor: str,
    competency_id: str,
    title: str,
    status: Row,
    forms: Sequence[Row],
    strips: tuple[Strip, ...],
) -> Competency:
    """Return the line of a competency; `forms` are all that it has, the oldest first."""
    counted = set(status["evidence_ids"] or ())
    mine = [e for e in reversed(forms) if e["evidence_id"] in counted]
    return Competency(
        row=status,
        competency_id=competency_id,
        title=title,
        status=shown_status(status),
        strips=strips,
        points=Behind(anchor, "Data points", tuple(status["evidence_ids"] or ())),
        at_target=_behind(
            anchor, "target", "At or above target", (e for e in mine if _is_at_target(e, status))
        ),
        recent=_behind(anchor, "recent", "Recent", _newest(mine, status["n_recent"] or 0)),
        flagged=_behind(anchor, "flagged", "Flagged", (e for e in mine if e["is_flagged"])),
        narratives=_behind(anchor, "words", "With words", (e for e in mine if _has_words(e))),
        forms=tuple(reversed(forms)),
        n_under_another_target=sum(
            _is_rated(e, status) and e["target_level"] not in (None, status["target_level"])
            for e in mine
        ),
    )


class _Scale:
    """Where a level lies between the ends of its own scale."""

    def __init__(self, ends: tuple[int, int] | None, rated: Sequence[Row]) -> None:
        levels = [e["level"] for e in rated] + [e["target_level"] or e["level"] for e in rated]
        low, high = ends or (min(levels), max(levels))
        self._low, self._range = low, max(high - low, 1)

    def __call__(self, level: int) -> float:
        return min(max((level - self._low) / self._range, 0.0), 1.0)


def _point(strip: int, e: Row, place_of: _Scale) -> charts.Point:
    height = None if e["level"] is None else place_of(e["level"])
    return charts.Point(
        strip, e["occurred_on"], height, e["assurance_level"], bool(e["is_flagged"])
    )


def _said(rated: Sequence[Row], target: int | None) -> str:
    """Return what a strip shows, in words."""
    levels = ", ".join(words.number(e["level"]) for e in rated)
    first, last = words.day(rated[0]["occurred_on"]), words.day(rated[-1]["occurred_on"])
    aim = "no target" if target is None else f"target {target}"
    return (
        f"{words.count(len(rated), 'rating')} from {first} to {last}, oldest first: {levels}; {aim}"
    )


def _behind(anchor: str, what: str, title: str, rows: Iterable[Row]) -> Behind:
    return Behind(f"{anchor}-{what}", title, ids(rows))


def _newest(rows: Sequence[Row], n: int) -> list[Row]:
    """Return the rows of the newest data points, the newest first; a round has several."""
    newest = list(dict.fromkeys(e["data_point_id"] for e in rows))[:n]
    return [e for e in rows if e["data_point_id"] in newest]


def _is_rated(e: Row, status: Row) -> bool:
    """Say whether a rating counts: on the target's scale, in the version and direction that do."""
    return bool(
        e["level"] is not None
        and e["scale_id"] == status["target_scale_id"]
        and status["counted_scale_version"] in (None, e["scale_version"])
        and (e["direction"] is None or status["counted_direction"] in (None, e["direction"]))
    )


def _is_at_target(e: Row, status: Row) -> bool:
    """Say whether a rating that counts reaches the target of the status."""
    target = status["target_level"]
    return _is_rated(e, status) and target is not None and e["level"] >= target


def _in_time(e: Row) -> tuple[date, str]:
    return e["occurred_on"], e["evidence_id"]


def _has_words(e: Row) -> bool:
    return any(e[name] for name, _ in VERBATIM["workplace_assessment"])
