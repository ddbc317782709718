"""Every format of `tessera synth` through the whole pipeline, each held against its truth.

    python -m tests.synth.formats --learners 40

Part of `make soak`: a run of the pipeline for every format takes minutes. The result is kept in
`benchmarks/results/formats.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.validity import ledger, published
from pipelines.home import Home
from pipelines.run import Run, Wanted
from pipelines.settings import Settings
from pipelines.synth.cohort import make
from pipelines.synth.request import FORMATS, Request

REPOSITORY = Path(__file__).parents[2]
RESULT = REPOSITORY / "benchmarks" / "results" / "formats.json"


@dataclass(frozen=True)
class Told:
    """What became of a cohort's planted faults and deliveries in one format."""

    format: str
    faults: int
    faults_as_expected: int
    deliveries: int
    deliveries_as_expected: int

    @property
    def is_right(self) -> bool:
        """Return whether nothing differs from the truth."""
        return (self.faults, self.deliveries) == (
            self.faults_as_expected,
            self.deliveries_as_expected,
        )


def through(folder: Path, request: Request) -> Told:
    """Take a cohort through the pipeline, and compare what was published with its truth."""
    home = Home.open(folder / "home")
    made = make(request, home.inbox)
    settings = Settings(home=home.root, site=made.site) if made.site else Settings(home=home.root)
    Run(home, settings, Wanted(pack=False)).go()
    with published.opened(home.editions / "current") as edition:
        told = ledger.check(edition, made.truth)
    verdicts = [fault["verdict"] for fault in told["faults"]]
    return Told(
        request.format,
        len(verdicts),
        verdicts.count(ledger.AS_EXPECTED),
        told["deliveries"]["n"],
        told["deliveries"]["as_expected"],
    )


def main() -> int:
    """Run every format and print a table; 0 where nothing differs in any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--learners", type=int, default=40)
    parser.add_argument("--seed", type=int, default=5)
    wanted = parser.parse_args()
    console = Console()
    results = []
    for name in track(FORMATS, "formats", console=console):
        with tempfile.TemporaryDirectory(prefix="tessera-format-") as folder:
            request = Request(learners=wanted.learners, seed=wanted.seed, format=name)
            results.append(through(Path(folder), request))
    table = Table("format", "faults as expected", "deliveries as expected")
    for told in results:
        table.add_row(
            told.format,
            f"{told.faults_as_expected} of {told.faults}",
            f"{told.deliveries_as_expected} of {told.deliveries}",
        )
    console.print(table)
    kept = {"learners": wanted.learners, "seed": wanted.seed, "formats": [*map(asdict, results)]}
    RESULT.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return 0 if all(told.is_right for told in results) else 1


if __name__ == "__main__":
    sys.exit(main())
