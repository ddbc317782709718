"""One build of all marts with their tests, on a home whose evidence is loaded."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def main() -> int:
    """Build and tell the seconds of the slowest models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--full-refresh", action="store_true")
    options = parser.parse_args()
    from pipelines.home import Home
    from pipelines.settings import Settings
    from pipelines.warehouse.build import build

    settings = Settings(home=options.home)
    report = build(Home.open(settings.home), settings, full_refresh=options.full_refresh)
    told = {f"{name}_seconds": seconds for name, seconds in report.slowest.items()}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
