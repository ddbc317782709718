"""The README's pictures, from the pack of the current edition: `make picture`."""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.committee.picture import take
from pipelines.settings import Settings

if __name__ == "__main__":
    pack = Settings().home / "packs" / "current"
    if not pack.exists():
        sys.exit(f"there is no pack {pack}: run `make run` first")
    for path in take(pack, Path(__file__).parent):
        sys.stdout.write(f"{path}\n")
