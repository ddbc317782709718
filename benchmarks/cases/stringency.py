"""Stringency: crossed random effects, beside plain means and lme4 or statsmodels."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import environments, homes
from benchmarks.figures import Case
from benchmarks.machine import versions
from benchmarks.measure import Contestant, interleave
from benchmarks.registry import Measured, Options

SIZES = (5_000, 100_000)
LONG = (1_000_000,)
STATSMODELS_SIZE = 5_000
"""Its matrices are dense: more ratings than this take minutes."""
VARIANCES = {"learner": 0.30, "assessor": 0.20, "residual": 0.50}
RIVAL = ["statsmodels==0.15.0"]
RIVALS = Path(__file__).parents[1] / "rivals"


def measure(options: Options) -> Measured:
    """Measure every size; the rival at one that it can do."""
    rival = _rival(options.cache)
    cases = [_case(size, options, rival) for size in options.chosen(SIZES, LONG)]
    return Measured(
        cases=tuple(cases),
        settings={
            "timed": "the fit alone, with all effects and their standard errors",
            "planted_variances": VARIANCES,
            "ratings_of_a_learner": 40,
        },
        versions=versions("gpboost", "polars") | {rival.label: rival.version},
    )


def ratings(path: Path, n: int) -> Path:
    """Write crossed ratings with known variances as Parquet and CSV; the same bytes every time."""
    if path.exists():
        return path
    rng = np.random.default_rng(n)
    n_learners, n_assessors = max(12, n // 40), max(8, n // 200)
    deviations = {name: variance**0.5 for name, variance in VARIANCES.items()}
    learner, assessor = rng.integers(0, n_learners, n), rng.integers(0, n_assessors, n)
    level = (
        3.0
        + rng.normal(0, deviations["learner"], n_learners)[learner]
        + rng.normal(0, deviations["assessor"], n_assessors)[assessor]
        + rng.normal(0, deviations["residual"], n)
    )
    made = pl.DataFrame(
        {"learner": learner, "assessor": assessor, "level": level.round(4)}
    ).with_columns(
        pl.concat_str(pl.lit(f"{name[0]}"), pl.col(name).cast(pl.String)).alias(name)
        for name in ("learner", "assessor")
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    made.write_csv(path.with_suffix(".csv"))
    made.write_parquet(path)
    return path


def _rival(cache: Path) -> Contestant:
    """Return lme4 where R has it, else statsmodels."""
    rscript = shutil.which("Rscript")
    if rscript is not None:
        asked = [rscript, "-e", "cat(as.character(packageVersion('lme4')))"]
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
        if found.returncode == 0:
            command = [rscript, str(RIVALS / "lme4_fit.R")]
            return Contestant("lme4", 1, command, version=found.stdout.strip(), timer="fit")
    try:
        made = environments.environment(cache, "statsmodels", RIVAL)
    except environments.MissingRivalError as error:
        return Contestant("statsmodels", STATSMODELS_SIZE, why_not=str(error))
    return Contestant(
        "statsmodels",
        STATSMODELS_SIZE,
        [str(made.python), str(RIVALS / "statsmodels_fit.py")],
        version=made.versions["statsmodels"],
        timer="fit",
    )


def _case(size: int, options: Options, rival: Contestant) -> Case:
    data = options.cache / "data"
    file = ratings(data / f"ratings-{size}.parquet", size)
    n_rival = size if rival.label == "lme4" else min(size, STATSMODELS_SIZE)
    rivals_file = ratings(data / f"ratings-{n_rival}.parquet", n_rival).with_suffix(".csv")
    figures = interleave(
        {
            "ours": Contestant(
                "Tessera",
                size,
                homes.worker("stringency", file),
                environment=homes.environment(),
                timer="fit",
            ),
            "floor": Contestant(
                "polars, plain means",
                size,
                [sys.executable, "-m", "benchmarks.rivals.plain_means", str(file)],
                environment=homes.environment(),
                timer="fit",
            ),
            "rival": Contestant(
                rival.label,
                n_rival,
                [*rival.command, str(rivals_file)],
                version=rival.version,
                why_not=rival.why_not,
                timer="fit",
            ),
        },
        options.runs,
        options.observer,
    )
    return Case(
        name="learners and assessors crossed",
        size=size,
        unit="rating",
        ours=figures["ours"],
        floor=figures["floor"],
        rival=figures["rival"],
    )
