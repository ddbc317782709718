"""Kill the pipeline with SIGKILL at every step boundary, and compare what comes out.

    python -m tests.soak --kills 300 --whole 5 --minutes 40

Each round starts a real process on a fresh home, watches the files that the stages leave behind,
and kills the process the moment that the wanted one appears (or at a moment of chance within). The
home is then worked through to the end, and its tables must hash as those of a home that nobody
disturbed. Nothing in the pipeline knows of this.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.home import Home
from pipelines.settings import Settings
from tests.small_world import EXAMPLE, open_home, write_site

REPOSITORY = Path(__file__).parents[1]
RESULT = REPOSITORY / "benchmarks" / "results" / "kills.json"
PATIENCE = 600.0
LOOKS_EVERY = 0.002

INTAKE_STEPS = {
    "archived": "restricted/archive/*/*",
    "received": "log/receipts/*/*.json",
    "being read": "restricted/staging/*/*/.read-*",
    "read": "restricted/staging/*/*/read/read.json",
    "being judged": "restricted/staging/*/*/working",
    "validated": "restricted/staging/*/*/validate.json",
    "checked": "restricted/staging/*/*/check.json",
    "finished": "restricted/staging/*/*/finished",
    "persons kept": "restricted/vault/persons/*/*.parquet",
    "committed": "log/deliveries/*/*/intake.json",
    "warehouse opened": "warehouse/build.duckdb",
    "loading": "warehouse/build.duckdb.wal",
    "marts opened": "warehouse/build.marts.duckdb",
}
ONCE = {"warehouse opened", "loading", "marts opened", "marts written"}
"""Steps that show in one file only."""
"""What appears in a home, by the step that it shows: steps of intake and load."""
WHOLE_STEPS = INTAKE_STEPS | {
    "loaded": "runs/*/load.json",
    "marts written": "warehouse/build.marts.duckdb.wal",
    "calibrated": "runs/*/calibrate.json",
    "built": "runs/*/build.json",
    "audited": "runs/*/audit.json",
    "published": "editions/current",
}


@dataclass
class Result:
    """What some rounds gave."""

    kills: Counter[str] = field(default_factory=Counter)
    """Kills by the step at which they struck."""
    missed: int = 0
    """Rounds that ended before the step was seen."""
    differing: list[str] = field(default_factory=list)

    @property
    def n_equal(self) -> int:
        """Return after how many kills the tables were the same."""
        return self.kills.total() - len(self.differing)

    def as_json(self) -> dict[str, Any]:
        """Return the result as it is kept."""
        return {
            "kills": self.kills.total(),
            "equal": self.n_equal,
            "missed": self.missed,
            "differing": self.differing,
            "by_step": dict(sorted(self.kills.items())),
        }


def take_in(home: Home, settings: Settings) -> None:
    """Do what a run does as far as the warehouse."""
    from pipelines.intake import check, read, receive, segment, validate
    from pipelines.warehouse.load import load

    for delivery_id in receive.receive(home, settings, settle=0).pending:
        for stage in (read.read, validate.validate, check.check, segment.commit):
            stage(home, settings, delivery_id)
    load(home, settings)


def hashes(home: Home, settings: Settings) -> dict[str, str]:
    """Return the hash of every raw table that holds something, and prove the ledger balanced."""
    from pipelines.intake.ledger import ledger
    from pipelines.warehouse.connection import open_warehouse
    from pipelines.warehouse.hashing import table_hash
    from pipelines.warehouse.raw_schema import raw_tables

    for entry in ledger(home):
        outcomes = entry.accepted + entry.duplicate + entry.superseded + entry.voided
        if outcomes + entry.quarantined != entry.rows_read:
            return {"unbalanced": entry.delivery_id}
    with open_warehouse(home, settings, read_only=True) as con:
        return {table: table_hash(con, f'raw."{table}"') for table in raw_tables()}


def soak(
    folder: Path, n: int, *, whole: bool = False, seed: int = 0, minutes: float = float("inf")
) -> Result:
    """Kill `n` processes, each on a home of its own below `folder`.

    Args:
        folder: where homes are made; each is removed when it came out well.
        n: how many.
        whole: kill `tessera run` instead of intake and load alone.
        seed: of the moments.
        minutes: after how many no further round begins.
    """
    give_up = time.monotonic() + 60 * minutes
    chance, result = random.Random(seed), Result()
    site = write_site(folder / "site")
    steps = WHOLE_STEPS if whole else INTAKE_STEPS
    undisturbed = _home(folder / "undisturbed")
    settings = _settings(undisturbed, site)
    _finish(undisturbed, settings, whole=whole)
    expected = _outcome(undisturbed, settings, whole=whole)
    names = chance.sample(list(steps), len(steps))
    for number in range(n):
        if time.monotonic() > give_up:
            break
        step = names[number % len(names)]
        home = _home(folder / f"home-{number}")
        settings = _settings(home, site)
        nth = chance.randint(1, 4) if step not in ONCE else 1
        delay = chance.choice([0.0, 0.0, chance.uniform(0, 0.02)])
        if not _killed_at(home, site, steps[step], nth, delay, whole=whole):
            result.missed += 1
        else:
            result.kills[step] += 1
            _finish(home, settings, whole=whole)
            if _outcome(home, settings, whole=whole) != expected:
                result.differing.append(f"{step}, number {nth}, after {delay:.3f} s: {home.root}")
                continue
        shutil.rmtree(home.root)
    return result


def _home(root: Path) -> Home:
    shutil.rmtree(root, ignore_errors=True)
    return open_home(root, EXAMPLE)


def _settings(home: Home, site: Path) -> Settings:
    return Settings(home=home.root, site=site, workers=1)


def _command(home: Home, *, whole: bool) -> list[str]:
    if whole:
        return [sys.executable, "-m", "pipelines", "run", "--home", str(home.root), "--no-pack"]
    return [sys.executable, "-m", "tests.soak", "--take-in", str(home.root)]


def _environment(site: Path) -> dict[str, str]:
    return os.environ | {
        "TESSERA_SITE": str(site),
        "TESSERA_WORKERS": "1",
        "PYTHONPATH": str(REPOSITORY),
    }


def _killed_at(
    home: Home, site: Path, pattern: str, nth: int, delay: float, *, whole: bool
) -> bool:
    """Start a process and kill it once the nth file of a pattern is there; tell whether it was."""
    process = subprocess.Popen(
        _command(home, whole=whole),
        env=_environment(site),
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    give_up = time.monotonic() + PATIENCE
    seen: set[Path] = set()
    while process.poll() is None and time.monotonic() < give_up:
        with contextlib.suppress(FileNotFoundError):  # a folder that was moved meanwhile
            seen.update(home.root.glob(pattern))
        if len(seen) >= nth:
            time.sleep(delay)
            break
        time.sleep(LOOKS_EVERY)
    was_running = process.poll() is None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return was_running


def _finish(home: Home, settings: Settings, *, whole: bool) -> None:
    if not whole:
        take_in(home, settings)
        return
    site = settings.site or Path()
    subprocess.run(
        _command(home, whole=True),
        env=_environment(site),
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )


def _outcome(home: Home, settings: Settings, *, whole: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"raw": hashes(home, settings)}
    if whole:
        current = (home.editions / "current").resolve()
        record = json.loads((current / "edition.json").read_bytes())
        found["edition"] = record["table_hashes"]
    return found


def main() -> int:
    """Run the rounds that were asked for, and keep their result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="kills of intake and load")
    parser.add_argument("--whole", type=int, default=0, help="kills of the whole of tessera run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--minutes",
        type=float,
        default=float("inf"),
        help="begin no further round of either sort after so many",
    )
    parser.add_argument("--take-in", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.take_in is not None:
        settings = Settings(home=asked.take_in)
        take_in(Home.open(asked.take_in), settings)
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tessera-soak-") as made:
        intake = soak(Path(made) / "intake", asked.kills, seed=asked.seed, minutes=asked.minutes)
        whole = soak(
            Path(made) / "whole",
            asked.whole,
            whole=True,
            seed=asked.seed,
            minutes=asked.minutes,
        )
    told = {
        "intake_and_load": intake.as_json(),
        "whole_runs": whole.as_json(),
        "seed": asked.seed,
        "seconds": round(time.monotonic() - began),
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    return 1 if intake.differing or whole.differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
