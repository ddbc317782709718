"""Run the real data sets through the pipeline and compare the published tables with what is known.

Nothing here reads the data a second time: deliveries are copied into an inbox, `tessera run` does
the rest, and every check is a query on the edition that it published.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml
from rich.console import Console
from rich.table import Table

from tests.real.two_roads import compare_roads

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
SITE = HERE / "site"
AS_OF = "2026-02-21"


@dataclass(frozen=True)
class Outcome:
    """What one check found."""

    name: str
    expected: Any
    found: Any

    @property
    def is_equal(self) -> bool:
        return bool(self.expected == self.found)


def data_folder() -> Path:
    """Return where the shared test data are, whether or not they are there."""
    default = REPOSITORY.parent / "shared" / "data"
    return Path(os.environ.get("TESSERA_TEST_DATA", default)).resolve()


def expectations() -> dict[str, Any]:
    """Return the deliveries and the checks."""
    loaded: dict[str, Any] = yaml.safe_load((HERE / "expected.yaml").read_text(encoding="utf-8"))
    return loaded


def fill_inbox(inbox: Path, data: Path) -> None:
    """Copy every delivery into the folder of its source."""
    for source, name in expectations()["deliveries"].items():
        origin = HERE / name if (HERE / name).exists() else data / name
        target = inbox / source / origin.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, target)


def run_pipeline(home: Path) -> subprocess.CompletedProcess[str]:
    """Run the whole pipeline on a home, in a process of its own."""
    command = [sys.executable, "-m", "pipelines", "run", "--home", str(home), "--as-of", AS_OF]
    command.append("--no-pack")
    environment = os.environ | {"TESSERA_SITE": str(SITE)}
    return subprocess.run(
        command, env=environment, cwd=REPOSITORY, text=True, capture_output=True, check=False
    )


def compare(home: Path) -> list[Outcome]:
    """Return what each check found in the current edition of a home."""
    edition = (home / "editions" / "current").resolve()
    with duckdb.connect(str(edition / "portfolio.duckdb"), read_only=True) as connection:
        return [
            Outcome(
                f"{check['set']}: {check['name']}",
                _plain(check["expected"]),
                _plain(_answer(connection, check["sql"])),
            )
            for check in expectations()["checks"]
        ]


def _answer(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    rows = connection.execute(sql).fetchall()
    if len(rows) == 1 and len(rows[0]) == 1:
        return rows[0][0]
    return [list(row) for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal | float):
        return round(float(value), 4)
    return value


def main() -> int:
    """Run and print a table of all checks; 0 where every one holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=REPOSITORY / "var" / "real")
    home = parser.parse_args().home.resolve()
    console = Console()
    if not data_folder().is_dir():
        console.print(f"No shared test data in {data_folder()}: set TESSERA_TEST_DATA. Skipped.")
        return 0
    fill_inbox(home / "inbox", data_folder())
    done = run_pipeline(home)
    console.print(done.stdout + done.stderr, markup=False, highlight=False)
    if done.returncode not in (0, 1):
        return done.returncode
    outcomes = compare(home)
    table = Table("check", "expected", "published", "")
    for outcome in outcomes:
        verdict = "equal" if outcome.is_equal else "[bold]differs[/bold]"
        table.add_row(outcome.name, str(outcome.expected), str(outcome.found), verdict)
    console.print(table)
    n_equal = sum(outcome.is_equal for outcome in outcomes)
    console.print(f"{n_equal} of {len(outcomes)} checks hold")
    roads = Table("by two roads", "rows", "different", "why")
    compared = compare_roads(home)
    for comparison, n_rows, n_different in compared:
        roads.add_row(comparison.name, f"{n_rows:,}", f"{n_different:,}", comparison.why)
    console.print(roads)
    n_as_known = sum(comparison.is_as_known(*found) for comparison, *found in compared)
    console.print(f"{n_as_known} of {len(compared)} comparisons are as known")
    return 0 if (n_equal, n_as_known) == (len(outcomes), len(compared)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
