"""The validity report: what an edition publishes, beside what is true of the cohort it is about.

It reads published tables and the truth, nothing else: the ledger against planted faults, ratings
against true ability, the coverage of printed intervals, and recall and false alarms of every signal
rule beside an oracle. Run it as `tessera bench validity` or `python -m benchmarks.validity`.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl

PROJECT = Path(__file__).parents[2]
RESULT = "validity_report.json"
PAGE = "validity.md"
FIRST_SEED = 7_100
TUNED_ON = {"first_seed": 1_000, "seeds": 10, "learners": 75, "schools": 10}
"""What thresholds were tuned on; the report goes through other seeds.

Schools are of the generator too, with parameters drawn at random for each seed, so that a threshold
does not fit one school alone; see `benchmarks.validity.schools`.
"""
UNSEEN_SEED = 8_100
UNSEEN_NUMBER = 500
"""Seeds and numbers of the cohorts of the generator that no rule was tuned on begin here."""
WHOLE_SEED, WHOLE_NUMBER, WHOLE_UNSEEN_NUMBER = 7_500, 700, 800
"""Seeds and numbers of the cohorts with a pattern of the whole cohort begin here."""
QUICK = {"seeds": 1, "learners": 40, "unseen_seeds": 1, "oracle_seeds": 2, "whole_seeds": 1}
FULL = {"seeds": 16, "learners": 75, "unseen_seeds": 8, "oracle_seeds": 20, "whole_seeds": 3}
VERSION = 4

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """How much the report goes through.

    Attributes:
        seeds: cohorts for every step of the curves.
        learners: learners of each of them.
        unseen_seeds: cohorts for every step that another generator makes.
        oracle_seeds: cohorts for every step that the oracle alone sees.
        whole_seeds: cohorts for every step with a harsh rater and a slower group; half as many of
            the other generator.
        first_seed: the first seed; signals are tuned on others.
        folder: where the home and the cohorts are made; a temporary one by default.
        tell: told what goes on.
    """

    seeds: int = QUICK["seeds"]
    learners: int = QUICK["learners"]
    unseen_seeds: int = QUICK["unseen_seeds"]
    oracle_seeds: int = QUICK["oracle_seeds"]
    whole_seeds: int = QUICK["whole_seeds"]
    first_seed: int = FIRST_SEED
    folder: Path | None = None
    tell: Tell = field(default=lambda _: None)

    def __post_init__(self) -> None:
        for name in ("seeds", "learners", "unseen_seeds", "oracle_seeds", "whole_seeds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: at least 1 is needed")
        tuned = range(TUNED_ON["first_seed"], TUNED_ON["first_seed"] + TUNED_ON["seeds"])
        if set(tuned) & set(range(self.first_seed, self.first_seed + self.seeds)):
            raise ValueError(
                f"first_seed is {self.first_seed}: seeds {tuned[0]} to {tuned[-1]} are those that "
                "thresholds were tuned on, so a report on them would say little"
            )


def report(asked: Asked | None = None) -> dict[str, Any]:
    """Make cohorts, run the real pipeline on them once, and compare what it published."""
    asked = asked or Asked()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="tessera-validity-"))
    try:
        return _report(asked, folder)
    finally:
        if asked.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def _report(asked: Asked, folder: Path) -> dict[str, Any]:
    from benchmarks.validity import cohorts, ledger, published, ratings, signals, whole
    from benchmarks.validity.unseen import WORDS, unseen
    from pipelines.synth.request import Request

    messy = Request(seed=asked.first_seed)
    planned = cohorts.plan(asked.seeds, asked.learners, asked.first_seed)
    elsewhere = cohorts.plan(
        asked.unseen_seeds, asked.learners, UNSEEN_SEED, unseen(), UNSEEN_NUMBER
    )
    wholes = [
        whole.plan(asked.whole_seeds, asked.learners, WHOLE_SEED, None, WHOLE_NUMBER),
        whole.plan(
            max(1, asked.whole_seeds // 2),
            asked.learners,
            WHOLE_SEED,
            unseen(),
            WHOLE_UNSEEN_NUMBER,
        ),
    ]
    every = [*planned, *elsewhere, *(each for some in wholes for each in some)]
    asked.tell(f"{1 + len(every)} cohorts of {asked.learners} learners go into one home")
    home, truths = cohorts.lay_out(folder, messy, every)
    asked.tell("the pipeline runs on them, from the inbox to an edition")
    cohorts.run(home)
    last_day: date = messy.parameters.school.last_day.value
    own = truths[messy.programme]
    asked.tell("the oracle weighs its own cohorts")
    powers = [
        signals.oracle_power(asked.oracle_seeds, parameters=some[0].request.parameters)
        for some in (planned, elsewhere)
    ]
    asked.tell("published tables are compared with the truth")
    tuned_truths = {each.request.programme: truths[each.request.programme] for each in planned}
    with published.opened(home.editions / "current") as edition:
        added = cohorts.extended_files(every, truths)
        return {
            "report_version": VERSION,
            "parameters_version": messy.parameters.version,
            "tuned_on": TUNED_ON,
            "seeds": asked.seeds,
            "first_seed": asked.first_seed,
            "learners": asked.learners,
            "oracle_seeds": asked.oracle_seeds,
            "oracle_may_raise": signals.oracle_may_raise(messy.parameters),
            "unseen": {
                "seeds": asked.unseen_seeds,
                "first_seed": UNSEEN_SEED,
                "words": WORDS,
                "signals": signals.curves(edition, elsewhere, truths, powers[1]),
                "alarms": signals.alarms(edition, elsewhere, truths),
                "whole": whole.compare(edition, home.warehouse, wholes[1], truths, powers[1]),
            },
            "rules": edition.versions(("signals", "conflicts", "programmatic_assessment")),
            "edition": (home.editions / "current").resolve().name,
            "ledger": ledger.check(edition, own, added),
            "ratings": ratings.compare(edition, [own, *tuned_truths.values()], messy.parameters),
            "signals": signals.curves(edition, planned, truths, powers[0]),
            "alarms": signals.alarms(edition, planned, truths),
            "whole_seeds": asked.whole_seeds,
            "whole": whole.compare(edition, home.warehouse, wholes[0], truths, powers[0]),
            "records": signals.records(edition, truths.values(), last_day),
        }


def save(found: dict[str, Any], project: Path = PROJECT) -> tuple[Path, Path]:
    """Keep a report as JSON and renew its page of the docs; return both paths."""
    from benchmarks.validity import page

    result = project / "benchmarks" / "results" / RESULT
    result.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1, ensure_ascii=False, default=str)
    result.write_text(text + "\n", encoding="utf-8")
    docs = project / "docs" / PAGE
    docs.parent.mkdir(parents=True, exist_ok=True)
    docs.write_text(page.render(found), encoding="utf-8")
    return result, docs


def measure(options: Any) -> Any:
    """Answer `tessera bench validity`; `--full` goes through many seeds.

    The figures are shares and not seconds, so that they stand in the report and on its page, and
    the bench is told where.
    """
    from benchmarks.validity import page

    measured = import_module("benchmarks.registry").Measured
    wanted = FULL if options.full else QUICK
    found = report(
        Asked(
            seeds=wanted["seeds"],
            learners=wanted["learners"],
            unseen_seeds=wanted["unseen_seeds"],
            oracle_seeds=wanted["oracle_seeds"],
            whole_seeds=wanted["whole_seeds"],
            tell=_say,
        )
    )
    result, docs = save(found)
    sys.stderr.write(page.render(found))
    told = {"report": str(result), "page": str(docs)} | dict(wanted)
    return measured(cases=(), settings=told, versions={"polars": pl.__version__})


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
