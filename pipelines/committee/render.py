"""Pages as HTML: what people wrote is always escaped, and no clock is read."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from statistics import NormalDist
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pipelines.committee import charts, words
from pipelines.committee.evidence import Field, Row
from pipelines.committee.learner import LearnerPage
from pipelines.committee.queries import Portfolio
from pipelines.committee.roles import FOR_COMMITTEE, View

COLUMNS = (
    ("Learner", "text"),
    ("Stage", "text"),
    ("Cohort", "text"),
    ("Reason", "text"),
    ("Last decision", "text"),
    ("Actions open", "number"),
    ("Enough evidence", ""),
    ("In quarantine", "number"),
    ("Minutes", "number"),
)
"""The agenda's columns and how each sorts; what a status counts does not sort."""

COMMENT_RULE = (
    "all flagged, the newest, the lowest against target, the most specific (most suggestions and "
    "behaviours named)"
)


@dataclass(frozen=True)
class Group:
    """Learners that the meeting comes to for the same sort of reason."""

    title: str
    rows: tuple[Row, ...]

    @property
    def minutes(self) -> int:
        """Return the time that the group needs."""
        return sum(int(row["minutes"] or 0) for row in self.rows)


@dataclass(frozen=True)
class Agenda:
    """The whole cohort in the order in which the meeting comes to it."""

    learners: Sequence[Row]
    columns: tuple[tuple[str, str], ...] = COLUMNS

    @property
    def n(self) -> int:
        """Return how many learners there are."""
        return len(self.learners)

    @cached_property
    def _in_order(self) -> list[Row]:
        return sorted(
            self.learners,
            key=lambda r: (r["programme_id"], r["agenda_order"] or self.n, r["learner_key"]),
        )

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Return the groups that hold someone, in their order."""
        titles = words.GROUPS | {None: "Not on the agenda"}
        return tuple(
            Group(title, rows)
            for code, title in titles.items()
            if (rows := tuple(r for r in self._in_order if _group(r) == code))
        )

    @cached_property
    def stages(self) -> list[str]:
        """Return the stages that occur."""
        return sorted({r["stage_id"] for r in self.learners if r["stage_id"]})

    @cached_property
    def reasons(self) -> list[tuple[str, str]]:
        """Return the reasons that occur, and how to say them."""
        found = dict.fromkeys(code for r in self.learners for code in r["reasons"])
        return sorted((code, words.plain(code)) for code in found)

    @property
    def sentence(self) -> str:
        """Return the meeting in one sentence."""
        if not self.learners:
            return (
                "This edition holds no learners: nothing has to be decided. Drop a roster into "
                "the inbox and run the pipeline again to fill the agenda."
            )
        days = sorted({r["meets_on"] for r in self.learners if r["meets_on"]})
        meeting = f"Meeting of {words.listed(map(words.day, days))}. " if days else ""
        parts = [f"{len(g.rows)} {_lower(g.title)}" for g in self.groups]
        minutes = sum(g.minutes for g in self.groups)
        time = f", about {words.count(minutes, 'minute')} in all" if minutes else ""
        return f"{meeting}{words.count(self.n, 'learner')}: {words.listed(parts)}{time}."


@dataclass(frozen=True)
class Quality:
    """What the data can carry, by delivery, reason and source."""

    deliveries: Sequence[Row]
    reasons: Sequence[Row]
    freshness: Sequence[Row]
    measurement: Sequence[Row]
    rules: Sequence[Row]

    @property
    def sentence(self) -> str:
        """Return the ledger in one sentence."""
        n = {
            outcome: sum(d[outcome] for d in self.deliveries)
            for outcome in ("accepted", "duplicate", "superseded", "voided", "quarantined")
        }
        parts = words.listed(f"{count} {outcome}" for outcome, count in n.items())
        deliveries = words.count(len(self.deliveries), "delivery", "deliveries")
        return f"{deliveries}, {words.count(sum(n.values()), 'record')} read: {parts}."


class Pages:
    """Renders the pages of one pack."""

    def __init__(self, portfolio: Portfolio, view: View = FOR_COMMITTEE) -> None:
        self._portfolio = portfolio
        self._script = "\n" + _resource("agenda.js")
        self._environment = _environment()
        self._environment.globals |= {
            "portfolio": portfolio,
            "view": view,
            "interval_of_share": _interval_of_share(portfolio.of_programme["rules"]),
        }

    def index(self) -> str:
        """Return the agenda."""
        digest = hashlib.sha256(self._script.encode()).digest()
        return self._render(
            "index.html",
            root="",
            agenda=Agenda(self._portfolio.learners),
            script=self._script,
            script_hash=f"'sha256-{base64.b64encode(digest).decode()}'",
        )

    def quality(self) -> str:
        """Return the data-quality page."""
        programme = self._portfolio.of_programme
        quality = Quality(
            programme["deliveries"],
            programme["quality"],
            programme["freshness"],
            programme["measurement"],
            programme["rules"],
        )
        return self._render("quality.html", root="", quality=quality)

    def learner(self, page: LearnerPage) -> str:
        """Return one learner's page."""
        return self._render(
            "learner.html",
            root="../",
            page=page,
            waiting_sources=[
                f for f in self._portfolio.of_programme["freshness"] if f["is_waiting"]
            ],
        )

    def own(self, page: LearnerPage, form: str) -> str:
        """Return the first page of a learner's own view; `form` is the file to answer with."""
        return self._render(
            "own.html",
            root="",
            page=page,
            form=form,
            declarations=self._portfolio.rows("declarations", page.key),
        )

    def mentored(self, pages: Sequence[LearnerPage]) -> str:
        """Return the first page of a mentor's view."""
        return self._render("mentored.html", root="", pages=pages)

    def programme(self, programme: Any) -> str:
        """Return the programme's page."""
        return self._render("programme.html", root="", programme=programme)

    def binder(self, binder: Any) -> str:
        """Return the first page of an accreditation binder."""
        return self._render("binder.html", root="", binder=binder)

    def evidence(self, page: LearnerPage) -> Iterator[tuple[str, str]]:
        """Yield the evidence behind one learner's page, as file and page; mostly it is one."""
        for number in range(len(page.evidence_pages)):
            file = page.file_of(number=number)
            yield file, self._render("evidence.html", root="../", page=page, number=number)

    def addendum(
        self, meeting_id: str, freeze_id: str, since_edition_id: str, changes: Mapping[str, Any]
    ) -> str:
        """Return what arrived about learners after a pack was frozen."""
        return self._render(
            "addendum.html",
            root="",
            meeting_id=meeting_id,
            freeze_id=freeze_id,
            since_edition_id=since_edition_id,
            changes=changes,
        )

    def _render(self, template: str, **context: Any) -> str:
        return self._environment.get_template(template).render(**context) + "\n"


def style_sheet() -> bytes:
    """Return the style sheet that all pages share."""
    return (files("pipelines.committee") / "assets" / "pack.css").read_bytes()


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipelines.committee"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "abbreviated": words.abbreviated,
        "breakable": _breakable,
        "clock": words.clock,
        "counted": words.count,
        "day": words.day,
        "drawn": Markup,
        "figure": words.number,
        "in_line": _in_line,
        "instant": words.instant,
        "interval": words.interval,
        "plain": words.plain,
        "sentence": words.sentence,
        "share": words.share,
        "weeks": words.weeks,
    }
    environment.tests["beginning"] = str.startswith
    environment.globals |= {
        "axis_height": charts.AXIS_HEIGHT,
        "comment_rule": COMMENT_RULE,
        "circumstances": words.CIRCUMSTANCES,
        "clocks": words.CLOCKS,
        "disputes": words.DISPUTES,
        "reflections": words.REFLECTIONS,
        "reports": words.REPORTS,
        "declared": words.DECLARED,
        "statuses": words.STATUS,
        "strip_height": charts.STRIP_HEIGHT,
    }
    return environment


def _in_line(fields: Sequence[Field]) -> Markup:
    """Return the fields of a form in one line, each value escaped; there are many of them."""
    parts = [f"<i>{escape(x.label)}</i> {escape(x.value)}" for x in fields if not x.is_verbatim]
    return Markup(" · ".join(parts))  # noqa: S704  every part is escaped above


def _breakable(text: str) -> Markup:
    """Return a name without spaces, such as that of a file, which may go on in another line."""
    return Markup(re.sub("([/_])", r"\1<wbr>", str(escape(text))))  # noqa: S704  escaped here


def _interval_of_share(rules: Sequence[Row]) -> str:
    """Return what the interval of a share is called, by the quantile of the default rule set.

    Where stages have quantiles of their own, no level is named.
    """
    levels = {
        round(100 * (2 * NormalDist().cdf(float(rule["threshold_value"])) - 1), 1)
        for rule in rules
        if rule["is_default"] and (rule["rule_id"], rule["threshold_name"]) == ("interval", "z")
    }
    return f"{words.number(levels.pop())} % interval" if len(levels) == 1 else "interval"


def _resource(name: str) -> str:
    return (files("pipelines.committee") / "templates" / name).read_text(encoding="utf-8")


def _group(row: Row) -> str | None:
    group = row["agenda_group"]
    return group if group in words.GROUPS else None


def _lower(title: str) -> str:
    return title[0].lower() + title[1:].split(":")[0]
