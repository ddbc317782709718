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
from benchmarks.validity.cohorts import Planned, effects_of, shares
from benchmarks.validity.published import Edition, learner_keys
from benchmarks.validity.statistics import Share
from pipelines.synth.request import Request

DETECTORS = Path(__file__).with_name("detectors.yaml")
NOT_YET = "not yet"
WINDOW_DAYS = 365
ORACLE_SEED = 900_000
"""Seeds of the oracle's own cohorts begin here, away from those that the pipeline sees."""
ORACLE_LEARNERS = 60
Ratios = defaultdict[tuple[str, int], list[NDArray[np.float64]]]
"""Log likelihood ratios by pattern and step."""
EXPECTED = {"ai_declaration_missing": "missing", "ai_use_differs": "differs"}


@cache
def detectors() -> dict[str, Any]:
    """Return what counts as finding each pattern."""
    found: dict[str, Any] = yaml.safe_load(DETECTORS.read_text(encoding="utf-8"))
    return found


def curves(
    edition: Edition, planned: Sequence[Planned], truths: Mapping[str, Path], oracle_seeds: int
) -> list[dict[str, Any]]:
    """Return a curve for every pattern: what was found at each size, and what could be."""
    people = _people(edition, planned, truths)
    by_oracle = oracle_power(oracle_seeds)
    lines = []
    for pattern in Request().parameters.patterns:
        fired = _fired(edition, pattern.id)
        line: dict[str, Any] = {
            "pattern": pattern.id,
            "words": pattern.words,
            "detectors": detectors()["patterns"].get(pattern.id, {}),
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
                "recall": None if fired is None else _recall(people, pattern.id, step, fired),
                "oracle": by_oracle.get((pattern.id, step)),
            }
            for step, effect in enumerate(pattern.curve.value)
        ]
        lines.append(line)
    return lines


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
    seeds: int, learners: int = ORACLE_LEARNERS
) -> dict[tuple[str, int], dict[str, Any]]:
    """Return what the oracle finds at every size of every pattern that it can weigh."""
    base = Request(learners=learners, mess="none", shares=shares())
    alpha = base.parameters.oracle.false_alarms.value
    enough = base.parameters.oracle.discoverable_power.value
    steps = max(len(pattern.curve.value) for pattern in base.parameters.patterns)
    zero = {pattern.id: 0.0 for pattern in base.parameters.patterns}
    null: Ratios = defaultdict(list)
    with_it: Ratios = defaultdict(list)
    weighed = (*oracle.FALLS, *oracle.COUNTS)
    for seed in range(ORACLE_SEED, ORACLE_SEED + seeds):
        nothing = oracle.see(replace(base, seed=seed, effects=zero))
        for step in range(steps):
            effects = effects_of(step)
            there = oracle.see(replace(base, seed=seed, effects=effects))
            for pattern in weighed:
                if step >= len(base.parameters.pattern(pattern).curve.value):
                    continue
                key = pattern, step
                who = (
                    nothing.carriers(pattern)
                    if pattern == "decay_after_gap"
                    else np.arange(len(nothing.block.learners))
                )
                null[key].append(oracle.evidence(nothing, pattern, effects[pattern])[who])
                ratio = oracle.evidence(there, pattern, effects[pattern])
                with_it[key].append(ratio[there.carriers(pattern)])
        _weigh_cohorts(base, seed, null, with_it)
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for key, parts in with_it.items():
        threshold = float(np.quantile(np.concatenate(null[key]), 1 - alpha))
        ratios = np.concatenate(parts)
        power = Share(int((ratios > threshold).sum()), len(ratios))
        found[key] = power.as_json() | {
            "false_alarms": alpha,
            "is_discoverable": power.value is not None and power.value >= enough,
        }
    return found


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
                step=pl.lit(each.step)
            )
        )
    return pl.concat(parts)


def _recall(people: pl.DataFrame, pattern: str, step: int, fired: set[str]) -> dict[str, object]:
    n_steps = len(Request().parameters.pattern(pattern).curve.value)
    carries = (pl.col("pattern") == pattern) & (
        pl.min_horizontal(pl.col("step"), pl.lit(n_steps - 1)) == step
    )
    carriers = people.filter(carries)
    hits = int(carriers["learner_key"].is_in(list(fired)).sum())
    return Share(hits, carriers.height).as_json()


def _fired(edition: Edition, pattern: str) -> set[str] | None:
    """Return the learners for whom something that finds the pattern was published.

    None where the edition knows no such rule, status or column.
    """
    ways = detectors()["patterns"].get(pattern, {})
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
