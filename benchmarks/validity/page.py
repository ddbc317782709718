"""The report in words and tables, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.validity.signals import NOT_YET, at

RECALL_MIN, ALARMS_MAX = 0.8, 0.1
"""The bar: recall as a part of what the oracle finds; false alarms a learner and review."""
ORACLES = {"at_same_price": "at the same price", "at_each": "that may raise more"}
"""The oracles that the rules are held against, in the words of the page."""
LIMITS = (
    "- **Words.** `score_narrative` looks for reviewed words and phrases and asks for two such "
    "comments; the oracle reads every one. The generators write ten sentences of concern, the same "
    "ten in all of them, of which the list knows some: what is found here says what two comments "
    "are worth, and not how many sentences of real assessors the list knows "
    "([ADR 0068](decisions/0068-words-beside-levels-without-a-target.md)).",
    "- **Decay after a gap.** Some are not rated again at all in that competency and some once; of "
    "these nothing can be told, by the oracle neither. It knows the competency, the day, the size "
    "and how strict everybody is. The rule waits for two ratings and looks at every competency; of "
    "what it could find more often it would too often speak for nothing "
    "([the curve](decisions/0040-signals-look-where-the-evidence-is.md)).",
    "- **Falls and drift.** Learners grow at different speeds: standings change without a fall. "
    "How much they do is part of the calibration and of the doubt of a change.",
    "- **Gaps.** Chance leaves some. A pause counts where peers in the same rotations make more be "
    "expected; a competency that the rotations hardly offer is not missed.",
    "- **Open and secured work.** Five pieces of open work a year are few. The rule leans on the "
    "fall of secured performance; a learner whose open work is weak by chance is found by "
    "`performance_fell` instead (*with others*), and one who fell in everything and whose open "
    "work is strong by chance by `open_secured`. Where it cannot be told which, both are.",
    "- **One assessor.** Two years are looked at, since one stage holds too few data points on a "
    "competency. Where a competency has passed to one assessor lately, the earlier record hides it "
    "for a while.",
    "- **Plateau** has no rule of its own. Where growth stops, a learner falls behind slowly, and "
    "much of that lies within what speeds of growth differ by anyway. As it is planted it shows in "
    "observed and secured work and leaves essays alone, so to the rules it is a fall and a parting "
    "of open and secured work alike: `performance_fell` and `open_secured` both count as finding "
    "it. A plateau of essays too would be told by the first alone.",
    "- **One harsh rater and a gap between groups** are no signals about a learner. Assessors' "
    "effects are seen by need and never published; a gap is about a programme. How well both are "
    "found is told above.",
    "- **Without a calibration**, and where fewer than five peers or ten of their ratings are "
    "there, nothing is compared and nothing is raised.",
    "- The rules were written by people who knew what the generator plants. The unseen generator "
    "plants the same patterns in another school; it is no substitute for real learners.",
)


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
    yield from _bar(found)
    yield ""
    yield "## Cohorts and intervals"
    yield ""
    tuned, unseen = found["tuned_on"], found["unseen"]
    versions = ", ".join(f"`{name}` version {version}" for name, version in found["rules"].items())
    yield (
        f"Thresholds were tuned on seeds {_seeds(tuned)} of {tuned['learners']} learners, of the "
        f"shipped generator and of {tuned['schools']} schools drawn at random around it. This "
        f"report goes through seeds {_seeds(found)}, and through seeds {_seeds(unseen)} of a "
        f"generator that nothing was tuned on ({unseen['words']}). Each seed makes a cohort of "
        f"{found['learners']} learners for every size of the patterns; the oracle weighed "
        f"{found['oracle_seeds']} cohorts of its own for every size, and at least "
        f"{_fewest_beyond(found)} learners without the pattern lie above each of its thresholds at "
        f"the same price. Parameters version {found['parameters_version']}; rules: {versions}. "
        "Intervals are Wilson's at 95 % over learners, or, where it says *over seeds*, Student's "
        "at 95 % over seeds."
    )
    yield from _ledger(found["ledger"])
    yield from _ratings(found["ratings"])
    yield from _summary(found)
    yield from _alarms(found)
    yield from _curves(found["signals"], "Signals, by size of the pattern")
    yield from _curves(unseen["signals"], "The same on the generator that nothing was tuned on")
    yield from _whole(found["whole"], unseen["whole"])
    yield from _records(found["records"])
    yield from _limits()


def _bar(found: dict[str, Any]) -> Iterator[str]:
    generators = {"shipped": found, "unseen": found["unseen"]}
    told = found["oracle_may_raise"]
    each, in_all, n = told["of_each"], told["in_all"], told["patterns"]
    yield ""
    yield "## Where the bar is met, and by how much it is missed"
    yield ""
    yield (
        f"The bar: of every pattern, at least {RECALL_MIN:g} of what the oracle finds, at no more "
        f"than {ALARMS_MAX:g} false alarms a learner and review. Counted first over every size "
        "that was planted, also those that are hard to see."
    )
    yield ""
    yield (
        "The more an oracle may raise for nothing, the more it finds, so there are two. The one "
        f"*at the same price* may raise what the rules may, {in_all:g} a learner and review in "
        f"all; shared evenly over the {n} patterns of a learner that is {in_all / n:g} for each. "
        f"The one *that may raise more* may raise {each:g} for each pattern, {n * each:g} in all: "
        f"{n * each / in_all:.2g} times what the rules may. Both know the generating model and the "
        "size."
    )
    yield ""
    for name, part in generators.items():
        yield (
            f"- *{name.capitalize()} generator.* {_counted(part['signals'])} "
            f"{_alarms_beside_the_bar(part['alarms'])}"
        )
    yield ""
    yield (
        "Over all sizes, *part* is the mean of what is found by the mean of what that oracle "
        "finds, every size alike. Its interval is over the seeds of the rules and takes what the "
        "oracle finds as known; how well it is known stands in the tables by size below, with the "
        "false alarms of what finds each pattern. The rules share theirs otherwise than evenly, "
        "and one rule may find several patterns: a part above one comes from spending more there "
        "than the oracle may, or from chance."
    )
    yield ""
    yield (
        "| generator | pattern | found, over seeds | oracle at the same price | part, over seeds "
        "| bar | oracle that may raise more | part, over seeds | bar |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, part in generators.items():
        for line in part["signals"]:
            yield f"| {name} | {_words(line['pattern'])} | {_over_all_sizes(line)} |"
    yield ""
    yield (
        "Size by size, from the smallest to the largest, the part of what each oracle finds. A "
        "size of which an oracle finds none is neither met nor missed."
    )
    yield ""
    yield (
        "| generator | pattern | of the oracle's at the same price | met at "
        "| of the oracle's that may raise more | met at |"
    )
    yield "|---|---|---|---|---|---|"
    for name, part in generators.items():
        for line in part["signals"]:
            yield f"| {name} | {_words(line['pattern'])} | {_size_by_size(line)} |"


def _counted(lines: list[dict[str, Any]]) -> str:
    """Return for how many patterns the bar is met beside each oracle, in sentences."""
    weighed = [line for line in lines if line["over_all_sizes"]]
    sentences = []
    for oracle, words in ORACLES.items():
        over_all = [line for line in weighed if _reaches(_middle(line, oracle))]
        at_every = [line for line in weighed if _n_met(line, oracle) == _n_held(line, oracle)]
        sentences.append(
            f"Beside the oracle {words}, the bar is met over all sizes for "
            f"{_named(over_all, weighed)}, and at every size for {_named(at_every, weighed)}."
        )
    return " ".join(sentences)


def _named(met: list[dict[str, Any]], weighed: list[dict[str, Any]]) -> str:
    """Return how many patterns meet the bar, and which."""
    names = f" ({', '.join(_words(line['pattern']) for line in met)})" if met else ""
    return f"{len(met)} of {len(weighed)} patterns{names}"


def _over_all_sizes(line: dict[str, Any]) -> str:
    """Return the cells that hold a pattern against the bar over all sizes."""
    told = line["over_all_sizes"]
    if told is None:
        return f"{NOT_YET} | | | | | |"
    cells = [_seeded(told["recall"], 100, " %")]
    for oracle in ORACLES:
        part = told[oracle]["of_oracle"]
        ends = (None, None) if part is None else (part["low"], part["high"])
        cells += [
            _percent(told[oracle]["oracle"]),
            "none to find" if part is None else _seeded(part, places=2),
            _beside_the_bar(_middle(line, oracle), *ends),
        ]
    return " | ".join(cells)


def _size_by_size(line: dict[str, Any]) -> str:
    """Return the cells that hold a pattern against the bar at every size."""
    cells = []
    for oracle in ORACLES:
        parts = _parts(line, oracle)
        if not parts:
            return f"{NOT_YET} | | |"
        cells.append(", ".join(f"{effect:g}: {_ratio(part)}" for effect, part in parts))
        cells.append(f"{_n_met(line, oracle)} of {_n_held(line, oracle)}")
    return " | ".join(cells)


def _n_met(line: dict[str, Any], oracle: str) -> int:
    """Return at how many sizes the bar is met beside an oracle."""
    return sum(_reaches(part) for _, part in _parts(line, oracle))


def _n_held(line: dict[str, Any], oracle: str) -> int:
    """Return at how many sizes an oracle finds anything that the rules can be held against."""
    return sum(part is not None for _, part in _parts(line, oracle))


def _middle(line: dict[str, Any], oracle: str) -> float | None:
    """Return what is found over all sizes as a part of an oracle's; None where it finds nothing."""
    part = line["over_all_sizes"][oracle]["of_oracle"]
    return None if part is None else part["value"]


def _parts(line: dict[str, Any], oracle: str) -> list[tuple[float, float | None]]:
    """Return recall as a part of an oracle's at each size that both looked for."""
    found = []
    for point in line["curve"]:
        if point["recall"] and point["recall"]["n"] and point["oracle"]:
            finds = at(oracle, point["oracle"])["value"]
            found.append((point["effect"], point["recall"]["value"] / finds if finds else None))
    return found


def _alarms_beside_the_bar(alarms: dict[str, Any]) -> str:
    value = alarms["all"]["value"]
    return (
        f"False alarms are {value:.3f} in all, within the bar."
        if value <= ALARMS_MAX
        else f"False alarms are {value:.3f} in all, {value - ALARMS_MAX:.3f} above the bar."
    )


def _reaches(part: float | None) -> bool:
    return part is not None and part >= RECALL_MIN


def _beside_the_bar(part: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return whether a part of the oracle's reaches the bar, or by how much it does not."""
    if part is None:
        return ""
    if part < RECALL_MIN:
        missed = f"missed by {RECALL_MIN - part:.3f}"
        is_within = high is not None and high >= RECALL_MIN
        return f"{missed}; the interval ends at {high:.2f}" if is_within else missed
    return "met" if low is None or low >= RECALL_MIN else f"met; the interval begins at {low:.2f}"


def _part_low(recall: dict[str, Any], oracle: float) -> float | None:
    """Return the lower end of recall's interval as a part of the oracle's."""
    return None if recall["low"] is None else recall["low"] / oracle


def _seeds(told: dict[str, Any]) -> str:
    return f"{told['first_seed']} to {told['first_seed'] + told['seeds'] - 1}"


def _fewest_beyond(found: dict[str, Any]) -> int:
    """Return how many learners without a pattern the least certain threshold rests on."""
    return min(
        (
            point["oracle"]["at_same_price"]["n_beyond"]
            for lines in (found["signals"], found["unseen"]["signals"])
            for line in lines
            for point in line["curve"]
            if point["oracle"]
        ),
        default=0,
    )


def _ledger(told: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "## Ledger against planted faults"
    yield ""
    balance = told["deliveries"]
    yield (
        f"{balance['as_expected']} of {balance['n']} deliveries have the counts of accepted, "
        "duplicate, superseded, voided and quarantined records that their rows should have given. "
        + (
            f"Kinds of faults that this cohort holds none of: {', '.join(told['not_planted'])}."
            if told["not_planted"]
            else "Every kind of fault that the parameters know is there."
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
    yield "| fault | planted | found as expected | differs |"
    yield "|---|---|---|---|"
    for kind in told["kinds"]:
        yield (
            f"| {_words(kind['kind'])} | {kind['planted']} | {kind['as_expected']} | "
            f"{kind['differs']} |"
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
    yield ""
    yield (
        "Shares at or above target, raw and adjusted for the stringency of who rated "
        "(`portfolio_adjusted_share`, cells of five ratings or more), against the share that the "
        "average assessor and case would give:"
    )
    yield ""
    yield "| share | n | correlation | error (RMSE) | shift |"
    yield "|---|---|---|---|---|"
    if isinstance(adjusted, str):
        yield f"| adjusted | {adjusted} | | | |"
    else:
        yield f"| raw | {_agreement(adjusted['raw'])} |"
        yield f"| adjusted | {_agreement(adjusted['adjusted'])} |"
        yield ""
        yield (
            f"The interval of the adjusted share holds the truth in "
            f"{_share(adjusted['coverage'])} of the cells; the status would be another one in "
            f"{_share(adjusted['sensitive'])}."
        )
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


def _summary(found: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "## What the signals find of what can be found"
    yield ""
    yield (
        "A narrower reading: over the sizes that are discoverable, that is where the oracle that "
        f"may raise more finds 95 % or more. Wanted: {RECALL_MIN:g} of what the "
        "oracle finds. *With others* counts learners whom another rule put on the agenda for the "
        "same change. Of a pattern that is discoverable at no size, the largest is shown, over "
        "learners."
    )
    yield ""
    yield (
        "| generator | pattern | found by | sizes | learners | recall, over seeds "
        "| of the oracle's | bar | with others, over seeds |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, lines in (("shipped", found["signals"]), ("unseen", found["unseen"]["signals"])):
        for line in lines:
            told = line["discoverable"]
            if told is None:
                continue
            sizes = ", ".join(f"{size:g}" for size in told["sizes"])
            others = "" if told["with_others"] is None else _seeded(told["with_others"], 100, " %")
            bar = _beside_the_bar(told["of_oracle"], _part_low(told["recall"], told["oracle"]))
            yield (
                f"| {name} | {_words(line['pattern'])} | {_ways(line['detectors'])} | {sizes} | "
                f"{told['n']} | {_seeded(told['recall'], 100, ' %')} | "
                f"{_ratio(told['of_oracle'])} | {bar} | {others} |"
            )
        without = [line for line in lines if line["discoverable"] is None]
        for line in without:
            yield f"| {name} | {_words(line['pattern'])} | {_at_the_largest(line)} |"


def _at_the_largest(line: dict[str, Any]) -> str:
    """Return the cells of a pattern that is discoverable at no size."""
    if line["status"] == NOT_YET:
        return "no rule yet | | | | | |"
    point = line["curve"][-1]
    recall, oracle, others = point["recall"], point["oracle"], point["recall_with_others"]
    is_weighed = oracle is not None and oracle["value"]
    part = recall["value"] / oracle["value"] if is_weighed else None
    low = _part_low(recall, oracle["value"]) if is_weighed else None
    return (
        f"{_ways(line['detectors'])} | {point['effect']:g}, not discoverable | {recall['n']} | "
        f"{_share(recall)} | {'' if part is None else _ratio(part)} | {_beside_the_bar(part, low)} "
        f"| {'' if others is None else _share(others)}"
    )


def _alarms(found: dict[str, Any]) -> Iterator[str]:
    shipped, unseen = found["alarms"], found["unseen"]["alarms"]
    yield ""
    yield "## False alarms"
    yield ""
    yield (
        f"Signals a learner and review among learners without any pattern ({shipped['n']} of the "
        f"shipped generator, {unseen['n']} of the unseen one), over seeds. Wanted: "
        f"{ALARMS_MAX:g} or less in all. Rules about what is *on record* are true also where "
        "nothing was planted (chance leaves gaps too), and count all the same."
    )
    yield ""
    yield "| rule | kind | shipped | unseen |"
    yield "|---|---|---|---|"
    for rule, row in shipped["rules"].items():
        kind = "on record" if row["on_record"] else "inferred"
        other = unseen["rules"].get(rule)
        yield (
            f"| `{rule}` | {kind} | {_seeded(row)} | {'' if other is None else _seeded(other)} |"
        )
    yield f"| all | | {_seeded(shipped['all'])} | {_seeded(unseen['all'])} |"
    inferred = f"{_seeded(shipped['inferred'])} | {_seeded(unseen['inferred'])}"
    yield f"| all that are inferred | | {inferred} |"
    for status, row in shipped["statuses"].items():
        yield (
            f"| status `{status}`, share of learners | | {_seeded(row)} | "
            f"{_seeded(unseen['statuses'][status])} |"
        )


def _curves(lines: list[dict[str, Any]], title: str) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield (
        "Recall is the share of learners with the pattern for whom something that finds it was "
        "published; false alarms the share of learners without any pattern."
    )
    yield ""
    yield (
        "| pattern | found by | size | recall | with others | false alarms "
        "| oracle at the same price | oracle that may raise more | discoverable |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for line in lines:
        for place, point in enumerate(line["curve"]):
            is_first = place == 0
            alarms = _share(line["false_alarms"]) if "false_alarms" in line else ""
            oracle, others = point["oracle"], point["recall_with_others"]
            yield (
                " | ".join(
                    (
                        f"| {_words(line['pattern']) if is_first else ''}",
                        _ways(line["detectors"]) if is_first else "",
                        f"{point['effect']:g}",
                        NOT_YET if point["recall"] is None else _share(point["recall"]),
                        "" if others is None else _share(others),
                        alarms if is_first else "",
                        *(
                            NOT_YET if oracle is None else _share(at(name, oracle))
                            for name in ORACLES
                        ),
                        "" if oracle is None else ("yes" if oracle["is_discoverable"] else "no"),
                    )
                )
                + " |"
            )


def _whole(shipped: dict[str, Any], unseen: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "## One harsh rater"
    yield ""
    yield (
        "Found where the calibration estimates the planted rater as the strictest of all. *Told*: "
        "of the cells that this rater saw and whose share lies on the other side of one half than "
        "the average assessor would give, the part that is adjusted to the right side and says "
        "that the status would be another one. *Could be told*: the part that would come to the "
        "right side if the true stringency of all its raters were known and taken out; the rest is "
        "on the wrong side by luck of cases and of who rated whom, which no adjustment for "
        "stringency mends and the interval stands for. Errors are of the shares of cells that this "
        "rater saw."
    )
    yield ""
    yield (
        "| generator | stricter by (levels) | cohorts | found | oracle | effect found (levels) "
        "| cells | error raw | error adjusted | could be told | told |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for name, told in (("shipped", shipped), ("unseen", unseen)):
        for row in told["harsh_rater"]:
            yield (
                f"| {name} | {row['effect']:g} | {row['cohorts']} | {_share(row['found'])} | "
                f"{_of_oracle(row)} | {_number(row['effect_found'])} | {row['n_cells']} | "
                f"{_number(row['raw_error'])} | {_number(row['adjusted_error'])} | "
                f"{_share(row['mendable'])} | {_share(row['told'])} |"
            )
    yield ""
    yield "## A group that grows more slowly"
    yield ""
    yield (
        "`programme_trajectory_fairness`, rise of the share at target a year, the group less all "
        "others. *Holds*: the printed 95 % interval holds the true difference, worked out from "
        "true levels over the same ratings. *Found*: the interval leaves out no difference."
    )
    yield ""
    yield (
        "| generator | behind after three years (years) | cohorts | true difference | printed "
        "| holds | found | oracle |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for name, told in (("shipped", shipped), ("unseen", unseen)):
        for row in told["group_gap"]:
            yield (
                f"| {name} | {row['effect']:g} | {row['cohorts']} | {_number(row['true'])} | "
                f"{_number(row['difference'])} | {_share(row['holds'])} | {_share(row['found'])} | "
                f"{_of_oracle(row)} |"
            )


def _of_oracle(row: dict[str, Any]) -> str:
    return NOT_YET if row["oracle"] is None else _share(row["oracle"])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _limits() -> Iterator[str]:
    yield ""
    yield "## What is not found, and why"
    yield ""
    yield from LIMITS


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


def _share(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return "none to find"
    low, high = _percent(row["low"]), _percent(row["high"])
    return f"{_percent(row['value'])} ({low} to {high}; n {row['n']})"


def _seeded(row: dict[str, Any], times: float = 1, unit: str = "", places: int = 3) -> str:
    if row["value"] is None:
        return "none to find"
    places = 0 if times == 100 else places
    middle = f"{times * row['value']:.{places}f}{unit}"
    if row["low"] is None:
        return f"{middle} (one seed)"
    high = min(1.0, row["high"]) if times == 100 else row["high"]
    return (
        f"{middle} ({times * row['low']:.{places}f} to {times * high:.{places}f}{unit}; "
        f"{row['n']} seeds)"
    )


def _ratio(value: float | None) -> str:
    return "none to find" if value is None else f"{value:.2f}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _ways(ways: dict[str, list[str]]) -> str:
    return ", ".join(f"`{name}`" for names in ways.values() for name in names)


def _words(name: str) -> str:
    return name.replace("_", " ")
