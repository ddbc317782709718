"""Figures as people read them."""

from __future__ import annotations

from benchmarks.figures import Case, Figure, Outcome

NOT_MEASURED = "not measured"


def figure_text(figure: Figure | None, unit: str) -> str:
    """Return a figure as rate or seconds, or why there is none."""
    if figure is None:
        return "–"
    if figure.cost is None or figure.rate is None:
        return f"{NOT_MEASURED}: {figure.why_not or 'no run'}"
    return f"{figure.rate:,.0f} {unit}s/s" if figure.rate >= 10 else cost_text(figure, unit)


def cost_text(figure: Figure, unit: str) -> str:
    """Return the cost of a unit in seconds or milliseconds."""
    cost = figure.cost or 0.0
    return f"{cost:.2f} s a {unit}" if cost >= 1 else f"{cost * 1000:.1f} ms a {unit}"


def spread_text(figure: Figure | None) -> str:
    """Return the median of the runs in seconds, with the fastest and slowest."""
    if figure is None or figure.median_seconds is None or figure.spread_seconds is None:
        return "–"
    low, high = figure.spread_seconds
    return f"{figure.median_seconds:.2f} s ({low:.2f} to {high:.2f})"


def memory_text(figure: Figure | None) -> str:
    """Return the peak of memory."""
    if figure is None or not figure.peak_bytes:
        return "–"
    return f"{figure.peak_bytes / 2**20:,.0f} MiB"


def ratio_text(ratio: float | None) -> str:
    """Return a ratio, or that it was not measured."""
    if ratio is None:
        return NOT_MEASURED
    return f"{ratio:,.1f}" if ratio < 100 else f"{ratio:,.0f}"


def contestants(case: Case) -> list[tuple[str, Figure | None]]:
    """Return every figure of a case with what it stands for, ours without a name."""
    others = {"floor: ": case.floor, "rival: ": case.rival, "rival, tuned: ": case.tuned}
    return [("", case.ours), *others.items()]


def ratios(case: Case) -> tuple[str, str]:
    """Return both ratios in words; a dash where nothing stands on the other side."""
    floor = "–" if case.floor is None else ratio_text(case.times_floor)
    rival = "–" if case.rival is None else ratio_text(case.times_rival)
    if case.tuned is not None:
        rival += f", tuned {ratio_text(case.times_tuned)}"
    return floor, rival


def machine_text(outcome: Outcome) -> str:
    """Return the machine in a line."""
    found = outcome.machine
    return (
        f"{found.processor}, {found.cores} cores, {found.memory_bytes / 2**30:.0f} GiB, "
        f"{found.system}, Python {found.python}"
    )
