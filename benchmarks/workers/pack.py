"""The committee pack of an edition of a home, the current one where none is named."""

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
    edition_id = sys.argv[2] if len(sys.argv) > 2 else None
    folder = build(Home.open(settings.home), settings, edition_id)
    files = [path for path in folder.rglob("*") if path.is_file()]
    told = {"files": len(files), "bytes": sum(path.stat().st_size for path in files)}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
