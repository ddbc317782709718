"""The page of the docs that shows the kept results, with a plot of cost against size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.figures import Case, Figure, Outcome
from benchmarks.registry import ENTRIES
from benchmarks.words import (
    figure_text,
    machine_text,
    memory_text,
    ratios,
    spread_text,
)

PAGE = "benchmarks.md"
PLOT = Path("images") / "benchmarks.svg"

HEAD = """# Benchmarks

Written by `tessera bench`; run it to renew the page. Each figure is the median of several runs,
taken in turns with those of the floor and the rival. Time is that of the whole process unless the
settings say otherwise, memory the peak of the whole process tree.

*Times the floor*: how many times the floor's cost ours is (smaller is better). *Times the rival*:
how many times ours the rival's cost is (larger is better). Costs are for each unit of work, so that
a rival may run at a size that it finishes in about a minute. A ratio is only given where both sides
were measured.
"""


def write(outcomes: Sequence[Outcome], docs: Path) -> Path:
    """Write the page and its plot, and return the page."""
    plot = draw(outcomes, docs / PLOT)
    parts = [HEAD]
    if plot is not None:
        parts.append(f"![Cost of one unit of work against size]({PLOT.as_posix()})\n")
    parts += [section(outcome) for outcome in outcomes]
    path = docs / PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def section(outcome: Outcome) -> str:
    """Return one benchmark in Markdown."""
    entry = ENTRIES.get(outcome.benchmark)
    lines = [f"## {outcome.benchmark}", "", f"{outcome.title}.", ""]
    if entry is not None:
        lines += [f"Floor: {entry.floor}. Rival: {entry.rival}.", ""]
    if outcome.status != "done":
        return "\n".join([*lines, f"{outcome.status.capitalize()}: {outcome.reason}.", ""])
    lines += [
        "| case | size | Tessera | floor | rival | times the floor | times the rival |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for case in outcome.cases:
        cells = (
            case.name,
            f"{case.size:,}",
            figure_text(case.ours, case.unit),
            figure_text(case.floor, case.unit),
            figure_text(case.rival, case.unit),
            *ratios(case),
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| case | size | | median of the runs (fastest to slowest) | peak memory |"]
    lines += ["|---|---:|---|---:|---:|"]
    for case in outcome.cases:
        lines += [_row(case, figure) for figure in _figures(case)]
    lines += ["", *_stages(outcome.cases)]
    settings = ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in _settings(outcome))
    lines += [f"Settings: {settings}.", "", f"Measured on {outcome.measured_on} on "]
    lines[-1] += f"{machine_text(outcome)}.\n"
    return "\n".join(lines)


def _row(case: Case, figure: Figure) -> str:
    label = f"{figure.label} {figure.version}".strip()
    at = f"{label}, {figure.work:,} {case.unit}s" if figure.work != case.size else label
    cells = (case.name, f"{case.size:,}", at, spread_text(figure), memory_text(figure))
    return f"| {' | '.join(cells)} |"


def _figures(case: Case) -> Iterable[Figure]:
    every = (case.ours, case.floor, case.rival, case.tuned)
    return (figure for figure in every if figure is not None)


def _stages(cases: Iterable[Case]) -> list[str]:
    """Return where our time goes, for cases that tell."""
    lines = []
    for case in cases:
        spent = {
            key.removesuffix("_seconds"): value
            for key, value in case.ours.details.items()
            if key.endswith("_seconds")
        }
        if spent:
            told = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in spent.items())
            lines.append(f"{case.name}, {case.size:,}: {told}.")
    return [*lines, ""] if lines else []


def _settings(outcome: Outcome) -> Iterable[tuple[str, object]]:
    yield from outcome.settings.items()
    yield from outcome.versions.items()


def draw(outcomes: Sequence[Outcome], path: Path) -> Path | None:
    """Draw the cost of a unit of work against size; nothing where no benchmark has two sizes."""
    import altair as alt
    import polars as pl

    rows = [
        {
            "benchmark": f"{outcome.benchmark}: {case.name}",
            "size": figure.work,
            "microseconds": (figure.cost or 0) * 1e6,
            "who": who,
        }
        for outcome in outcomes
        if len({case.size for case in outcome.cases}) > 1
        for case in outcome.cases
        for who, figure in (("Tessera", case.ours), ("floor", case.floor), ("rival", case.rival))
        if figure is not None and figure.cost is not None
    ]
    if not rows:
        return None
    table = pl.DataFrame(rows).unique(maintain_order=True)
    chart = (
        alt.Chart(table.to_pandas())
        .mark_line(point=True)
        .encode(
            x=alt.X("size:Q", scale=alt.Scale(type="log"), title="units of work in one run"),
            y=alt.Y(
                "microseconds:Q",
                scale=alt.Scale(type="log"),
                title="microseconds a unit",
            ),
            color=alt.Color("who:N", title=None, sort=["Tessera", "floor", "rival"]),
            strokeDash=alt.StrokeDash("who:N", title=None, sort=["Tessera", "floor", "rival"]),
            tooltip=["benchmark", "who", "size", "microseconds"],
        )
        .properties(width=260, height=180)
        .facet(facet=alt.Facet("benchmark:N", title=None), columns=2)
        .resolve_scale(x="independent", y="independent")
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    chart.save(path)
    return path
