"""Small multiples as SVG, drawn in process, the same bytes for the same rows.

Positions are worked out here in days and levels and handed to Vega as shares of the axis, and no
text of a source enters a chart: what the drawing shows does not depend on fonts, on the time zone
of the machine, or on what people wrote. The words stand in the page around it.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import altair as alt
import vl_convert

STRIP_WIDTH = 260
STRIP_HEIGHT = 30
STRIP_PADDING = 6.5
"""What a mark and the box of a flag need, so that no strip reaches into the next."""

AXIS_HEIGHT = 16
GROWTH_WIDTH = 340
GROWTH_HEIGHT = 110
MARGIN = 7
GUTTER = 38

INK = "#22262b"
ACCENT = "#1f5f8b"
FAINT = "#d5d9de"
MUTED = "#6b7280"
PAPER = "#fefefe"
"""Colours that the style sheet knows by name and turns round for dark pages."""

_NOISE = re.compile(r' (?:role|class|aria-[a-z]+|pointer-events)="[^"]*"')
"""What Vega says to screen readers mark by mark; the page says it once, in words."""

SHAPES = {"observed": "circle", "secured": "triangle-up", "open": "circle", "comment": "stroke"}


@dataclass(frozen=True)
class Point:
    """One observation on a strip; `height` is the level's place on its own scale, 0 to 1."""

    strip: int
    on: date
    height: float | None
    assurance: str | None
    is_flagged: bool


@dataclass(frozen=True)
class Target:
    """The level that is asked for on a strip, 0 to 1 on its own scale."""

    strip: int
    height: float


@dataclass(frozen=True)
class Span:
    """A stretch of days."""

    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class Sitting:
    """One sitting of a series of exams; a share of None is a gap."""

    on: date
    share: float | None
    cut: float | None
    cohort_mean: float | None
    sem: float | None = None
    """Standard error of measurement, as a share of the maximum."""


@dataclass(frozen=True)
class Drawing:
    """A drawing to stand in a page: what is inside `<svg>`, and how large it is."""

    body: str
    width: int
    height: int


def strips(
    points: Sequence[Point], targets: Sequence[Target], leave: Sequence[Span], window: Span, n: int
) -> Drawing:
    """Draw entrustment over time, one strip a competency and scale, all on one time axis.

    The axis stands on top; strip `i` begins `AXIS_HEIGHT + i * STRIP_HEIGHT` below the upper edge.
    """
    x = _Axis(window)
    bottom = n * STRIP_HEIGHT
    data: dict[str, list[Any]] = {
        "leave": [
            {"from": x(max(span.starts_on, window.starts_on)), "to": x(span.ends_on)}
            for span in leave
            if span.ends_on >= window.starts_on and span.starts_on <= window.ends_on
        ],
        "ticks": [{"x": x(day), "label": str(day.year)} for day in _years(window)],
        "targets": [{"y": _depth(target.strip, target.height)} for target in targets],
        "points": [
            {
                "x": x(point.on),
                "y": _depth(point.strip, 0.0 if point.height is None else point.height),
                "mark": _mark(point),
            }
            for point in points
        ],
        "flags": [
            {"x": x(point.on), "y": _depth(point.strip, point.height or 0.0)}
            for point in points
            if point.is_flagged
        ],
    }
    body = _draw(_strips_spec(), data, height=bottom)
    return Drawing(body, STRIP_WIDTH + 2 * MARGIN, AXIS_HEIGHT + bottom)


def growth(sittings: Sequence[Sitting], window: Span) -> Drawing:
    """Draw the share of the maximum at each sitting; a sitting without a score breaks the line.

    Where an exam's standard error of measurement is known, a bar of one to each side stands on it.
    """
    x = _Axis(window)
    run = 0
    scored: list[dict[str, Any]] = []
    for sitting in sittings:
        if sitting.share is None:
            run += 1
        else:
            scored.append({"x": x(sitting.on), "y": sitting.share, "run": run})
    data: dict[str, list[Any]] = {
        "ticks": [{"x": x(day), "label": str(day.year)} for day in _years(window)],
        "scored": scored,
        "cuts": [{"x": x(s.on), "y": s.cut} for s in sittings if s.cut is not None],
        "cohort": [
            {"x": x(s.on), "y": s.cohort_mean} for s in sittings if s.cohort_mean is not None
        ],
        "gaps": [{"x": x(s.on)} for s in sittings if s.share is None],
        "errors": [
            {"x": x(s.on), "y": max(s.share - s.sem, 0.0), "to": min(s.share + s.sem, 1.0)}
            for s in sittings
            if s.share is not None and s.sem is not None
        ],
    }
    body = _draw(_growth_spec(), data, height=GROWTH_HEIGHT)
    return Drawing(body, GROWTH_WIDTH + GUTTER + MARGIN, AXIS_HEIGHT + GROWTH_HEIGHT + MARGIN)


def window_of(days: Iterable[date], as_of: date) -> Span:
    """Return the stretch from the first of the days to the end of as-of's month, at least a year.

    The end of the month keeps a drawing the same from night to night while nothing is added to it.
    """
    end = as_of.replace(day=monthrange(as_of.year, as_of.month)[1])
    known = [day for day in days if day <= as_of]
    first = min(known, default=end)
    if (end - first).days < 365:
        first = date.fromordinal(end.toordinal() - 365)
    return Span(first, end)


class _Axis:
    """Days as shares of the window, rounded so that equal input is equal output everywhere."""

    def __init__(self, window: Span) -> None:
        self._first = window.starts_on.toordinal()
        self._days = max(window.ends_on.toordinal() - self._first, 1)

    def __call__(self, day: date) -> float:
        share = (day.toordinal() - self._first) / self._days
        return round(min(max(share, 0.0), 1.0), 4)


def _depth(strip: int, height: float) -> float:
    """Return how far below the top of all strips a height lies, in pixels."""
    inner = STRIP_HEIGHT - 2 * STRIP_PADDING
    return round(strip * STRIP_HEIGHT + STRIP_PADDING + inner * (1 - height), 2)


def _mark(point: Point) -> str:
    if point.height is None:
        return "comment"
    return point.assurance if point.assurance in SHAPES else "observed"


def _years(window: Span) -> list[date]:
    return [date(year, 1, 1) for year in range(window.starts_on.year + 1, window.ends_on.year + 1)]


def _layer(name: str, mark: str, style: Mapping[str, Any], **channels: Any) -> alt.Chart:
    chart = alt.Chart(alt.NamedData(name))
    return getattr(chart, f"mark_{mark}")(**style).encode(**channels)  # type: ignore[no-any-return]


def _x(field: str = "x") -> alt.X:
    return alt.X(f"{field}:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False, zero=False))


@cache
def _strips_spec() -> dict[str, Any]:
    """Return the Vega program of the strips; `height` and the data are filled in per learner."""
    depth = alt.Y(
        "y:Q", axis=None, scale=alt.Scale(domain=[0, 1000], range=[0, 1000], nice=False, zero=False)
    )
    kinds = list(SHAPES)
    shape = alt.Shape(
        "mark:N", legend=None, scale=alt.Scale(domain=kinds, range=[SHAPES[k] for k in kinds])
    )
    fill = alt.Fill(
        "mark:N",
        legend=None,
        scale=alt.Scale(domain=kinds, range=[ACCENT, ACCENT, PAPER, ACCENT]),
    )
    whole = {"y": alt.value(0), "y2": alt.value({"expr": "height"})}
    chart = alt.layer(
        _layer("leave", "rect", {"color": FAINT}, x=_x("from"), x2="to:Q", **whole),
        _layer("ticks", "rule", {"color": FAINT}, x=_x(), **whole),
        _layer(
            "ticks",
            "text",
            {"color": MUTED, "fontSize": 11, "baseline": "bottom", "dy": -3},
            x=_x(),
            y=alt.value(0),
            text="label:N",
        ),
        _layer("targets", "rule", {"color": MUTED, "strokeDash": [4, 3]}, y=depth),
        _layer(
            "flags",
            "point",
            {"shape": "square", "size": 100, "stroke": INK, "strokeWidth": 1.2},
            x=_x(),
            y=depth,
        ),
        _layer(
            "points",
            "point",
            {"size": 42, "stroke": ACCENT, "strokeWidth": 1.4, "opacity": 1},
            x=_x(),
            y=depth,
            shape=shape,
            fill=fill,
        ),
    )
    return _compile(
        chart.properties(width=STRIP_WIDTH, height=1000),
        {"left": MARGIN, "right": MARGIN, "top": AXIS_HEIGHT, "bottom": 0},
    )


@cache
def _growth_spec() -> dict[str, Any]:
    axis = alt.Axis(
        values=[0, 0.25, 0.5, 0.75, 1],
        format=".0%",
        title=None,
        domain=False,
        ticks=False,
        gridColor=FAINT,
        labelColor=MUTED,
        labelFontSize=11,
        labelOverlap=False,
    )
    wide = alt.Scale(domain=[-0.04, 1.04], nice=False, zero=False)
    x = alt.X("x:Q", axis=None, scale=wide)
    share = alt.Y("y:Q", axis=axis, scale=alt.Scale(domain=[0, 1], nice=False))
    whole = {"y": alt.value(0), "y2": alt.value(GROWTH_HEIGHT)}
    chart = alt.layer(
        _layer("ticks", "rule", {"color": FAINT}, x=x, **whole),
        _layer(
            "ticks",
            "text",
            {"color": MUTED, "fontSize": 11, "baseline": "bottom", "dy": -3},
            x=x,
            y=alt.value(0),
            text="label:N",
        ),
        _layer("gaps", "rule", {"color": MUTED, "strokeDash": [2, 4]}, x=x, **whole),
        _layer(
            "cuts",
            "tick",
            {"color": MUTED, "thickness": 2, "size": 18, "orient": "horizontal"},
            x=x,
            y=share,
        ),
        _layer("errors", "rule", {"color": ACCENT, "strokeWidth": 1.4}, x=x, y=share, y2="to:Q"),
        _layer("cohort", "line", {"color": MUTED, "strokeWidth": 1.2}, x=x, y=share),
        _layer(
            "scored", "line", {"color": ACCENT, "strokeWidth": 1.4}, x=x, y=share, detail="run:N"
        ),
        _layer(
            "scored", "point", {"color": ACCENT, "filled": True, "size": 40, "opacity": 1},
            x=x, y=share,
        ),
    )  # fmt: skip
    return _compile(
        chart.properties(width=GROWTH_WIDTH, height=GROWTH_HEIGHT),
        {"left": GUTTER, "right": MARGIN, "top": AXIS_HEIGHT, "bottom": MARGIN},
    )


def _compile(chart: alt.LayerChart | alt.FacetChart, padding: dict[str, int]) -> dict[str, Any]:
    """Return a chart as a Vega program, compiled once."""
    whole = chart.properties(
        autosize=alt.AutoSizeParams(type="none"), padding=padding, background="transparent"
    ).configure(aria=False, view=alt.ViewConfig(stroke=None), font="sans-serif")
    program: dict[str, Any] = vl_convert.vegalite_to_vega(whole.to_dict())
    return program


def _draw(program: dict[str, Any], data: Mapping[str, list[Any]], *, height: int) -> str:
    filled = program | {
        "height": height,
        "data": [
            entry | {"values": data[entry["name"]]} if entry["name"] in data else entry
            for entry in program["data"]
        ],
    }
    svg: str = vl_convert.vega_to_svg(filled, allowed_base_urls=[])
    start, end = svg.index(">") + 1, svg.rindex("</svg>")
    return _NOISE.sub("", svg[start:end])
