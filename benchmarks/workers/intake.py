"""Everything that a run does between the inbox and the loaded, balanced evidence."""

from __future__ import annotations

import argparse
import atexit
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.ending import end_at_once


def main() -> int:
    """Take in what lies in the inbox of a home and tell the seconds of each stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--site", type=Path, required=True)
    options = parser.parse_args()
    os.environ["TESSERA_SITE"] = str(options.site)
    atexit.register(end_at_once)  # as the command line does
    told = take_in(options.home)
    sys.stdout.write(json.dumps(told) + "\n")
    return 0 if told["rows_read"] == told["rows_with_an_outcome"] > 0 else 3


def take_in(root: Path) -> dict[str, Any]:
    """Run the stages from receive to load, as `tessera run` does."""
    from pipelines.home import Home
    from pipelines.intake import workers
    from pipelines.intake.newcomers import largest_newcomer
    from pipelines.settings import Settings

    settings = Settings(home=root)
    home = Home.open(settings.home)
    workers.expect(largest_newcomer(home), settings.workers)

    from pipelines.intake import receive, segment
    from pipelines.intake import validate as validating
    from pipelines.intake.check import prepare
    from pipelines.intake.feeds import feeds_of
    from pipelines.intake.read import read
    from pipelines.intake.records import active_records
    from pipelines.sources import catalogue
    from pipelines.warehouse.load import load

    seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def timed(stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        seconds[stage] += time.perf_counter() - started

    def expect(n_bytes: int) -> None:
        prepare()
        workers.expect(n_bytes, settings.workers)

    declared = catalogue.load(settings)
    feeds = feeds_of(declared)
    with timed("receive"):
        received = receive.receive(home, settings, feeds=feeds, expect=expect)
    for delivery in received.pending:
        with timed("read"):
            read(home, settings, delivery, catalogue=declared)
        with timed("validate"):
            validating.validate(home, settings, delivery, feeds=feeds)
        with timed("check"):
            _check(home, settings, delivery, feeds, declared)
        with timed("segment"):
            segment.commit(home, settings, delivery, feeds=feeds)
    workers.close()
    with timed("load"):
        loaded = load(home, settings)
    return {
        **{f"{stage}_seconds": round(spent, 3) for stage, spent in seconds.items()},
        "rows_read": sum(record.rows_read for record in active_records(home)),
        "rows_with_an_outcome": sum(loaded.outcomes.values()) + loaded.refused,
        "rows_refused": loaded.refused,
    }


def _check(home: Any, settings: Any, delivery: str, feeds: Any, declared: Any) -> Any:
    from pipelines.intake.check import check

    return check(home, settings, delivery, feeds=feeds, catalogue=declared)


if __name__ == "__main__":
    raise SystemExit(main())
