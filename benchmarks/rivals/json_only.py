"""The floor of checking: Python's own json parses every line and judges nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> int:
    """Parse a file of JSON Lines."""
    with Path(sys.argv[1]).open("rb") as file:
        n = sum(isinstance(json.loads(line), dict) for line in file)
    sys.stdout.write(json.dumps({"statements": n}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
