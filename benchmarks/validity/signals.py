"""Recall and false alarms of every signal rule, by size of the pattern, beside the oracle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray

from benchmarks.validity import oracle
from benchmarks.validity.cohorts import Planned, effects_of
from benchmarks.validity.published import Edition, learner_keys
from benchmarks.validity.statistics import Share, over_seeds
from pipelines.synth.parameters import Parameters, shipped
from pipelines.synth.request import Request

DETECTORS = Path(__file__).with_name("detectors.yaml")
NOT_YET = "not yet"
WINDOW_DAYS = 365
ORACLE_SEED = 900_000
"""Seeds of the oracle's own cohorts begin here, away from those that the pipeline sees."""
ORACLE_LEARNERS = 60
ORACLE_SHARES = {
    pattern.id: 0.0 if pattern.about == "cohort" else 0.07 for pattern in shipped().patterns
}
"""More carriers than in the cohorts of the curves: the oracle goes by no norms of peers."""
PAUSES = "decay_after_gap"
PAUSED_SHARE = 0.75
"""Of the learners of cohorts in which decay after a gap is weighed alone."""
ORACLES = ("at_same_price", "at_each")
"""The oracle that may raise in all what the rules may, and the one at `false_alarms` a pattern."""
Ratios = defaultdict[tuple[str, int], list[NDArray[np.float64]]]
"""Log likelihood ratios by pattern and step."""
EXPECTED = {"ai_declaration_missing": "missing", "ai_use_differs": "differs"}


@cache
def detectors() -> dict[str, Any]:
    """Return what counts as finding each pattern."""
    found: dict[str, Any] = yaml.safe_load(DETECTORS.read_text(encoding="utf-8"))
    return found


def curves(
    edition: Edition,
    planned: Sequence[Planned],
    truths: Mapping[str, Path],
    power: Mapping[tuple[str, int], dict[str, Any]],
) -> list[dict[str, Any]]:
    """Return a curve for every pattern: what was found at each size, and what could be.

    Args:
        edition: what was published.
        planned: the cohorts of one generator.
        truths: the folder of each programme's truth.
        power: what the oracle finds, as `oracle_power` tells.
    """
    people = _people(edition, planned, truths)
    lines = []
    for pattern in _generator(planned).patterns:
        if pattern.about == "cohort":
            continue
        ways = detectors()["patterns"].get(pattern.id, {})
        fired = _fired(edition, ways)
        also = _fired(edition, {"signals": ways["also"]}) if "also" in ways else None
        line: dict[str, Any] = {
            "pattern": pattern.id,
            "words": pattern.words,
            "detectors": {way: names for way, names in ways.items() if way != "also"},
            "also": ways.get("also", []),
            "status": NOT_YET if fired is None else "measured",
            "unit": pattern.effect.unit,
        }
        if fired is not None:
            null = people.filter(pl.col("pattern") == "")
            alarms = int(null["learner_key"].is_in(list(fired)).sum())
            line["false_alarms"] = Share(alarms, null.height).as_json()
        line["curve"] = [
            {
                "effect": effect,
                "recall": None
                if fired is None
                else _recall(people, pattern.id, step, fired, len(pattern.curve.value)),
                "recall_with_others": None
                if fired is None or also is None
                else _recall(people, pattern.id, step, fired | also, len(pattern.curve.value)),
                "oracle": power.get((pattern.id, step)),
            }
            for step, effect in enumerate(pattern.curve.value)
        ]
        line["over_all_sizes"] = _over_all_sizes(people, line, fired)
        line["discoverable"] = _over_discoverable(people, line, fired, also)
        lines.append(line)
    return lines


def _over_all_sizes(
    people: pl.DataFrame, line: Mapping[str, Any], fired: set[str] | None
) -> dict[str, Any] | None:
    """Return recall over all sizes, seed by seed, and as a part of what each oracle finds.

    Every size counts alike: what is found is the mean over sizes, and so is the oracle's. The
    interval is over the seeds of the rules; what the oracle finds is taken as known.
    """
    points = line["curve"]
    steps = [step for step, point in enumerate(points) if point["oracle"] and point["recall"]]
    steps = [step for step in steps if points[step]["recall"]["n"]]
    if fired is None or not steps:
        return None
    by_seed = (
        people.filter(pl.col("pattern") == line["pattern"])
        .with_columns(size=pl.min_horizontal("step", pl.lit(len(points) - 1)))
        .filter(pl.col("size").is_in(steps))
        .group_by("seed", "size")
        .agg(found=pl.col("learner_key").is_in(list(fired)).mean())
        .group_by("seed")
        .agg(pl.col("found").mean())
        .sort("seed")["found"]
    )
    told: dict[str, Any] = {"recall": over_seeds(by_seed.to_list())}
    for name in ORACLES:
        finds = float(np.mean([at(name, points[step]["oracle"])["value"] for step in steps]))
        told[name] = {
            "oracle": round(finds, 4),
            "of_oracle": over_seeds((by_seed / finds).to_list()) if finds else None,
        }
    return told


def at(name: str, power: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the oracle of this name finds, of what `oracle_power` tells of a size."""
    told: Mapping[str, Any] = power["at_same_price"] if name == "at_same_price" else power
    return told


def _over_discoverable(
    people: pl.DataFrame, line: Mapping[str, Any], fired: set[str] | None, also: set[str] | None
) -> dict[str, Any] | None:
    """Return recall over all sizes that the oracle finds, seed by seed, beside the oracle's."""
    points = line["curve"]
    steps = [
        step
        for step, point in enumerate(points)
        if point["oracle"] is not None and point["oracle"]["is_discoverable"]
    ]
    if fired is None or not steps:
        return None
    last = len(points) - 1
    carriers = people.filter(
        (pl.col("pattern") == line["pattern"])
        & pl.min_horizontal(pl.col("step"), pl.lit(last)).is_in(steps)
    )
    oracle = float(np.mean([points[step]["oracle"]["value"] for step in steps]))
    found = _by_seed(carriers, fired)
    return {
        "sizes": [points[step]["effect"] for step in steps],
        "n": carriers.height,
        "oracle": round(oracle, 4),
        "recall": found,
        "of_oracle": None if found["value"] is None else round(found["value"] / oracle, 4),
        "with_others": None if also is None else _by_seed(carriers, fired | also),
    }


def alarms(
    edition: Edition, planned: Sequence[Planned], truths: Mapping[str, Path]
) -> dict[str, Any]:
    """Return what learners without any pattern got: signals a learner and review, rule by rule.

    A learner's edition is one review; several signals of one rule count several times.
    """
    quiet = _people(edition, planned, truths).filter(pl.col("pattern") == "")
    known = edition.rules("signals")
    ways = detectors()["patterns"].values()
    rules = sorted({rule for way in ways for rule in way.get("signals", ())} & known)
    told = edition.frame("select learner_key, rule_id from portfolio_signal")
    counted = quiet.join(told, on="learner_key", how="left")
    on_record = detectors()["on_record"]

    def per_learner(some: Sequence[str]) -> dict[str, object]:
        by_seed = (
            counted.group_by("seed")
            .agg(
                alarms=pl.col("rule_id").is_in(list(some)).sum(),
                n=pl.col("learner_key").n_unique(),
            )
            .sort("seed")
        )
        return over_seeds((by_seed["alarms"] / by_seed["n"]).to_list())

    statuses = {
        status: _by_seed(quiet, _fired(edition, {"status": [status]}) or set())
        for status in detectors()["statuses"]
    }
    return {
        "n": quiet.height,
        "rules": {rule: per_learner([rule]) | {"on_record": rule in on_record} for rule in rules},
        "all": per_learner(rules),
        "inferred": per_learner([rule for rule in rules if rule not in on_record]),
        "statuses": statuses,
    }


def _by_seed(people: pl.DataFrame, fired: set[str]) -> dict[str, Any]:
    by_seed = (
        people.group_by("seed")
        .agg(found=pl.col("learner_key").is_in(list(fired)).mean())
        .sort("seed")
    )
    return over_seeds(by_seed["found"].to_list())


def records(edition: Edition, truths: Iterable[Path], last_day: date) -> list[dict[str, Any]]:
    """Return recall and false alarms of rules about declarations, learner by learner."""
    declared, keys, actions = [], [], []
    for truth in truths:
        declared.append(pl.read_parquet(truth / "declarations" / "*.parquet"))
        keys.append(learner_keys(edition, truth))
        actions += [pl.read_parquet(path) for path in sorted(truth.glob("actions/*.parquet"))]
    known = pl.concat(keys)
    overdue = _overdue(actions, last_day)
    recent = pl.concat(declared).filter(
        (pl.lit(last_day) - pl.col("day")).dt.total_days() <= WINDOW_DAYS - 10
    )
    active = edition.frame(
        "select learner_key from dim_learner where coalesce(enrolment_status, 'active') = 'active'"
    )
    lines = []
    for rule in detectors()["facts"]:
        is_so = (
            pl.col("has_patient_data")
            if rule == "privacy_concern"
            else pl.col("expected") == EXPECTED.get(rule, "")
        )
        true = recent.group_by("learner_id").agg(is_so=is_so.any())
        if rule == "action_overdue":
            true = known.select("learner_id", is_so=pl.col("learner_id").is_in(overdue))
        both = known.join(true, on="learner_id").join(active, on="learner_key")
        fired = edition.frame(
            f"select distinct learner_key from portfolio_signal where rule_id = '{rule}'"
        )["learner_key"]
        found = both["learner_key"].is_in(fired.implode())
        lines.append(
            {
                "rule": rule,
                "recall": Share(
                    int((found & both["is_so"]).sum()), int(both["is_so"].sum())
                ).as_json(),
                "false_alarms": Share(
                    int((found & ~both["is_so"]).sum()), int((~both["is_so"]).sum())
                ).as_json(),
            }
        )
    return lines


def _overdue(actions: list[pl.DataFrame], last_day: date) -> list[str]:
    """Return the learners with an agreed action that is open after its day."""
    if not actions:
        return []
    due = pl.concat(actions, how="vertical_relaxed").filter(
        (pl.col("status") == "open") & (pl.col("due").str.to_date() < last_day)
    )
    return due["student"].unique().to_list()


def oracle_power(
    seeds: int, learners: int = ORACLE_LEARNERS, parameters: Parameters | None = None
) -> dict[tuple[str, int], dict[str, Any]]:
    """Return what the oracle finds at every size of every pattern that it can weigh.

    Returns:
        By pattern and step: the share that it finds at `false_alarms` of each pattern, whether that
        makes the size discoverable, and, of patterns of a learner, `at_same_price`: the share that
        it finds where its false alarms of all patterns together are those that the rules may raise.
        `n_beyond` says how many learners without the pattern lie above that threshold.
    """
    base = Request(
        learners=learners,
        mess="none",
        shares=ORACLE_SHARES,
        parameters=parameters or shipped(),
    )
    alpha = base.parameters.oracle.false_alarms.value
    price = base.parameters.price_of_a_pattern
    enough = base.parameters.oracle.discoverable_power.value
    steps = max(len(pattern.curve.value) for pattern in base.parameters.patterns)
    zero = {pattern.id: 0.0 for pattern in base.parameters.patterns}
    null: Ratios = defaultdict(list)
    with_it: Ratios = defaultdict(list)
    weighed = [name for name in (*oracle.FALLS, *oracle.COUNTS) if name != PAUSES]
    for seed in range(ORACLE_SEED, ORACLE_SEED + seeds):
        nothing = oracle.see(replace(base, seed=seed, effects=zero))
        quiet = _quiet(nothing)
        for step in range(steps):
            effects = effects_of(step)
            there = oracle.see(replace(base, seed=seed, effects=effects))
            for pattern in weighed:
                if step >= len(base.parameters.pattern(pattern).curve.value):
                    continue
                key = pattern, step
                null[key].append(oracle.evidence(nothing, pattern, effects[pattern])[quiet])
                ratio = oracle.evidence(there, pattern, effects[pattern])
                with_it[key].append(ratio[there.carriers(pattern)])
        _weigh_pauses(base, seed, null, with_it)
        _weigh_cohorts(base, seed, null, with_it)
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for key, parts in with_it.items():
        without, ratios = np.concatenate(null[key]), np.concatenate(parts)
        power, _ = _power_at(alpha, without, ratios)
        found[key] = power.as_json() | {
            "false_alarms": alpha,
            "is_discoverable": power.value is not None and power.value >= enough,
        }
        if key[0] not in oracle.COHORTS:
            priced, n_beyond = _power_at(price, without, ratios)
            found[key]["at_same_price"] = priced.as_json() | {
                "false_alarms": price,
                "n_beyond": n_beyond,
            }
    return found


def oracle_may_raise(parameters: Parameters) -> dict[str, float]:
    """Return the false alarms that the two oracles may raise, and over how many patterns."""
    return {
        "of_each": parameters.oracle.false_alarms.value,
        "in_all": parameters.oracle.false_alarms_in_all.value,
        "patterns": sum(pattern.about != "cohort" for pattern in parameters.patterns),
    }


def _power_at(
    price: float, without: NDArray[np.float64], with_it: NDArray[np.float64]
) -> tuple[Share, int]:
    """Return who is found at a price, and how many without the pattern lie above its threshold."""
    threshold = float(np.quantile(without, 1 - price))
    return Share(int((with_it > threshold).sum()), len(with_it)), int((without > threshold).sum())


def _quiet(nothing: oracle.Seen) -> NDArray[np.bool_]:
    """Tell who may say what a false alarm is, in a cohort with every pattern in size zero.

    As where false alarms of the rules are counted, they did not leave. Nor did they pause: the
    pause before a decay of no size is there, and is no false alarm of a gap.
    """
    quiet = ~nothing.block.learners.is_withdrawn
    quiet[nothing.carriers(PAUSES)] = False
    return quiet


def _weigh_pauses(base: Request, seed: int, null: Ratios, with_it: Ratios) -> None:
    """Weigh decay after a gap in cohorts where most have the gap and nothing else.

    In size zero the gap is there and performance is as before, so that only those who have it say
    what a false alarm is. Four of sixty, as of other patterns, would leave the threshold to chance:
    where by luck all of them were rated after the gap, it falls below zero, and those of whom
    nothing is known count as found.
    """
    nobody = {pattern.id: 0.0 for pattern in base.parameters.patterns}
    alone = replace(base, seed=seed, shares=nobody | {PAUSES: PAUSED_SHARE})
    nothing = oracle.see(replace(alone, effects={PAUSES: 0.0}))
    for step, effect in enumerate(base.parameters.pattern(PAUSES).curve.value):
        there = oracle.see(replace(alone, effects={PAUSES: effect}))
        for ratios, seen in ((null, nothing), (with_it, there)):
            ratio = oracle.evidence(seen, PAUSES, effect)
            ratios[PAUSES, step].append(ratio[seen.carriers(PAUSES)])


def _weigh_cohorts(base: Request, seed: int, null: Ratios, with_it: Ratios) -> None:
    """Weigh the patterns of whole cohorts, each alone in cohorts of their own."""
    nobody = {pattern.id: 0.0 for pattern in base.parameters.patterns}
    for pattern in oracle.COHORTS:
        about = base.parameters.pattern(pattern)
        alone = replace(base, seed=seed, shares=nobody | {pattern: about.share.value})
        nothing = oracle.see(replace(alone, effects={pattern: 0.0}))
        for step, effect in enumerate(about.curve.value):
            there = oracle.see(replace(alone, effects={pattern: effect}))
            for ratios, seen in ((null, nothing), (with_it, there)):
                ratio = oracle.cohort_evidence(seen, pattern, effect)
                ratios[pattern, step].append(np.array([ratio]))


def _people(
    edition: Edition, planned: Sequence[Planned], truths: Mapping[str, Path]
) -> pl.DataFrame:
    """Return every learner of the curves' cohorts with key, pattern and size."""
    parts = []
    for each in planned:
        truth = truths[each.request.programme]
        learners = pl.read_parquet(truth / "learners" / "*.parquet")
        steady = learners.filter(~pl.col("is_withdrawn")).select("learner_id", "pattern")
        parts.append(
            steady.join(learner_keys(edition, truth), on="learner_id").with_columns(
                step=pl.lit(each.step), seed=pl.lit(each.request.seed)
            )
        )
    return pl.concat(parts)


def _generator(planned: Sequence[Planned]) -> Parameters:
    return planned[0].request.parameters


def _recall(
    people: pl.DataFrame, pattern: str, step: int, fired: set[str], n_steps: int
) -> dict[str, object]:
    carries = (pl.col("pattern") == pattern) & (
        pl.min_horizontal(pl.col("step"), pl.lit(n_steps - 1)) == step
    )
    carriers = people.filter(carries)
    hits = int(carriers["learner_key"].is_in(list(fired)).sum())
    return Share(hits, carriers.height).as_json()


def _fired(edition: Edition, ways: Mapping[str, Sequence[str]]) -> set[str] | None:
    """Return the learners for whom something that finds a pattern was published.

    None where the edition knows no such rule, status or column.
    """
    queries = []
    rules = sorted(set(ways.get("signals", ())) & edition.rules("signals"))
    if rules:
        named = ", ".join(f"'{rule}'" for rule in rules)
        queries.append(f"select learner_key from portfolio_signal where rule_id in ({named})")
    cells = (
        "select learner_key from portfolio_competency_status "
        "where is_default and is_current_stage and "
    )
    queries += [f"{cells} status = '{status}'" for status in ways.get("status", ())]
    columns = set(edition.columns("portfolio_competency_status"))
    queries += [cells + column for column in ways.get("columns", ()) if column in columns]
    if not queries:
        return None
    found = edition.frame(" union ".join(queries))
    return set(found["learner_key"])
