"""The report in words and tables, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

NOT_YET = "not yet"


def render(found: dict[str, Any]) -> str:
    """Return the page of the docs that shows a report."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield "# Validity: what is published, beside what is true"
    yield ""
    yield (
        "Made by `tessera bench validity`, which makes cohorts whose truth is known, runs the real "
        "pipeline on them and reads published tables only. How the cohorts are made is in "
        "[synthetic cohorts](synthetic-cohorts.md)."
    )
    yield ""
    yield (
        f"Seeds {found['first_seed']} to {found['first_seed'] + found['seeds'] - 1}, "
        f"{found['learners']} learners a cohort, parameters version "
        f"{found['parameters_version']}; the oracle weighed {found['oracle_seeds']} cohorts of its "
        "own for every size. Intervals are Wilson's at 95 %."
    )
    yield from _ledger(found["ledger"])
    yield from _ratings(found["ratings"])
    yield from _signals(found["signals"])
    yield from _records(found["records"])


def _ledger(told: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "## Ledger against planted faults"
    yield ""
    balance = told["deliveries"]
    yield (
        f"{balance['as_expected']} of {balance['n']} deliveries have the counts of accepted, "
        "duplicate, superseded, voided and quarantined records that their rows should have given"
        + (
            f"; {balance['not_yet_held']} records that should be held are not held yet, and are "
            "counted as accepted."
            if balance["not_yet_held"]
            else "."
        )
    )
    for row in balance["differences"]:
        parts = [
            f"{name} {pair['found']} instead of {pair['expected']}"
            for name, pair in row.items()
            if name != "file"
        ]
        yield f"- `{row['file']}`: {', '.join(parts)}"
    yield ""
    yield "| fault | planted | as expected | differs | not yet |"
    yield "|---|---|---|---|---|"
    for kind in told["kinds"]:
        yield (
            f"| {_words(kind['kind'])} | {kind['planted']} | {kind['as_expected']} | "
            f"{kind['differs']} | {kind['not_yet']} |"
        )


def _ratings(told: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "## Ratings against true ability"
    yield ""
    yield "| ratings | of | n | correlation | error (RMSE, levels) | shift (levels) |"
    yield "|---|---|---|---|---|---|"
    for name, row in told["raw"].items():
        yield f"| raw mean | {name} | {_agreement(row)} |"
    adjusted = told["adjusted"]
    if isinstance(adjusted, str):
        yield f"| adjusted | | {adjusted} | | | |"
    else:
        for name, row in adjusted.items():
            yield f"| adjusted | `{name}` | {_agreement(row)} |"
    coverage = told["coverage"]
    yield ""
    yield "## Coverage of printed intervals"
    yield ""
    yield (
        "How often the printed interval of a share at or above target holds the share that the "
        f"average assessor and case would give. It should be {_percent(coverage['nominal'])}."
    )
    yield ""
    yield "| ratings in the cell | cells | held |"
    yield "|---|---|---|"
    yield f"| any | {coverage['all']['n']} | {_share(coverage['all'])} |"
    for name, row in coverage["by_ratings"].items():
        yield f"| {name} | {row['n']} | {_share(row)} |"


def _signals(lines: list[dict[str, Any]]) -> Iterator[str]:
    yield ""
    yield "## Signals, by size of the pattern"
    yield ""
    yield (
        "Recall is the share of learners with the pattern for whom something that finds it was "
        "published; false alarms the share of learners without any pattern. A size counts as "
        "discoverable where the oracle finds 95 % or more of it."
    )
    yield ""
    yield "| pattern | found by | size | recall | false alarms | oracle | discoverable |"
    yield "|---|---|---|---|---|---|---|"
    for line in lines:
        for place, point in enumerate(line["curve"]):
            is_first = place == 0
            alarms = _share(line["false_alarms"]) if "false_alarms" in line else ""
            oracle = point["oracle"]
            yield (
                " | ".join(
                    (
                        f"| {_words(line['pattern']) if is_first else ''}",
                        _ways(line["detectors"]) if is_first else "",
                        f"{point['effect']:g}",
                        NOT_YET if point["recall"] is None else _share(point["recall"]),
                        alarms if is_first else "",
                        NOT_YET if oracle is None else _share(oracle),
                        "" if oracle is None else ("yes" if oracle["is_discoverable"] else "no"),
                    )
                )
                + " |"
            )


def _records(lines: list[dict[str, Any]]) -> Iterator[str]:
    yield ""
    yield "## Rules about what is on record"
    yield ""
    yield "| rule | recall | false alarms |"
    yield "|---|---|---|"
    for line in lines:
        yield (
            f"| {_words(line['rule'])} | {_share(line['recall'])} | "
            f"{_share(line['false_alarms'])} |"
        )


def _agreement(row: dict[str, Any]) -> str:
    if row["correlation"] is None:
        return f"{row['n']} | too few | | "
    return f"{row['n']} | {row['correlation']:.3f} | {row['rmse']:.3f} | {row['shift']:+.3f}"


def _share(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return "none to find"
    low, high = _percent(row["low"]), _percent(row["high"])
    return f"{_percent(row['value'])} ({low} to {high}; n {row['n']})"


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _ways(ways: dict[str, list[str]]) -> str:
    return ", ".join(f"`{name}`" for names in ways.values() for name in names)


def _words(name: str) -> str:
    return name.replace("_", " ")
