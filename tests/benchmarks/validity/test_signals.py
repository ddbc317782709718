from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from benchmarks.validity import (
    FIRST_SEED,
    FULL,
    TUNED_ON,
    UNSEEN_NUMBER,
    UNSEEN_SEED,
    WHOLE_NUMBER,
    WHOLE_SEED,
    WHOLE_UNSEEN_NUMBER,
    Asked,
    cohorts,
    oracle,
    page,
    published,
    signals,
    whole,
)
from benchmarks.validity.cohorts import Planned
from benchmarks.validity.statistics import Share
from benchmarks.validity.unseen import CHANGES, unseen
from pipelines.synth.cohort import make
from pipelines.synth.parameters import shipped
from pipelines.synth.request import Request

LEARNERS = {each.id for each in shipped().patterns if each.about != "cohort"}
TABLES = """
    create table programme_rule (rule_set_id varchar, rule_id varchar);
    insert into programme_rule values ('signals', 'score_narrative'), ('signals', 'no_evidence');
    create table portfolio_signal (learner_key varchar, rule_id varchar);
    create table portfolio_competency_status
        (learner_key varchar, status varchar, is_default boolean, is_current_stage boolean);
    create table dim_learner (learner_key varchar, enrolment_status varchar);
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Planned], dict[str, Path]]:
    folder = tmp_path_factory.mktemp("cohorts")
    chosen = cohorts.plan(seeds=1, learners=60, first_seed=5)[-1:]
    return chosen, {
        each.request.programme: make(each.request, folder / each.request.programme).truth
        for each in chosen
    }


@contextmanager
def edition(
    folder: Path, truths: dict[str, Path], found: list[tuple[str, str]]
) -> Iterator[published.Edition]:
    """Open an edition that has these signals: learner and rule."""
    (truth,) = truths.values()
    facts = pl.read_parquet(truth / "ratings/*.parquet").select(
        form_record_id="record_id",
        learner_key=pl.col("learner_id"),
        kind=pl.lit("workplace_assessment"),
    )
    with duckdb.connect(str(folder / published.DATABASE)) as con:
        con.execute(TABLES)
        con.register("given", facts.to_arrow())
        con.execute("create table fct_evidence as select * from given")
        con.unregister("given")
        con.execute(
            "insert into dim_learner select distinct learner_key, 'active' from fct_evidence"
        )
        for row in found:
            con.execute("insert into portfolio_signal values (?, ?)", row)
    with published.opened(folder) as opened:
        yield opened


def carriers(truths: dict[str, Path], pattern: str, *, withdrawn: bool | None = None) -> list[str]:
    (truth,) = truths.values()
    learners = pl.read_parquet(truth / "learners/*.parquet")
    if withdrawn is not None:
        learners = learners.filter(pl.col("is_withdrawn") == withdrawn)
    return learners.filter(pl.col("pattern") == pattern)["learner_id"].to_list()


def test_a_rule_that_finds_all_and_only_what_is_planted_has_full_recall(
    planned: tuple[list[Planned], dict[str, Path]], tmp_path: Path
) -> None:
    chosen, truths = planned
    found = [(who, "score_narrative") for who in carriers(truths, "contradicting_narrative")]
    assert len(found) >= 2
    with edition(tmp_path, truths, found) as opened:
        lines = signals.curves(opened, chosen, truths, {})
    line = next(each for each in lines if each["pattern"] == "contradicting_narrative")
    assert line["curve"][-1]["recall"]["value"] == 1
    assert line["curve"][-1]["recall"]["n"] == len(found)
    assert line["false_alarms"]["value"] == 0
    assert line["curve"][-1]["oracle"] is None
    assert line["curve"][0]["recall"]["n"] == 0


def test_a_signal_about_nobody_is_a_false_alarm_and_an_unknown_rule_is_not_yet(
    planned: tuple[list[Planned], dict[str, Path]], tmp_path: Path
) -> None:
    chosen, truths = planned
    nobody = carriers(truths, "")
    with edition(tmp_path, truths, [(nobody[0], "no_evidence")]) as opened:
        lines = {each["pattern"]: each for each in signals.curves(opened, chosen, truths, {})}
    assert lines["evidence_gap"]["false_alarms"]["value"] == pytest.approx(
        1 / lines["evidence_gap"]["false_alarms"]["n"], abs=1e-4
    )
    assert lines["plateau"]["status"] == "not yet"
    assert lines["plateau"]["curve"][0]["recall"] is None
    assert lines["plateau"]["discoverable"] is None


def test_recall_over_what_the_oracle_finds_stands_beside_the_oracle_and_counts_other_rules_apart(
    planned: tuple[list[Planned], dict[str, Path]], tmp_path: Path
) -> None:
    chosen, truths = planned
    pattern = "contradicting_narrative"
    power = {
        (pattern, 2): {"value": 0.5, "is_discoverable": False, "at_same_price": {"value": 0.4}},
        (pattern, 3): {"value": 1.0, "is_discoverable": True, "at_same_price": {"value": 0.8}},
    }
    some, *others = carriers(truths, pattern)
    with edition(tmp_path, truths, [(some, "score_narrative")]) as opened:
        lines = signals.curves(opened, chosen, truths, power)
    line = next(each for each in lines if each["pattern"] == pattern)
    told = line["discoverable"]
    assert told["sizes"] == [shipped().pattern(pattern).curve.value[3]]
    assert told["recall"]["value"] == pytest.approx(1 / (1 + len(others)), abs=1e-3)
    assert told["of_oracle"] == pytest.approx(told["recall"]["value"])
    assert told["with_others"] is None
    part = line["over_all_sizes"]["at_same_price"]["of_oracle"]
    assert part["value"] == pytest.approx(told["recall"]["value"] / 0.8, abs=1e-3)


def test_false_alarms_are_signals_a_learner_without_any_pattern_seed_by_seed(
    planned: tuple[list[Planned], dict[str, Path]], tmp_path: Path
) -> None:
    chosen, truths = planned
    nobody = carriers(truths, "", withdrawn=False)
    found = [
        (nobody[0], "no_evidence"),
        (nobody[0], "no_evidence"),
        (nobody[1], "score_narrative"),
        (carriers(truths, "struggling_learner")[0], "no_evidence"),
    ]
    with edition(tmp_path, truths, found) as opened:
        told = signals.alarms(opened, chosen, truths)
    n = told["n"]
    assert told["rules"]["no_evidence"]["value"] == pytest.approx(2 / n, abs=1e-4)
    assert told["rules"]["no_evidence"]["on_record"]
    assert told["all"]["value"] == pytest.approx(3 / n, abs=1e-4)
    assert told["inferred"]["value"] == pytest.approx(1 / n, abs=1e-4)
    assert told["all"]["low"] is None


def test_the_unseen_school_plants_the_same_patterns_in_other_circumstances() -> None:
    other, own = unseen(), shipped()
    assert other.patterns == own.patterns
    assert other.version != own.version
    for part in (*CHANGES, "workplace"):
        assert getattr(other, part) != getattr(own, part)


def test_cohorts_of_two_generators_share_no_id() -> None:
    own = cohorts.plan(1, 5, 1)
    other = cohorts.plan(1, 5, 1, unseen(), numbered_from=500)
    assert not {each.request.prefix for each in own} & {each.request.prefix for each in other}
    assert all(each.request.parameters == unseen() for each in other)


def test_a_report_on_the_seeds_that_thresholds_were_tuned_on_is_refused() -> None:
    with pytest.raises(ValueError, match="tuned on"):
        Asked(first_seed=998, seeds=3)
    with pytest.raises(ValueError, match="seeds 1000 to 1009 are those that"):
        Asked(first_seed=1009)
    Asked(first_seed=1010)


def test_cohorts_of_a_full_report_share_no_id_and_none_is_of_seeds_that_were_tuned_on() -> None:
    learners, wholes = FULL["learners"], FULL["whole_seeds"]
    every = [
        *cohorts.plan(FULL["seeds"], learners, FIRST_SEED),
        *cohorts.plan(FULL["unseen_seeds"], learners, UNSEEN_SEED, unseen(), UNSEEN_NUMBER),
        *whole.plan(wholes, learners, WHOLE_SEED, None, WHOLE_NUMBER),
        *whole.plan(wholes // 2, learners, WHOLE_SEED, unseen(), WHOLE_UNSEEN_NUMBER),
    ]
    assert len({each.request.programme for each in every}) == len(every)
    assert len({each.request.number for each in every}) == len(every)
    tuned = range(TUNED_ON["first_seed"], TUNED_ON["first_seed"] + TUNED_ON["seeds"])
    assert not {each.request.seed for each in every} & set(tuned)
    seeds = {each.request.seed for each in every}
    assert len(seeds) == FULL["seeds"] + FULL["unseen_seeds"] + wholes
    assert max(seeds) < signals.ORACLE_SEED


@pytest.mark.slow
def test_the_oracle_weighs_every_size_of_every_pattern_at_the_same_false_alarms() -> None:
    found = signals.oracle_power(seeds=1, learners=15)
    wanted = {
        (pattern.id, step)
        for pattern in shipped().patterns
        for step in range(len(pattern.curve.value))
    }
    assert set(found) == wanted
    assert {each["false_alarms"] for each in found.values()} == {0.05}
    assert all(each["n"] >= 1 for each in found.values())
    same_price = {key: each["at_same_price"] for key, each in found.items() if key[0] in LEARNERS}
    assert {each["false_alarms"] for each in same_price.values()} == {0.0125}
    assert all(each["value"] <= found[key]["value"] for key, each in same_price.items())
    assert all("at_same_price" not in found[key] for key in wanted - set(same_price))


def test_the_oracle_finds_what_lies_above_the_threshold_that_its_price_sets() -> None:
    without = np.arange(1000.0)
    with_it = np.array([900.0, 960.0, 990.0, 2000.0])
    assert signals._power_at(0.05, without, with_it) == (Share(3, 4), 50)
    assert signals._power_at(0.0125, without, with_it) == (Share(2, 4), 13)


def test_who_left_or_paused_does_not_say_what_a_false_alarm_of_the_oracle_is() -> None:
    base = Request(learners=200, mess="none", shares=signals.ORACLE_SHARES, seed=5)
    nothing = oracle.see(replace(base, effects={each.id: 0.0 for each in shipped().patterns}))
    quiet = signals._quiet(nothing)
    paused, left = nothing.carriers(signals.PAUSES), nothing.block.learners.is_withdrawn
    assert len(paused) >= 2
    assert left.sum() >= 1
    assert not quiet[paused].any()
    assert not quiet[left].any()
    assert quiet.sum() == 200 - len(paused) - left.sum()


def test_every_threshold_of_a_full_report_rests_on_ten_learners_without_the_pattern() -> None:
    price = shipped().price_of_a_pattern
    assert FULL["oracle_seeds"] * signals.ORACLE_LEARNERS * signals.PAUSED_SHARE * price > 10


def test_over_all_sizes_every_size_counts_alike_and_seeds_vary() -> None:
    """Two seeds, three sizes; of the last size there are two cohorts."""
    found = {(1, 0): 0, (1, 1): 1, (1, 2): 1, (1, 3): 1, (2, 0): 0, (2, 1): 0, (2, 2): 1, (2, 3): 1}
    people = pl.DataFrame(
        [
            {"learner_key": f"{seed}-{step}", "pattern": "open_only", "seed": seed, "step": step}
            for seed, step in found
        ]
    )
    fired = {f"{seed}-{step}" for (seed, step), is_found in found.items() if is_found}
    oracles = [(0.4, 0.1), (0.6, 0.5), (1.0, 0.9)]
    points = [
        {"recall": {"n": 2}, "oracle": {"value": more, "at_same_price": {"value": same}}}
        for more, same in oracles
    ]
    line = {"pattern": "open_only", "curve": points}
    told = signals._over_all_sizes(people, line, fired)
    assert told is not None
    assert told["recall"]["value"] == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert told["at_same_price"]["oracle"] == 0.5
    assert told["at_same_price"]["of_oracle"]["value"] == pytest.approx(1.0)
    assert told["at_each"]["of_oracle"]["value"] == pytest.approx(0.75)
    assert told["at_each"]["of_oracle"]["n"] == 2
    assert signals._over_all_sizes(people, line, None) is None
    points[0]["oracle"] = points[1]["oracle"] = points[2]["oracle"] = None
    assert signals._over_all_sizes(people, line, fired) is None


def test_of_decay_after_a_gap_the_oracle_weighs_many_who_had_the_gap_and_nothing_else() -> None:
    null, with_it = defaultdict(list), defaultdict(list)
    base = Request(learners=40, mess="none", shares=signals.ORACLE_SHARES)
    signals._weigh_pauses(base, 5, null, with_it)
    sizes = range(len(shipped().pattern(signals.PAUSES).curve.value))
    assert set(null) == set(with_it) == {(signals.PAUSES, step) for step in sizes}
    largest = signals.PAUSES, sizes[-1]
    (without,), (ratios,) = null[largest], with_it[largest]
    assert len(without) == len(ratios) == 30
    assert np.median(ratios) > 0 > np.median(without)


def test_rules_about_declarations_are_held_against_what_was_declared(
    planned: tuple[list[Planned], dict[str, Path]], tmp_path: Path
) -> None:
    _, truths = planned
    (truth,) = truths.values()
    last = shipped().school.last_day.value
    declared = pl.read_parquet(truth / "declarations/*.parquet").filter(
        (pl.lit(last) - pl.col("day")).dt.total_days() < 355
    )
    missing = declared.filter(pl.col("expected") == "missing")["learner_id"].unique().to_list()
    found = [(who, "ai_declaration_missing") for who in missing[1:]]
    with edition(tmp_path, truths, found) as opened:
        lines = signals.records(opened, truths.values(), date(2026, 11, 20))
    told = next(each for each in lines if each["rule"] == "ai_declaration_missing")
    assert told["recall"]["n"] == len(missing) > 2
    assert told["recall"]["value"] == pytest.approx(1 - 1 / len(missing), abs=1e-4)
    assert told["false_alarms"]["value"] == 0


def test_a_plateau_is_found_as_a_fall_and_as_a_parting_of_open_and_secured_work() -> None:
    ways = signals.detectors()["patterns"]["plateau"]
    assert ways == {"signals": ["performance_fell", "open_secured"]}


def test_every_planted_pattern_has_an_entry_of_what_would_find_it() -> None:
    found = {*signals.detectors()["patterns"], *whole.PATTERNS}
    assert found == {each.id for each in shipped().patterns}


def test_cohorts_of_a_curve_differ_in_size_and_share_no_id() -> None:
    planned = cohorts.plan(seeds=2, learners=5, first_seed=1)
    assert len({each.request.programme for each in planned}) == len(planned) == 8
    sizes = [each.request.effect("struggling_learner") for each in planned[:4]]
    assert sizes == shipped().pattern("struggling_learner").curve.value
    assert all(each.request.mess == "none" for each in planned)


def test_cohorts_are_joined_into_one_delivery_with_one_header(tmp_path: Path) -> None:
    planned = cohorts.plan(seeds=1, learners=4, first_seed=1)[:2]
    home, truths = cohorts.lay_out(tmp_path, Request(learners=6, years=2), planned)
    roster = (home.inbox / "example_roster" / "learners.csv").read_bytes()
    lines = roster.decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + 6 + 2 * 4
    assert sum(line.startswith("Programme,") for line in lines) == 1
    assert [line.split(",")[0] for line in lines[-4:]] == ["P002"] * 4
    added = cohorts.extended_files(planned, truths)
    assert added["example_roster/learners.csv"] == 8
    assert "example_msf/msf_to_20261120.csv" not in added
    assert (home.inbox / "example_msf" / "more_msf_to_20261120.csv").exists()


@pytest.mark.parametrize(
    "wrong", ["seeds", "learners", "unseen_seeds", "oracle_seeds", "whole_seeds"]
)
def test_a_report_on_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=f"{wrong} is 0"):
        Asked(**{wrong: 0})


def example_report() -> dict[str, Any]:
    """A report as it is kept, in which every table of the page has a line."""
    share = {"value": 0.5, "low": 0.2, "high": 0.8, "n": 4}
    one_seed = {"value": 0.25, "low": None, "high": None, "n": 1}
    oracle_point = share | {"at_same_price": share | {"value": 0.4, "n_beyond": 11}}
    alarms = {
        "n": 30,
        "rules": {"no_evidence": share | {"on_record": True}},
        "all": share,
        "inferred": one_seed,
        "statuses": {"needs_discussion": share},
    }
    line = {
        "pattern": "plateau",
        "detectors": {"signals": ["plateau"]},
        "status": "not yet",
        "over_all_sizes": None,
        "discoverable": None,
        "curve": [
            {"effect": 0.5, "recall": None, "recall_with_others": None, "oracle": None},
        ],
    }
    measured = line | {
        "pattern": "struggling_learner",
        "status": "measured",
        "false_alarms": share,
        "over_all_sizes": {
            "recall": share,
            "at_same_price": {
                "oracle": 0.4,
                "of_oracle": {"value": 1.25, "low": 0.76, "high": 1.74, "n": 4},
            },
            "at_each": {
                "oracle": 0.5,
                "of_oracle": {"value": 0.78, "low": 0.7, "high": 0.86, "n": 4},
            },
        },
        "discoverable": {
            "sizes": [1.0, 1.5],
            "n": 12,
            "oracle": 1.0,
            "recall": share,
            "of_oracle": 0.5,
            "with_others": one_seed,
        },
        "curve": [
            {
                "effect": 1.0,
                "recall": share,
                "recall_with_others": share,
                "oracle": oracle_point | {"is_discoverable": True},
            }
        ],
    }
    hidden = measured | {
        "pattern": "decay_after_gap",
        "over_all_sizes": {
            "recall": one_seed,
            "at_same_price": {"oracle": 0.0, "of_oracle": None},
            "at_each": {"oracle": 0.8, "of_oracle": one_seed | {"value": 0.75}},
        },
        "discoverable": None,
        "curve": [
            {
                "effect": 1.5,
                "recall": share | {"value": 0.6},
                "recall_with_others": None,
                "oracle": oracle_point | {"value": 0.8, "is_discoverable": False},
            }
        ],
    }
    harsh = {
        "effect": 0.5,
        "cohorts": 3,
        "found": share,
        "oracle": None,
        "effect_found": -0.6,
        "n_cells": 40,
        "raw_error": 0.2,
        "adjusted_error": 0.15,
        "mendable": share | {"value": 0.75},
        "told": share,
    }
    gap = {
        "effect": 0.25,
        "cohorts": 3,
        "true": -0.04,
        "difference": -0.05,
        "holds": share,
        "found": share,
        "oracle": share,
    }
    return {
        "first_seed": 1,
        "seeds": 2,
        "learners": 3,
        "parameters_version": "1",
        "oracle_seeds": 4,
        "oracle_may_raise": {"of_each": 0.05, "in_all": 0.1, "patterns": 8},
        "tuned_on": {"first_seed": 7, "seeds": 3, "learners": 5, "schools": 2},
        "rules": {"signals": "2"},
        "unseen": {
            "first_seed": 20,
            "seeds": 1,
            "words": "another school",
            "signals": [line],
            "alarms": alarms,
            "whole": {"harsh_rater": [], "group_gap": []},
        },
        "whole": {"harsh_rater": [harsh], "group_gap": [gap]},
        "ledger": {
            "deliveries": {
                "n": 2,
                "as_expected": 1,
                "differences": [{"file": "a.csv", "accepted": {"expected": 3, "found": 2}}],
            },
            "not_planted": ["clock_gap"],
            "kinds": [{"kind": "late_form", "planted": 2, "as_expected": 1, "differs": 1}],
        },
        "ratings": {
            "raw": {"cell": {"n": 9, "correlation": 0.9, "rmse": 0.1, "shift": -0.1}},
            "adjusted": "not yet",
            "coverage": {"nominal": 0.9, "all": share, "by_ratings": {"1 to 4": share}},
        },
        "signals": [line, measured, hidden],
        "alarms": alarms,
        "records": [{"rule": "privacy_concern", "recall": share, "false_alarms": share}],
    }


def test_the_page_says_first_where_the_bar_is_missed_beside_each_oracle_and_by_how_much() -> None:
    text = page.render(example_report())
    told, rest = text.split("## Cohorts and intervals")
    assert (
        "Beside the oracle at the same price, the bar is met over all sizes for 1 of 2 patterns "
        "(struggling learner), and at every size for 2 of 2 patterns" in told
    )
    assert (
        "Beside the oracle that may raise more, the bar is met over all sizes for 0 of 2 patterns, "
        "and at every size for 1 of 2 patterns (struggling learner)." in told
    )
    assert "the bar is met over all sizes for 0 of 0 patterns, and at every size for 0 of 0" in told
    assert "False alarms are 0.500 in all, 0.400 above the bar." in told
    assert "| shipped | plateau | not yet |" in told
    assert "A narrower reading" in rest


def test_the_page_says_what_each_oracle_may_raise() -> None:
    text = page.render(example_report())
    assert "shared evenly over the 8 patterns of a learner that is 0.0125 for each" in text
    assert "may raise 0.05 for each pattern, 0.4 in all: 4 times what the rules may" in text
    assert "at least 11 learners without the pattern lie above each of its thresholds" in text


def test_over_all_sizes_the_page_gives_intervals_and_says_where_they_straddle_the_bar() -> None:
    text = page.render(example_report())
    assert (
        "| shipped | struggling learner | 50 % (20 to 80 %; 4 seeds) "
        "| 40 % | 1.25 (0.76 to 1.74; 4 seeds) | met; the interval begins at 0.76 "
        "| 50 % | 0.78 (0.70 to 0.86; 4 seeds) | missed by 0.020; the interval ends at 0.86 |"
    ) in text
    assert (
        "| shipped | decay after gap | 25 % (one seed) | 0 % | none to find |  "
        "| 80 % | 0.75 (one seed) | missed by 0.050 |"
    ) in text


def test_size_by_size_the_page_holds_what_is_found_against_both_oracles() -> None:
    text = page.render(example_report())
    assert "| shipped | struggling learner | 1: 1.25 | 1 of 1 | 1: 1.00 | 1 of 1 |" in text
    assert "| shipped | decay after gap | 1.5: 1.50 | 1 of 1 | 1.5: 0.75 | 0 of 1 |" in text


def test_a_size_of_which_an_oracle_finds_none_is_neither_met_nor_missed() -> None:
    found = example_report()
    (point,) = found["signals"][2]["curve"]
    point["oracle"]["at_same_price"] |= {"value": 0.0}
    text = page.render(found)
    assert "| decay after gap | 1.5: none to find | 0 of 0 | 1.5: 0.75 | 0 of 1 |" in text


def test_a_bar_that_is_met_within_chance_says_where_the_interval_begins() -> None:
    found = example_report()
    found["signals"][1]["discoverable"]["of_oracle"] = 0.81
    assert "| 0.81 | met; the interval begins at 0.20 |" in page.render(found)


def test_the_page_says_not_yet_where_nothing_was_measured() -> None:
    text = page.render(example_report())
    assert "tuned on seeds 7 to 9 of 5 learners, of the shipped generator and of 2 schools" in text
    assert "| shipped | 0.5 | 3 | 50 % (20 % to 80 %; n 4) | not yet | -0.600 | 40 |" in text
    assert "| shipped | 0.25 | 3 | -0.040 | -0.050 | 50 % (20 % to 80 %; n 4) |" in text
    assert "seeds 1 to 2, and through seeds 20 to 20" in text
    assert "| plateau | `plateau` | 0.5 | not yet |  |  | not yet | not yet |  |" in text
    assert "| shipped | plateau | no rule yet |" in text
    assert "1.5, not discoverable | 4 | 60 % (20 % to 80 %; n 4) | 0.75 | missed by 0.050" in text
    assert "| 75 % (20 % to 80 %; n 4) | 50 % (20 % to 80 %; n 4) |" in text
    assert "| 12 | 50 % (20 to 80 %; 4 seeds) | 0.50 | missed by 0.300 | 25 % (one seed) |" in text
    assert "| `no_evidence` | on record | 0.500 (0.200 to 0.800; 4 seeds) |" in text
    assert "| adjusted | not yet |" in text
    assert "- `a.csv`: accepted 2 instead of 3" in text
    assert "holds none of: clock_gap" in text
    assert "| late form | 2 | 1 | 1 |" in text
    assert "50 % (20 % to 80 %; n 4)" in text
