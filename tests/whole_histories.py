"""Histories of whole builds: after each thing that happens, dbt builds for those who moved.

    python -m tests.whole_histories --histories 100

Every history goes on where the one before it ended. After each build the kept tables are held
against what their whole models give; now and then, and at the end, everything is built from
nothing and every table must hash as it did. A build that its own data tests stop counts as stopped,
if they stop one from nothing too: the next one must be right all the same. So must one that follows
a build that was stopped half way.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pipelines.home import Home
from pipelines.rules import load_catalogue
from pipelines.settings import Settings
from pipelines.warehouse import build as build_module
from pipelines.warehouse.build import BuildError, BuildReport, build, build_on
from pipelines.warehouse.connection import open_warehouse
from pipelines.warehouse.dbt_project import target_folder
from pipelines.warehouse.hashing import table_hash
from pipelines.warehouse.kept import FINGERPRINTS
from pipelines.warehouse.load import replace_rules
from pipelines.warehouse.raw_schema import raw_tables
from tests.dbt.conftest import Built
from tests.dbt.example_school import example_school
from tests.dbt.histories import CHANGES, Event
from tests.dbt.kept_engine import differing, read_nodes

RESULT = Path(__file__).parents[1] / "benchmarks" / "results" / "histories.json"
FIRST_DAY = date(2026, 2, 21)
WHOLE_EVERY = 10
TESTED_EVERY = 4
KILLED_ONE_IN = 3
STOPPED_AT = (
    "fct_evidence",
    "int_portfolio__fingerprinted",
    "int_cells__counted",
    "int_cells__fingerprinted",
    "portfolio_competency_status",
    "int_timeline__fingerprinted",
)
"""Where a build may be stopped: this model and what it rests on stand, and nothing after it. Named
histories stop at the first two."""
OWN = {"kept_learner", "build_input"}
"""Raw tables that a build writes."""


class School:
    """A home that holds the example school, built from nothing."""

    def __init__(self, folder: Path) -> None:
        """Build it below `folder`."""
        self.home = Home.open(folder / "home")
        self.settings = Settings(home=self.home.root, site=None, memory_limit="1GB", workers=2)
        example_school().write(self.home.warehouse)
        with open_warehouse(self.home, self.settings) as con:
            replace_rules(con, load_catalogue())
            con.execute("create schema first_day")
            for table in set(raw_tables()) - OWN:
                con.execute(f'create table first_day."{table}" as from raw."{table}"')
        self.as_of = FIRST_DAY
        self.build(full_refresh=True, tested=True)
        target = target_folder(self.home)
        self._nodes = read_nodes(Built(self.home.warehouse, target, "", 0), target)

    def happen(self, events: Iterable[Event]) -> None:
        """Let something happen to the evidence."""
        with open_warehouse(self.home, self.settings) as con:
            for event in events:
                event.happen(con)

    def set_back(self) -> None:
        """Undo all that happened to the evidence; what was built stays."""
        with open_warehouse(self.home, self.settings) as con:
            for table in set(raw_tables()) - OWN:
                con.execute(f'delete from raw."{table}"')
                con.execute(f'insert into raw."{table}" from first_day."{table}"')

    def build(self, *, full_refresh: bool = False, tested: bool = False) -> BuildReport:
        """Build as a night does; without its data tests, unless they are asked for."""
        run = build_on if tested else _models_only
        with patch.object(build_module, "build_on", run):
            return build(self.home, self.settings, self.as_of, full_refresh=full_refresh)

    def build_and_stop(self, model: str) -> None:
        """Build as a night that is stopped once a model and what it rests on are made."""

        def stopped(home: Home, settings: Settings, *_: str, is_full: bool, **_chosen: Any) -> None:
            build_on(home, settings, "run", "--select", f"+{model}", is_full=is_full)
            raise KeyboardInterrupt

        with patch.object(build_module, "build_on", stopped), suppress(KeyboardInterrupt):
            build(self.home, self.settings, self.as_of)

    def goes_through_from_nothing(self) -> bool:
        """Say whether a build from nothing passes its data tests."""
        try:
            self.build(full_refresh=True, tested=True)
        except BuildError:
            return False
        return True

    def differing(self) -> list[str]:
        """Return the kept tables that are not what their whole model gives."""
        with open_warehouse(self.home, self.settings) as con:
            return differing(con, self._nodes)

    def hashes(self) -> dict[str, str]:
        """Return the hash of every table that dbt made, those of fingerprints apart."""
        with open_warehouse(self.home, self.settings, read_only=True) as con:
            tables = con.execute(
                "select database_name || '.' || schema_name || '.' || table_name "
                "from duckdb_tables() "
                "where schema_name not in ('raw', 'first_day') and not ends_with(table_name, ?)",
                [FINGERPRINTS],
            ).fetchall()
            return {table: table_hash(con, table) for (table,) in sorted(tables)}


def _models_only(home: Home, settings: Settings, *_: str, **chosen: Any) -> None:
    build_on(home, settings, "run", **chosen)


@dataclass
class Result:
    """What random histories gave."""

    histories: int = 0
    killed: int = 0
    """Builds that were stopped half way, after each of which the next one went on."""
    stopped: int = 0
    """Builds that a data test stopped, and stopped too when all was built from nothing."""
    stopped_by: Counter[str] = field(default_factory=Counter)
    """What stopped them."""
    wholes: int = 0
    """Builds from nothing, of which every table was compared."""
    events: Counter[str] = field(default_factory=Counter)
    moved: list[int] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    def __add__(self, other: Result) -> Result:
        """Return what two schools gave together."""
        return Result(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(Result))
        )

    def as_json(self) -> dict[str, Any]:
        """Return the result as it is kept."""
        return {
            "histories": self.histories,
            "equal": self.histories - self.stopped - len(self.differing),
            "after_one_that_was_killed": self.killed,
            "stopped_by_data_tests": self.stopped,
            "stopped_by": dict(sorted(self.stopped_by.items())),
            "built_from_nothing_and_equal": self.wholes,
            "builds_in_which_nobody_moved": self.moved.count(0),
            "differing": self.differing,
            "events": dict(sorted(self.events.items())),
        }


def soak(folder: Path, n: int, seed: int = 0, minutes: float | None = None) -> Result:
    """Let `n` random histories happen to one school, and build after each of them.

    Args:
        folder: where its home is made.
        n: how many.
        seed: of what happens.
        minutes: begin no further one after so many.
    """
    began = time.monotonic()
    chance, result, school = random.Random(seed), Result(), School(folder)
    names = sorted(set(CHANGES) - {"days pass", "a past day is asked for"})
    while result.histories < n:
        if minutes is not None and time.monotonic() - began > 60 * minutes:
            break
        events = [
            Event(chance.choice(names), chance.randrange(1000)) for _ in range(chance.randint(1, 3))
        ]
        school.as_of += timedelta(days=chance.choice([0, 1, 1, 30, 200, -100]))
        school.happen(events)
        result.histories += 1
        result.events.update(event.name for event in events)
        told = f"{result.histories}: {[(e.name, e.lot) for e in events]} as of {school.as_of}"
        tested = result.histories % TESTED_EVERY == 0
        if chance.randrange(KILLED_ONE_IN) == 0:
            result.killed += 1
            model, is_back = chance.choice(STOPPED_AT), chance.random() < 0.5
            told += f", stopped at {model}" + (" and set back" if is_back else "")
            school.build_and_stop(model)
            if is_back:
                school.set_back()
        try:
            result.moved.append(school.build(tested=tested).moved["evidence"])
        except BuildError as error:
            result.stopped += 1
            result.stopped_by.update(failure.name for failure in error.failures)
            if school.goes_through_from_nothing():
                result.differing.append(f"{told}: only what stood was stopped, by {error}")
            school.set_back()
            continue
        if wrong := school.differing():
            result.differing.append(f"{told}: {wrong}")
        if result.histories % WHOLE_EVERY == 0:
            _compare(school, result, told)
    school.set_back()
    school.build()
    _compare(school, result, "at the end")
    return result


def soak_schools(n: int, seed: int = 0, minutes: float | None = None, schools: int = 1) -> Result:
    """Share `n` random histories out to schools, each in a process and with a seed of its own.

    Args:
        n: how many in all.
        seed: of what happens to the first school; each further one has the next.
        minutes: begin no further one after so many.
        schools: how many.
    """
    shares = [n // schools + (number < n % schools) for number in range(schools)]
    with ProcessPoolExecutor(schools, multiprocessing.get_context("spawn")) as pool:
        found = [
            pool.submit(_soak_apart, share, seed + number, minutes)
            for number, share in enumerate(shares)
        ]
        return sum((one.result() for one in found), Result())


def _soak_apart(n: int, seed: int, minutes: float | None) -> Result:
    with tempfile.TemporaryDirectory(prefix="tessera-histories-") as made:
        return soak(Path(made), n, seed, minutes)


def _compare(school: School, result: Result, told: str) -> None:
    kept = school.hashes()
    school.build(full_refresh=True)
    whole = school.hashes()
    if wrong := [table for table in whole if whole[table] != kept.get(table)]:
        result.differing.append(f"{told}, from nothing: {wrong}")
    else:
        result.wholes += 1


def main() -> int:
    """Run the histories that were asked for, and keep their result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="begin no further one after so many")
    parser.add_argument("--schools", type=int, default=1, help="as many beside each other")
    asked = parser.parse_args()
    began = time.monotonic()
    found = soak_schools(asked.histories, asked.seed, asked.minutes, asked.schools)
    told = (
        {"wanted": asked.histories}
        | found.as_json()
        | {"seed": asked.seed, "schools": asked.schools, "seconds": round(time.monotonic() - began)}
    )
    RESULT.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    return 1 if found.differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
