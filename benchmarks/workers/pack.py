"""The committee pack of the current edition of a home."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pipelines.committee.pack import build
from pipelines.home import Home
from pipelines.settings import Settings


def main() -> int:
    """Build the pack and tell how many files it has."""
    settings = Settings(home=Path(sys.argv[1]))
    folder = build(Home.open(settings.home), settings)
    files = [path for path in folder.rglob("*") if path.is_file()]
    told = {"files": len(files), "bytes": sum(path.stat().st_size for path in files)}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
