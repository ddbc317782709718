"""Put the made-up example cohort into an inbox that is empty."""

from __future__ import annotations

import random
from pathlib import Path

from pipelines.synth.cohort import make_cohort
from pipelines.synth.deliveries import make_deliveries, write

DEFAULT_SEED = 20261120


def fill(inbox: Path, seed: int = DEFAULT_SEED) -> list[Path]:
    """Write the example deliveries below an inbox and return their paths.

    The same seed gives the same bytes. About 60 learners in three year groups, three years of all
    kinds of evidence, and some deliberately bad records.

    Raises:
        FileExistsError: the inbox already holds files.
    """
    if inbox.exists() and any(path.is_file() for path in inbox.rglob("*")):
        raise FileExistsError(f"{inbox} is not empty: the example goes into an empty inbox only")
    rng = random.Random(seed)  # noqa: S311
    return write(make_deliveries(rng, make_cohort(rng)), inbox)
