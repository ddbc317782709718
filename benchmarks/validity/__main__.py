"""`python -m benchmarks.validity`: the validity report on its own."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.validity import FIRST_SEED, FULL, PROJECT, QUICK, Asked, page, report, save


def main(arguments: list[str] | None = None) -> int:
    """Make the report, print it, and keep it if asked to."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.validity",
        description="What an edition publishes, beside what is true of made-up cohorts.",
        epilog="Example: python -m benchmarks.validity --seeds 5 --save    then: docs/validity.md",
    )
    parser.add_argument("--seeds", type=int, help="Cohorts for every size of the patterns.")
    parser.add_argument("--learners", type=int, help="Learners of each cohort.")
    parser.add_argument(
        "--unseen-seeds", type=int, help="Cohorts for every size that another generator makes."
    )
    parser.add_argument("--oracle-seeds", type=int, help="Cohorts that the oracle alone sees.")
    parser.add_argument(
        "--whole-seeds", type=int, help="Cohorts with a harsh rater and a slower group."
    )
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--full", action="store_true", help="Many seeds; takes long.")
    parser.add_argument("--folder", type=Path, help="Make the home here, and leave it.")
    parser.add_argument("--save", action="store_true", help="Keep the result and renew the page.")
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    given = parser.parse_args(arguments)
    chosen = dict(FULL if given.full else QUICK)
    chosen |= {name: value for name in chosen if (value := getattr(given, name)) is not None}
    try:
        asked = Asked(**chosen, first_seed=given.first_seed, folder=given.folder, tell=_say)
    except ValueError as error:
        parser.error(str(error))
    found = report(asked)
    if given.save:
        for path in save(found, PROJECT):
            _say(f"kept in {path}")
    text = json.dumps(found, ensure_ascii=False, default=str) + "\n" if given.json else None
    sys.stdout.write(text or page.render(found))
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    raise SystemExit(main())
