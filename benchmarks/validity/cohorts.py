"""Many cohorts in one home: the pipeline runs once, and every pattern is there in every size."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.home import Home
from pipelines.run import Run, Wanted
from pipelines.settings import Settings
from pipelines.synth.cohort import make
from pipelines.synth.parameters import Parameters, shipped
from pipelines.synth.request import Request
from pipelines.synth.writers import write_manifest

MANIFEST_SUFFIX = ".manifest.json"
BOM = b"\xef\xbb\xbf"
SHARE = 0.04
"""Of the learners of a curve's cohort with each pattern.

Most have none, so that those who have one hardly move the norms of peers.
"""
FULL_SNAPSHOTS = frozenset(
    f"example_{name}"
    for name in (
        "actions",
        "background",
        "calendar",
        "committee",
        "framework",
        "plan",
        "roster",
        "staff",
        "tasks",
    )
)
"""Sources whose every delivery holds everything: cohorts must come in one file."""


@dataclass(frozen=True)
class Planned:
    """One cohort of a curve."""

    request: Request
    step: int
    """Which size of each pattern's curve it has."""


def plan(
    seeds: int,
    learners: int,
    first_seed: int,
    parameters: Parameters | None = None,
    numbered_from: int = 1,
    carried: Mapping[str, float] | None = None,
) -> list[Planned]:
    """Return the cohorts of a curve: for every seed one of every step.

    Args:
        seeds: how many seeds.
        learners: learners of each cohort.
        first_seed: the first seed.
        parameters: the generator; the shipped one by default.
        numbered_from: the number of the first cohort, so that generators share no id.
        carried: the share of carriers of every pattern; by default `shares`. The curve is as long
            as that of any pattern that is carried.
    """
    generator = parameters or shipped()
    given = shares() if carried is None else carried
    steps = max(len(pattern.curve.value) for pattern in generator.patterns if given[pattern.id])
    planned: list[Planned] = []
    for seed in range(seeds):
        for step in range(steps):
            number = len(planned) + numbered_from
            planned.append(
                Planned(
                    Request(
                        learners=learners,
                        seed=first_seed + seed,
                        mess="none",
                        effects=effects_of(step),
                        shares=given,
                        programme=f"P{number:03d}",
                        number=number,
                        parameters=generator,
                    ),
                    step,
                )
            )
    return planned


def effects_of(step: int) -> dict[str, float]:
    """Return the size of every pattern at a step of its curve; the last where it has fewer."""
    return {
        pattern.id: pattern.curve.value[min(step, len(pattern.curve.value) - 1)]
        for pattern in Request().parameters.patterns
    }


def shares() -> dict[str, float]:
    """Return who gets a pattern in the cohorts of a curve: none that touches a whole cohort."""
    return {
        pattern.id: 0.0 if pattern.about == "cohort" else SHARE
        for pattern in Request().parameters.patterns
    }


def lay_out(folder: Path, messy: Request, planned: list[Planned]) -> tuple[Home, dict[str, Path]]:
    """Put a messy cohort and those of the curves into the inbox of a new home.

    Returns:
        The home, and the folder of each programme's truth.
    """
    home = Home.open(folder / "home")
    made = make(messy, folder / "cohorts" / messy.programme)
    truths = {messy.programme: made.truth}
    parts: dict[str, list[Path]] = defaultdict(list)
    for path in _files(made.out):
        target = home.inbox / path.relative_to(made.out)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    for each in planned:
        more = make(each.request, folder / "cohorts" / each.request.programme)
        truths[each.request.programme] = more.truth
        for path in _files(more.out):
            if not path.name.endswith(MANIFEST_SUFFIX):
                parts[path.relative_to(more.out).as_posix()].append(path)
    for file, paths in parts.items():
        _join(home.inbox, file, paths)
    return home, truths


def run(home: Home) -> None:
    """Run the real pipeline, from the inbox to a published edition."""
    settings = Settings(home=home.root)
    Run(home, settings, Wanted(pack=False)).go()


def extended_files(planned: list[Planned], truths: Mapping[str, Path]) -> dict[str, int]:
    """Return the records that other cohorts add to files of the messy one."""
    added: dict[str, int] = defaultdict(int)
    for each in planned:
        deliveries = pl.read_parquet(truths[each.request.programme] / "deliveries.parquet")
        for file, source, n in deliveries.select("file", "source", "n_accepted").iter_rows():
            if source in FULL_SNAPSHOTS:
                added[file] += n
    return dict(added)


def _join(inbox: Path, file: str, paths: list[Path]) -> None:
    """Write the rows of several cohorts as one delivery, after those that are there."""
    source, _, name = file.partition("/")
    target = inbox / file if source in FULL_SNAPSHOTS else inbox / source / f"more_{name}"
    target.parent.mkdir(parents=True, exist_ok=True)
    is_new = not target.exists()
    with target.open("ab") as joined:
        for path in paths:
            data = path.read_bytes()
            if path.suffix == ".csv" and not is_new:
                data = data.removeprefix(BOM).split(b"\r\n", 1)[1]
            joined.write(data)
            is_new = False
    told = json.loads(paths[0].with_name(paths[0].name + MANIFEST_SUFFIX).read_bytes())
    write_manifest(target, datetime.fromisoformat(told["sent_at"]))


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]
